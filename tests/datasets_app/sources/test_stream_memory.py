"""Reading a file takes the same little memory however long the file is."""

import io
import tracemalloc
from collections.abc import Iterator
from typing import BinaryIO, cast

import pytest

from datasets_app.sources.records import Dialogue
from datasets_app.sources.registry import ReadOptions, read_source

FILE_BYTES = 20_000_000
PEAK_BYTES = 2_000_000
TEXT = b"word " * 800

MAPPING = {"conversation": "id", "speaker": "who", "text": "text"}


class Growing(io.RawIOBase):
    """A file that is written while it is read, so that only the reader can hold it."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts
        self._rest = b""

    def read(self, size: int = -1, /) -> bytes:
        while len(self._rest) < size and (part := next(self._parts, b"")):
            self._rest += part
        data, self._rest = self._rest[:size], self._rest[size:]
        return data


def repeated(first: bytes, unit: bytes, last: bytes) -> Iterator[bytes]:
    yield first
    for number in range(FILE_BYTES // len(unit)):
        yield unit.replace(b"#", b"%d" % number)
    yield last


RECORD = b'{"messages": [{"role": "user", "content": "' + TEXT + b'"}]}'


@pytest.mark.parametrize(
    ("name", "first", "unit", "last"),
    [
        ("made.jsonl", b"", RECORD + b"\n", b""),
        ("made.json", b"[" + RECORD, b"," + RECORD, b"]"),
        ("made.csv", b"id,who,text\n", b"#,client," + TEXT + b"\n", b""),
        ("made.txt", b"", b"Client: " + TEXT + b"\n---\n", b""),
    ],
    ids=["lines", "array", "rows", "transcript"],
)
def test_memory_stays_flat(name: str, first: bytes, unit: bytes, last: bytes) -> None:
    options = ReadOptions(columns=MAPPING if name == "made.csv" else {})
    stream = cast(BinaryIO, Growing(repeated(first, unit, last)))
    tracemalloc.start()
    try:
        records = read_source(stream, name=name, options=options)
        kept = sum(isinstance(record, Dialogue) for record in records)
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept == FILE_BYTES // len(unit) + (name == "made.json")
    assert peak < PEAK_BYTES
