"""Sources cut into chunks that are known by their content, and the conversations of a chunk."""

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import msgspec
import orjson

from datasets_app.compile.config import SourceFacts
from datasets_app.compile.digests import digest_of
from datasets_app.compile.errors import CompileError
from datasets_app.compile.store import Store, read_json, write_json
from datasets_app.sources.json_records import layout_of
from datasets_app.sources.opening import GZIP_MAGIC, HEAD_BYTES, decoded_head, encoding_of, open_text
from datasets_app.sources.options import ReadOptions
from datasets_app.sources.records import Dialogue, Reject, RejectReason, SourceError, Turn
from datasets_app.sources.registry import TEXT_FORMATS, detect, read_source
from datasets_app.sources.steady import open_steady

READ_VERSION = "2"
CHUNK_BYTES = 8 * 1024 * 1024
LINE_FORMATS = frozenset({"chatml", "sharegpt", "alpaca", "prompt_response", "hh_rlhf"})
UTF8 = ("utf-8", "utf-8-sig")


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file, the name it is known by, the family it belongs to, and how it is read."""

    path: str
    name: str
    family: str
    facts: SourceFacts


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some of a source's records: whole lines of the file itself, or records taken out of it before.

    `lines_before` is what the lines of this chunk follow; `sha256` is of the bytes at `offset`.
    """

    source: SourceFile
    path: str
    format: str
    is_extracted: bool
    offset: int
    length: int
    lines_before: int
    sha256: str

    @property
    def facts(self) -> tuple[object, ...]:
        """What the records of the chunk hang on; its place on this machine is not among it."""
        facts = msgspec.to_builtins(self.source.facts)
        name, family = self.source.name, self.source.family
        return (
            READ_VERSION,
            name,
            family,
            facts,
            self.format,
            self.is_extracted,
            self.lines_before,
            self.sha256,
        )


@dataclass(slots=True)
class Plan:
    """The chunks of one source in order, and the hash of its file; both grow while it is read."""

    source: SourceFile
    chunks: list[Chunk] = field(default_factory=list)
    sha256: str = ""


def read_options(facts: SourceFacts) -> ReadOptions:
    """The readers' options for a source."""
    return ReadOptions(encoding=facts.encoding, columns=facts.columns, speakers=facts.speakers)


def cut(plan: Plan, store: Store) -> Iterator[Chunk]:
    """Cut the source of a new plan, and hand out its chunks as they are found: work on them can begin.

    JSON Lines in UTF-8 are cut between lines; of every other file the records are taken out first. Raises
    CompileError when the source cannot be read as a whole.
    """
    source = plan.source
    try:
        with open_steady(Path(source.path), source.name) as file:
            format = _line_format(file, source)
            file.seek(0)
            for chunk in _cut_lines(file, plan, format) if format else _extracted(file, plan, store):
                plan.chunks.append(chunk)
                yield chunk
    except SourceError as error:
        raise CompileError(str(error)) from None
    except OSError as error:
        raise unreadable(source, error) from None


def unreadable(source: SourceFile, error: OSError) -> CompileError:
    """The sentence for a source that cannot be read, or not any more."""
    return CompileError(
        f"{source.name}: the source cannot be read ({error.strerror}): put it back as it was and run the "
        "same command again, or leave it out."
    )


def records_of(chunk: Chunk) -> Iterator[Dialogue | Reject]:
    """The conversations of a chunk in order, and the records that are none. Raises CompileError."""
    try:
        with Path(chunk.path).open("rb") as file:
            file.seek(chunk.offset)
            data = file.read(chunk.length)
    except OSError as error:
        raise unreadable(chunk.source, error) from None
    if hashlib.sha256(data).hexdigest() != chunk.sha256:
        raise CompileError(
            f"{chunk.source.name}: the source changed while it was read: leave it alone and run the same "
            "command again."
        )
    if chunk.is_extracted:
        return map(_decoded, data.splitlines())
    return _records_of_lines(data, chunk)


def _records_of_lines(data: bytes, chunk: Chunk) -> Iterator[Dialogue | Reject]:
    options = read_options(chunk.source.facts)
    try:
        text = open_text(io.BytesIO(data), name=chunk.source.name, options=options)
        text.head = "{}"  # the whole file's layout: what this chunk begins with may be broken
        text.line_number = chunk.lines_before
        yield from TEXT_FORMATS[chunk.format](text, options)
    except SourceError as error:
        raise CompileError(str(error)) from None


def _line_format(file: BinaryIO, source: SourceFile) -> str:
    """The format of a file that may be cut between its lines, or nothing."""
    head = file.read(HEAD_BYTES)
    encoding = encoding_of(head, source.facts.encoding)
    if head.startswith(GZIP_MAGIC) or encoding not in UTF8 or not head.strip():
        return ""
    text = decoded_head(head, encoding)
    format = source.facts.format
    if format == "auto":
        try:
            format = "delimited" if source.facts.columns else detect(head, source.name)
        except SourceError:  # it is said when the file is read as a whole
            return ""
    return format if format in LINE_FORMATS and layout_of(text) == "lines" else ""


def _cut_lines(file: BinaryIO, plan: Plan, format: str) -> Iterator[Chunk]:
    source, whole = plan.source, hashlib.sha256()
    offset, lines_before = 0, 0
    max_line_bytes = read_options(source.facts).max_line_bytes
    while data := file.read(CHUNK_BYTES):
        if not data.endswith(b"\n"):
            data += file.readline(max_line_bytes)
            _refuse_long_line(data, offset, lines_before, max_line_bytes, source)
        whole.update(data)
        if not data.isspace():
            sha256 = hashlib.sha256(data).hexdigest()
            yield Chunk(source, source.path, format, False, offset, len(data), lines_before, sha256)
        offset += len(data)
        lines_before += data.count(b"\n")
    plan.sha256 = whole.hexdigest()


def _refuse_long_line(data: bytes, offset: int, lines_before: int, limit: int, source: SourceFile) -> None:
    begins = data.rfind(b"\n", 0, len(data) - 1) + 1
    if len(data) - begins >= limit:
        line = lines_before + data.count(b"\n", 0, begins) + 1
        raise SourceError(
            source.name,
            f"line {line}, which begins at byte {offset + begins}, is longer than {limit} bytes",
            "divide it into one record per line, or write the file as a JSON array",
            row=line,
        )


def _extracted(file: BinaryIO, plan: Plan, store: Store) -> Iterator[Chunk]:
    """Take the records out of a file that only its reader can divide, once for as long as it is the same."""
    source, whole = plan.source, hashlib.sha256()
    while data := file.read(CHUNK_BYTES):
        whole.update(data)
    plan.sha256 = whole.hexdigest()
    facts = msgspec.to_builtins(source.facts)
    # The name decides about the format, and it stands in the reader's messages.
    key = "extract-" + digest_of(READ_VERSION, plan.sha256, source.name, facts, CHUNK_BYTES)
    if not store.has(key):
        file.seek(0)
        with store.writing(key) as folder:
            write_json(folder / "index.json", _extract(file, source, folder))
    folder = store.path(key)
    for name, length, digest in read_json(folder / "index.json"):
        yield Chunk(source, str(folder / name), "", True, 0, length, 0, digest)


def _extract(file: BinaryIO, source: SourceFile, folder: Path) -> list[tuple[str, int, str]]:
    index: list[tuple[str, int, str]] = []
    lines: list[bytes] = []
    size = 0

    def flush() -> None:
        data = b"".join(lines)
        name = f"{len(index):06}.jsonl"
        (folder / name).write_bytes(data)
        index.append((name, len(data), hashlib.sha256(data).hexdigest()))
        lines.clear()

    format, options = source.facts.format, read_options(source.facts)
    for record in read_source(file, name=source.name, format=format, options=options):
        lines.append(_encoded(record))
        size += len(lines[-1])
        if size >= CHUNK_BYTES:
            flush()
            size = 0
    if lines:
        flush()
    return index


def _encoded(record: Dialogue | Reject) -> bytes:
    if isinstance(record, Reject):
        return orjson.dumps([record.row, record.reason, record.field]) + b"\n"
    turns = [[turn.role, turn.content] for turn in record.turns]
    return orjson.dumps([record.row, record.source_key, record.meta, turns, record.rejected_reply]) + b"\n"


def _decoded(line: bytes) -> Dialogue | Reject:
    row, *rest = orjson.loads(line)
    if len(rest) == 2:
        return Reject.because(RejectReason(rest[0]), row=row, field=rest[1])
    key, meta, turns, rejected_reply = rest
    return Dialogue(tuple(Turn(role, content) for role, content in turns), key, row, meta, rejected_reply)
