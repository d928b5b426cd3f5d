"""Why a compile ends without a dataset, in a sentence."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class CompileError(Exception):
    """The compile cannot go on; what it has made so far is kept, and the next run goes on from there."""


class UnusableError(CompileError):
    """What the compile was asked to do makes no sense."""


@contextmanager
def writing_into(folder: object) -> Iterator[None]:
    """Say in a sentence that the disk is full, whoever was writing."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise CompileError(
                f"There is no room left for {folder} ({error.strerror}): free some and run the same command "
                "again; it goes on where it stopped."
            ) from None
        raise
