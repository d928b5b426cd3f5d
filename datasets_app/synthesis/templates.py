"""Sentences with choices inside: `{a|b}` one of them, `{a & b}` in any order, `{fact}`, `{@rule}`.

`{1=a|b}` is a bound choice: the next `{1=c|d}` takes the way of the same place, so that a reply speaks of
what was said and not of what could have been.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property

FACT = re.compile(r"[a-z][a-z_]*\Z")
CALL = re.compile(r"@([a-z_]+)")
BOUND = re.compile(r"(\d)=")
MARK = re.compile(r"[{}|&]")
TEXT_START = re.compile(r"[\"“(]?[a-z]")
SENTENCE_START = re.compile(r"[.!?](?<!\.\.[.!?])[\"”)]?\s+[\"“(]?[a-z]")  # a mark first: found the fastest
MARKS = ",.;:!?"
DOUBLED_MARK = re.compile(r",\s*([,.;:!?])")


class TemplateError(ValueError):
    """A sentence of the grammar that cannot be read or told."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A slot that the fact sheet fills."""

    name: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A slot that a shared sub-grammar fills."""

    name: str


@dataclass(frozen=True)
class Choice:
    """One of several ways to go on."""

    ways: tuple[Sequence, ...]
    bound_to: str = ""

    @cached_property
    def said(self) -> tuple[Sequence, ...]:
        """The ways in which something is said."""
        return tuple(way for way in self.ways if way)


@dataclass(frozen=True, slots=True)
class AnyOrder:
    """Parts that may stand in any order."""

    parts: tuple[Sequence, ...]


Node = str | Fact | Rule | Choice | AnyOrder
Sequence = tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Telling:
    """What a sentence is told with: throws, the facts, the shared rules and the taste for more words."""

    throw: random.Random
    facts: Mapping[str, str]
    rules: Mapping[str, tuple[str, ...]]
    wordiness: float = 0.5  # the chance that an optional part is said
    bound: dict[str, int] = field(default_factory=dict)

    def tell(self, template: str) -> str:
        """Return one sentence or several, with capitals and spaces set right."""
        return tidy("".join(self._pieces(parsed(template))))

    def _pieces(self, sequence: Sequence) -> Iterator[str]:
        for node in sequence:
            if isinstance(node, str):
                yield node
            elif isinstance(node, Fact):
                yield self._fact(node.name)
            elif isinstance(node, Rule):
                yield from self._pieces(parsed(self._rule(node.name)))
            elif isinstance(node, Choice):
                yield from self._pieces(self._way(node))
            else:
                parts = list(node.parts)
                self.throw.shuffle(parts)
                for part in parts:
                    yield from self._pieces(part)
                    yield " "

    def _fact(self, name: str) -> str:
        if name not in self.facts:
            raise TemplateError(f"The fact sheet has no {name!r}.")
        return self.facts[name]

    def _rule(self, name: str) -> str:
        if name not in self.rules:
            raise TemplateError(f"There is no shared rule {name!r}.")
        return self.throw.choice(self.rules[name])

    def _way(self, choice: Choice) -> Sequence:
        ways = choice.ways
        if choice.bound_to:
            at = self.bound.setdefault(choice.bound_to, self.throw.randrange(len(ways)))
            return ways[at % len(ways)]
        said = choice.said
        if len(said) < len(ways) and self.throw.random() >= self.wordiness:
            return ()
        return self.throw.choice(said or ways)


@cache
def parsed(template: str) -> Sequence:
    """Read a sentence with choices inside; refuse braces that do not pair."""
    ways, end = _read(template, 0, 0)
    if end != len(template) or len(ways) != 1:
        raise TemplateError(f"Braces do not pair in: {template}")
    return ways[0]


def _read(text: str, at: int, depth: int) -> tuple[list[Sequence], int]:
    """Read up to the closing brace; inside braces each `|` begins another way."""
    ways: list[Sequence] = []
    nodes: list[Node] = []
    while at < len(text):
        mark = MARK.search(text, at)
        until = mark.start() if mark else len(text)
        if until > at:
            nodes.append(text[at:until])
        if mark is None:
            at = until
            break
        at = mark.end()
        if mark[0] == "{":
            node, at = _braced(text, at, depth + 1)
            nodes.append(node)
        elif mark[0] == "}":
            if not depth:
                raise TemplateError(f"A brace closes nothing in: {text}")
            ways.append(_way_of(nodes))
            return ways, at
        elif depth and mark[0] == "|":
            ways.append(_way_of(nodes))
            nodes = []
        else:
            nodes.append(mark[0])
    if depth:
        raise TemplateError(f"A brace is not closed in: {text}")
    return [tuple(nodes)], at


def _way_of(nodes: list[Node]) -> Sequence:
    """One way of a choice; `@rule` at its beginning calls the rule."""
    called = CALL.match(nodes[0]) if nodes and isinstance(nodes[0], str) else None
    if called is None or not isinstance(nodes[0], str):
        return tuple(nodes)
    rest = nodes[0][called.end() :]
    return (Rule(called[1]), *((rest,) if rest else ()), *nodes[1:])


def _braced(text: str, at: int, depth: int) -> tuple[Node, int]:
    ways, end = _read(text, at, depth)
    inner = text[at : end - 1]
    if len(ways) == 1 and len(ways[0]) == 1 and isinstance(ways[0][0], Rule):
        return ways[0][0], end
    if FACT.match(inner):
        return Fact(inner), end
    if len(ways) == 1:
        parts = _in_any_order(ways[0])
        if len(parts) < 2:
            raise TemplateError(f"Nothing to choose in {{{inner}}} of: {text}")
        return AnyOrder(parts), end
    return _choice(ways), end


def _choice(ways: list[Sequence]) -> Choice:
    first = ways[0][0] if ways[0] else None
    bound = BOUND.match(first) if isinstance(first, str) else None
    if bound is None or not isinstance(first, str):
        return Choice(tuple(ways))
    rest = first[bound.end() :]
    return Choice(((*((rest,) if rest else ()), *ways[0][1:]), *ways[1:]), bound[1])


def _in_any_order(nodes: Sequence) -> tuple[Sequence, ...]:
    parts: list[list[Node]] = [[]]
    for node in nodes:
        if node == "&":
            parts.append([])
        else:
            parts[-1].append(node)
    return tuple(tuple(part) for part in parts)


def facts_and_rules_in(sequence: Sequence) -> Iterator[Fact | Rule]:
    """Yield every slot that may have to be filled."""
    for node in sequence:
        if isinstance(node, Fact | Rule):
            yield node
        elif isinstance(node, Choice):
            for way in node.ways:
                yield from facts_and_rules_in(way)
        elif isinstance(node, AnyOrder):
            for part in node.parts:
                yield from facts_and_rules_in(part)


def tidy(text: str) -> str:
    """Set spaces, commas, articles and capitals right after the choices are made."""
    text = " ".join(text.split())
    for mark in MARKS:
        text = text.replace(f" {mark}", mark)
    text = DOUBLED_MARK.sub(r"\1", text)
    if start := TEXT_START.match(text):
        text = _capital_at_end(start) + text[start.end() :]
    return SENTENCE_START.sub(_capital_at_end, text)


def _capital_at_end(found: re.Match[str]) -> str:
    return found[0][:-1] + found[0][-1].upper()
