"""Safe-messaging gates on both roles, failing closed: what cannot be checked does not pass.

The rules follow WHO (2023), the National Action Alliance for Suicide Prevention (2022) and SPRC; they and
their canaries stand in `safe_messaging.yaml`. A rule that misses one of its own canaries stops everything.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from .dialogue import Turn
from .grammar import yaml_of

BETWEEN = r"(?:\W+\w+){0,5}?\W+"
PLAIN = str.maketrans("\u2019\u2018\u201c\u201d", "''\"\"")
MARKUP = re.compile(r"[*_~`]")
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
class Breach:
    """A rule that a turn broke; it holds no text."""

    rule: str
    turn: int


@dataclass(frozen=True, slots=True)
class Gate:
    """All rules, proved on their canaries."""

    rules: tuple[Rule, ...]
    intent: re.Pattern[str]
    access: re.Pattern[str]

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
        asked = [plain_of(turn.content) for turn in turns if turn.role == "assistant"]
        needs = {
            "no_question_about_intent": any(self.intent.search(text) for text in asked),
            "no_question_about_access": any(self.access.search(text) for text in asked),
            "no_help_line": bool(help_line) and any(plain_of(help_line) in text for text in asked),
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
    built = Gate(
        rules, *(re.compile(held["required"][key]) for key in ("asks_about_intent", "asks_about_access"))
    )
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


def _disguised(canary: str, disguise: str) -> str:
    return " ".join(disguise.format(word) for word in canary.split(" "))


def _pattern(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile(
        "|".join(f"(?:{pattern.replace(' ~', BETWEEN).replace('~', BETWEEN)})" for pattern in patterns)
    )
