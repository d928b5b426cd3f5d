"""Rows and columns from CSV, TSV, JSON Lines and Parquet, with faults named by file, row and column."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LONGEST_NAME_SHOWN = 40
Cell = str | None
"""What stands in a cell, None where it is empty."""


class LabelFileError(ValueError):
    """A file that cannot be read as labels; says where and what to do."""


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a file: each with its number for messages, and its cells in the order of `names`."""

    name: str
    names: tuple[str, ...]
    rows: list[tuple[int, list[Cell]]]

    def place(self, name: str, option: str) -> int:
        """Where a column stands; its absence is a fault of the command line."""
        if name in self.names:
            return self.names.index(name)
        shown = ", ".join(each if len(each) <= LONGEST_NAME_SHOWN else "…" for each in self.names)
        raise LabelFileError(
            f"{self.name} has no column {name!r}; it has: {shown}. Name the right one with {option}."
        )

    def fault(self, row: int, column: str, what: str) -> LabelFileError:
        return LabelFileError(f"{self.name}, row {row}, column {column!r}: {what}")


def plain_number(number: float) -> str:
    """A number as a code: 3.0 is 3."""
    return str(int(number)) if number.is_integer() else repr(number)


def read_table(path: Path) -> Table:
    """The rows of a file, read by its suffix. Raises LabelFileError."""
    readers: dict[str, Callable[[Path], Table]] = {
        ".csv": _read_separated,
        ".tsv": _read_separated,
        ".tab": _read_separated,
        ".jsonl": _read_json_lines,
        ".ndjson": _read_json_lines,
        ".parquet": _read_parquet,
    }
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise LabelFileError(f"{path.name} is none of {', '.join(readers)}. Save the labels as one of these.")
    try:
        return reader(path)
    except OSError as refused:
        raise LabelFileError(f"{path} cannot be read: {refused.strerror or 'unknown reason'}.") from refused
    except UnicodeDecodeError as broken:
        raise LabelFileError(f"{path.name} is not UTF-8 text. Save it with that encoding.") from broken


def _read_separated(path: Path) -> Table:
    separator = "," if path.suffix.lower() == ".csv" else "\t"
    rows: list[tuple[int, list[Cell]]] = []
    with path.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.reader(lines, delimiter=separator, strict=True)
        try:
            names = tuple(name.strip() for name in next(reader, []))
            for number, cells in enumerate(reader, start=2):
                if cells and len(cells) != len(names):
                    raise LabelFileError(
                        f"{path.name}, row {number}: {len(cells)} cells where the header has {len(names)} "
                        "columns. Add or quote what is missing."
                    )
                if cells:
                    rows.append((number, [cell.strip() or None for cell in cells]))
        except csv.Error as broken:
            raise LabelFileError(
                f"{path.name}, line {reader.line_num}: broken quotes or cells. Save the file anew."
            ) from broken
    return _checked(path, names, rows)


def _read_json_lines(path: Path) -> Table:
    objects: list[tuple[int, dict[str, Any]]] = []
    with path.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                found = json.loads(line)
            except json.JSONDecodeError:
                found = None
            if not isinstance(found, dict):
                raise LabelFileError(
                    f"{path.name}, row {number}: not a JSON object. Write one object a line."
                )
            objects.append((number, found))
    names = tuple(dict.fromkeys(name for _, found in objects for name in found))
    rows = [
        (number, [_cell(path, number, name, found.get(name)) for name in names]) for number, found in objects
    ]
    return _checked(path, names, rows)


def _read_parquet(path: Path) -> Table:
    from pyarrow import ArrowException, parquet

    try:
        table = parquet.read_table(path)
    except ArrowException as broken:
        raise LabelFileError(f"{path.name} is not a readable Parquet file. Write it anew.") from broken
    names = tuple(table.column_names)
    columns = [table.column(place).to_pylist() for place in range(len(names))]
    rows = [
        (number, [_cell(path, number, name, value) for name, value in zip(names, values, strict=True)])
        for number, values in enumerate(zip(*columns, strict=True), start=1)
    ]
    return _checked(path, names, rows)


def _cell(path: Path, row: int, column: str, value: object) -> Cell:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, bool | str):
        return str(value).strip() or None
    if isinstance(value, int | float):
        return plain_number(value) if isinstance(value, float) else str(value)
    raise LabelFileError(f"{path.name}, row {row}, column {column!r}: neither text nor number. Flatten it.")


def _checked(path: Path, names: tuple[str, ...], rows: list[tuple[int, list[Cell]]]) -> Table:
    if len(set(names)) != len(names):
        raise LabelFileError(f"{path.name}, row 1: two columns have the same name. Rename one of them.")
    if not rows:
        raise LabelFileError(f"{path.name} has no rows of labels. Give a file with a header and labels.")
    return Table(path.name, names, rows)
