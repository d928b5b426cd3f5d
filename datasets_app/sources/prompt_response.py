"""Reads pairs: objects with `prompt` and `response`, or `prompt` and `completion`."""

from collections.abc import Iterator

from .building import DialogueBuilder
from .json_records import finish_record, first_keys, read_objects
from .opening import TextSource
from .options import ReadOptions
from .records import Dialogue, Reject


def sniff(head: str, filename: str) -> bool:
    """Whether the first record has `prompt` and one of the two names for the reply."""
    keys = first_keys(head)
    return "prompt" in keys and not keys.isdisjoint({"response", "completion"})


def read(text: TextSource, options: ReadOptions) -> Iterator[Dialogue | Reject]:
    """One conversation of two turns per object."""
    for found in read_objects(text, options):
        if isinstance(found, Reject):
            yield found
            continue
        row, record = found
        builder = DialogueBuilder(row, options)
        builder.add_turn("user", record.get("prompt"), field="prompt")
        reply = "response" if "response" in record or "completion" not in record else "completion"
        builder.add_turn("assistant", record.get(reply), field=reply)
        yield finish_record(builder, record, row)
