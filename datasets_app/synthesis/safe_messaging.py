"""Safe-messaging gates on both roles, failing closed: what cannot be checked does not pass.

The rules follow WHO (2023), the National Action Alliance for Suicide Prevention (2022) and SPRC; they and
their canaries stand in `safe_messaging.yaml`. A rule that misses one of its own canaries stops everything.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from .dialogue import Turn
from .grammar import yaml_of

BETWEEN = r"(?:\W+\w+){0,5}?\W+"
PLAIN = str.maketrans("\u2019\u2018\u201c\u201d", "''\"\"")
MARKUP = re.compile(r"[*_~`]")
INTENT, ACCESS = "asks_about_intent", "asks_about_access"
SENTENCE_END = re.compile(r"(?<=[.!?])[\"')]* ")
YES_OR_NO = re.compile(r"\b(?:only|just) yes or no\b")
SHORT_QUESTION_WORDS = 3
DISGUISES = ("_{}_", "**{}**", "\n{}\u00ad")  # as models write, round each word of a canary


def plain_of(text: str) -> str:
    """The text as it reads: without markup and what nobody sees, one space between words, small letters."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text.translate(PLAIN))
        text = "".join(mark for mark in text if unicodedata.category(mark) != "Cf")
    return " ".join(MARKUP.sub("", text).split()).lower()


class UnsafeRulesError(RuntimeError):
    """The gate itself does not hold, so nothing may pass through it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of thing that must not be said."""

    name: str
    role: str
    pattern: re.Pattern[str]
    canaries: tuple[str, ...]

    def speaks_of(self, role: str) -> bool:
        """True when the rule binds the role; an unknown role is bound by every rule."""
        return self.role == "both" or role != "user"


@dataclass(frozen=True, slots=True)
class Question:
    """One thing that must be asked, in a sentence that ends with a question mark."""

    name: str
    about: re.Pattern[str]
    firm: re.Pattern[str]
    harmless: re.Pattern[str]
    canaries: tuple[str, ...]
    no_questions: tuple[str, ...]

    def is_asked_in(self, text: str) -> bool:
        """Whether the text asks for it; `Do you?` asks what the sentence before it says."""
        sentences = SENTENCE_END.split(plain_of(text))
        for number, sentence in enumerate(sentences):
            if not sentence.rstrip("\"')").endswith("?"):
                continue
            asked = sentence
            if number and len(sentence.split()) <= SHORT_QUESTION_WORDS:
                asked = f"{sentences[number - 1]} {sentence}"
            is_firm = bool(self.firm.search(asked))
            if self.about.search(asked) and (is_firm or not self.harmless.search(asked)):
                return True
            after = sentences[number + 1] if number + 1 < len(sentences) else ""
            if self._is_closed(after) and is_firm and not self.harmless.search(asked):
                return True
        return False

    def _is_closed(self, after: str) -> bool:
        """Whether what follows a question asks for no more than yes or no, as only danger needs it."""
        return self.name == ACCESS and bool(YES_OR_NO.search(after))


@dataclass(frozen=True, slots=True)
class Breach:
    """A rule that a turn broke; it holds no text."""

    rule: str
    turn: int


@dataclass(frozen=True, slots=True)
class Gate:
    """All rules, proved on their canaries."""

    rules: tuple[Rule, ...]
    intent: Question
    access: Question

    def breaches_in(self, role: str, text: str) -> list[str]:
        """The names of the rules that a text breaks."""
        plain = plain_of(text)
        return [rule.name for rule in self.rules if rule.speaks_of(role) and rule.pattern.search(plain)]

    def breaches_of(self, turns: Iterable[Turn], *, help_line: str) -> list[Breach]:
        """All that stands against a dialogue: what is said, and what is not asked or offered."""
        turns = list(turns)
        found = [
            Breach(name, number)
            for number, turn in enumerate(turns)
            for name in self.breaches_in(turn.role, turn.content)
        ]
        asked = [turn.content for turn in turns if turn.role == "assistant"]
        line = plain_of(help_line)
        needs = {
            "no_question_about_intent": any(map(self.intent.is_asked_in, asked)),
            "no_question_about_access": any(map(self.access.is_asked_in, asked)),
            "no_help_line": bool(line) and any(line in plain_of(text) for text in asked),
        }
        return found + [Breach(name, -1) for name, is_met in needs.items() if not is_met]


@lru_cache(maxsize=1)
def gate() -> Gate:
    """Read the rules and prove them on their canaries."""
    held = yaml_of("safe_messaging.yaml")
    rules = tuple(
        Rule(name, entry["role"], _pattern(entry["patterns"]), tuple(entry["canaries"]))
        for name, entry in held["forbidden"].items()
    )
    built = Gate(rules, *(_question(name, held["required"][name]) for name in (INTENT, ACCESS)))
    prove(built)
    return built


def prove(gate: Gate) -> None:
    """Stop when a rule has no canary or misses one, disguised or not, whichever role of its own says it."""
    for rule in gate.rules:
        roles = ("user", "assistant") if rule.role == "both" else ("assistant",)
        missed = [
            text
            for canary in rule.canaries
            for text in (canary, *(_disguised(canary, disguise) for disguise in DISGUISES))
            for role in roles
            if rule.name not in gate.breaches_in(role, text)
        ]
        if missed or not rule.canaries:
            raise UnsafeRulesError(f"The rule {rule.name} does not catch its canaries: {missed}")
    for question in (gate.intent, gate.access):
        _prove_question(question)


def _prove_question(question: Question) -> None:
    missed = [text for text in question.canaries if not question.is_asked_in(text)]
    taken = [text for text in question.no_questions if question.is_asked_in(text)]
    if missed or taken or not (question.canaries and question.no_questions):
        raise UnsafeRulesError(f"The rule {question.name} misses {missed} and takes {taken} for questions")


def _question(name: str, entry: Mapping[str, Any]) -> Question:
    about, firm, harmless = (re.compile(entry[part]) for part in ("about", "firm", "harmless"))
    return Question(name, about, firm, harmless, tuple(entry["canaries"]), tuple(entry["no_questions"]))


def _disguised(canary: str, disguise: str) -> str:
    return " ".join(disguise.format(word) for word in canary.split(" "))


def _pattern(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile(
        "|".join(f"(?:{pattern.replace(' ~', BETWEEN).replace('~', BETWEEN)})" for pattern in patterns)
    )
