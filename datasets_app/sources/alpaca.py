"""Reads Alpaca: objects with `instruction`, `input` and `output`."""

from collections.abc import Iterator

from .building import DialogueBuilder
from .json_records import Record, finish_record, first_keys, read_objects
from .opening import TextSource
from .options import ReadOptions
from .records import Dialogue, Reject, RejectReason


def sniff(head: str, filename: str) -> bool:
    """Whether the first record has `instruction` and `output`."""
    return {"instruction", "output"} <= first_keys(head)


def read(text: TextSource, options: ReadOptions) -> Iterator[Dialogue | Reject]:
    """One conversation per object; an empty `output` makes it a scenario without a reply."""
    for found in read_objects(text, options):
        yield found if isinstance(found, Reject) else _dialogue(*found, options)


def _dialogue(row: int, record: Record, options: ReadOptions) -> Dialogue | Reject:
    builder = DialogueBuilder(row, options)
    request, context = record.get("instruction"), record.get("input")
    if isinstance(context, str) and isinstance(request, str):
        request = f"{request}\n\n{context}"
    elif context is not None and not isinstance(context, str):
        builder.refuse(RejectReason.WRONG_TYPE, "input")
    builder.add_turn("user", request, field="instruction")
    reply = record.get("output")
    if "output" not in record:
        builder.refuse(RejectReason.MISSING_FIELD, "output")
    elif reply is not None and not (isinstance(reply, str) and not reply.strip()):
        builder.add_turn("assistant", reply, field="output")
    return finish_record(builder, record, row)
