"""Reads Parquet: a column of messages, columns of prompt and response, or columns somebody has mapped."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from . import chatml, delimited, prompt_response
from .building import FACTS
from .json_records import Record, turn_lists
from .opening import TooMuchTextError
from .options import ReadOptions
from .records import Dialogue, Reject, SourceError
from .tabular import TableRow

FORMAT = "parquet"
MAGIC = b"PAR1"
BATCH_ROWS = 64
BUFFER_BYTES = 1024 * 1024  # with a buffer a column is read piece by piece and not as a whole
SHOWN_COLUMNS, SHOWN_CHARACTERS = 20, 60
TEXT_COLUMNS = ("speaker", "text", "prompt", "response")
REMEDY = (
    "write a column messages with role and content, or columns prompt and response, or map the columns, for "
    "example prompt=question,response=answer"
)


def is_parquet(stream: BinaryIO) -> bool:
    """Whether the stream begins as Parquet does and can be read anywhere; its place is left as it was."""
    if not stream.seekable():
        return False
    place = stream.tell()
    magic = stream.read(len(MAGIC))
    stream.seek(place)
    return magic == MAGIC


def read(stream: BinaryIO, *, name: str, options: ReadOptions) -> Iterator[Dialogue | Reject]:
    """One conversation per row, or by `options.columns` as of any table; rows count from 1.

    Raises SourceError for a damaged file and for columns that hold no conversations.
    """
    file = _opened(stream, name)
    schema: pa.Schema = file.schema_arrow
    if options.columns:
        columns = _mapped_columns(schema, name, options)
        rows = (TableRow(row, _cells(record), False) for row, record in _rows(file, columns, name, options))
        return delimited.mapped(rows, name, options)
    rows_of = _rows(file, _known_columns(schema), name, options)
    if _holds_messages(schema):
        return turn_lists(rows_of, options, chatml.TURNS)
    if _holds_exchanges(schema):
        return prompt_response.exchanges(rows_of, options)
    raise SourceError(name, f"none of the columns {_listed(schema.names)} holds conversations", REMEDY)


def row_count(stream: BinaryIO, name: str) -> int:
    """How many rows the file says it has."""
    return int(_opened(stream, name).metadata.num_rows)


def unmapped_columns(stream: BinaryIO, name: str) -> list[str]:
    """The columns a person has to choose from, none where the file is read without being told."""
    schema = _opened(stream, name).schema_arrow
    if _holds_messages(schema) or _holds_exchanges(schema):
        return []
    return [column for column in dict.fromkeys(schema.names) if _is_fact(schema.field(column).type)]


def _opened(stream: BinaryIO, name: str) -> pq.ParquetFile:
    with _in_words(name):
        return pq.ParquetFile(stream, pre_buffer=False, buffer_size=BUFFER_BYTES)


@contextmanager
def _in_words(name: str) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:  # of the disk, not of the file
            raise
        raise SourceError(
            name, "this is no whole Parquet file that can be read here", "copy or download it again, whole"
        ) from None


def _rows(
    file: pq.ParquetFile, columns: list[str], name: str, options: ReadOptions
) -> Iterator[tuple[int, Record]]:
    _refuse_huge_rows(file, name, options.max_line_bytes)
    # One thread only: an upload is read through this thread's connection to the database.
    batches = file.iter_batches(BATCH_ROWS, columns=columns, use_threads=False)
    row = taken = 0
    while True:
        with _in_words(name):
            batch = next(batches, None)
        if batch is None:
            return
        try:
            records = batch.to_pylist()
        except UnicodeDecodeError:
            raise SourceError(
                name,
                f"a text in the rows {row + 1} to {row + batch.num_rows} is not valid UTF-8",
                "write the file again with its texts in UTF-8",
                row=row + 1,
            ) from None
        for record in records:
            row += 1
            taken += batch.nbytes // batch.num_rows
            if options.max_plain_bytes is not None and taken > options.max_plain_bytes:
                raise TooMuchTextError(name, options.max_plain_bytes)
            yield row, record


def _refuse_huge_rows(file: pq.ParquetFile, name: str, max_bytes: int) -> None:
    """Refuse what cannot be read in parts, by what the file says of itself and before any of it is read."""
    row = 1
    for index in range(file.metadata.num_row_groups):
        group = file.metadata.row_group(index)
        if group.num_rows and group.total_byte_size > max_bytes * group.num_rows:
            offset = group.column(0).data_page_offset
            raise SourceError(
                name,
                f"the {group.num_rows} rows from row {row}, which begin at byte {offset}, are longer than "
                f"{max_bytes} bytes each",
                "divide them into shorter conversations",
                row=row,
            )
        row += group.num_rows


def _holds_messages(schema: pa.Schema) -> bool:
    if schema.names.count("messages") != 1:
        return False
    kind = schema.field("messages").type
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind)):
        return False
    if not pa.types.is_struct(kind.value_type):
        return False
    parts = {part.name: part.type for part in kind.value_type}
    return all(name in parts and _is_text(parts[name]) for name in ("role", "content"))


def _holds_exchanges(schema: pa.Schema) -> bool:
    return prompt_response.is_exchange(
        [name for name in schema.names if schema.names.count(name) == 1 and _is_text(schema.field(name).type)]
    )


def _known_columns(schema: pa.Schema) -> list[str]:
    """The columns of a file that is read without a mapping; of its metadata only what is kept."""
    wanted = {"messages", "prompt", "response", "completion", "id", *FACTS}
    names = [name for name in dict.fromkeys(schema.names) if name in wanted]
    if schema.names.count("metadata") == 1 and pa.types.is_struct(schema.field("metadata").type):
        parts = schema.field("metadata").type
        names += [
            f"metadata.{part.name}"
            for part in parts
            if part.name in {"source_key", "flags", "rejected_reply", *FACTS}
        ]
    return names


def _mapped_columns(schema: pa.Schema, name: str, options: ReadOptions) -> list[str]:
    for meaning, column in options.columns.items():
        if schema.names.count(column) != 1:
            problem = "has the column twice" if column in schema.names else "lacks the column"
            problem = f"the file {problem} and has the columns {_listed(schema.names)}"
            raise SourceError(name, problem, "correct the column mapping", field=column)
        kind = schema.field(column).type
        if not (_is_text(kind) if meaning in TEXT_COLUMNS else _is_fact(kind)):
            problem = f"the column holds {kind} and no text"
            raise SourceError(name, problem, "map another column", field=column)
    return list(dict.fromkeys(options.columns.values()))


def _cells(record: Record) -> dict[str, str]:
    return {column: str(value) for column, value in record.items() if value is not None}


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _is_fact(kind: pa.DataType) -> bool:
    return _is_text(kind) or bool(pa.types.is_integer(kind))


def _listed(names: Collection[str]) -> str:
    shown = [name[:SHOWN_CHARACTERS] for name in list(names)[:SHOWN_COLUMNS]]
    more = f" and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
    return f"{', '.join(shown)}{more}"
