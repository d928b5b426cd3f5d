"""How one file is read: its options as they are stored, its format, and the columns of a table."""

import csv
import io
from collections.abc import Mapping
from typing import Any, BinaryIO

from datasets_app.sources import parquet
from datasets_app.sources.opening import open_text
from datasets_app.sources.records import SourceError
from datasets_app.sources.registry import ReadOptions, detect
from datasets_app.sources.tabular import DELIMITERS

AUTO = "auto"
COLUMN_NAME_CHARACTERS = 60  # more than that is a text, and column names are stored in clear


def read_options(stored: Mapping[str, Any], max_plain_bytes: int | None = None) -> ReadOptions:
    """Return the readers' options from the JSON of an import job. Raises ValueError for an unknown role."""
    return ReadOptions(
        encoding=stored.get("encoding") or None,
        columns=stored.get("columns", {}),
        speakers=stored.get("speakers", {}),
        max_plain_bytes=max_plain_bytes,
    )


def resolve_format(stream: BinaryIO, *, name: str, format: str, options: ReadOptions) -> str:
    """Return the format a file is read as; with `auto` by its beginning. Raises SourceError when unknown."""
    if format != AUTO:
        return format
    if parquet.is_parquet(stream):
        return parquet.FORMAT
    if options.columns:
        return "delimited"
    head = open_text(stream, name=name, options=options).head
    return detect(head.encode(), name)


def column_names(stream: BinaryIO, *, name: str, options: ReadOptions) -> list[str]:
    """Return the names a person may map, each once. Raises SourceError when they are no names.

    They are those of a table's first line, or of a Parquet file that cannot be read without being told.
    """
    if parquet.is_parquet(stream):
        return _checked(parquet.unmapped_columns(stream, name), name)
    head = open_text(stream, name=name, options=options).head.lstrip()
    first = head.partition("\n")[0]
    delimiter = max(DELIMITERS, key=lambda mark: len(next(csv.reader([first], delimiter=mark), [])))
    cells = [cell.strip() for cell in next(csv.reader(io.StringIO(head), delimiter=delimiter), [])]
    return _checked(cells, name)


def _checked(cells: list[str], name: str) -> list[str]:
    if any(len(cell) > COLUMN_NAME_CHARACTERS for cell in cells):
        raise SourceError(
            name,
            "the first line does not look like the names of columns",
            "add a line at the top that names each column",
            row=1,
        )
    return list(dict.fromkeys(cell for cell in cells if cell))
