"""A file of records that is whole under its name, or is the one from before."""

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

Write = Callable[[Mapping[str, Any]], None]


@contextmanager
def writing(path: Path) -> Iterator[Write]:
    """Write lines beside the name; they are renamed when all are there, and removed when they are not."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as part:
        try:
            yield lambda record: _line(part, record)
            part.flush()
            os.fsync(part.fileno())
            os.replace(part.name, path)
        except BaseException:
            Path(part.name).unlink(missing_ok=True)
            raise


def _line(part: Any, record: Mapping[str, Any]) -> None:
    part.write(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))
