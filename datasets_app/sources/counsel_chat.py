"""Reads counsel-chat: questions of people who seek help and one therapist's answer per row."""

from collections.abc import Iterator

from .building import DialogueBuilder, short_fact
from .opening import TextSource
from .options import ReadOptions
from .records import Dialogue, Reject, RejectReason
from .tabular import header_of, key_of, read_rows

COLUMNS = ("questionID", "questionTitle", "questionText", "answerText", "topic", "upvotes", "split")


def sniff(head: str, filename: str) -> bool:
    """Whether the header is counsel-chat's."""
    return header_of(head).issuperset(COLUMNS)


def read(text: TextSource, options: ReadOptions) -> Iterator[Dialogue | Reject]:
    """One conversation per question and answer; the title stands above the question's text."""
    for row in read_rows(text, COLUMNS, options):
        builder = DialogueBuilder(row.number, options)
        if row.is_ragged:
            builder.refuse(RejectReason.BROKEN_ROW)
        parts = (row.cells.get("questionTitle", ""), row.cells.get("questionText", ""))
        question = "\n\n".join(part.strip() for part in parts if part.strip())
        builder.add_turn("user", question, field="questionText")
        builder.add_turn("assistant", row.cells.get("answerText"), field="answerText")
        meta = {name: short_fact(row.cells.get(name)) for name in ("topic", "upvotes", "split")}
        key = key_of(row, "questionID")
        yield builder.finish(
            f"{key}/{row.number}" if key else None, {name: fact for name, fact in meta.items() if fact}
        )
