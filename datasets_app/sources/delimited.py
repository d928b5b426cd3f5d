"""Reads CSV and TSV by a column mapping: one row per turn, or one row per exchange."""

from collections.abc import Iterator, Mapping
from pathlib import PurePath

from .building import FACTS, DialogueBuilder, known_facts
from .opening import TextSource
from .options import ReadOptions
from .records import Dialogue, Reject, RejectReason, SourceError
from .tabular import TableRow, grouped, key_of, read_rows

TURN_COLUMNS = ("conversation", "speaker", "text")
EXCHANGE_COLUMNS = ("prompt", "response")
REMEDY = (
    "map either conversation, speaker and text or prompt and response to columns of the file, "
    "for example prompt=question,response=answer"
)


def sniff(head: str, filename: str) -> bool:
    """Whether the file is called .csv or .tsv, also with .gz behind it."""
    name = PurePath(filename.lower().removesuffix(".gz"))
    return name.suffix in {".csv", ".tsv"}


def read(text: TextSource, options: ReadOptions) -> Iterator[Dialogue | Reject]:
    """Conversations by `options.columns`, which may also map `id` (of an exchange) and the known facts.

    Raises SourceError where the mapping is not one of the two kinds or names a column the file lacks.
    """
    return mapped(read_rows(text, options.columns.values(), options), text.file, options)


def mapped(rows: Iterator[TableRow], file: str, options: ReadOptions) -> Iterator[Dialogue | Reject]:
    """Conversations out of the rows of any table, by `options.columns`; as `read`."""
    columns = options.columns
    names = set(columns)
    if names.issuperset(TURN_COLUMNS) and names <= {*TURN_COLUMNS, *FACTS}:
        return _by_turn(rows, file, options)
    if names.issuperset(EXCHANGE_COLUMNS) and names <= {*EXCHANGE_COLUMNS, "id", *FACTS}:
        return _by_exchange(rows, options)
    problem = "the column mapping is not complete" if names else "no column mapping was given"
    raise SourceError(file, problem, REMEDY)


def _by_turn(rows: Iterator[TableRow], file: str, options: ReadOptions) -> Iterator[Dialogue | Reject]:
    columns = options.columns
    key_column = columns["conversation"]
    for group in grouped(rows, key_column, file, options.max_line_bytes):
        builder = DialogueBuilder(group[0].number, options)
        key = key_of(group[0], key_column)
        if not key:
            builder.refuse(RejectReason.MISSING_FIELD, key_column)
        for row in group:
            if row.is_ragged:
                builder.refuse(RejectReason.BROKEN_ROW, row=row.number)
            builder.add(
                row.cells.get(columns["speaker"]),
                row.cells.get(columns["text"]),
                row=row.number,
                speaker_field=columns["speaker"],
                text_field=columns["text"],
            )
        yield builder.finish(key, _facts(group[0], columns))


def _by_exchange(rows: Iterator[TableRow], options: ReadOptions) -> Iterator[Dialogue | Reject]:
    columns = options.columns
    for row in rows:
        builder = DialogueBuilder(row.number, options)
        if row.is_ragged:
            builder.refuse(RejectReason.BROKEN_ROW)
        builder.add_turn("user", row.cells.get(columns["prompt"]), field=columns["prompt"])
        builder.add_turn("assistant", row.cells.get(columns["response"]), field=columns["response"])
        key = key_of(row, columns.get("id", ""))
        yield builder.finish(f"{key}/{row.number}" if key else None, _facts(row, columns))


def _facts(row: TableRow, columns: Mapping[str, str]) -> dict[str, str]:
    return known_facts({name: row.cells.get(column) for name, column in columns.items()})
