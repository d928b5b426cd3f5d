"""Reads hh-rlhf: pairs of a chosen and a rejected conversation that differ in their last reply."""

import re
from collections.abc import Iterator

from .building import DialogueBuilder
from .json_records import Record, converted, finish_record, first_keys, read_objects
from .opening import TextSource
from .options import ReadOptions
from .records import Dialogue, Reject, RejectReason, Role

CHOSEN, REJECTED = "chosen", "rejected"
ROLES: dict[str, Role] = {"Human": "user", "Assistant": "assistant"}
_LABEL = re.compile(rf"\n\n({'|'.join(ROLES)}):")

Said = list[tuple[Role, str]]


def sniff(head: str, filename: str) -> bool:
    """Whether the first record has both sides of a pair."""
    return {CHOSEN, REJECTED} <= first_keys(head)


def read(text: TextSource, options: ReadOptions) -> Iterator[Dialogue | Reject]:
    """The chosen conversation of each pair, with the reply that was rejected for its last turn.

    A pair that differs in more than the last reply prefers no reply to another and is refused.
    """

    def pair(row: int, record: Record) -> Dialogue | Reject:
        builder = DialogueBuilder(row, options)
        chosen, rejected = (_said(record.get(side), side, builder) for side in (CHOSEN, REJECTED))
        if not _is_pair(chosen, rejected):
            builder.refuse(RejectReason.NO_PAIR, REJECTED)
        for role, content in chosen:
            builder.add_turn(role, content, field=CHOSEN)
        for _role, content in rejected[-1:]:
            builder.add_rejected_reply(content, field=REJECTED)
        return finish_record(builder, record, row)

    return converted(read_objects(text, options), pair)


def _said(text: object, field: str, builder: DialogueBuilder) -> Said:
    """Who said what, by the labels that begin a paragraph."""
    if text is None:
        builder.refuse(RejectReason.MISSING_FIELD, field)
        return []
    if not isinstance(text, str):
        builder.refuse(RejectReason.WRONG_TYPE, field)
        return []
    before, *parts = _LABEL.split(text)
    if before.strip() or not parts:
        builder.refuse(RejectReason.UNKNOWN_SPEAKER, field)
    return [(ROLES[label], said.strip()) for label, said in zip(parts[::2], parts[1::2], strict=True)]


def _is_pair(chosen: Said, rejected: Said) -> bool:
    if not chosen or not rejected or chosen[:-1] != rejected[:-1]:
        return False
    return chosen[-1][0] == rejected[-1][0] == "assistant" and chosen[-1] != rejected[-1]
