"""The grammar of a category, read from its file and checked before anything is told with it.

A section holds groups, parted by an empty line. In a group, lines with `?` are what the therapist asks, lines
with `>` what the client then says, and the lines with `<` under it are replies to just that. `> [high,k=v]`
keeps a line for plans with the level `high` and asserts a fact, so that no line of another mind is told too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import yaml

from .covering import FACTORS
from .templates import Fact, Rule, TemplateError, facts_and_rules_in, parsed

GRAMMAR_VERSION = "2.1"
HERE = Path(__file__).parent
SECTIONS = ("open", "explore", "rupture", "intent", "access", "protective", "plan", "close")
LEAST_FRAMES = 40
LEVELS = {level: factor for factor, levels in FACTORS.items() for level in levels}
TAGS = re.compile(r"\[([^\]]*)\]\s*")


class GrammarError(ValueError):
    """A grammar file that cannot be used, with the place and what is wrong."""


@dataclass(frozen=True, slots=True)
class Saying:
    """What the client may say, when it fits, and the replies that answer it."""

    text: str
    levels: Mapping[str, frozenset[str]]
    asserts: Mapping[str, str]
    replies: tuple[str, ...]

    def fits(self, levels: Mapping[str, str], asserted: Mapping[str, str]) -> bool:
        """True when the plan has the levels and nothing said before speaks against it."""
        return all(levels[factor] in wanted for factor, wanted in self.levels.items()) and all(
            asserted.get(key, value) == value for key, value in self.asserts.items()
        )


@dataclass(frozen=True, slots=True)
class Beat:
    """One exchange: ways to ask, and what may be answered."""

    asks: tuple[str, ...]
    sayings: tuple[Saying, ...]


@dataclass(frozen=True, slots=True)
class CategoryGrammar:
    """All that a category can say, and what clinicians should know about it."""

    name: str
    title: str
    severity: str
    is_restricted: bool
    clinical_construct: str
    content_warning: str
    expected_response: tuple[str, ...]
    prohibited: tuple[str, ...]
    crisis_types: tuple[str, ...]
    people: Mapping[str, Any]
    sections: Mapping[str, tuple[Beat, ...]]

    def client_frames(self) -> list[str]:
        """Every sentence frame of the client."""
        return [saying.text for beat in self._beats() for saying in beat.sayings]

    def therapist_frames(self) -> list[str]:
        """Every sentence frame of the therapist."""
        return [
            frame
            for beat in self._beats()
            for frame in (*beat.asks, *(reply for saying in beat.sayings for reply in saying.replies))
        ]

    def _beats(self) -> Iterator[Beat]:
        for section in SECTIONS:
            yield from self.sections[section]


@dataclass(frozen=True, slots=True)
class Shared:
    """Turns of phrase for every category, and how a stance is voiced and met."""

    rules: Mapping[str, tuple[str, ...]]
    stance: Mapping[str, tuple[tuple[str, str], ...]]


@lru_cache(maxsize=1)
def category_names() -> tuple[str, ...]:
    """The categories that have a grammar, in the order of the alphabet."""
    return tuple(sorted(path.stem for path in (HERE / "grammar").glob("*.yaml")))


@cache
def yaml_of(name: str) -> Any:
    """Return what a data file of this package holds."""
    return yaml.safe_load((HERE / name).read_text(encoding="utf-8"))


@lru_cache(maxsize=1)
def shared() -> Shared:
    """The sub-grammars that every category may call."""
    held = yaml_of("shared.yaml")
    rules = {name: tuple(str(way or "") for way in ways) for name, ways in held["rules"].items()}
    stance = {level: tuple((said, met) for said, met in pairs) for level, pairs in held["stance"].items()}
    return Shared(rules, stance)


@cache
def category_grammar(name: str) -> CategoryGrammar:
    """Read and check the grammar of one category."""
    if name not in category_names():
        raise GrammarError(f"There is no category {name!r}; there are {', '.join(category_names())}.")
    held = yaml_of(f"grammar/{name}.yaml")
    try:
        grammar = grammar_from(name, held, SECTIONS)
    except KeyError as missing:
        raise GrammarError(f"{name}: the entry {missing} is missing.") from missing
    _check(grammar)
    return grammar


def grammar_from(
    name: str, held: Mapping[str, Any], sections: Sequence[str], levels: Mapping[str, str] = LEVELS
) -> CategoryGrammar:
    """What a grammar's file holds, unchecked. Raises KeyError for an entry that is missing."""
    return CategoryGrammar(
        name=name,
        title=held["title"],
        severity=held["severity"],
        is_restricted=held["restricted"],
        clinical_construct=held["clinical_construct"],
        content_warning=held["content_warning"],
        expected_response=tuple(held["expected_response"]),
        prohibited=tuple(held["prohibited"]),
        crisis_types=tuple(held["crisis_types"]),
        people=held["people"],
        sections={section: tuple(beats_of(name, section, held[section], levels)) for section in sections},
    )


def beats_of(name: str, section: str, text: str, levels: Mapping[str, str] = LEVELS) -> Iterator[Beat]:
    """The groups of a section; `levels` says which factor each level belongs to."""
    for group in re.split(r"\n\s*\n", text.strip()):
        asks: list[str] = []
        sayings: list[tuple[str, list[str]]] = []
        for line in group.splitlines():
            kind, content = line[:1], line[1:].strip()
            if kind == "?" and not sayings:
                asks.append(content)
            elif kind == ">":
                sayings.append((content, []))
            elif kind == "<" and sayings:
                sayings[-1][1].append(content)
            elif kind != "#":
                raise GrammarError(f"{name}, {section}: cannot place the line {line!r}.")
        yield Beat(tuple(asks), tuple(_saying(name, said, replies, levels) for said, replies in sayings))


def _saying(name: str, said: str, replies: list[str], known: Mapping[str, str]) -> Saying:
    levels: dict[str, set[str]] = {}
    asserts: dict[str, str] = {}
    found = TAGS.match(said)
    for tag in found[1].split(",") if found else ():
        key, equals, value = tag.strip().partition("=")
        if equals:
            asserts[key] = value
        elif key in known:
            levels.setdefault(known[key], set()).add(key)
        else:
            raise GrammarError(f"{name}: {key!r} is no level of any factor.")
    if not replies:
        raise GrammarError(f"{name}: nothing answers {said!r}.")
    text = said[found.end() :] if found else said
    fits = {factor: frozenset(wanted) for factor, wanted in levels.items()}
    return Saying(text, fits, asserts, tuple(replies))


def _check(grammar: CategoryGrammar) -> None:
    """Refuse a grammar that is too small, or that leaves a level without words."""
    for who, frames in (("client", grammar.client_frames()), ("therapist", grammar.therapist_frames())):
        if len(set(frames)) < LEAST_FRAMES:
            raise GrammarError(f"{grammar.name}: {len(set(frames))} {who} frames, {LEAST_FRAMES} are needed.")
    for section in SECTIONS[1:]:
        if any(not beat.asks for beat in grammar.sections[section] if section != "rupture"):
            raise GrammarError(f"{grammar.name}, {section}: a group without a question.")
    needs = {"intent": "risk", "access": "risk", "protective": "protective"}
    for section, factor in needs.items():
        for level in FACTORS[factor]:
            for beat in grammar.sections[section]:
                if not any(level in saying.levels.get(factor, {level}) for saying in beat.sayings):
                    raise GrammarError(f"{grammar.name}, {section}: no answer for {level}.")
    for frame in (*grammar.client_frames(), *grammar.therapist_frames()):
        check_slots(grammar.name, frame)


def check_slots(name: str, frame: str) -> None:
    """Refuse a frame that calls a rule or a fact that is not there."""
    try:
        for slot in facts_and_rules_in(parsed(frame)):
            if isinstance(slot, Rule) and slot.name not in shared().rules:
                raise GrammarError(f"{name}: there is no shared rule {slot.name!r} in: {frame}")
            if isinstance(slot, Fact) and slot.name not in KNOWN_FACTS:
                raise GrammarError(f"{name}: the fact sheet has no {slot.name!r} in: {frame}")
    except TemplateError as fault:
        raise GrammarError(f"{name}: {fault}") from fault


KNOWN_FACTS = frozenset(
    [
        "name",
        "age",
        "job",
        "work",
        "span",
        "month",
        "day",
        "hour",
        "friend",
        "sib",
        "sibname",
        "she_sib",
        "her_sib",
        "hers_sib",
        "pet",
        "petname",
        "room",
        "hobby",
        "doctor",
        "place",
        "neighbour",
        "boss",
        "thing",
        "meal",
        "show",
        "number",
        "child",
        "childage",
        "she_child",
        "her_child",
        "hers_child",
        "o",
        "rel",
        "he",
        "him",
        "his",
        "here",
        "leaving",
        "session",
        "help_line",
        "emergency",
    ]
)
