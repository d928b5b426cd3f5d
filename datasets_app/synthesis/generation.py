"""Dialogues of a category, one after another: told, gated, compared with those already kept."""

from __future__ import annotations

from collections import abc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Protocol

from datasets_app.compile.runner import runner_for

from .covering import Plan, plans_for
from .dialogue import Teller, Told, Usage, region_named
from .diversity import Ngram, ngrams, words_of
from .grammar import category_grammar, category_names
from .records import record_of
from .safe_messaging import gate

LEAST_DIALOGUES = 2
WHY_NOT_ONE = "of one dialogue it cannot be said how alike they are"
CANDIDATES = 3  # of so many candidates the safe one with the newest wording is kept
MOST_ATTEMPTS = 40
ATTEMPTS_BY_RARITY = 6  # a frame that passes in no dialogue stays the rarest, and would be tried for ever
MOST_SHARED_FRAMES = 0.6  # Jaccard similarity of the frames of two dialogues of one category
NOVELTY_WORDS = 4


class CannotGenerateError(RuntimeError):
    """A plan for which no dialogue passed the gates; nothing is written then."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is wanted: how many dialogues of which categories, from which seed, for which region."""

    count: int
    categories: tuple[str, ...]
    seed: int
    region: str = "anywhere"

    def shares(self) -> dict[str, int]:
        """How many of each category; what cannot be shared evenly goes to the first."""
        each, left = divmod(self.count, len(self.categories))
        return {name: each + (number < left) for number, name in enumerate(self.categories)}


@dataclass(slots=True)
class CategoryResult:
    """The records of a category and why candidates were turned down."""

    category: str
    records: list[dict[str, Any]] = field(default_factory=list)
    turned_down: dict[str, int] = field(default_factory=dict)

    def turn_down(self, reason: str) -> None:
        """Count a candidate that was not kept."""
        self.turned_down[reason] = self.turned_down.get(reason, 0) + 1


class Generator(Protocol):
    """Where dialogues come from: the grammar, or answers recorded before."""

    def candidate(self, plan: Plan, attempt: int) -> Told | None:
        """A dialogue for the plan, or None when there is no further one."""

    def keep(self, told: Told) -> None:
        """Note that a dialogue was kept."""


class GrammarGenerator:
    """Tells dialogues by the grammar; the rarer frames come first, until that has led to nothing."""

    def __init__(self, seed: int, region: Mapping[str, str]) -> None:
        self._seed = seed
        self._region = region
        self._usage = Usage()

    def candidate(self, plan: Plan, attempt: int) -> Told | None:
        """Another dialogue for the plan; there is always one more."""
        usage = self._usage if attempt < ATTEMPTS_BY_RARITY else Usage()
        return Teller(plan, self._seed, attempt, self._region, usage).tell()

    def keep(self, told: Told) -> None:
        """Count the frames of a dialogue that was kept."""
        self._usage.count(told.frames)


class Kept:
    """What was kept of a category, for the novelty test."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}  # of a frame among the bits of a set
        self._frames: list[int] = []
        self._ngrams: set[Ngram] = set()

    def is_novel(self, told: Told) -> bool:
        """False when the dialogue is built from nearly the same frames as one that was kept."""
        frames = self._bits_of(told)
        return all(
            (frames & other).bit_count() < MOST_SHARED_FRAMES * (frames | other).bit_count()
            for other in self._frames
        )

    def new_share(self, told: Told) -> float:
        """The share of four-word runs that no kept dialogue has."""
        grams = _ngrams_of(told)
        return (len(grams) - sum(map(self._ngrams.__contains__, grams))) / max(1, len(grams))

    def add(self, told: Told) -> None:
        """Keep a dialogue."""
        self._frames.append(self._bits_of(told))
        self._ngrams.update(_ngrams_of(told))

    def _bits_of(self, told: Told) -> int:
        """The set of the dialogue's frames, one bit each: compared many times faster than a frozenset."""
        bits = 0
        for frame in told.frames:
            bits |= 1 << self._places.setdefault(frame, len(self._places))
        return bits


def generate(
    order: Order, *, processes: int = 1, on_progress: Callable[[int], None] = lambda done: None
) -> Iterator[CategoryResult]:
    """Yield the categories in order; the bytes do not depend on the number of processes."""
    gate()  # a gate or a grammar that does not hold stops everything before the first dialogue
    for name in order.categories:
        category_grammar(name)
    jobs = [(name, count, order.seed, order.region) for name, count in order.shares().items() if count]
    done = 0
    with closing(_results(jobs, processes)) as results:  # so that helpers end when nobody reads on
        for result in results:
            done += len(result.records)
            on_progress(done)
            yield result


def _results(
    jobs: Sequence[tuple[str, int, int, str]], processes: int
) -> abc.Generator[CategoryResult, None, None]:
    with runner_for(min(processes, len(jobs))) as runner:
        yield from runner.map(generate_category, jobs)


def generate_category(category: str, count: int, seed: int, region: str) -> CategoryResult:
    """All dialogues of one category."""
    lines = region_named(region)
    generator = GrammarGenerator(seed, lines)
    result, kept = CategoryResult(category), Kept()
    for plan in plans_for(category, count, seed):
        told, attempt = _best_candidate(plan, generator, kept, result)
        kept.add(told)
        generator.keep(told)
        result.records.append(record_of(told, seed=seed, attempt=attempt, region=region))
    return result


def _best_candidate(plan: Plan, generator: Generator, kept: Kept, result: CategoryResult) -> tuple[Told, int]:
    """The newest of a handful of candidates that is safe; further handfuls while none is."""
    for first in range(0, MOST_ATTEMPTS, CANDIDATES):
        attempts = range(first, first + CANDIDATES)
        told = [(generator.candidate(plan, attempt), attempt) for attempt in attempts]
        novel = [(kept.new_share(one), -at, one) for one, at in told if one and kept.is_novel(one)]
        for _ in range(len(told) - len(novel)):
            result.turn_down("not_novel")
        for _, attempt, one in sorted(novel, key=lambda candidate: candidate[:2], reverse=True):
            breaches = gate().breaches_of(one.turns, help_line=one.facts.get("help_line", ""))
            for breach in breaches:
                result.turn_down(breach.rule)
            if not breaches:
                return one, -attempt
    raise CannotGenerateError(
        f"{plan.category}: no dialogue passed the gates for plan {plan.number}; "
        f"turned down so far: {result.turned_down}."
    )


def _ngrams_of(told: Told) -> list[Ngram]:
    return ngrams(words_of("\n".join(turn.content for turn in told.turns)), NOVELTY_WORDS)


def chosen_categories(asked: Sequence[str]) -> tuple[str, ...]:
    """`all`, or the names asked for, each of which must have a grammar."""
    names = category_names()
    if list(asked) == ["all"]:
        return names
    unknown = [name for name in asked if name not in names]
    if unknown:
        raise ValueError(f"There is no category {', '.join(unknown)}; there are {', '.join(names)}.")
    return tuple(name for name in names if name in asked)
