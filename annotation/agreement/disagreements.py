"""Who disagrees with whom, about which two categories, on which items: sums that add up to 1 - alpha."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from annotation.agreement.bootstrap import (
    Contribute,
    Evaluate,
    Interval,
    bca_intervals,
    drawn_sums,
    resampling_units,
)
from annotation.agreement.counts import NO_LABEL, FloatArray, IntArray, Ratings
from annotation.agreement.distances import (
    Scale,
    category_pairs,
    category_values,
    positions,
    reason_not_applicable,
    squared_distances,
)
from annotation.agreement.estimates import DEFAULT_RESAMPLING, NO_VARIATION, Resampling

_ROWS_PER_BLOCK = 500


@dataclass(frozen=True, slots=True)
class Measured:
    """A figure with its interval; None where there is none, with the reason."""

    value: float | None
    ci_low: float | None = None
    ci_high: float | None = None
    reason: str = ""

    @property
    def is_above_zero(self) -> bool:
        """Whether the whole interval lies above zero."""
        return self.ci_low is not None and self.ci_low > 0


@dataclass(frozen=True, slots=True)
class Material:
    """The labels of one dimension and what is known about them.

    `groupings` divide the items, by the name of the division ("theme", "clause", "guideline version"): one
    group per item, in the order of the items. `clauses_of` names the clauses that define a category,
    `called` is what a category is called in words, its code where it is left out. `weights[item]` are
    inverse inclusion probabilities.
    """

    ratings: Ratings
    scale: Scale
    groupings: Mapping[str, tuple[Hashable, ...]] = field(default_factory=dict)
    clauses_of: Mapping[Any, tuple[str, ...]] = field(default_factory=dict)
    weights: FloatArray | None = None
    resampling: Resampling = DEFAULT_RESAMPLING
    called: Mapping[Any, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, groups in self.groupings.items():
            if len(groups) != len(self.ratings.codes):
                raise ValueError(
                    f"The division by {name} has {len(groups)} entries for {len(self.ratings.codes)} items. "
                    "Give one group for each item."
                )

    def in_words(self, pair: tuple[Hashable, Hashable]) -> str:
        """Two categories as they are called."""
        first, second = (self.called.get(code, str(code)) for code in pair)
        return f"{first} and {second}"

    @property
    def refusal(self) -> str:
        """Why nothing can be said of these labels; empty where something can."""
        ratings = self.ratings
        if reason := reason_not_applicable(self.scale, ratings.categories):
            return reason
        has_overlap = ratings.counts.has_overlap
        if not has_overlap.any():
            return "No item has labels from two raters."
        codes = ratings.codes[has_overlap]
        return NO_VARIATION if len(np.unique(codes[codes != NO_LABEL])) < 2 else ""


class Resamples:
    """Figures of sums over items, all on the same resamples of whole items or conversations."""

    def __init__(self, matrix: IntArray, material: Material, contribute: Contribute) -> None:
        is_taken = material.ratings.counts.has_overlap
        weights = material.weights
        if weights is not None:
            weights = weights[is_taken] / weights[is_taken].mean()
        clusters = material.ratings.clusters[is_taken]
        self.units = resampling_units(matrix[is_taken], clusters, contribute, weights)
        self.resampling = material.resampling
        rng = np.random.default_rng(self.resampling.seed)
        self.drawn = drawn_sums(self.units, resamples=self.resampling.resamples, rng=rng)

    def values(self, evaluate: Evaluate) -> FloatArray:
        """The figures themselves."""
        return np.asarray(evaluate(self.units.total[np.newaxis])).reshape(-1)

    def errors(self, evaluate: Evaluate) -> FloatArray:
        """The standard error of each figure."""
        errors: FloatArray = (
            np.asarray(in_blocks(evaluate)(self.drawn)).reshape(len(self.drawn), -1).std(axis=0)
        )
        return errors

    def measured(self, evaluate: Evaluate) -> list[Measured]:
        """Each figure with its BCa interval."""
        values = self.values(evaluate)
        if not len(values):
            return []
        intervals = bca_intervals(self.units, in_blocks(evaluate), values, self.drawn, self.resampling.tail)
        return [_measured(value, interval) for value, interval in zip(values, intervals, strict=True)]


def in_blocks(evaluate: Evaluate) -> Evaluate:
    """The same figures, of a few rows of sums at a time, so that large tables need little memory."""

    def in_turn(sums: FloatArray) -> FloatArray:
        starts = range(0, max(len(sums), 1), _ROWS_PER_BLOCK)
        return np.concatenate([evaluate(sums[start : start + _ROWS_PER_BLOCK]) for start in starts])

    return in_turn


def _measured(value: float, interval: Interval) -> Measured:
    if np.isnan(value):
        return Measured(None, reason="There are no labels to reckon this from.")
    return Measured(float(value), interval.low, interval.high, interval.reason)


@dataclass(frozen=True, slots=True)
class Tables:
    """The disagreements of one set of items, or of each resample: the leading axes are those of the sums.

    `price[category pair]` is what one disagreement takes from alpha: its squared distance over the expected
    disagreement, so that `observed * price` sums to 1 - alpha. `observed[pair of raters, category pair]` and
    `agreeing[pair of raters, category]` count pairs of labels, each as 1 / (labels of
    the item - 1); `*_in_group` are the same by group of items. `lean[pair of raters]` sums how many places
    the first lies above the second, `n_common` the items they share.
    """

    price: FloatArray
    observed: FloatArray
    agreeing: FloatArray
    observed_in_group: FloatArray
    agreeing_in_group: FloatArray
    lean: FloatArray
    n_common: FloatArray

    @property
    def exposed(self) -> FloatArray:
        """Pairs of labels that could be confused: both are one of the two categories, agreeing or not."""
        return exposure(self.agreeing, self.observed)

    @property
    def exposed_in_group(self) -> FloatArray:
        """The same by group of items."""
        return exposure(self.agreeing_in_group, self.observed_in_group)


def exposure(agreeing: FloatArray, observed: FloatArray) -> FloatArray:
    """Pairs of labels within each two categories, [..., category pair]."""
    first, second = category_pairs(agreeing.shape[-1])
    total: FloatArray = agreeing[..., first] + agreeing[..., second] + observed
    return total


class DisagreementSums:
    """The sums behind `Tables`; only cells that occur are kept, so that fourteen codes stay cheap."""

    def __init__(self, material: Material) -> None:
        ratings = material.ratings
        self.scale, self.values = material.scale, category_values(ratings.categories)
        self.places = np.nan_to_num(positions(material.scale, ratings.categories))
        self.n_raters, self.n_categories = len(ratings.raters), len(ratings.categories)
        self.first, self.second = category_pairs(self.n_raters)
        self.category_first, self.category_second = category_pairs(self.n_categories)
        self.n_cells = len(self.category_first) + self.n_categories
        self.groups: list[tuple[str, Hashable]] = []
        columns = [ratings.codes]
        for name, group_of in material.groupings.items():
            place = {group: index for index, group in enumerate(dict.fromkeys(group_of))}
            columns.append(np.array([[place[group] + len(self.groups)] for group in group_of]).reshape(-1, 1))
            self.groups += [(name, group) for group in place]
        self.matrix: IntArray = np.hstack(columns).astype(np.int64)
        self.n_strata = len(self.first) + len(self.groups)
        self.used = np.unique(self._entries(self.matrix[ratings.counts.has_overlap])[1])

    def contribute(self, matrix: IntArray) -> FloatArray:
        """Each row's labels of each category, leans and common items of each pair, and used cells."""
        codes = matrix[:, : self.n_raters]
        labels = (codes[:, :, np.newaxis] == np.arange(self.n_categories)).sum(axis=1)
        a, b = codes[:, self.first], codes[:, self.second]
        is_common = (a != NO_LABEL) & (b != NO_LABEL)
        lean = np.where(is_common, self.places[a] - self.places[b], 0)
        rows, cells, shares = self._entries(matrix)
        flat = rows * len(self.used) + np.searchsorted(self.used, cells)
        counted = np.bincount(flat, shares, minlength=len(matrix) * len(self.used))
        return np.hstack([labels, lean, is_common, counted.reshape(len(matrix), -1)])

    def _entries(self, matrix: IntArray) -> tuple[IntArray, IntArray, FloatArray]:
        """Every two labels of an item as (row, cell, share), once for the pair of raters and once a group."""
        codes = matrix[:, : self.n_raters]
        a, b = codes[:, self.first], codes[:, self.second]
        rows, pairs = np.nonzero((a != NO_LABEL) & (b != NO_LABEL))
        one, other = a[rows, pairs], b[rows, pairs]
        cell = self._cell(np.minimum(one, other), np.maximum(one, other))
        strata = [pairs] + [len(self.first) + group[rows] for group in matrix[:, self.n_raters :].T]
        share = 1 / (np.count_nonzero(codes != NO_LABEL, axis=1)[rows] - 1)
        return (
            np.tile(rows, len(strata)),
            np.concatenate([stratum * self.n_cells + cell for stratum in strata]),
            np.tile(share, len(strata)),
        )

    def _cell(self, low: IntArray, high: IntArray) -> IntArray:
        """The pairs of different categories in their order, then the agreeing ones."""
        before = low * self.n_categories - low * (low + 1) // 2
        return np.where(low == high, len(self.category_first) + low, before + high - low - 1)

    def tables(self, sums: FloatArray) -> Tables:
        """The tables of sums[..., sum]."""
        n_pairs = len(self.first)
        labels, lean, common, counted = np.split(
            sums, np.cumsum([self.n_categories, n_pairs, n_pairs]), axis=-1
        )
        cells = np.zeros((*sums.shape[:-1], self.n_strata * self.n_cells))
        cells[..., self.used] = counted
        cells = cells.reshape(*sums.shape[:-1], self.n_strata, self.n_cells)
        observed, agreeing = np.split(cells, [len(self.category_first)], axis=-1)
        return Tables(
            price=self._price(labels),
            observed=observed[..., :n_pairs, :],
            agreeing=agreeing[..., :n_pairs, :],
            observed_in_group=observed[..., n_pairs:, :],
            agreeing_in_group=agreeing[..., n_pairs:, :],
            lean=lean,
            n_common=common,
        )

    def _price(self, labels: FloatArray) -> FloatArray:
        distances = squared_distances(self.scale, self.values, labels)
        both = labels[..., self.category_first] * labels[..., self.category_second]
        by_chance = (both * distances).sum(axis=-1, keepdims=True)
        expected = by_chance / np.maximum(labels.sum(axis=-1, keepdims=True) - 1, 1)
        distances = np.broadcast_to(distances, both.shape)
        undefined = np.full(both.shape, np.nan)
        price: FloatArray = np.divide(distances, expected, out=undefined, where=expected > 0)
        return price

    def of(self, reckon: Callable[[Tables], FloatArray]) -> Evaluate:
        """Figures of tables as figures of sums."""
        return lambda sums: reckon(self.tables(sums))
