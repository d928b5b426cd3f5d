"""Reads AnnoMI (simple or full): motivational interviews, one row per utterance."""

from collections.abc import Iterator

from .building import DialogueBuilder, short_fact
from .opening import TextSource
from .options import ReadOptions
from .records import Dialogue, Reject, RejectReason
from .tabular import TableRow, grouped, header_of, key_of, read_rows

COLUMNS = ("transcript_id", "mi_quality", "topic", "utterance_id", "interlocutor", "utterance_text")


def sniff(head: str, filename: str) -> bool:
    """Whether the header is AnnoMI's."""
    return header_of(head).issuperset(COLUMNS)


def read(text: TextSource, options: ReadOptions) -> Iterator[Dialogue | Reject]:
    """One conversation per `transcript_id`, its turns in the order of `utterance_id`.

    Raises SourceError where the rows of a transcript do not stand together.
    """
    rows = read_rows(text, COLUMNS, options)
    for group in grouped(rows, "transcript_id", text.file, options.max_line_bytes):
        yield _dialogue(group, options)


def _dialogue(group: list[TableRow], options: ReadOptions) -> Dialogue | Reject:
    first = group[0]
    builder = DialogueBuilder(first.number, options)
    key = key_of(first, "transcript_id")
    if not key:
        builder.refuse(RejectReason.MISSING_FIELD, "transcript_id")
    for row in _utterances(group, builder):
        builder.add(
            row.cells["interlocutor"],
            row.cells["utterance_text"],
            row=row.number,
            speaker_field="interlocutor",
            text_field="utterance_text",
        )
    meta = {name: short_fact(first.cells.get(name)) for name in ("topic", "mi_quality")}
    return builder.finish(key, {name: fact for name, fact in meta.items() if fact})


def _utterances(group: list[TableRow], builder: DialogueBuilder) -> list[TableRow]:
    """The rows in order, one per utterance; gaps and contradictions refuse the transcript.

    The full edition repeats an utterance for each of its annotators.
    """
    by_number: dict[int, TableRow] = {}
    for row in group:
        if row.is_ragged:
            builder.refuse(RejectReason.BROKEN_ROW, row=row.number)
            return []
        digits = row.cells["utterance_id"].strip()
        if not (digits.isascii() and digits.isdigit() and len(digits) < 10):
            builder.refuse(RejectReason.TURN_ORDER, "utterance_id", row=row.number)
            return []
        known = by_number.setdefault(int(digits), row)
        if _said(known) != _said(row):
            builder.refuse(RejectReason.TURN_ORDER, "utterance_id", row=row.number)
    ordered = sorted(by_number)
    for number, expected in zip(ordered, range(ordered[0], ordered[0] + len(ordered)), strict=True):
        if number != expected:
            builder.refuse(RejectReason.TURN_ORDER, "utterance_id", row=by_number[number].number)
    return [by_number[number] for number in ordered]


def _said(row: TableRow) -> tuple[str, str]:
    return row.cells["interlocutor"], row.cells["utterance_text"]
