"""Reads Psy-Insight: counselling sessions with notes, several of which may follow one another in one case."""

from collections.abc import Iterator

from .building import short_fact
from .json_records import Record, TurnList, converted, first_keys, read_objects, with_turns
from .opening import TextSource
from .options import ReadOptions
from .records import Dialogue, Reject, Role

TURNS = TurnList("dialog", "speaker", "content")
LABELS: dict[str, Role] = {"seeker": "user", "supporter": "assistant"}
FACTS = ("topic", "psychotherapy", "stage")


def sniff(head: str, filename: str) -> bool:
    """Whether the first record has a dialogue under an id and the kind of psychotherapy."""
    return {"dialog_id", "dialog", "psychotherapy"} <= first_keys(head)


def read(text: TextSource, options: ReadOptions) -> Iterator[Dialogue | Reject]:
    """One conversation per object.

    Those that go on with the one before, or begin with its last exchange, share its `session`: no split tears
    them apart.
    """
    labelled = options.with_labels(LABELS)
    session = ""

    def conversation(row: int, record: Record) -> Dialogue | Reject:
        nonlocal session
        key = short_fact(record.get("dialog_id"))
        goes_on = any(record.get(mark) == 1 for mark in ("is_same_session", "is_same_qa"))
        if not (session and goes_on):
            session = key or str(row)
        facts = {name: short_fact(record.get(name)) for name in FACTS}
        meta = {name: fact for name, fact in facts.items() if fact}
        builder = with_turns(row, record, labelled, TURNS)
        return builder.finish(f"{key}/{row}" if key else None, {**meta, "session": session})

    return converted(read_objects(text, options), conversation)
