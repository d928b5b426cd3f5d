"""Files as they arrive: compressed, marked, mis-encoded, damaged, empty or endless."""

import gzip
import io
import json
import tracemalloc
from itertools import islice
from typing import Any, BinaryIO, cast

import pytest

from datasets_app.sources.records import RejectReason, SourceError
from datasets_app.sources.registry import ReadOptions, read_source

from .reading import as_lines, only_dialogue, only_reject, records_of, said

TEXTS = {
    "script": "<script>alert('x')</script><b onclick=\"y\">bold</b> &amp; &lt;",
    "right to left": "\u202b\u05e2\u05d9\u05d9\u05e3 \u061c \u0645\u062a\u0639\u0628\u202c",
    "emoji": "👩🏽‍⚕️ 🏳️‍🌈 \U0001f9e0",
    "odd space": "a\u00a0\u2003b\u200b  c\n\n\td",
}


def chatml(text: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}]}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("is_compressed", [False, True], ids=["plain", "gzip"])
def test_text_survives_unchanged(text: str, encoding: str, is_compressed: bool) -> None:
    data = as_lines(chatml(text)).encode(encoding)
    found = records_of(gzip.compress(data) if is_compressed else data, "made.jsonl")
    assert said(only_dialogue(found)) == [("user", text)]


def test_text_is_normalised_in_line_ends_composition_and_outer_space_only() -> None:
    found = records_of(as_lines(chatml(" \n e\u0301\r\nb\rc \t")), "made.jsonl")
    assert said(only_dialogue(found)) == [("user", "\u00e9\nb\nc")]


def test_a_truncated_gzip_file() -> None:
    data = gzip.compress("".join(as_lines(chatml(f"turn {n}")) for n in range(5000)).encode())
    with pytest.raises(SourceError, match="the gzip file ends too early"):
        records_of(data[:-200], "made.jsonl.gz")


@pytest.mark.parametrize("place", [2, 40, -6])
def test_a_damaged_gzip_file(place: int) -> None:
    data = bytearray(gzip.compress(as_lines(chatml("word " * 1000)).encode()))
    data[place] ^= 0xFF
    with pytest.raises(SourceError, match="the gzip"):
        records_of(bytes(data), "made.jsonl.gz")


@pytest.mark.parametrize("padding", [0, 3000], ids=["at the head", "far behind"])
def test_latin_1_bytes_are_located_and_read_when_named(padding: int) -> None:
    before = as_lines(chatml("x" * 50)).encode() * padding
    data = before + as_lines(chatml("café")).encode("latin-1")
    with pytest.raises(SourceError) as caught:
        records_of(data, "made.jsonl")
    offset = data.index(b"\xe9")
    assert f"byte {offset}, on line {padding + 1}, is not valid UTF-8" in str(caught.value)
    assert caught.value.remedy == "save the file as UTF-8, or name its encoding, such as latin-1"
    assert caught.value.row == padding + 1
    found = records_of(data[len(before) :], "made.jsonl", encoding="latin-1")
    assert said(only_dialogue(found)) == [("user", "café")]


def test_utf_16_cut_in_half_a_character() -> None:
    with pytest.raises(SourceError, match="is not valid UTF-16"):
        records_of(as_lines(chatml("Hi")).encode("utf-16")[:-1], "made.jsonl")


def test_utf_16_without_a_mark_needs_its_name() -> None:
    data = as_lines(chatml("Hi")).encode("utf-16-le")
    with pytest.raises(SourceError, match="UTF-16 without a byte order mark"):
        records_of(data, "made.jsonl")
    with pytest.raises(SourceError, match="does not begin with a byte order mark"):
        records_of(data, "made.jsonl", encoding="utf-16")
    assert said(only_dialogue(records_of(data, "made.jsonl", format="chatml", encoding="utf-16-le")))


@pytest.mark.parametrize("encoding", ["utf-9", "hex"])
def test_an_encoding_that_does_not_exist(encoding: str) -> None:
    with pytest.raises(SourceError, match="does not exist"):
        records_of(as_lines(chatml("Hi")), "made.jsonl", encoding=encoding)


@pytest.mark.parametrize("data", [b"", b"\n \n", b"\xef\xbb\xbf", b"\xff\xfe", gzip.compress(b"")])
@pytest.mark.parametrize("name", ["made.jsonl", "made.csv", "made.txt", "made"])
def test_an_empty_file(data: bytes, name: str) -> None:
    with pytest.raises(SourceError, match="the file is empty"):
        records_of(data, name)


@pytest.mark.parametrize("magic", [b"PK\x03\x04", b"PAR1", b"%PDF-1.7"])
def test_other_kinds_of_files_are_named(magic: bytes) -> None:
    with pytest.raises(SourceError, match=r"this is a.*, not text"):
        records_of(magic + bytes(100), "made.csv", format="annomi")


def test_a_turn_of_ten_megabytes_is_one_reject() -> None:
    text = "word " * 2_000_000
    for data, name in (
        (as_lines(chatml("Hi"), chatml(text)), "made.jsonl"),
        (json.dumps([chatml("Hi"), chatml(text)]), "made.json"),
        (f"prompt,response\nHi,Hello\n{text},Hello\n", "made.csv"),
        (f"Client: Hi\n---\nClient: {text}\n", "made.txt"),
    ):
        columns = {"prompt": "prompt", "response": "response"} if name == "made.csv" else {}
        found = records_of(data, name, columns=columns)
        assert len(found) == 2
        assert only_reject(found).reason == RejectReason.TURN_TOO_LONG


@pytest.mark.parametrize("name", ["made.jsonl", "made.csv", "made.txt"])
def test_a_line_beyond_the_limit_is_located(name: str) -> None:
    format = {"made.jsonl": "chatml", "made.csv": "annomi", "made.txt": "transcript"}[name]
    with pytest.raises(SourceError, match=r"line 2 is longer than 1000 bytes, .* near byte \d+"):
        records_of("\n" + "👩" * 300 + "\n", name, format=format, max_line_bytes=1000)


class Spaces(io.RawIOBase):
    """As many spaces as one asks for, and a count of them."""

    def __init__(self) -> None:
        self.given = 0

    def read(self, size: int = -1, /) -> bytes:
        assert 0 <= size <= 1024 * 1024
        self.given += size
        return b" " * size


def test_an_endless_line_is_given_up_at_the_limit() -> None:
    endless = Spaces()
    options = ReadOptions(max_line_bytes=1_000_000)
    with pytest.raises(SourceError, match="longer than 1000000 bytes"):
        list(read_source(cast(BinaryIO, endless), name="made.jsonl", format="chatml", options=options))
    assert endless.given < 2_000_000


def test_a_decompression_bomb_does_not_fill_memory() -> None:
    bomb = gzip.compress(bytes([32]) * 50_000_000, compresslevel=1)
    tracemalloc.start()
    try:
        with pytest.raises(SourceError, match="longer than 1000000 bytes"):
            records_of(bomb, "made.jsonl.gz", format="chatml", max_line_bytes=1_000_000)
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10_000_000


@pytest.mark.parametrize("name", ["made.jsonl", "made.json", "made.csv", "made.txt"])
def test_a_file_that_unpacks_to_more_than_the_limit_is_given_up(name: str) -> None:
    format = {"made.jsonl": "chatml", "made.json": "chatml", "made.csv": "annomi", "made.txt": "transcript"}[
        name
    ]
    bomb = gzip.compress((b"[" if name == "made.json" else b"") + b"\n" * 4_000_000)
    with pytest.raises(SourceError, match=r"unpacks to more than 2 MB; .*import_conversations"):
        records_of(bomb, name, format=format, max_plain_bytes=2 * 1024 * 1024)


def test_what_stands_before_the_limit_is_read_and_the_limit_itself_is_allowed() -> None:
    line = as_lines(chatml("word " * 200)).encode()
    data = line * 1000
    assert len(records_of(gzip.compress(data), "made.jsonl", max_plain_bytes=len(data))) == 1000

    stream = io.BytesIO(gzip.compress(data))
    records = read_source(stream, name="made.jsonl", options=ReadOptions(max_plain_bytes=len(data) - 1))
    assert len(list(islice(records, 980))) == 980
    with pytest.raises(SourceError, match="unpacks to more than"):
        list(records)


def test_the_stream_of_the_caller_stays_open() -> None:
    stream = io.BytesIO(as_lines(chatml("Hi")).encode())
    list(read_source(stream, name="made.jsonl", options=ReadOptions()))
    assert not stream.closed


def test_an_error_is_one_sentence_with_place_and_remedy() -> None:
    error = SourceError("a.csv", "the header lacks the column", "correct it", row=1, field="answer")
    assert str(error) == "a.csv, row 1, field answer: the header lacks the column; correct it."


def test_a_speaker_must_be_mapped_to_a_role() -> None:
    with pytest.raises(ValueError, match="must be mapped to one of system, user, assistant"):
        ReadOptions(speakers=cast(Any, {"nurse": "helper"}))
