"""Reads ChatML: objects with `messages`, each a `role` and a `content`."""

from collections.abc import Iterator

from .json_records import TurnList, first_keys, read_objects, turn_lists
from .opening import TextSource
from .options import ReadOptions
from .records import Dialogue, Reject

TURNS = TurnList("messages", "role", "content")


def sniff(head: str, filename: str) -> bool:
    """Whether the first record has `messages`."""
    return "messages" in first_keys(head)


def read(text: TextSource, options: ReadOptions) -> Iterator[Dialogue | Reject]:
    """One conversation per object."""
    return turn_lists(read_objects(text, options), options, TURNS)
