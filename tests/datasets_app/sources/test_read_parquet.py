"""Parquet: messages, prompts and responses, mapped columns, and a sentence for everything else."""

import io
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from datasets_app.sources import parquet_sizes
from datasets_app.sources.records import Dialogue, RejectReason, SourceError
from datasets_app.sources.registry import ReadOptions, read_source

from .reading import only_dialogue, only_reject, records_of, said

EXCHANGE = {"prompt": "q", "response": "a"}
TURNS = {"conversation": "id", "speaker": "who", "text": "text"}


def packed(columns: dict[str, Any], **writing: Any) -> bytes:
    """A Parquet file with these columns."""
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink, **writing)
    return sink.getvalue()


def messages(*turns: tuple[str | None, str | None]) -> list[dict[str, str | None]]:
    return [{"role": role, "content": content} for role, content in turns]


def test_a_column_of_messages_with_what_is_known_of_each() -> None:
    talk = messages(("user", " I cannot sleep. "), ("assistant", "Since when?"))
    about = {
        "source_key": "s1",
        "topic": "sleep",
        "flags": ["synthetic", "", "restricted"],
        "other": "left out",
    }
    found = only_dialogue(records_of(packed({"messages": [talk], "metadata": [about]}), "made.parquet"))
    assert said(found) == [("user", "I cannot sleep."), ("assistant", "Since when?")]
    assert (found.source_key, found.row) == ("s1/1", 1)
    assert found.meta == {"topic": "sleep", "flags": "synthetic,restricted"}


def test_rows_that_are_no_conversation_are_rejects_at_their_row() -> None:
    good = messages(("user", "Hello."))
    bad: list[Any] = [None, [], messages(("nobody", "x")), messages(("user", None)), [None]]
    found = records_of(packed({"messages": [good, *bad, good]}), "made.parquet")
    assert [(record.row, getattr(record, "reason", "kept")) for record in found] == [
        (1, "kept"),
        (2, RejectReason.MISSING_FIELD),
        (3, RejectReason.NO_TURNS),
        (4, RejectReason.UNKNOWN_SPEAKER),
        (5, RejectReason.MISSING_FIELD),
        (6, RejectReason.NOT_AN_OBJECT),
        (7, "kept"),
    ]


@pytest.mark.parametrize("reply", ["response", "completion"])
@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())])
def test_columns_of_prompts_and_responses(reply: str, kind: pa.DataType) -> None:
    columns = {"prompt": pa.array(["Hi", None]).cast(kind), reply: pa.array(["Hello", "x"]).cast(kind)}
    found = records_of(packed(columns), "made.parquet")
    assert said(only_dialogue(found[:1])) == [("user", "Hi"), ("assistant", "Hello")]
    assert only_reject(found).field == "prompt"


def test_columns_that_are_mapped() -> None:
    exchange = packed({"q": ["Hi"], "a": ["Hello"], "n": [7], "subject": ["sleep"]})
    mapped = {**EXCHANGE, "id": "n", "topic": "subject"}
    found = only_dialogue(records_of(exchange, "made.parquet", columns=mapped))
    assert (said(found), found.source_key) == ([("user", "Hi"), ("assistant", "Hello")], "7/1")
    assert found.meta == {"topic": "sleep"}
    turns = {"id": [4, 4, 5], "who": ["Client", "Mentor", "Nobody"], "text": ["Hi", "Hello", "x"]}
    records = records_of(packed(turns), "made.parquet", columns=TURNS, speakers={"mentor": "assistant"})
    assert said(only_dialogue(records[:1])) == [("user", "Hi"), ("assistant", "Hello")]
    assert (only_reject(records).row, only_reject(records).reason) == (3, RejectReason.UNKNOWN_SPEAKER)


@pytest.mark.parametrize(
    "columns",
    [
        {"height": [1.0], "width": [2.0]},
        {"messages": ["user: Hi"], "width": [2.0]},
        {"messages": [[{"from": "user", "value": "Hi"}]], "width": [2.0]},
        {"messages": [["Hi"]], "width": [2.0]},
        {"prompt": [1], "response": ["Hello"], "width": [2.0]},
    ],
)
def test_another_schema_is_refused_with_the_columns_it_has(columns: dict[str, Any]) -> None:
    listed = ", ".join(columns)
    with pytest.raises(SourceError, match=rf"^made\.parquet: none of the columns {listed} holds .*map"):
        records_of(packed(columns), "made.parquet")


@pytest.mark.parametrize(
    ("columns", "mapping", "sentence"),
    [
        ({"q": ["x"]}, EXCHANGE, "field a: the file lacks the column and has the columns q"),
        ({"q": ["x"], "a": [1.5]}, EXCHANGE, "field a: the column holds double and no text"),
        ({"q": ["x"], "a": [3]}, EXCHANGE, "field a: the column holds int64 and no text"),
        ({"q": ["x"]}, {"prompt": "q"}, "the column mapping is not complete"),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused(
    columns: dict[str, Any], mapping: dict[str, str], sentence: str
) -> None:
    with pytest.raises(SourceError, match=sentence):
        records_of(packed(columns), "made.parquet", columns=mapping)


def test_a_column_that_stands_twice_is_refused() -> None:
    table = pa.Table.from_arrays([pa.array(["x"]), pa.array(["y"]), pa.array(["z"])], names=["q", "a", "a"])
    sink = io.BytesIO()
    pq.write_table(table, sink)
    with pytest.raises(SourceError, match="field a: the file has the column twice"):
        records_of(sink.getvalue(), "made.parquet", columns=EXCHANGE)


@pytest.mark.parametrize("keep", [4, 60, -1])
def test_a_file_that_is_cut_short_is_refused(keep: int) -> None:
    data = packed({"messages": [messages(("user", "word " * 50))]})
    with pytest.raises(SourceError, match="no whole Parquet file"):
        records_of(data[:keep], "made.parquet")


def test_damaged_pages_are_refused_after_what_stands_before_them() -> None:
    rows = [messages(("user", f"{number} " + "word " * 200)) for number in range(100)]
    data = bytearray(packed({"messages": rows}, row_group_size=50, compression="zstd"))
    begin = pq.ParquetFile(io.BytesIO(data)).metadata.row_group(1).column(1).data_page_offset
    data[begin + 40 : begin + 90] = bytes(50)
    records = read_source(io.BytesIO(data), name="made.parquet", options=ReadOptions())
    with pytest.raises(SourceError, match="no whole Parquet file"):
        list(records)


def test_text_that_is_not_utf_8_is_refused_with_its_rows() -> None:
    column = pa.array([b"Hi", b"caf\xe9"]).view(pa.string())
    with pytest.raises(SourceError, match="a text in the rows 1 to 2 is not valid UTF-8"):
        records_of(packed({"prompt": column, "response": ["a", "b"]}), "made.parquet")


def test_a_file_without_rows_holds_no_conversations() -> None:
    with pytest.raises(SourceError, match="holds no conversations"):
        records_of(packed({"prompt": pa.array([], pa.string()), "response": pa.array([], pa.string())}), "x")


class Written(io.BytesIO):
    """A file in memory that counts what is read of it."""

    taken = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.taken += len(data)
        return data


def test_a_huge_row_is_refused_with_its_offset_before_it_is_read() -> None:
    text = "word " * 2_000_000
    small, huge = {"prompt": ["Hi"], "response": ["Hello"]}, {"prompt": ["Hi"], "response": [text]}
    sink = io.BytesIO()
    with pq.ParquetWriter(sink, pa.table(small).schema, compression="none") as writer:
        for part in (small, huge):
            writer.write_table(pa.table(part))
    stream = Written(sink.getvalue())
    options = ReadOptions(max_line_bytes=1_000_000)
    before = pa.total_allocated_bytes()
    tracemalloc.start()
    try:
        with pytest.raises(SourceError, match=r"row 2: .* begin at byte \d+, are longer than 1000000 bytes"):
            list(read_source(stream, name="made.parquet", options=options))
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000
    assert pa.total_allocated_bytes() - before < 1_000_000
    assert stream.taken < 1_000_000


def repeated(rows: int) -> Iterator[pa.Table]:
    for number in range(rows // 500):
        text = f"{number} " + "word " * 800
        yield pa.table({"messages": [messages(("user", text), ("assistant", text))] * 500})


@pytest.mark.parametrize("rows", [2_000, 20_000])
def test_memory_stays_flat_in_the_number_of_rows(rows: int) -> None:
    sink = io.BytesIO()
    tables = repeated(rows)
    first = next(tables)
    with pq.ParquetWriter(sink, first.schema, use_dictionary=False, data_page_size=64 * 1024) as writer:
        for table in (first, *tables):
            writer.write_table(table)
    before = pa.total_allocated_bytes()
    most = kept = 0
    for record in read_source(io.BytesIO(sink.getvalue()), name="x", options=ReadOptions()):
        kept += isinstance(record, Dialogue)
        most = max(most, pa.total_allocated_bytes() - before)
    assert kept == rows
    assert most < 8_000_000


def test_the_stream_of_the_caller_stays_open() -> None:
    stream = io.BytesIO(packed({"messages": [messages(("user", "Hi"))]}))
    list(read_source(stream, name="made.parquet", options=ReadOptions()))
    assert not stream.closed


BOMBS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "prompts": ({"prompt": ["word " * 400_000] * 64, "response": ["x"] * 64}, {}),
    "as a dictionary": (
        {"prompt": pa.array(["word " * 400_000] * 64).dictionary_encode(), "response": ["x"] * 64},
        {},
    ),
    "messages of one row": ({"messages": [messages(*[("user", "word " * 400_000)] * 64)]}, {}),
    "mapped": ({"q": ["word " * 400_000] * 64, "a": ["x"] * 64}, {"columns": EXCHANGE}),
}


def bomb(columns: dict[str, Any]) -> io.BytesIO:
    """A few kilobytes that name one text of 2 MB many times."""
    packed_small = packed(columns, compression="zstd", dictionary_pagesize_limit=1 << 30)
    assert len(packed_small) < 10_000
    return io.BytesIO(packed_small)


@contextmanager
def memory_of_arrow() -> Iterator[pa.MemoryPool]:
    """A pool that counts what pyarrow takes meanwhile."""
    usual = pa.default_memory_pool()
    pool = pa.proxy_memory_pool(usual)
    pa.set_memory_pool(pool)
    try:
        yield pool
    finally:
        pa.set_memory_pool(usual)


@pytest.mark.parametrize("name", BOMBS)
def test_a_long_text_that_a_small_file_repeats_is_not_written_out_again_and_again(name: str) -> None:
    columns, choices = BOMBS[name]
    stream = bomb(columns)
    options = ReadOptions(max_line_bytes=100_000_000, max_plain_bytes=4_000_000, **choices)
    records = read_source(stream, name="made.parquet", options=options)
    tracemalloc.start()
    try:
        with memory_of_arrow() as pool, pytest.raises(SourceError, match="unpacks to more than"):
            list(records)
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 16_000_000
    assert pool.max_memory() < 16_000_000


def test_a_row_that_is_long_only_in_memory_is_refused_at_its_row() -> None:
    said = messages(*[("user", "word " * 10_000)] * 64)
    data = packed({"messages": [messages(("user", "Hi")), said, messages(("user", "Hi"))]})
    with pytest.raises(SourceError, match="row 2: the row unpacks to more than 1000000 bytes; divide it"):
        records_of(data, "made.parquet", max_line_bytes=1_000_000)


def test_a_dictionary_longer_than_a_row_may_be_is_refused_unread() -> None:
    texts = [f"{number} " + "word " * 20_000 for number in range(30)]
    data = packed({"prompt": texts, "response": texts}, dictionary_pagesize_limit=1 << 30)
    with pytest.raises(SourceError, match=r"field prompt: the different texts .* smaller row groups"):
        records_of(data, "made.parquet", max_line_bytes=1_000_000)


def test_a_list_of_very_many_nothings_is_refused_unread() -> None:
    nothing = pa.nulls(1_000_000, pa.struct({"role": pa.string(), "content": pa.string()}))
    column = pa.ListArray.from_arrays(pa.array([0, 1_000_000], pa.int32()), nothing)
    data = packed({"messages": column})
    assert len(data) < 2_000
    with pytest.raises(SourceError, match="are longer than 1000000 bytes each"):
        records_of(data, "made.parquet", max_line_bytes=1_000_000)


@pytest.mark.parametrize("has_dictionary", [True, False])
@pytest.mark.parametrize("most_bytes", [1, parquet_sizes.REPEATED_BYTES])
def test_texts_that_stay_indices_read_as_the_others(
    monkeypatch: pytest.MonkeyPatch, has_dictionary: bool, most_bytes: int
) -> None:
    monkeypatch.setattr(parquet_sizes, "REPEATED_BYTES", most_bytes)
    turns = [
        messages(("user", f"{row % 7} " + "word " * 30_000), *[("user", None)] * (row % 3 == 2))
        for row in range(100)
    ]
    about = [{"source_key": f"s{row}", "flags": ["synthetic"] * (row % 2)} for row in range(100)]
    data = packed(
        {"messages": [*turns, None], "metadata": [*about, None]},
        use_dictionary=has_dictionary,
        dictionary_pagesize_limit=1 << 30,
    )
    found = records_of(data, "made.parquet", max_turn_characters=1_000_000)
    assert [said(one)[0][1][:1] if isinstance(one, Dialogue) else one.reason for one in found] == [
        *(RejectReason.MISSING_FIELD if row % 3 == 2 else str(row % 7) for row in range(100)),
        RejectReason.MISSING_FIELD,
    ]
