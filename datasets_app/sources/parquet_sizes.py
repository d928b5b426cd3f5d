"""How large the contents of a Parquet file are once they are unpacked, told before they are."""

from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

VALUE_BYTES = 8  # what any value takes at least
REPEATED_BYTES = 64 * 1024 * 1024  # a batch whose dictionaries can unpack to more keeps its texts as indices
LENGTH_BYTES = 4  # stand before each text of a dictionary
DICTIONARY_PAGE = 2
HEADER_BYTES = 32  # page type and size are the first fields of a page's header
FIELD_I32 = 0x15  # in Thrift's compact protocol: a field of 32 bits that follows the one before


def leaves_of(file: pq.ParquetFile, columns: list[str]) -> list[int]:
    """The places of the primitive columns that `columns` are made of."""
    paths = [file.schema.column(place).path for place in range(len(file.schema.names))]
    return [
        place
        for place, path in enumerate(paths)
        if any(path == column or path.startswith(f"{column}.") for column in columns)
    ]


def group_bytes(group: pq.RowGroupMetaData, leaves: list[int]) -> int:
    """What a row group unpacks to at least, were no text in it repeated."""
    values = max((group.column(leaf).num_values for leaf in leaves), default=0)
    return max(int(group.total_byte_size), VALUE_BYTES * values)


def dictionary_bytes(stream: BinaryIO, column: pq.ColumnChunkMetaData) -> int:
    """The unpacked size of a column's dictionary, by its page's header; 0 where it has none."""
    if not column.has_dictionary_page or not column.dictionary_page_offset:
        return 0
    place = stream.tell()
    stream.seek(column.dictionary_page_offset)
    fields = list(_leading_numbers(stream.read(HEADER_BYTES)))
    stream.seek(place)
    if (
        len(fields) < 2 or fields[0] != DICTIONARY_PAGE
    ):  # another order of fields: the whole column is a bound
        return int(column.total_uncompressed_size)
    return fields[1]


def may_repeat_much(column: pq.ColumnChunkMetaData, longest: int, rows: int, batch_rows: int) -> bool:
    """Whether a batch can hold so many texts of this length that it must not be unpacked unseen."""
    most_values = column.num_values - rows + min(batch_rows, rows)  # every other row has one at least
    return bool(longest * most_values > REPEATED_BYTES)


def longest_text(values: pa.Array, dictionary_bytes: int) -> int:
    """The longest text of a dictionary, out of some values of its column.

    Where what was read is not all of the dictionary, as its size says, that size is the bound.
    """
    kind = values.type
    if pa.types.is_struct(kind):
        (values,) = values.flatten()
        return longest_text(values, dictionary_bytes)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return longest_text(values.values, dictionary_bytes)
    if not pa.types.is_dictionary(kind) or not len(values.dictionary):
        return dictionary_bytes
    lengths = pc.binary_length(values.dictionary).to_numpy(zero_copy_only=False)
    is_all = int(lengths.sum()) + LENGTH_BYTES * len(lengths) == dictionary_bytes
    return int(lengths.max()) if is_all else dictionary_bytes


def row_bytes(batch: pa.RecordBatch) -> NDArray[np.int64]:
    """What each row of a batch takes with every text written out, as plain Python values need it."""
    total = np.zeros(batch.num_rows, dtype=np.int64)
    for column in batch.columns:
        total += _value_bytes(column)
    return total


def _value_bytes(values: pa.Array) -> NDArray[np.int64]:
    kind = values.type
    if pa.types.is_dictionary(kind):
        lengths = _lengths(values.dictionary)
        indices = values.indices.fill_null(0).to_numpy(zero_copy_only=False)
        taken = lengths[indices] if len(lengths) else np.zeros(len(values), dtype=np.int64)
        return np.where(values.is_valid().to_numpy(zero_copy_only=False), taken, VALUE_BYTES)
    if pa.types.is_struct(kind):
        total = np.full(len(values), VALUE_BYTES, dtype=np.int64)
        for part in values.flatten():
            total += _value_bytes(part)
        return total
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        counts = pc.list_value_length(values).fill_null(0).to_numpy(zero_copy_only=False)
        sums = np.concatenate([[0], np.cumsum(_value_bytes(values.flatten()))])
        ends = np.cumsum(counts, dtype=np.int64)
        return np.asarray(sums[ends] - sums[ends - counts] + VALUE_BYTES, dtype=np.int64)
    return _lengths(values)


def _lengths(values: pa.Array) -> NDArray[np.int64]:
    kind = values.type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        return np.full(len(values), VALUE_BYTES, dtype=np.int64)
    found = pc.binary_length(values).fill_null(0).to_numpy(zero_copy_only=False)
    return np.asarray(found, dtype=np.int64) + VALUE_BYTES


def _leading_numbers(header: bytes) -> Iterator[int]:
    """The fields of 32 bits with which a page's header begins."""
    at = 0
    while at < len(header) and header[at] == FIELD_I32:
        at += 1
        number = shift = 0
        while at < len(header):
            byte = header[at]
            at += 1
            number |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                yield (number >> 1) ^ -(number & 1)
                break
