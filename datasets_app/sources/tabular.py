"""Rows of CSV and TSV files, each known by its spreadsheet row."""

import csv
from collections.abc import Collection, Iterator
from itertools import chain
from typing import NamedTuple

from .building import short_fact
from .opening import TextSource
from .options import ReadOptions
from .records import SourceError

DELIMITERS = (",", "\t", ";", "|")

# The module's own limit of 128 KiB is one for the whole process; a turn longer than allowed must arrive here
# to be counted as a reject, and `_Lines` bounds the record instead.
csv.field_size_limit(2**31 - 1)


class TableRow(NamedTuple):
    """A row's number (the header is 1), its cells by column, and whether their count is not the header's."""

    number: int
    cells: dict[str, str]
    is_ragged: bool


def header_of(head: str) -> set[str]:
    """The column names in the first line of a comma-separated `head`."""
    first, _newline, _rest = head.lstrip().partition("\n")
    return _names(first, ",")


def read_rows(text: TextSource, wanted: Collection[str], options: ReadOptions) -> Iterator[TableRow]:
    """The rows below the header, blank ones left out; `wanted` are the columns that must be there.

    Raises SourceError where a wanted column is missing or stands twice and where quotes are broken: from
    there on the rows cannot be told apart.
    """
    lines = _Lines(text, options.max_line_bytes)
    first = next((line for line in lines if not line.isspace()), "")
    number = text.line_number - 1
    reader = csv.reader(chain([first], lines), delimiter=_delimiter(first, wanted), strict=True)
    header: list[str] | None = None
    while True:
        lines.begin_record(text.line_number + (header is not None))
        number += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            raise SourceError(
                text.file,
                f"the quotes are broken in the record that begins on line {lines.first_line}",
                "close every quote and double those inside a cell",
                row=number,
            ) from None
        if header is None:
            header = _checked(cells, wanted, text.file, number)
        elif cells:
            yield TableRow(number, dict(zip(header, cells, strict=False)), len(cells) != len(header))


def key_of(row: TableRow, column: str) -> str:
    """The row's key in the one spelling that is compared and stored; empty where it has none."""
    return short_fact(row.cells.get(column))


def grouped(
    rows: Iterator[TableRow], column: str, file: str, max_characters: int
) -> Iterator[list[TableRow]]:
    """The rows of one conversation at a time; rows whose `column` is empty form groups of their own.

    Raises SourceError where a conversation's rows do not stand together, since its first part has been
    handed out by then, and where one conversation is longer than `max_characters`.
    """
    closed: set[str] = set()
    group: list[TableRow] = []
    open_key = ""
    size = 0
    for row in rows:
        key = key_of(row, column)
        if group and key != open_key:
            closed.add(open_key)
            yield group
            group, size = [], 0
        if not group and key and key in closed:
            raise SourceError(
                file,
                "rows of one conversation are scattered through the file",
                "sort the file by conversation and turn",
                row=row.number,
                field=column,
            )
        open_key = key
        group.append(row)
        size += sum(map(len, row.cells.values()))
        if size > max_characters:
            raise SourceError(
                file,
                f"the conversation that begins at row {group[0].number} is longer than "
                f"{max_characters} bytes",
                "check that this column tells conversations apart",
                row=row.number,
                field=column,
            )
    if group:
        yield group


class _Lines:
    """Lines of a file; one record may take only so many characters, however many lines it spans."""

    def __init__(self, text: TextSource, max_characters: int) -> None:
        self._text = text
        self._max_characters = max_characters
        self._taken = 0
        self.first_line = 1

    def begin_record(self, line: int) -> None:
        self._taken = 0
        self.first_line = line

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._text)
        self._taken += len(line)
        if self._taken > self._max_characters:
            raise SourceError(
                self._text.file,
                f"the record that begins on line {self.first_line} is longer than "
                f"{self._max_characters} bytes, so a quote is probably not closed",
                "close every quote and double those inside a cell",
                row=self.first_line,
            )
        return line


def _delimiter(first_line: str, wanted: Collection[str]) -> str:
    """The delimiter that finds most of the wanted columns in the header, else the most columns."""
    return max(
        DELIMITERS,
        key=lambda mark: (len(_names(first_line, mark) & set(wanted)), len(_names(first_line, mark))),
    )


def _names(first_line: str, delimiter: str) -> set[str]:
    return {cell.strip() for cell in next(csv.reader([first_line], delimiter=delimiter), [])}


def _checked(cells: list[str], wanted: Collection[str], file: str, number: int) -> list[str]:
    header = [cell.strip() for cell in cells]
    for name in wanted:
        if header.count(name) != 1:
            problem = "the header has the column twice" if name in header else "the header lacks the column"
            raise SourceError(
                file, problem, "correct the header or the column mapping", row=number, field=name
            )
    return header
