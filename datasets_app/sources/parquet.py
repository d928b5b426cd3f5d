"""Reads Parquet: a column of messages, columns of prompt and response, or columns somebody has mapped."""

import io
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from . import chatml, delimited, parquet_sizes, prompt_response
from .building import FACTS
from .json_records import Record, turn_lists
from .opening import TooMuchTextError
from .options import ReadOptions
from .records import Dialogue, Reject, SourceError
from .tabular import TableRow

FORMAT = "parquet"
MAGIC = b"PAR1"
BATCH_ROWS = 64  # or fewer, where they are long
BATCH_BYTES = 16 * 1024 * 1024
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
        found = _rows(file, stream, columns, name, options)
        rows = (TableRow(row, _cells(record), False) for row, record in found)
        return delimited.mapped(rows, name, options)
    rows_of = _rows(file, stream, _known_columns(schema), name, options)
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


def _opened(stream: BinaryIO, name: str, indexed: Sequence[str] = ()) -> pq.ParquetFile:
    with _in_words(name, stream):
        return pq.ParquetFile(
            stream, read_dictionary=list(indexed), pre_buffer=False, buffer_size=BUFFER_BYTES
        )


@contextmanager
def _in_words(name: str, stream: BinaryIO) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:  # of the disk, not of the file
            raise
        _reach_end(stream)
        raise SourceError(
            name, "this is no whole Parquet file that can be read here", "copy or download it again, whole"
        ) from None


def _reach_end(stream: BinaryIO) -> None:
    """Read to where a steady stream says whether the file is still the one that was opened."""
    stream.seek(0, io.SEEK_END)
    stream.read(1)


def _rows(
    file: pq.ParquetFile, stream: BinaryIO, columns: list[str], name: str, options: ReadOptions
) -> Iterator[tuple[int, Record]]:
    leaves = parquet_sizes.leaves_of(file, columns)
    _refuse_huge_rows(file, leaves, name, options.max_line_bytes)
    batch_rows = _batch_rows(file)
    if indexed := _indexed(file, stream, leaves, batch_rows, name, options.max_line_bytes):
        file = _opened(stream, name, indexed)
    most_bytes = options.max_plain_bytes
    taken = 0
    for row, batch in _batches(file, stream, columns, batch_rows, name):
        sizes = parquet_sizes.row_bytes(batch)
        _refuse_long_row(sizes, row, name, options.max_line_bytes)
        for begin, stop in _parts(sizes, min(BATCH_BYTES, most_bytes or BATCH_BYTES)):
            if most_bytes is not None and taken + sizes[begin] > most_bytes:
                raise TooMuchTextError(name, most_bytes)
            for place, record in enumerate(
                _plain(batch.slice(begin, stop - begin), row + begin, name), begin
            ):
                taken += int(sizes[place])
                if most_bytes is not None and taken > most_bytes:
                    raise TooMuchTextError(name, most_bytes)
                yield row + place, record


def _batches(
    file: pq.ParquetFile, stream: BinaryIO, columns: list[str], batch_rows: int, name: str
) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Some rows at a time, with the number of the first."""
    # One thread only: an upload is read through this thread's connection to the database.
    batches = file.iter_batches(batch_rows, columns=columns, use_threads=False)
    row = 1
    while True:
        with _in_words(name, stream):
            batch = next(batches, None)
        if batch is None:
            _reach_end(stream)  # pyarrow never does
            return
        yield row, batch
        row += batch.num_rows


def _parts(sizes: NDArray[np.int64], most_bytes: int) -> Iterator[tuple[int, int]]:
    """Rows in runs that are together no longer than `most_bytes`; a longer row is alone."""
    begin = size = 0
    for place, more in enumerate(sizes.tolist()):
        if size and size + more > most_bytes:
            yield begin, place
            begin, size = place, 0
        size += more
    yield begin, len(sizes)


def _plain(batch: pa.RecordBatch, row: int, name: str) -> list[Record]:
    try:
        records: list[Record] = batch.to_pylist()
    except UnicodeDecodeError:
        raise SourceError(
            name,
            f"a text in the rows {row} to {row + batch.num_rows - 1} is not valid UTF-8",
            "write the file again with its texts in UTF-8",
            row=row,
        ) from None
    return records


def _batch_rows(file: pq.ParquetFile) -> int:
    """How many rows are read at once: few where a row is long."""
    groups = [file.metadata.row_group(index) for index in range(file.metadata.num_row_groups)]
    longest = max((group.total_byte_size // group.num_rows for group in groups if group.num_rows), default=0)
    return min(BATCH_ROWS, max(1, BATCH_BYTES // max(1, longest)))


def _indexed(
    file: pq.ParquetFile, stream: BinaryIO, leaves: list[int], batch_rows: int, name: str, max_bytes: int
) -> list[str]:
    """The texts that have to stay indices into their dictionary until it is known how long each row is."""
    found = set()
    for index in range(file.metadata.num_row_groups):
        group = file.metadata.row_group(index)
        for column in (group.column(leaf) for leaf in leaves):
            with _in_words(name, stream):
                longest = parquet_sizes.dictionary_bytes(stream, column)
            _refuse_huge_dictionary(column, longest, name, max_bytes)
            if column.physical_type != "BYTE_ARRAY":
                continue
            if parquet_sizes.may_repeat_much(column, longest, group.num_rows, batch_rows):
                longest = _longest_text(stream, index, column.path_in_schema, longest, name)
            if parquet_sizes.may_repeat_much(column, longest, group.num_rows, batch_rows):
                found.add(column.path_in_schema)
    return sorted(found)


def _refuse_huge_dictionary(column: pq.ColumnChunkMetaData, size: int, name: str, max_bytes: int) -> None:
    if size > max_bytes:
        raise SourceError(
            name,
            f"the different texts of a row group are together longer than {max_bytes} bytes",
            "write the file with smaller row groups",
            field=column.path_in_schema[:SHOWN_CHARACTERS],
        )


def _longest_text(stream: BinaryIO, group: int, path: str, dictionary_bytes: int, name: str) -> int:
    """The longest text of a column's dictionary, which is read with the first row."""
    file = _opened(stream, name, [path])
    with _in_words(name, stream):
        first = next(file.iter_batches(1, row_groups=[group], columns=[path], use_threads=False), None)
    if first is None:
        return dictionary_bytes
    return parquet_sizes.longest_text(first.column(0), dictionary_bytes)


def _refuse_long_row(sizes: NDArray[np.int64], row: int, name: str, max_bytes: int) -> None:
    """Refuse what is short in the file and long in memory, before it is written out."""
    too_long = np.flatnonzero(sizes > max_bytes)
    if len(too_long):
        raise SourceError(
            name,
            f"the row unpacks to more than {max_bytes} bytes",
            "divide it into shorter conversations",
            row=row + int(too_long[0]),
        )


def _refuse_huge_rows(file: pq.ParquetFile, leaves: list[int], name: str, max_bytes: int) -> None:
    """Refuse what cannot be read in parts, by what the file says of itself and before any of it is read."""
    row = 1
    for index in range(file.metadata.num_row_groups):
        group = file.metadata.row_group(index)
        if group.num_rows and parquet_sizes.group_bytes(group, leaves) > max_bytes * group.num_rows:
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
    kinds = {name: schema.field(name).type for name in schema.names if schema.names.count(name) == 1}
    names = [name for name in ("prompt", "response", "completion") if name in kinds and _is_text(kinds[name])]
    names += [name for name in ("id", *FACTS) if name in kinds and _is_known(kinds[name])]
    if _holds_messages(schema):
        names.append("messages")
    if "metadata" in kinds and pa.types.is_struct(kinds["metadata"]):
        names += [f"metadata.{part.name}" for part in kinds["metadata"] if _is_kept(part)]
    return names


def _is_kept(part: pa.Field) -> bool:
    if part.name == "flags":
        is_list = pa.types.is_list(part.type) or pa.types.is_large_list(part.type)
        return is_list and _is_known(part.type.value_type)
    if part.name == "rejected_reply":
        return _is_text(part.type)
    return part.name in {"source_key", *FACTS} and _is_known(part.type)


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


def _is_known(kind: pa.DataType) -> bool:
    """A type of which `short_fact` makes something; of others not even the bytes are read."""
    return _is_fact(kind) or bool(pa.types.is_floating(kind))


def _listed(names: Collection[str]) -> str:
    shown = [name[:SHOWN_CHARACTERS] for name in list(names)[:SHOWN_COLUMNS]]
    more = f" and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
    return f"{', '.join(shown)}{more}"
