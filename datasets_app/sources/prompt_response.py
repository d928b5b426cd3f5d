"""Reads pairs: objects with `prompt` and `response`, or `prompt` and `completion`."""

from collections.abc import Collection, Iterator

from .building import DialogueBuilder
from .json_records import Found, Record, converted, finish_record, first_keys, read_objects
from .opening import TextSource
from .options import ReadOptions
from .records import Dialogue, Reject


def sniff(head: str, filename: str) -> bool:
    """Whether the first record has `prompt` and one of the two names for the reply."""
    return is_exchange(first_keys(head))


def is_exchange(names: Collection[str]) -> bool:
    """Whether these are the fields of such a pair."""
    return "prompt" in names and ("response" in names or "completion" in names)


def read(text: TextSource, options: ReadOptions) -> Iterator[Dialogue | Reject]:
    """One conversation of two turns per object."""
    return exchanges(read_objects(text, options), options)


def exchanges(records: Iterator[Found], options: ReadOptions) -> Iterator[Dialogue | Reject]:
    """One conversation of two turns per record."""

    def exchange(row: int, record: Record) -> Dialogue | Reject:
        builder = DialogueBuilder(row, options)
        builder.add_turn("user", record.get("prompt"), field="prompt")
        reply = "response" if "response" in record or "completion" not in record else "completion"
        builder.add_turn("assistant", record.get(reply), field=reply)
        return finish_record(builder, record, row)

    return converted(records, exchange)
