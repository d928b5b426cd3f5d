"""Krippendorff's alpha, percent agreement and agreement per class, from counts."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import numpy as np

from annotation.agreement.bootstrap import ROUNDING, Evaluate, defined_ratio
from annotation.agreement.counts import Counts, FloatArray, IntArray, Ratings
from annotation.agreement.distances import (
    Scale,
    Weighting,
    agreement_weights,
    category_pairs,
    category_values,
    positions,
    reason_not_applicable,
    squared_distances,
)
from annotation.agreement.estimates import (
    DEFAULT_RESAMPLES,
    MIN_OVERLAP_ITEMS,
    Estimate,
    Resampling,
    Statistic,
    Status,
    figures,
    only,
)

__all__ = [
    "DEFAULT_RESAMPLES",
    "MIN_OVERLAP_ITEMS",
    "Estimate",
    "Status",
    "alpha",
    "alpha_of_sums",
    "item_coincidences",
    "krippendorff_alpha",
    "panel_reliability",
    "percent",
    "percent_agreement",
    "specific_agreement",
    "weighted_alpha",
]


def krippendorff_alpha(
    counts: Counts | Ratings,
    scale: Scale,
    *,
    resamples: int = DEFAULT_RESAMPLES,
    seed: int = 0,
    weights: FloatArray | None = None,
) -> Estimate:
    """Krippendorff's alpha with a 95 % interval, for any number of raters and any missing labels.

    Krippendorff (2011), Computing Krippendorff's Alpha-Reliability: one minus observed over expected
    disagreement of the pairable labels. Interval and ratio read the declared categories as numbers; where
    they are none (or below zero on a ratio scale) alpha is not applicable. `weights` are those of `figures`.
    """
    statistic = alpha(scale, counts.categories)
    return only(figures(counts, {"": statistic}, Resampling(resamples, seed), weights)[""])


def percent_agreement(
    counts: Counts | Ratings,
    *,
    resamples: int = DEFAULT_RESAMPLES,
    seed: int = 0,
    weights: FloatArray | None = None,
) -> Estimate:
    """The share of rater pairs that chose the same category, averaged over overlap items, with its interval.

    Every overlap item weighs the same, however many raters it has: the observed agreement of Fleiss (1971),
    Measuring nominal scale agreement among many raters, for any missing labels.
    """
    return only(figures(counts, {"": percent()}, Resampling(resamples, seed), weights)[""])


def alpha(scale: Scale, categories: Sequence[Hashable]) -> Statistic:
    """Krippendorff's alpha on the declared categories."""
    contribute, evaluate = _alpha_parts(scale, categories)
    return Statistic(
        name="Krippendorff's alpha",
        scale=scale.value,
        contribute=contribute,
        evaluate=evaluate,
        not_applicable=reason_not_applicable(scale, categories),
    )


def weighted_alpha(weighting: Weighting, scale: Scale, categories: Sequence[Hashable]) -> Statistic:
    """Alpha with Gwet's weights in place of Krippendorff's distances.

    Gwet (2014), Handbook of Inter-Rater Reliability, chapter 4. With ordinal weights it is *not*
    Krippendorff's ordinal alpha, whose distances follow the data.
    """
    disagreement = 1 - agreement_weights(weighting, positions(scale, categories))
    contribute, evaluate = _fixed_distance_parts(disagreement)
    return Statistic(f"Alpha, {weighting} weights", scale.value, contribute, evaluate)


def panel_reliability(scale: Scale, categories: Sequence[Hashable], n_votes: int) -> Statistic:
    """The reliability of the mean of `n_votes` clinicians, from the alpha of a single one.

    Spearman (1910) and Brown (1910): m alpha / (1 + (m - 1) alpha). A mean has no meaning on a nominal scale.
    """
    single = alpha(scale, categories)

    def evaluate(sums: FloatArray) -> FloatArray:
        return stepped_up(single.evaluate(sums), n_votes)

    return Statistic(
        name="Panel reliability",
        scale=scale.value,
        contribute=single.contribute,
        evaluate=evaluate,
        not_applicable="A nominal scale has no mean, so no panel reliability."
        if scale is Scale.NOMINAL
        else single.not_applicable,
        undefined="No variation, or alpha is too far below zero for a panel to be reckoned from it.",
        note=f"The mean of {n_votes} raters, by Spearman-Brown.",
    )


def stepped_up(reliability: FloatArray, n_votes: int) -> FloatArray:
    """Spearman-Brown: the reliability of a mean of `n_votes`, NaN at and below its pole."""
    return defined_ratio(n_votes * reliability, np.nan_to_num(1 + (n_votes - 1) * reliability))


def percent() -> Statistic:
    """The share of agreeing rater pairs, averaged over overlap items."""
    return Statistic("Percent agreement", Scale.NOMINAL.value, _agreeing_share, _mean)


def specific_agreement(categories: Sequence[Hashable], at_least: Sequence[Hashable] = ()) -> Statistic:
    """For each category, and for "this category or a later one": how often a second rater says it too.

    Cicchetti and Feinstein (1990), High agreement but low kappa II; for several raters the share of agreeing
    coincidences among a class's labels, every label weighing the same. `at_least` names the first category
    of each threshold class (severe = 3 or more). One value a class, threshold classes last, named "3+".
    """
    thresholds = {f"{code}+": list(categories).index(code) for code in at_least}
    n_categories = len(categories)
    n_classes = n_categories + len(thresholds)
    membership = np.eye(n_categories, n_classes, dtype=np.int64)
    for column, first in enumerate(thresholds.values(), start=n_categories):
        membership[first:, column] = 1

    def contribute(matrix: IntArray) -> FloatArray:
        pairable, others = _pairable(matrix)
        inside = pairable @ membership
        return np.hstack([inside * (inside - 1) / others, inside])

    return Statistic(
        name="Specific agreement",
        scale=Scale.NOMINAL.value,
        contribute=contribute,
        evaluate=lambda sums: defined_ratio(sums[..., :n_classes], sums[..., n_classes:]),
        of=(*map(str, categories), *thresholds),
        undefined="No overlap item has a label of this class.",
    )


def item_coincidences(matrix: IntArray) -> FloatArray:
    """Each item's part of the coincidence matrix: its count of every category, then the upper triangle.

    Krippendorff (2011): an item with the counts n and m >= 2 labels adds (n n' - diag(n)) / (m - 1), so its
    marginals are the counts themselves. The parts add up over items; an item with a single label adds none.
    """
    first, second = category_pairs(matrix.shape[1])
    pairable, others = _pairable(matrix)
    return np.hstack([pairable, pairable[:, first] * pairable[:, second] / others])


def alpha_of_sums(sums: FloatArray, scale: Scale, values: FloatArray) -> FloatArray:
    """Krippendorff's alpha of each row of summed `item_coincidences`, NaN where only one category occurs."""
    marginals, coincidences = _whole(sums[..., : len(values)]), sums[..., len(values) :]
    first, second = category_pairs(len(values))
    distances = squared_distances(scale, values, marginals)
    observed = (coincidences * distances).sum(axis=-1)
    by_chance = (marginals[..., first] * marginals[..., second] * distances).sum(axis=-1)
    return 1 - _over_expected(observed, by_chance, marginals)


def _alpha_parts(
    scale: Scale, categories: Sequence[Hashable]
) -> tuple[Callable[[IntArray], FloatArray], Evaluate]:
    values = category_values(categories)
    if scale is Scale.ORDINAL:
        return item_coincidences, lambda sums: alpha_of_sums(sums, scale, values)
    # Fixed distances need no coincidence matrix: one sum holds the observed disagreement.
    first, second = category_pairs(len(values))
    distances = np.zeros((len(values), len(values)))
    if not reason_not_applicable(scale, categories):
        distances[first, second] = squared_distances(scale, values, np.empty(len(values)))
    return _fixed_distance_parts(distances + distances.T)


def _fixed_distance_parts(distances: FloatArray) -> tuple[Callable[[IntArray], FloatArray], Evaluate]:
    """Sums and value of one minus observed over expected disagreement, for distances [category, category]."""

    def contribute(matrix: IntArray) -> FloatArray:
        pairable, others = _pairable(matrix)
        return np.hstack([pairable, _disagreement(pairable, distances)[:, np.newaxis] / others])

    def evaluate(sums: FloatArray) -> FloatArray:
        marginals = _whole(sums[..., :-1])
        return 1 - _over_expected(sums[..., -1], _disagreement(marginals, distances), marginals)

    return contribute, evaluate


def _pairable(matrix: IntArray) -> tuple[IntArray, IntArray]:
    """The counts of overlap items, zero elsewhere, and the number of other labels to each label."""
    n_labels = matrix.sum(axis=1, keepdims=True)
    return np.where(n_labels >= 2, matrix, 0), np.maximum(n_labels - 1, 1)


def _whole(marginals: FloatArray) -> FloatArray:
    """The marginals without the crumbs that rounding leaves of a category nobody uses."""
    return np.where(marginals < ROUNDING * 1e3, 0, marginals)


def _disagreement(vectors: FloatArray | IntArray, distances: FloatArray) -> FloatArray:
    """Half of v' D v of each vector of category counts."""
    total: FloatArray = ((vectors @ distances) * vectors).sum(axis=-1) / 2
    return total


def _over_expected(observed: FloatArray, by_chance: FloatArray, marginals: FloatArray) -> FloatArray:
    expected = by_chance / np.maximum(marginals.sum(axis=-1) - 1, 1)
    undefined = np.full_like(expected, np.nan)
    return np.divide(observed, expected, out=undefined, where=expected > 0)


def _agreeing_share(matrix: IntArray) -> FloatArray:
    n_labels = matrix.sum(axis=1)
    n_pairs = n_labels * (n_labels - 1)
    agreeing = (matrix * (matrix - 1)).sum(axis=1) / np.maximum(n_pairs, 1)
    return np.column_stack([agreeing, n_pairs > 0])


def _mean(sums: FloatArray) -> FloatArray:
    return defined_ratio(sums[..., 0], sums[..., 1])
