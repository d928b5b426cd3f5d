"""How a persona speaks: fillers, hedges and small restarts laid over what is said, meaning kept."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

# "so" and "then" only behind a comma: "so far" and "and then" are not divided, nor is "up and down".
SEAM = re.compile(
    r"(?<=[a-z])(?:,? (?:and|but|because|or)|, (?:so|then)) (?!(?:down|forth|again|off|out|come)\b)(?=[a-zI])"
)
SENTENCE = re.compile(r"(?<=[a-z][.!?]) (?=[A-Z])")
RESTART = re.compile(r"(?:(?<=^)|(?<=\. ))(I|It|We|They|And I|But I) ")
# Not before a pronoun, nor at the head of a sentence: "isn't it", "wouldn't he" and "Wouldn't Sam" would turn
# into "is not it", "would not he" and "Would not Sam".
NOT_TAG = r"(?! (?:you|I|it|he|she|we|they|that|there|this)\b)"
# What must stand in a text that the pattern fits, which is seen at once; the pattern; the words in full.
IN_FULL: tuple[tuple[str, re.Pattern[str], str], ...] = tuple(
    (mark, re.compile(pattern), full)
    for mark, pattern, full in (
        ("can't", rf"\bcan't\b{NOT_TAG}", "cannot"),
        ("won't", rf"\bwon't\b{NOT_TAG}", "will not"),
        (
            "n't",
            rf"\b(?!ai|sha)(?!ha(?:ve|s|d)n't (?:an?|any|the)\b)([a-z]+)n't\b{NOT_TAG}",
            r"\1 not",
        ),
        ("I'm", r"\bI'm\b", "I am"),
        ("'ve", r"\b(\w+)'ve\b", r"\1 have"),
        ("'ll", r"\b(\w+)'ll\b", r"\1 will"),
        ("'re", r"\b(\w+)'re\b", r"\1 are"),
    )
)
SAME_MEANING: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("right now", ("at the moment", "just now", "as we speak", "right now")),
    ("everyone", ("everybody", "everyone")),
    ("everybody", ("everybody", "everyone")),
    ("someone", ("somebody", "someone")),
    ("somebody", ("somebody", "someone")),
    ("anyone", ("anybody", "anyone")),
    ("nobody", ("no one", "nobody")),
    ("no one", ("no one", "nobody")),
    ("maybe", ("perhaps", "maybe")),
    ("perhaps", ("perhaps", "maybe")),
    ("scared", ("frightened", "scared")),
    ("kids", ("children", "kids")),
    ("really", ("really", "truly")),
    ("all the time", ("constantly", "all the time", "non-stop", "the whole time")),
    ("every day", ("every day", "each day")),
    ("a bit", ("a bit", "a little")),
    ("a lot", ("a lot", "a great deal")),
    ("anyway", ("anyway", "in any case", "anyhow")),
    ("for example", ("for instance", "for example")),
    ("terrible", ("awful", "terrible", "dreadful")),
    ("difficult", ("hard", "difficult", "tough")),
    ("immediately", ("straight away", "at once", "immediately")),
    ("straight away", ("straight away", "at once", "right away")),
)
# Whatever stands around it, each way must fit: "scared me", "a bit of", "every day is", "nobody's".
SAME = re.compile(r"\b(" + "|".join(re.escape(phrase) for phrase, _ in SAME_MEANING) + r")\b")
WAYS = dict(SAME_MEANING)


@dataclass(frozen=True, slots=True)
class Voice:
    """What a persona adds, how often, and how willingly it says what could be left out."""

    fillers: tuple[str, ...]
    bridges: tuple[str, ...]
    filler_rate: float
    bridge_rate: float
    restart_rate: float
    wordiness: float
    is_contracted: bool = True


VOICES: dict[str, Voice] = {
    "plain": Voice(
        ("well", "like", "you know", "see", "right", "kind of", "or whatever"),
        ("Anyway.", "So.", "That's about it.", "What else."),
        0.12, 0.03, 0.03, 0.5,
    ),
    "wry": Voice(
        (
            "naturally", "of course", "needless to say", "as you do", "obviously", "funnily enough",
            "joy of joys",
        ),
        (
            "So there's that.", "Such is life.", "So.", "Marvellous.", "Good times.", "You can laugh.",
            "Quite the catch, me.", "Put that on a mug.",
        ),
        0.2, 0.09, 0.02, 0.5,
    ),
    "formal": Voice(
        (
            "I suppose", "in truth", "if I may say so", "I must admit", "I confess", "to be fair",
            "I regret to say", "strictly speaking", "I would add", "as it were",
        ),
        (
            "That is how it stands.", "I put it no higher.", "Forgive the length of this.",
            "I state it as it was.",
        ),
        0.2, 0.03, 0.0, 0.6, is_contracted=False,
    ),
    "rambling": Voice(
        (
            "you know", "I mean", "like I said", "how do I put this", "and this is the thing", "er",
            "wait for it", "what was it", "bless me", "long story", "you'll see why", "as it goes",
        ),
        (
            "Anyway.", "Where was I.", "Sorry, I'm all over the place.", "It's hard to explain.",
            "Do you see?", "I've lost my thread.", "I'm going round in circles.",
            "Hang on, there's a point to this.", "Stop me if I go on.", "What was I saying?",
        ),
        0.45, 0.14, 0.1, 0.9,
    ),
    "terse": Voice(("well", "right"), ("Anyway.", "That's it.", "Dunno.", "So."), 0.03, 0.04, 0.0, 0.12),
    "analytical": Voice(
        (
            "objectively", "on paper", "logically", "in theory", "as far as I can tell", "statistically",
            "on the evidence", "to be precise", "on balance", "by my reckoning",
        ),
        (
            "That's the pattern.", "I've thought about it a fair amount.", "Those are the facts, anyway.",
            "I've tested that.", "I keep a note of it.", "Make of that what you will.",
            "I can't find the flaw in it.", "It's consistent, I'll say that.",
        ),
        0.28, 0.07, 0.0, 0.65,
    ),
    "apologetic": Voice(
        (
            "sorry", "I guess", "if that makes sense", "it's stupid", "maybe it's me", "I'm probably wrong",
            "I know, I know", "this'll sound odd", "I should've said", "excuse me",
        ),
        (
            "Sorry.", "I'm not saying this well.", "I know other people have it worse.", "Is that silly?",
            "I don't mean to go on.", "You must be sick of this.", "I hope that's all right to say.",
            "Tell me if it's too much.", "I feel bad even saying it.",
        ),
        0.35, 0.1, 0.06, 0.6,
    ),
}  # fmt: skip


class Speaker:
    """One voice through one dialogue; a filler or bridge is not used twice."""

    def __init__(self, voice: Voice, throw: random.Random, *, is_typing: bool) -> None:
        self.voice = voice
        self._throw = throw
        self._is_typing = is_typing
        self._fillers = list(voice.fillers)
        self._bridges = list(voice.bridges)
        throw.shuffle(self._fillers)
        throw.shuffle(self._bridges)

    def speak(self, text: str, *, is_plain: bool = False) -> str:
        """Return the text as this person would say it; plainly where a flourish would be out of place."""
        text = same_meaning(text, self._throw)
        if not is_plain:
            text = self._flourished(text)
        if not self.voice.is_contracted:
            text = spelled_out(text)
        return _as_typed(text) if self._is_typing else text

    def _flourished(self, text: str) -> str:
        text = SEAM.sub(self._seam, text)
        text = SENTENCE.sub(self._bridge, text)
        if self._throw.random() < self.voice.restart_rate:
            text = RESTART.sub(lambda found: f"{found[1]}, {_lower(found[1])} ", text, count=1)
        return text

    def _seam(self, found: re.Match[str]) -> str:
        if not self._fillers or self._throw.random() >= self.voice.filler_rate:
            return found[0]
        return f"{found[0].rstrip()}, {self._fillers.pop()}, "

    def _bridge(self, found: re.Match[str]) -> str:
        if not self._bridges or self._throw.random() >= self.voice.bridge_rate:
            return " "
        return f" {self._bridges.pop()} "


def spelled_out(text: str) -> str:
    """Write contractions in full where that cannot change the meaning."""
    for mark, short, full in IN_FULL:
        if mark in text:
            text = short.sub(full, text)
    return text


def same_meaning(text: str, throw: random.Random) -> str:
    """Exchange small phrases for others of the same meaning."""
    if not any(phrase in text for phrase in WAYS):  # seen faster than by the pattern
        return text
    return SAME.sub(lambda found: throw.choice(WAYS[found[1]]), text)


def _lower(start: str) -> str:
    return start if start == "I" else start[0].lower() + start[1:]


def _as_typed(text: str) -> str:
    """As people type on a phone: small letters, the last full stop left out."""
    text = re.sub(r"(^|[.!?] )([A-Z])(?![A-Z])", lambda found: found[1] + found[2].lower(), text)
    text = re.sub(r"\bI\b", "i", text)
    return text.removesuffix(".")
