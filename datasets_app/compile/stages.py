"""The stages one conversation passes alone: normalise, validate, de-identify; each a pure function."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from datasets_app.compile.contract import PiiStatus
from datasets_app.compile.deidentify import deidentify, holds_long_number, suspected
from datasets_app.sources.building import is_plain
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
# Bytes that are in none of these characters as UTF-8 writes them, beside the ones they begin with.
_HARMLESS = bytes(set(range(256)) - {*range(0x20), 0x7F, 0x87, 0x8B, 0xA0, 0xAD, 0xAF, 0xBF} | {9, 10, 13})


def normalise(turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
    """The turns without invisible characters, in NFC; every word and every comma stays."""
    if is_plain("".join([turn.content for turn in turns])):  # most conversations, and in one look
        return turns
    return tuple([Turn(turn.role, _normal(turn.content)) for turn in turns])


def _normal(text: str) -> str:
    if text.encode().translate(None, _HARMLESS):
        text = _SPACES.sub(" ", _INVISIBLE.sub("", text))
    return unicodedata.normalize("NFC", text).strip()


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
    spans: Mapping[str, int]
    status: PiiStatus


def deidentified(
    conversations: Sequence[tuple[Turn, ...]], *, keeps_names: bool = False
) -> Iterator[Deidentified]:
    """Each conversation with marks in the place of what identifies somebody.

    People who are made up may keep their names. Many conversations at once take less time than one by one.
    """
    suspicions = suspected([turn.content for turns in conversations for turn in turns])
    begin = 0
    for turns in conversations:
        own = suspicions[begin : begin + len(turns)]
        begin += len(turns)
        yield _scrubbed(turns, own, keeps_names) if any(own) else Deidentified(turns, {}, "none_detected")


def _scrubbed(turns: tuple[Turn, ...], suspicions: list[int], keeps_names: bool) -> Deidentified:
    spans: Counter[str] = Counter()
    scrubbed = []
    needs_review = False
    for turn, suspicion in zip(turns, suspicions, strict=True):
        content = turn.content
        if suspicion:
            content, found = deidentify(content, suspicion, keeps_names=keeps_names)
            spans += found
            needs_review |= holds_long_number(content, suspicion)
        scrubbed.append(turn if content == turn.content else Turn(turn.role, content))
    status: PiiStatus = "requires_review" if needs_review else "scrubbed" if spans else "none_detected"
    return Deidentified(tuple(scrubbed), spans, status)
