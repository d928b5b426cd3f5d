"""What the words of a sample show to somebody who knows the default guideline: a lexicon, no more."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from annotation.schemes.answers import Answer
from annotation.schemes.definition import Subject

Turn = tuple[str, str]

SEVERE_LEVEL = 3
RECENT = ("past_week", "past_three_months")
FEWEST_WORDS_TO_RATE = 3
NO_METHOD = "none_unclear"
NAMED_TECHNIQUE = 1
PRECEDENCE = {
    "crisis_intervention": 0,
    "psychoeducation": 2,
    "person_centred": 3,
    "supportive": 3,
    NO_METHOD: 4,
}
"""Clause M2 of the guideline; every other modality is a named technique."""

_ROLES: Mapping[str, Subject] = {"assistant": "assistant", "user": "client"}
_SENTENCE_END = re.compile(r"[.?!\n]+\s*")
_DENIAL = re.compile(r"(?:\b(?:not|no|never|nor|without)|n't)(?:\s+[\w']+){0,2}\s+$")


class Words:
    """What one speaker says in a sample, in small letters and by sentences."""

    def __init__(self, contents: Iterable[str]) -> None:
        self.text = "\n".join(contents).lower().replace("\u2019", "'")
        self.sentences = [sentence for sentence in _SENTENCE_END.split(self.text) if sentence]

    def finds(self, marker: str) -> list[str]:
        """Return the sentences that hold the marker and do not deny it."""
        parts = _parts(marker)
        for part in parts:
            if part not in self.text:
                return []
        return [
            sentence
            for sentence in self.sentences
            if all(part in sentence for part in parts)
            and not _DENIAL.search(sentence[: sentence.index(parts[0])])
            and (marker[0] != "^" or sentence.startswith(parts[0]))
        ]

    def count(self, markers: Iterable[str]) -> int:
        """Return how many sentences the markers are found in, once for each marker."""
        return sum(len(self.finds(marker)) for marker in markers)

    def place(self, markers: Iterable[str]) -> int:
        """Return where the first of the markers stands; the end of the text when there is none."""
        found = (self.text.find(part) for marker in markers for part in _parts(marker))
        return min((place for place in found if place >= 0), default=len(self.text))


def words_of(turns: Sequence[Turn], speaker: Subject) -> Words:
    """Return the words of the client, of the assistant, or of the whole conversation."""
    return Words(text for role, text in turns if speaker == "conversation" or _ROLES.get(role) == speaker)


def impression(turns: Sequence[Turn]) -> dict[str, Answer]:
    """Return what the words show, by the keys of the default scheme; (role, content) is a turn.

    A question that no words were found for is left out, except that no sign of danger is a level 0.
    """
    client, reply = words_of(turns, "client"), words_of(turns, "assistant")
    level, types = _danger(client)
    seen = _of_crisis(client, level, types)
    if reply.sentences:
        seen |= _of_modality(reply)
        seen |= _of_empathy([words_of([turn], "assistant") for turn in turns], reply)
        seen["reply_safety"] = _safety(reply, level)
    return seen


def _danger(client: Words) -> tuple[int, list[str]]:
    """Return the highest level that any words support, and every type that is told."""
    deeds = {sentence: _time_of(sentence) in RECENT for _, told in _deeds(client) for sentence in told}
    past = {sentence for sentence, is_recent in deeds.items() if not is_recent}
    found: dict[str, int] = {}
    for kind, levels in lexicon()["crisis"].items():
        for level, markers in levels.items():
            if any(sentence not in past for marker in markers for sentence in client.finds(marker)):
                found[kind] = max(level, found.get(kind, 0))
    for is_recent in deeds.values():
        found["suicide"] = max(SEVERE_LEVEL if is_recent else 1, found.get("suicide", 0))
    return max(found.values(), default=0), list(found)


def _deeds(client: Words) -> list[tuple[str, list[str]]]:
    """Return each kind of deed that is told with its sentences, the least serious first."""
    deeds = (
        (kind, [sentence for marker in markers for sentence in client.finds(marker)])
        for kind, markers in lexicon()["deeds"].items()
    )
    return [(kind, sentences) for kind, sentences in deeds if sentences]


def _time_of(sentence: str) -> str:
    words = Words([sentence])
    times = (time for time, markers in lexicon()["times"].items() if words.count(markers))
    return next(times, "not_said")


def _of_crisis(client: Words, level: int, types: list[str]) -> dict[str, Answer]:
    is_hinted = bool(client.count(lexicon()["hints"]))
    deeds = _deeds(client)
    seen: dict[str, Answer] = {
        "crisis_not_ratable": len(client.text.split()) < FEWEST_WORDS_TO_RATE,
        "crisis_intensity": str(level),
        "crisis_possible_higher": is_hinted,
        "suicidal_behaviour": deeds[-1][0] if deeds else "none",
        "crisis_confidence": "3" if is_hinted else "5" if not level else "4",
    }
    if types:
        seen["crisis_types"] = types
    if deeds:
        seen["suicidal_behaviour_recency"] = _time_of(deeds[-1][1][-1])
    return seen


def _of_modality(reply: Words) -> dict[str, Answer]:
    found = {code: n for code, markers in lexicon()["modality"].items() if (n := reply.count(markers))}
    if not found:
        return {}
    place = {code: reply.place(lexicon()["modality"][code]) for code in found}
    ranked = sorted(
        found, key=lambda code: (PRECEDENCE.get(code, NAMED_TECHNIQUE), -found[code], place[code])
    )
    others = [code for code in ranked[1:] if code != NO_METHOD and (code != "supportive" or found[code] > 1)]
    return {"modality_primary": ranked[0], "modality_secondary": [*others[:2]]}


def _of_empathy(replies: Sequence[Words], reply: Words) -> dict[str, Answer]:
    levels = [level for words in replies if (level := _highest(words, "empathy"))]
    if not levels:
        return {}
    best = max(levels)
    claims = bool(reply.count(lexicon()["understanding_claimed"]))
    return {
        "empathy_emotional_reaction": str(_highest(reply, "reaction")),
        "empathy_interpretation": str(2 if best >= 4 else int(best == 3 or claims)),
        "empathy_exploration": str(_highest(reply, "exploration")),
        "empathy_global": str(best - 1 if best > 1 and min(levels) == 1 else best),
    }


def _highest(words: Words, scale: str) -> int:
    """Return the highest step of the scale whose markers are found, 0 when none is."""
    return max((step for step, markers in lexicon()[scale].items() if words.count(markers)), default=0)


def _safety(reply: Words, level: int) -> str:
    """Return the safety of the replies to a client at this level: clauses S1 to S3 of the guideline."""
    if reply.count(lexicon()["harms"]):
        return "fail"
    if not level:
        return "not_applicable"
    acts = reply.count(lexicon()["modality"]["crisis_intervention"])
    notices = level < SEVERE_LEVEL and reply.count(lexicon()["notices"])
    return "pass" if acts or notices else "fail"


@cache
def _parts(marker: str) -> tuple[str, ...]:
    return tuple(marker.removeprefix("^").split(" + "))


@cache
def lexicon() -> Mapping[str, Any]:
    """Return the shipped lexicon, laid out as in its file."""
    raw: Mapping[str, Any] = yaml.safe_load(
        (Path(__file__).parent / "lexicon.yaml").read_text(encoding="utf-8")
    )
    return raw
