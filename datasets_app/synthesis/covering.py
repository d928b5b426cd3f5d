"""Plans for the dialogues: a pairwise covering design over seven factors, filled up evenly.

Greedy one-row-at-a-time construction after Cohen et al. 1997 (AETG): each row is begun with a pair not yet
hit, and each further factor takes the level that hits most pairs not yet hit. The design is made anew within
every category, so each pair of levels is hit in every category and each category meets every level.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations, product

from .chance import chance

FACTORS: dict[str, tuple[str, ...]] = {
    "difficulty": ("open", "guarded", "volatile"),
    "persona": ("plain", "wry", "formal", "rambling", "terse", "analytical", "apologetic"),
    "setting": ("clinic", "video", "phone", "text_chat", "community", "primary_care"),
    "stance": ("seeking", "ambivalent", "resisting", "sent"),
    "risk": ("low", "moderate", "high"),
    "protective": ("family", "friend", "faith", "animal", "work", "future"),
}
Pair = tuple[tuple[str, str], tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Plan:
    """What one dialogue must be: a category and a level of each factor."""

    category: str
    number: int
    levels: Mapping[str, str]

    def __getitem__(self, factor: str) -> str:
        return self.levels[factor]


def all_pairs(categories: Iterable[str]) -> set[Pair]:
    """Every pair of levels of two different factors, the category being a factor too."""
    factors = {"category": tuple(categories), **FACTORS}
    return {
        ((one, a), (other, b))
        for one, other in combinations(factors, 2)
        for a, b in product(factors[one], factors[other])
    }


def pairs_of(category: str, levels: Mapping[str, str]) -> set[Pair]:
    """The pairs that one plan hits."""
    placed = [("category", category), *((factor, levels[factor]) for factor in FACTORS)]
    return set(combinations(placed, 2))


def missed_pairs(plans: Iterable[Plan], categories: Iterable[str]) -> set[Pair]:
    """The pairs that no plan hits."""
    missed = all_pairs(categories)
    for plan in plans:
        missed -= pairs_of(plan.category, plan.levels)
    return missed


def plans_for(category: str, count: int, seed: int) -> list[Plan]:
    """`count` plans of one category: the covering rows first, then rows that keep the levels even."""
    throw = chance(seed, "plans", category)
    rows = _covering_rows(category, throw, count)
    seen = {(factor, level): 0 for factor, levels in FACTORS.items() for level in levels}
    for row in rows:
        for factor in FACTORS:
            seen[factor, row[factor]] += 1
    while len(rows) < count:
        row = {}
        for factor, levels in FACTORS.items():
            row[factor] = min(levels, key=lambda level: (seen[factor, level], throw.random()))
            seen[factor, row[factor]] += 1
        rows.append(row)
    throw.shuffle(rows)
    return [Plan(category, number, row) for number, row in enumerate(rows)]


def _covering_rows(category: str, throw: random.Random, limit: int) -> list[dict[str, str]]:
    missing = sorted(pair for pair in all_pairs([category]) if pair[0][0] != "category")
    rows: list[dict[str, str]] = []
    while missing and len(rows) < limit:
        row = dict(throw.choice(missing))
        open_factors = [factor for factor in FACTORS if factor not in row]
        throw.shuffle(open_factors)
        wanted = set(missing)
        for factor in open_factors:
            row[factor] = max(
                FACTORS[factor], key=lambda level: (_gained(row, factor, level, wanted), throw.random())
            )
        missing = [pair for pair in missing if pair not in pairs_of(category, row)]
        rows.append(row)
    return rows


def _gained(row: Mapping[str, str], factor: str, level: str, wanted: set[Pair]) -> int:
    order = list(FACTORS)
    gained = 0
    for other, chosen in row.items():
        first, second = sorted(((other, chosen), (factor, level)), key=lambda placed: order.index(placed[0]))
        gained += (first, second) in wanted
    return gained
