"""Reads ShareGPT: objects with `conversations`, each a `from` and a `value`."""

from collections.abc import Iterator

from .json_records import TurnList, first_keys, read_objects, turn_lists
from .opening import TextSource
from .options import ReadOptions
from .records import Dialogue, Reject

TURNS = TurnList("conversations", "from", "value")


def sniff(head: str, filename: str) -> bool:
    """Whether the first record has `conversations`."""
    return "conversations" in first_keys(head)


def read(text: TextSource, options: ReadOptions) -> Iterator[Dialogue | Reject]:
    """One conversation per object."""
    return turn_lists(read_objects(text, options), options, TURNS)
