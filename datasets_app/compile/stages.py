"""The stages one conversation passes alone: normalise, validate, de-identify; each a pure function."""

import re
import unicodedata
from collections import Counter
from typing import NamedTuple

from datasets_app.compile.contract import PiiStatus
from datasets_app.compile.deidentify import deidentify, holds_long_number, may_identify
from datasets_app.sources.records import Turn

STEPS = ("read", "normalise", "validate", "deidentify", "exact_dedup", "near_dedup", "decontaminate", "split")
EMPTY_TEXT = "empty_text"
ONE_SIDED = "one_sided"
LONG_ELSEWHERE = "long_session_elsewhere"
LEAST_LONG_TURNS = 20  # of client and therapist; instructions to a model are none

# Characters that nobody sees and that make equal texts differ; line ends and tabs are not among them, nor
# the joiners that emoji and Indic scripts need.
_INVISIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u00ad\u200b\u2060\ufeff]")
_SPACES = re.compile("[\u00a0\u202f\u2007]")


def normalise(turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
    """The turns without invisible characters, in NFC; every word and every comma stays."""
    text = "".join([turn.content for turn in turns])
    if text.isascii() and text.isprintable():  # most conversations, and in one look
        return turns
    return tuple(Turn(turn.role, _normal(turn.content)) for turn in turns)


def _normal(text: str) -> str:
    return unicodedata.normalize("NFC", _SPACES.sub(" ", _INVISIBLE.sub("", text))).strip()


def fault_of(turns: tuple[Turn, ...]) -> str:
    """Why the turns are not a conversation that can be trained on, or nothing where they are."""
    if not all(turn.content for turn in turns):
        return EMPTY_TEXT
    roles = {turn.role for turn in turns}
    return "" if {"user", "assistant"} <= roles else ONE_SIDED


def is_long(turns: tuple[Turn, ...]) -> bool:
    """Whether the turns are a long session, which is extracted for a family of its own."""
    return sum(turn.role != "system" for turn in turns) >= LEAST_LONG_TURNS


class Deidentified(NamedTuple):
    """A conversation after de-identification, and what was found in it."""

    turns: tuple[Turn, ...]
    spans: Counter[str]
    status: PiiStatus


def deidentified(turns: tuple[Turn, ...], *, keeps_names: bool = False) -> Deidentified:
    """The turns with marks in the place of what identifies somebody; made-up people may keep their names."""
    spans: Counter[str] = Counter()
    if not may_identify("\n".join([turn.content for turn in turns])):
        return Deidentified(turns, spans, "none_detected")
    scrubbed = []
    for turn in turns:
        content, found = deidentify(turn.content, keeps_names=keeps_names)
        spans += found
        scrubbed.append(turn if content == turn.content else Turn(turn.role, content))
    if any(holds_long_number(turn.content) for turn in scrubbed):
        return Deidentified(tuple(scrubbed), spans, "requires_review")
    return Deidentified(tuple(scrubbed), spans, "scrubbed" if spans else "none_detected")
