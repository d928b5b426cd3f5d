"""Bad input of every format: what is broken is refused where it stands, before memory is filled."""

import gzip
import io
import json
import os
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from datasets_app.sources.records import Dialogue, RejectReason, SourceError
from datasets_app.sources.registry import ReadOptions, read_source
from datasets_app.sources.steady import open_steady

from .reading import as_lines, only_reject, records_of, said
from .test_read_published_sets import GOOD, esconv, psy_insight

GIGABYTE = 1024**3
MEGABYTE = 1024**2
LIMIT = ReadOptions().max_line_bytes
RECORDS = pytest.mark.parametrize(
    "record", [GOOD, esconv(), psy_insight("01", 0)], ids=["hh_rlhf", "esconv", "psy_insight"]
)
COLUMNS = {"prompt": "q", "response": "a"}


def spoken(record: Any) -> list[tuple[str, str]]:
    (dialogue,) = records_of(as_lines(record), "made.jsonl")
    assert isinstance(dialogue, Dialogue)
    return said(dialogue)


@RECORDS
def test_a_truncated_last_line_is_one_reject(record: Any) -> None:
    found = records_of(as_lines(record, record)[:-20], "made.jsonl")
    assert len(found) == 2
    assert (only_reject(found).row, only_reject(found).reason) == (2, RejectReason.BROKEN_JSON)


@RECORDS
def test_a_truncated_array_is_a_failure_of_the_file(record: Any) -> None:
    data = json.dumps([record, record])[:-20]
    with pytest.raises(SourceError, match="the file ends in the middle of the record") as caught:
        records_of(data, "made.json")
    assert caught.value.row == 2


@RECORDS
def test_objects_one_after_the_other_are_read(record: Any) -> None:
    found = records_of(json.dumps(record) * 3, "made.json")
    assert [said(one) for one in found if isinstance(one, Dialogue)] == [spoken(record)] * 3


@RECORDS
def test_a_byte_order_mark_is_no_part_of_the_first_record(record: Any) -> None:
    (found,) = records_of(as_lines(record).encode("utf-8-sig"), "made.jsonl")
    assert isinstance(found, Dialogue)
    assert said(found) == spoken(record)


@RECORDS
def test_latin_1_is_refused_at_its_byte_until_it_is_named(record: Any) -> None:
    text = as_lines(record)
    for words in ("cannot sleep", "let go", "turn 0"):
        text = text.replace(words, "caf\xe9")
    data = text.encode("latin-1")
    with pytest.raises(SourceError, match=rf"byte {data.index(0xE9)}, on line 1, is not valid UTF-8"):
        records_of(data, "made.jsonl")
    (found,) = records_of(data, "made.jsonl", encoding="latin-1")
    assert isinstance(found, Dialogue)
    assert any("caf\xe9" in turn.content for turn in found.turns)


@contextmanager
def at_most(peak_bytes: int) -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < peak_bytes


@pytest.mark.parametrize(
    ("name", "begin", "options"),
    [
        ("made.jsonl", as_lines(GOOD).encode() + b'{"chosen": "', ReadOptions()),
        ("made.jsonl", as_lines(esconv()).encode() + b'{"dialog": "', ReadOptions()),
        ("made.csv", b'q,a\n"', ReadOptions(columns=COLUMNS)),
        ("made.txt", b"Client: ", ReadOptions()),
    ],
    ids=["pairs", "lines", "table", "transcript"],
)
def test_a_line_of_five_gigabytes_is_refused_at_its_offset_within_four_times_the_limit(
    tmp_path: Path, name: str, begin: bytes, options: ReadOptions
) -> None:
    path = tmp_path / name
    with path.open("wb") as file:
        file.write(begin + b"a" * 100_000)
        file.truncate(5 * GIGABYTE)  # a hole, which takes no room
    line = begin.count(b"\n") + 1
    sentence = rf"line {line} is longer than {LIMIT} bytes, still without an end near byte (\d+);"
    with path.open("rb") as stream, at_most(4 * LIMIT):
        with pytest.raises(SourceError, match=sentence) as caught:
            list(read_source(stream, name=name, options=options))
        assert stream.tell() < LIMIT + MEGABYTE
    assert caught.value.row == line


class Endless(io.RawIOBase):
    """A file that begins as told and then never ends, and a count of what was taken of it."""

    def __init__(self, begin: bytes) -> None:
        self._begin = begin
        self.taken = 0

    def read(self, size: int = -1, /) -> bytes:
        assert 0 <= size <= 64 * MEGABYTE
        data, self._begin = self._begin[:size], self._begin[size:]
        data += b"a" * (size - len(data))
        self.taken += len(data)
        return data


@pytest.mark.parametrize(
    ("good", "begin"),
    [(esconv(), b'{"dialog": "'), (psy_insight("01", 0), b'{"dialog_id": "')],
    ids=["esconv", "psy_insight"],
)
def test_an_endless_record_of_an_array_is_refused_where_it_begins(good: Any, begin: bytes) -> None:
    whole = b"[" + json.dumps(good).encode() + b",\n"
    stream = Endless(whole + begin)
    options = ReadOptions(max_line_bytes=4 * MEGABYTE)
    sentence = rf"is longer than \d+ bytes.* character {len(whole) + 1} of the file"
    with at_most(40 * MEGABYTE), pytest.raises(SourceError, match=sentence):
        list(read_source(cast(BinaryIO, stream), name="made.json", options=options))
    assert stream.taken < 16 * MEGABYTE


def lines(count: int) -> bytes:
    return b"".join(as_lines({**GOOD, "id": f"p{number}"}).encode() for number in range(count))


SOURCES: dict[str, Callable[[], bytes]] = {
    "made.jsonl": lambda: lines(2_000),
    "made.jsonl.gz": lambda: gzip.compress(lines(2_000), compresslevel=0),
    "made.json": lambda: json.dumps([esconv()] * 2_000).encode(),
    "made.csv": lambda: b"q,a\n" + b"Hi,Hello\n" * 50_000,
    "made.txt": lambda: b"Client: Hello.\n---\n" * 50_000,
}
CHANGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "removed": (lambda path: path.unlink(), "the source vanished while it was read"),
    "cut": (lambda path: _cut(path), "the source changed while it was read|ends too early"),
    "replaced": (lambda path: _replace(path), "the source changed while it was read"),
    "longer": (lambda path: path.write_bytes(path.read_bytes() + b"\n"), "the source changed while it was"),
}


def _cut(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def _replace(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(path.read_bytes())
    other.replace(path)


def _shift(path: Path) -> None:
    """Other bytes in the same place, as many."""
    data = path.read_bytes()
    path.write_bytes(data.replace(b"word word", b"wore wore"))
    os.utime(path, ns=(0, 0))


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", SOURCES)
def test_a_source_that_vanishes_or_changes_mid_run_is_no_whole_source(
    tmp_path: Path, name: str, change: str
) -> None:
    path = tmp_path / name
    path.write_bytes(SOURCES[name]())
    alter, sentence = CHANGES[change]
    options = ReadOptions(columns=COLUMNS if name == "made.csv" else {})
    with open_steady(path, name) as stream:
        records = read_source(stream, name=name, options=options)
        assert isinstance(next(records), Dialogue)
        alter(path)
        with pytest.raises(SourceError, match=sentence):
            list(records)


@pytest.mark.parametrize("alter", [_shift, *(alter for alter, _sentence in CHANGES.values())])
def test_parquet_that_vanishes_or_changes_mid_run_is_no_whole_source(
    tmp_path: Path, alter: Callable[[Path], object]
) -> None:
    path = tmp_path / "made.parquet"
    said = [f"{number} " + "word " * 200 for number in range(5_000)]
    pq.write_table(pa.table({"prompt": said, "response": said}), path, compression="none", row_group_size=500)
    with open_steady(path, path.name) as stream:
        records = read_source(stream, name=path.name, options=ReadOptions())
        assert isinstance(next(records), Dialogue)
        alter(path)
        with pytest.raises(SourceError, match=r"the source (changed|vanished) while it was read; put it"):
            list(records)


def test_a_steady_source_is_read_whole_and_again(tmp_path: Path) -> None:
    path = tmp_path / "made.jsonl"
    path.write_bytes(lines(50))
    with open_steady(path, path.name) as stream:
        for _again in range(2):
            stream.seek(0)
            assert stream.read() == path.read_bytes()
            stream.seek(0)
            assert len(list(read_source(stream, name=path.name, options=ReadOptions()))) == 50
