"""A file that has to stay the same while it is read."""

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from .records import SourceError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


def open_steady(path: Path, name: str) -> BinaryIO:
    """The file at `path`, whose end is only believed where it is still the file that was opened.

    Reading up to an end that came by removing, replacing or cutting the file raises SourceError; otherwise
    what was left of a source would pass for all of it.
    """
    return cast(BinaryIO, io.BufferedReader(_SteadyFile(path, name)))


class _SteadyFile(io.FileIO):
    def __init__(self, path: Path, name: str) -> None:
        super().__init__(path, "rb")
        self._path = path
        self._known_as = name
        self._opened = _state(os.fstat(self.fileno()))

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        count = super().readinto(buffer) or 0
        if not count:
            self._refuse_change()
        return count

    def readall(self) -> bytes:
        data = super().readall()
        self._refuse_change()
        return data

    def _refuse_change(self) -> None:
        try:
            found = _state(self._path.stat())
        except FileNotFoundError:
            problem = "the source vanished while it was read"
        else:
            if found == self._opened:
                return
            problem = "the source changed while it was read"
        raise SourceError(
            self._known_as, problem, "put it back as it was, leave it alone and run the same command again"
        )


def _state(status: os.stat_result) -> tuple[int, int, int, int]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
