"""Sources that are not what they should be: a sentence that says where, or rejects that are counted."""

import json
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from datasets_app.compile.contract import SourceCounts
from datasets_app.compile.errors import CompileError, UnusableError

from .making import compiled, config_of, dialogue, records_in, write_dialogues, write_lines

GIGABYTE = 1024**3


def lines(count: int, first: int = 0) -> bytes:
    return b"".join(orjson.dumps({"messages": dialogue(first + number)}) + b"\n" for number in range(count))


def counts_of(tmp_path: Path, path: Path, config: str = "") -> SourceCounts:
    given = [(path, "priority")]
    laid = config_of(tmp_path, config or "sources: {}")
    return compiled(tmp_path / "out", given, config=laid).counters.sources[path.name]


def test_a_truncated_last_line_is_one_counted_reject(tmp_path: Path) -> None:
    path = tmp_path / "talks.jsonl"
    path.write_bytes(lines(5)[:-40])
    counts = counts_of(tmp_path, path)
    assert (counts.records, counts.kept, counts.rejected) == (5, 4, {"broken_json": 1})


def test_broken_lines_are_told_apart_wherever_a_chunk_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("datasets_app.compile.chunks.CHUNK_BYTES", 3000)
    path = tmp_path / "talks.jsonl"
    path.write_bytes(lines(4) + b"{broken\nbroken}\n[\n\n" * 400 + lines(4, 10))
    counts = counts_of(tmp_path, path)
    assert (counts.kept, counts.rejected) == (8, {"broken_json": 1200})


def test_rejects_are_listed_with_their_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datasets_app.compile.chunks.CHUNK_BYTES", 3000)
    path = tmp_path / "talks.jsonl"
    path.write_bytes(lines(9) + b'{"messages": 3}\n' + lines(2, 10))
    manifest = compiled(tmp_path / "out", [(path, "priority")])
    (listed,) = map(orjson.loads, (tmp_path / "out" / manifest.provenance.uri).read_bytes().splitlines())
    assert listed == {"source": "talks.jsonl", "row": 10, "outcome": "wrong_type", "field": "messages"}
    keys = {record["metadata"]["source_key"] for record in records_in(tmp_path / "out", manifest)}
    assert keys == {"1", "2", "3", "4", "5", "6", "7", "8", "9", "11", "12"}


def test_json_objects_without_line_ends_between_them_are_read(tmp_path: Path) -> None:
    path = tmp_path / "talks.json"
    path.write_bytes(lines(3).replace(b"\n", b""))
    assert counts_of(tmp_path, path).kept == 3


def test_a_byte_order_mark_is_no_part_of_the_first_record(tmp_path: Path) -> None:
    path = tmp_path / "talks.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + lines(3))
    assert counts_of(tmp_path, path).kept == 3


def test_latin_1_is_refused_until_it_is_named(tmp_path: Path) -> None:
    path = tmp_path / "talks.jsonl"
    record = {
        "messages": [{"role": "user", "content": "Ça va très mal"}, {"role": "assistant", "content": "Où ?"}]
    }
    path.write_bytes(json.dumps(record, ensure_ascii=False).encode("latin-1") + b"\n")
    with pytest.raises(
        CompileError, match=r"^talks\.jsonl, row 1: .*not valid UTF-8; save the file as UTF-8"
    ):
        counts_of(tmp_path, path)
    assert counts_of(tmp_path, path, "sources: {talks.jsonl: {encoding: latin-1}}").kept == 1


def test_a_line_of_five_gigabytes_is_refused_with_its_offset(tmp_path: Path) -> None:
    path = tmp_path / "talks.jsonl"
    begin = lines(2)
    with path.open("wb") as file:
        file.write(begin + b'{"messages": "' + b"a" * 100_000)
        file.truncate(5 * GIGABYTE)  # a hole, which takes no room
    with pytest.raises(
        CompileError, match=rf"line 3, which begins at byte {len(begin)}, is longer than \d+ bytes"
    ):
        counts_of(tmp_path, path)


def test_a_table_with_broken_quotes_is_refused_and_not_an_empty_family(tmp_path: Path) -> None:
    path = tmp_path / "talks.csv"
    path.write_text('q,a\n"an open quote,b\nc,d\n')
    with pytest.raises(CompileError, match="the quotes are broken"):
        counts_of(tmp_path, path, "sources: {talks.csv: {columns: {prompt: q, response: a}}}")
    assert not (tmp_path / "out" / "manifest.json").exists()


def test_a_table_nobody_has_mapped_is_refused_and_not_an_empty_family(tmp_path: Path) -> None:
    path = tmp_path / "talks.csv"
    path.write_text("q,a\nb,c\n")
    with pytest.raises(CompileError, match="no column mapping was given"):
        counts_of(tmp_path, path)
    assert not (tmp_path / "out" / "manifest.json").exists()


def test_parquet_of_another_schema_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "talks.parquet"
    pq.write_table(pa.table({"height": [1.0, 2.0]}), path)
    with pytest.raises(CompileError, match=r"^talks\.parquet"):
        counts_of(tmp_path, path)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "talks.jsonl"
    path.write_bytes(b" \n")
    with pytest.raises(CompileError, match="the file is empty"):
        counts_of(tmp_path, path)


def test_unknown_speakers_are_rejects_and_never_taken_in_turns(tmp_path: Path) -> None:
    said = [{"role": role, "content": f"words {role}"} for role in ("Speaker A", "Speaker B")]
    path = write_lines(tmp_path / "talks.jsonl", [{"messages": said}, {"messages": dialogue(1)}])
    counts = counts_of(tmp_path, path)
    assert (counts.kept, counts.rejected) == (1, {"unknown_speaker": 1})


def test_a_folder_inside_its_source_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sources").mkdir()
    write_dialogues(tmp_path / "sources" / "talks.jsonl", [dialogue(1)])
    for out in (tmp_path / "sources", tmp_path / "sources" / "dataset"):
        with pytest.raises(UnusableError, match=r"is inside the source .*: write somewhere else"):
            compiled(out, [(tmp_path / "sources", "priority")])
        assert not (tmp_path / "sources" / "dataset").exists()
