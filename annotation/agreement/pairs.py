"""Two raters at a time: Cohen's kappa on the declared scale, its mean, and who confuses what with what."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from annotation.agreement.bootstrap import defined_ratio
from annotation.agreement.counts import NO_LABEL, FloatArray, IntArray, Ratings
from annotation.agreement.distances import (
    Scale,
    Weighting,
    agreement_weights,
    category_pairs,
    positions,
    reason_not_applicable,
)
from annotation.agreement.estimates import DEFAULT_RESAMPLING, Estimate, Resampling, Statistic, figures

_CELLS_PER_BLOCK = 2**22


@dataclass(frozen=True, slots=True)
class PairFigures:
    """Every pair of raters without intervals, [rater, rater]: NaN where a figure is undefined.

    The diagonal is each rater with themselves.
    """

    n: IntArray
    kappa: FloatArray
    weighted_kappa: FloatArray
    percent_agreement: FloatArray


def pair_figures(ratings: Ratings, scale: Scale, weighting: Weighting) -> PairFigures:
    """All pairs at once, by products of the labels with themselves; see `cohen_kappa_of_table`."""
    n_raters, n_categories = len(ratings.raters), len(ratings.categories)
    unweighted = np.eye(n_categories)
    is_measured = not reason_not_applicable(scale, ratings.categories)
    weights = (
        agreement_weights(weighting, positions(scale, ratings.categories)) if is_measured else unweighted
    )
    n = np.zeros((n_raters, n_raters), dtype=np.int64)
    kappa, weighted, agreeing = (np.full((n_raters, n_raters), np.nan) for _ in range(3))
    size = max(1, _CELLS_PER_BLOCK // max(n_raters * n_categories**2, 1))
    given = _one_hot(ratings)
    for start in range(0, n_raters, size):
        block = slice(start, min(start + size, n_raters))
        tables = _tables(given, block, n_raters, n_categories)
        n[block] = tables.sum(axis=(2, 3))
        agreeing[block] = np.einsum("abkk->ab", tables)
        kappa[block] = cohen_kappa_of_table(tables, unweighted)
        if is_measured:
            weighted[block] = cohen_kappa_of_table(tables, weights)
    return PairFigures(n, kappa, weighted, defined_ratio(agreeing, n.astype(np.float64)))


def confusions(ratings: Ratings, first: Hashable) -> IntArray:
    """How often each other rater said l where this rater said k, [other rater, k, l]."""
    rater, n_raters = ratings.raters.index(first), len(ratings.raters)
    block = slice(rater, rater + 1)
    tables: IntArray = _tables(_one_hot(ratings), block, n_raters, len(ratings.categories))[0]
    return tables


def _one_hot(ratings: Ratings) -> npt.NDArray[np.float32]:
    """1 where a rater put an item into a category, [item, rater and category]."""
    is_code = ratings.codes[:, :, np.newaxis] == np.arange(len(ratings.categories))
    given: npt.NDArray[np.float32] = is_code.reshape(len(ratings.codes), -1).astype(np.float32)
    return given


def _tables(given: npt.NDArray[np.float32], raters: slice, n_raters: int, n_categories: int) -> IntArray:
    """The confusion tables of some raters with all, [rater, rater, category, category]."""
    ours = given[:, raters.start * n_categories : raters.stop * n_categories]
    products = (ours.T @ given).reshape(-1, n_categories, n_raters, n_categories)
    # Single precision holds whole numbers up to 16 million exactly.
    tables: IntArray = np.rint(products).astype(np.int64).transpose(0, 2, 1, 3)
    return tables


def cohen_kappa_of_table(table: IntArray | FloatArray, weights: FloatArray) -> FloatArray:
    """Cohen's kappa (1960, weighted 1968) of each confusion table [..., category, category].

    `weights` is the credit on the *declared* scale: measured on the observed categories alone, a scale point
    that nobody used would bring its neighbours together. NaN where chance alone gives full agreement.
    """
    n = table.sum(axis=(-2, -1)).astype(np.float64)
    credit = (table * weights).sum(axis=(-2, -1))
    by_chance = ((table.sum(axis=-1) @ weights) * table.sum(axis=-2)).sum(axis=-1)
    return _kappa(credit, by_chance, n)


class PairSums:
    """The additive sums behind the kappas of all pairs that share an item, for statistics to draw on."""

    def __init__(self, ratings: Ratings, scale: Scale, weighting: Weighting) -> None:
        self.ratings, self.scale, self.weighting = ratings, scale, weighting
        self.refusal = reason_not_applicable(scale, ratings.categories)
        n_categories = len(ratings.categories)
        self.weights = (
            np.eye(n_categories)
            if self.refusal
            else agreement_weights(weighting, positions(scale, ratings.categories))
        )
        is_given = (ratings.codes != NO_LABEL).astype(np.float32)
        together = is_given.T @ is_given
        first, second = category_pairs(len(ratings.raters))
        is_met = together[first, second] > 0
        self.first, self.second = first[is_met], second[is_met]
        self.is_complete = bool(is_given.all())

    @property
    def n_sums(self) -> int:
        """How many sums stand for each item."""
        n_marginals = len(self.ratings.raters) if self.is_complete else 2 * len(self.first)
        return 2 * len(self.first) + n_marginals * len(self.weights)

    def contribute(self, codes: IntArray) -> FloatArray:
        """Each item's credit, presence and two labels for each pair.

        Where every rater labels every item, all pairs of a rater share that rater's marginals.
        """
        a, b = codes[:, self.first], codes[:, self.second]
        is_common = (a != NO_LABEL) & (b != NO_LABEL)
        credit = np.where(is_common, self.weights[a, b], 0)
        every = np.arange(len(self.weights))
        if self.is_complete:
            labels = (codes[:, :, np.newaxis] == every).reshape(len(codes), -1)
            return np.hstack([credit, is_common, labels])
        both = np.stack([np.where(is_common, a, NO_LABEL), np.where(is_common, b, NO_LABEL)], axis=1)
        return np.hstack([credit, is_common, (both[..., np.newaxis] == every).reshape(len(codes), -1)])

    def kappas(self, sums: FloatArray) -> FloatArray:
        """Kappa of each pair, [..., pair]."""
        n_pairs, n_categories = len(self.first), len(self.weights)
        credit, n = sums[..., :n_pairs], sums[..., n_pairs : 2 * n_pairs]
        labels = sums[..., 2 * n_pairs :].reshape(*sums.shape[:-1], -1, n_categories)
        if self.is_complete:
            ours, theirs = labels[..., self.first, :], labels[..., self.second, :]
        else:
            ours, theirs = labels[..., :n_pairs, :], labels[..., n_pairs:, :]
        if self.weighting is not Weighting.IDENTITY:
            # One product of all pairs is faster than one a resample.
            ours = (ours.reshape(-1, n_categories) @ self.weights).reshape(ours.shape)
        return _kappa(credit, (ours * theirs).sum(axis=-1), n)

    def statistic(self) -> Statistic:
        """Kappa of each pair, then their mean, then the mean of each rater's pairs; see `PairEstimates`.

        A mean is over the pairs with a defined kappa; that of all pairs is Light's kappa (1971).
        """
        n_raters = len(self.ratings.raters)
        members = np.zeros((len(self.first), 1 + n_raters))
        members[:, 0] = 1
        for rater in range(n_raters):
            members[(self.first == rater) | (self.second == rater), 1 + rater] = 1

        def evaluate(sums: FloatArray) -> FloatArray:
            kappas = self.kappas(sums)
            is_defined = ~np.isnan(kappas)
            means = defined_ratio(np.where(is_defined, kappas, 0) @ members, is_defined @ members)
            return np.concatenate([kappas, means], axis=-1)

        raters = tuple(map(str, self.ratings.raters))
        pairs = (f"{raters[a]} and {raters[b]}" for a, b in zip(self.first, self.second, strict=True))
        return Statistic(
            name=f"Cohen's kappa, {self.weighting}",
            scale=self.scale.value,
            contribute=self.contribute,
            evaluate=evaluate,
            of=(*pairs, "mean of all pairs", *(f"mean of the pairs of {rater}" for rater in raters)),
            needs_raters=True,
            not_applicable=self.refusal,
            undefined="No variation among the common items of these raters.",
        )

    def named(self, estimates: tuple[Estimate, ...]) -> PairEstimates:
        """The values of `statistic` by pair and rater."""
        raters, n_pairs = self.ratings.raters, len(self.first)
        pairs = [(raters[a], raters[b]) for a, b in zip(self.first, self.second, strict=True)]
        return PairEstimates(
            of_pair=dict(zip(pairs, estimates[:n_pairs], strict=True)),
            mean=estimates[n_pairs],
            of_rater=dict(zip(raters, estimates[n_pairs + 1 :], strict=True)),
        )


@dataclass(frozen=True, slots=True)
class PairEstimates:
    """Kappa of each pair who share items, the mean of all pairs, and the mean of each rater's pairs."""

    of_pair: dict[tuple[Hashable, Hashable], Estimate]
    mean: Estimate
    of_rater: dict[Hashable, Estimate]


def pair_kappas(
    ratings: Ratings,
    scale: Scale,
    weighting: Weighting,
    resampling: Resampling = DEFAULT_RESAMPLING,
    weights: FloatArray | None = None,
) -> PairEstimates:
    """Cohen's kappa of all pairs of raters with intervals, and its means."""
    sums = PairSums(ratings, scale, weighting)
    return sums.named(figures(ratings, {"": sums.statistic()}, resampling, weights)[""])


def _kappa(credit: FloatArray, by_chance: FloatArray, n: FloatArray) -> FloatArray:
    observed, expected = defined_ratio(credit, n), defined_ratio(by_chance, n * n)
    return defined_ratio(observed - expected, 1 - expected)
