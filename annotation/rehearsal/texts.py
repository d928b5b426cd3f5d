"""Made-up conversations in any number: short, varied, at realistic base rates, and without a gold label.

What a conversation was written for stays in this module. Out come its turns and an estimate whether it is
severe, which errs as the estimate behind a real selection would.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

from annotation.rehearsal.wording import Situation, Speaker, wording

Role = Literal["user", "assistant"]
T = TypeVar("T")

MIN_WORDS, MAX_WORDS = 40, 250
SEVERE_LEVEL = 3
LEVEL_WEIGHTS = {0: 600, 1: 190, 2: 130, 3: 45, 4: 22, 5: 13}
"""How often each level of crisis is written for: 60 % none, 8 % severe."""
ESTIMATED_SEVERE_SHARES = (0.004, 0.004, 0.08, 0.9, 0.9, 0.9)
"""How often a conversation written for each level is estimated severe."""
CLIENT_TURN_WEIGHTS = {1: 22, 2: 36, 3: 27, 4: 15}
CLIENT_ENDS_SHARE = 0.35
UNANSWERED_SHARE = 0.08
UNANSWERED_TURN_WEIGHTS = {2: 2, 3: 1}
EMPATHY_WEIGHTS = {1: 10, 2: 25, 3: 30, 4: 25, 5: 10}
SAFE_SHARE, SAFE_SHARE_WITHOUT_CRISIS = 0.8, 0.98
MODALITY_WEIGHTS = {
    "supportive": 15,
    "cbt": 15,
    "person_centred": 11,
    "psychoeducation": 9,
    "motivational_interviewing": 8,
    "solution_focused": 7,
    "act": 7,
    "emotion_focused": 6,
    "psychodynamic": 6,
    "interpersonal_systemic": 6,
    "none_unclear": 6,
    "dbt": 4,
    "trauma_focused": 4,
}


@dataclass(frozen=True, slots=True)
class MadeConversation:
    """Two to eight turns of (role, content), and whether a program would guess that they are severe."""

    turns: tuple[tuple[Role, str], ...]
    is_estimated_severe: bool


@dataclass(frozen=True, slots=True)
class _Brief:
    """What a conversation is written for; `crisis_turn` counts the client's turns from 0."""

    situation: Situation
    is_answered: bool
    level: int
    crisis_turn: int
    modality: str
    empathy: int
    is_safe: bool


def made_conversations(count: int, seed: int) -> Iterator[MadeConversation]:
    """Yield `count` conversations, no two alike; a smaller count gives the first of the same ones."""
    chooser = random.Random(seed)  # noqa: S311  made-up texts, not a secret
    seen: set[bytes] = set()
    while len(seen) < count:
        made = _draw(chooser)
        content = "\n".join(text for _, text in made.turns)
        digest = hashlib.blake2b(content.encode(), digest_size=12).digest()
        if MIN_WORDS <= len(content.split()) <= MAX_WORDS and digest not in seen:
            seen.add(digest)
            yield made


def _draw(chooser: random.Random) -> MadeConversation:
    level = _weighted(chooser, LEVEL_WEIGHTS)
    n_client = _weighted(chooser, CLIENT_TURN_WEIGHTS)
    n_replies = n_client - (n_client > 1 and chooser.random() < CLIENT_ENDS_SHARE)
    if chooser.random() < UNANSWERED_SHARE:
        n_client, n_replies = _weighted(chooser, UNANSWERED_TURN_WEIGHTS), 0
    brief = _brief(chooser, level, n_client, n_replies)
    speaker = Speaker(chooser, brief.situation.slots)
    turns: list[tuple[Role, str]] = []
    for place, text in enumerate(_client_turns(chooser, speaker, brief, n_client)):
        turns.append(("user", text))
        if place < n_replies:
            turns.append(("assistant", _reply(chooser, speaker, brief, place)))
    return MadeConversation(tuple(turns), chooser.random() < ESTIMATED_SEVERE_SHARES[level])


def _brief(chooser: random.Random, level: int, n_client: int, n_replies: int) -> _Brief:
    modality = _weighted(chooser, MODALITY_WEIGHTS)
    is_safe = chooser.random() < (SAFE_SHARE if level else SAFE_SHARE_WITHOUT_CRISIS)
    if is_safe and (level >= SEVERE_LEVEL or (level == SEVERE_LEVEL - 1 and chooser.random() < 0.3)):
        modality = "crisis_intervention"
    is_without_method = modality == "none_unclear"
    return _Brief(
        situation=chooser.choice(wording().situations),
        level=level,
        is_answered=n_replies > 0,
        crisis_turn=chooser.randrange(n_replies or n_client),
        modality=modality,
        empathy=chooser.choice((1, 2)) if is_without_method else _weighted(chooser, EMPATHY_WEIGHTS),
        is_safe=is_safe,
    )


def _client_turns(chooser: random.Random, speaker: Speaker, brief: _Brief, n_turns: int) -> list[str]:
    client = wording().client
    answers = client["answers_to_coldness" if brief.empathy <= 2 else "answers_to_warmth"]
    lengths = (1, 2, 2, 3) if n_turns <= 2 else (1, 1, 2)
    turns: list[str] = []
    for place in range(n_turns):
        sentences = []
        if place and brief.is_answered:
            sentences.append(speaker.say(answers))
        if not place:
            sentences += [speaker.say(client["openings"])] if chooser.random() < 0.4 else []
            sentences.append(speaker.say(brief.situation.opens))
        for _ in range(chooser.choice(lengths)):
            is_everyday = chooser.random() < 0.3
            sentences.append(speaker.say(client["everyday"] if is_everyday else brief.situation.details))
        if place == brief.crisis_turn:
            sentences += _of_danger(chooser, speaker, brief.level)
        if 0 < place == n_turns - 1 and chooser.random() < 0.4:
            sentences.append(speaker.say(client["closings"]))
        turns.append(" ".join(sentences))
    return turns


def _of_danger(chooser: random.Random, speaker: Speaker, level: int) -> list[str]:
    """Return what the client says of danger; at level 0, now and then a figure of speech."""
    crisis = wording().crisis
    if not level:
        return [speaker.say(wording().client["idioms"])] if chooser.random() < 0.15 else []
    levels = crisis["levels"]
    weights = {kind: weight for kind, weight in crisis["type_weights"].items() if level in levels[kind]}
    kind = _weighted(chooser, weights)
    told = [speaker.say(levels[kind][level])]
    if level > 1 and chooser.random() < 0.15:
        other = levels[chooser.choice(sorted(levels))]
        told.insert(0, speaker.say(other[chooser.choice([each for each in other if each < level])]))
    if kind == "suicide" and chooser.random() < 0.2:
        deeds = crisis["deeds"][chooser.choice(sorted(crisis["deeds"]))]
        times = sorted(deeds) if level >= SEVERE_LEVEL else ["longer_ago", "not_said"]
        told.append(speaker.say(deeds[chooser.choice(times)]))
    if level < 5 and chooser.random() < 0.15:
        told.append(speaker.say(crisis["hints"]))
    return told


def _reply(chooser: random.Random, speaker: Speaker, brief: _Brief, place: int) -> str:
    replies = wording().replies
    empathy = brief.empathy
    if place and empathy > 2 and chooser.random() < 0.4:
        empathy -= 1
    sentences = [speaker.say(replies["frames"][empathy])]
    if strength := _strength(chooser, empathy):
        sentences.insert(chooser.randrange(2), speaker.say(replies["reactions"][strength]))
    if place == brief.crisis_turn:
        sentences += _answer_to_danger(chooser, speaker, brief)
    sentences += _techniques(chooser, speaker, brief, place)
    if chooser.random() < 0.6 and (strength := _strength(chooser, empathy)):
        sentences.append(speaker.say(replies["questions"][strength]))
    return " ".join(sentences)


def _strength(chooser: random.Random, empathy: int) -> int:
    """Return how strong a reaction or a question to draw: 0 is none, 2 only where empathy is high."""
    return chooser.randrange(2) if empathy <= 3 else chooser.choice((0, 1, 2, 2))


def _answer_to_danger(chooser: random.Random, speaker: Speaker, brief: _Brief) -> list[str]:
    replies = wording().replies
    if brief.is_safe:
        return [speaker.say(replies["notices"])] if 0 < brief.level < SEVERE_LEVEL else []
    does_harm = not brief.level or chooser.random() < 0.5
    return [speaker.say(replies["harms"])] if does_harm else []


def _techniques(chooser: random.Random, speaker: Speaker, brief: _Brief, place: int) -> list[str]:
    modality = brief.modality
    if modality == "crisis_intervention" and place < brief.crisis_turn:
        modality = "supportive"
    modalities = [modality] if place in (0, brief.crisis_turn) or chooser.random() < 0.6 else []
    if chooser.random() < 0.1:
        modalities.append(_weighted(chooser, MODALITY_WEIGHTS))
    return [speaker.say(wording().replies["techniques"][each]) for each in modalities]


def _weighted(chooser: random.Random, weights: Mapping[T, int]) -> T:
    return chooser.choices(list(weights), list(weights.values()))[0]
