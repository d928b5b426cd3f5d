"""Where the disagreement lies: what each category pair, rater, theme and clause contributes to 1 - alpha."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from annotation.agreement.checkpoints import TARGET
from annotation.agreement.counts import FloatArray, IntArray, Ratings
from annotation.agreement.disagreements import DisagreementSums, Material, Measured, Resamples, Tables
from annotation.agreement.estimates import Estimate
from annotation.agreement.raters import figures_of_raters

NO_CLAUSE = "no clause"
SEVERAL_VERSIONS = "several versions"
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Contribution:
    """A part of 1 - alpha and its share of all disagreement."""

    part: Measured
    share: Measured


@dataclass(frozen=True, slots=True)
class RaterContribution:
    """A rater's part of 1 - alpha, the alpha gained without the rater, and how far above the others."""

    contribution: Contribution
    leave_one_out: Estimate
    signed_bias: Estimate


@dataclass(frozen=True, slots=True)
class Shortfall:
    """1 - alpha taken apart in several ways; the parts of each way add up to 1 - alpha exactly.

    `beyond_target` is 1 - alpha less what the target allows. Every two labels of an item that differ give
    their disagreement to one pair of categories, half each to their two raters, to the item's group, and in
    equal parts to the clauses that define both categories, else either. `reason` says why nothing is known.
    """

    alpha: Measured
    beyond_target: float | None
    category_pairs: dict[tuple[Hashable, Hashable], Contribution]
    raters: dict[Hashable, RaterContribution]
    groups: dict[str, dict[Hashable, Contribution]]
    clauses: dict[str, Contribution]
    reason: str = ""


def shortfall(material: Material, target: float = TARGET) -> Shortfall:
    """Take 1 - alpha apart, each part with its interval over items or conversations.

    Krippendorff (2011): alpha is one less observed over expected disagreement, and the observed is a sum over
    pairs of labels. Divided by the expected disagreement of all labels, any partition of those pairs is a
    partition of 1 - alpha.
    """
    if reason := material.refusal:
        return Shortfall(Measured(None, reason=reason), None, {}, {}, {}, {}, reason)
    sums = DisagreementSums(material)
    resamples = Resamples(sums.matrix, material, sums.contribute)
    ways = _ways(sums, material)

    def reckon(tables: Tables) -> FloatArray:
        priced = tables.observed * tables.price[..., np.newaxis, :]
        whole = priced.sum(axis=(-2, -1))[..., np.newaxis]
        by_pair = priced.sum(axis=-2)
        by_group = (tables.observed_in_group * tables.price[..., np.newaxis, :]).sum(axis=-1)
        by_rater = priced.sum(axis=-1) @ ways.of_rater / 2
        parts = np.concatenate(
            [by_pair[..., ways.is_used], by_rater, by_group, by_pair @ ways.of_clause], axis=-1
        )
        shares = np.divide(parts, whole, out=np.zeros_like(parts), where=whole > 0)
        return np.concatenate([1 - whole, parts, shares], axis=-1)

    alpha, *found = resamples.measured(sums.of(reckon))
    half = len(found) // 2
    parts = iter([Contribution(*both) for both in zip(found[:half], found[half:], strict=True)])
    by_pair = {pair: next(parts) for pair in ways.pairs}
    by_rater = [next(parts) for _ in material.ratings.raters]
    groups: dict[str, dict[Hashable, Contribution]] = {name: {} for name in material.groupings}
    for name, group in sums.groups:
        groups[name][group] = next(parts)
    return Shortfall(
        alpha=alpha,
        beyond_target=None if alpha.value is None else target - alpha.value,
        category_pairs=_largest_first(by_pair),
        raters=_of_raters(material, by_rater),
        groups={name: _largest_first(each) for name, each in groups.items()},
        clauses=_largest_first({name: next(parts) for name in ways.clauses}),
    )


def versions_of_items(versions: Sequence[Sequence[str]]) -> tuple[Hashable, ...]:
    """The guideline version of each item from those of its labels, which may be several."""
    return tuple(
        each[0] if len(set(each)) == 1 else SEVERAL_VERSIONS if each else "no version" for each in versions
    )


def clauses_of_pair(material: Material, pair: tuple[Hashable, Hashable]) -> tuple[str, ...]:
    """The clauses that define both categories; where there are none, those of either, each once."""
    first, second = (material.clauses_of.get(code, ()) for code in pair)
    shared = tuple(clause for clause in first if clause in second)
    return shared or tuple(dict.fromkeys((*first, *second)))


def members(raters: int, first: IntArray, second: IntArray) -> FloatArray:
    """1 where a pair holds a member, [pair, member]."""
    every = np.arange(raters)
    both = (first[:, np.newaxis] == every) | (second[:, np.newaxis] == every)
    membership: FloatArray = both.astype(np.float64)
    return membership


@dataclass(frozen=True, slots=True)
class _Ways:
    """How pairs of categories and of raters fall into parts."""

    is_used: IntArray
    pairs: list[tuple[Hashable, Hashable]]
    of_rater: FloatArray
    clauses: list[str]
    of_clause: FloatArray


def _ways(sums: DisagreementSums, material: Material) -> _Ways:
    categories = material.ratings.categories
    n_pairs = len(sums.category_first)
    cells = np.unique(sums.used % sums.n_cells)
    is_used = cells[cells < n_pairs]
    all_pairs = [
        (categories[a], categories[b]) for a, b in zip(sums.category_first, sums.category_second, strict=True)
    ]
    clauses_of = [clauses_of_pair(material, pair) or (NO_CLAUSE,) for pair in all_pairs]
    clauses = sorted({clause for each in clauses_of for clause in each}) if material.clauses_of else []
    of_clause = np.zeros((n_pairs, len(clauses)))
    for index, named in enumerate(clauses_of if clauses else []):
        of_clause[index, [clauses.index(clause) for clause in named]] = 1 / len(named)
    return _Ways(
        is_used=is_used,
        pairs=[all_pairs[index] for index in is_used],
        of_rater=members(sums.n_raters, sums.first, sums.second),
        clauses=clauses,
        of_clause=of_clause,
    )


def _of_raters(material: Material, parts: Iterable[Contribution]) -> dict[Hashable, RaterContribution]:
    ratings: Ratings = material.ratings
    found = figures_of_raters(
        ratings, material.scale, resampling=material.resampling, weights=material.weights
    )
    each = {
        rater: RaterContribution(part, found[rater].leave_one_out, found[rater].signed_bias)
        for rater, part in zip(ratings.raters, parts, strict=True)
    }
    return dict(sorted(each.items(), key=lambda entry: -_size(entry[1].contribution)))


def _largest_first(parts: dict[Key, Contribution]) -> dict[Key, Contribution]:
    return dict(sorted(parts.items(), key=lambda entry: -_size(entry[1])))


def _size(contribution: Contribution) -> float:
    return contribution.part.value or 0.0
