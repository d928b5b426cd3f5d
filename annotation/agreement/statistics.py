"""Agreement among raters with its interval, or a reasoned statement that there is none."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from annotation.agreement.bootstrap import Contribute, Evaluate, bootstrap_interval, resampling_units
from annotation.agreement.counts import Counts, FloatArray, IntArray
from annotation.agreement.distances import Scale, category_pairs, category_values, squared_distances

MIN_OVERLAP_ITEMS = 50
"""Below this many items with two labels or more, a figure is still being collected."""
DEFAULT_RESAMPLES = 1000


class Status(StrEnum):
    """Whether a figure can be read as it stands."""

    OK = "ok"
    COLLECTING = "collecting"
    NOT_ESTIMABLE = "not_estimable"
    NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True, slots=True)
class Estimate:
    """One agreement figure and what it rests on.

    `value` is given wherever it can be computed, also while `status` is collecting; None is explained by
    `reason`, and so is a value without an interval. `n_items`, `n_raters` and `n_labels` count all that was
    handed in, `n_items_overlap` the items with two labels or more, `n_clusters` the conversations of those.
    `n_resamples_undefined` resamples had no variation; the interval rests on the others.
    """

    value: float | None
    ci_low: float | None
    ci_high: float | None
    status: Status
    reason: str
    n_items: int
    n_clusters: int
    n_raters: int
    n_labels: int
    n_items_overlap: int
    statistic: str
    scale: str
    n_resamples_undefined: int = 0


def krippendorff_alpha(
    counts: Counts, scale: Scale, *, resamples: int = DEFAULT_RESAMPLES, seed: int = 0
) -> Estimate:
    """Krippendorff's alpha with a 95 % interval, for any number of raters and any missing labels.

    Krippendorff (2011), Computing Krippendorff's Alpha-Reliability: one minus observed over expected
    disagreement of the pairable labels. Interval and ratio read the declared categories as numbers; where
    they are none (or below zero on a ratio scale) alpha is not applicable.
    """
    blank = _without_value(counts, "Krippendorff's alpha", scale)
    values = category_values(counts.categories)
    if scale in (Scale.INTERVAL, Scale.RATIO) and np.isnan(values).any():
        reason = f"The {scale} scale needs a number for each declared category."
        return replace(blank, status=Status.NOT_APPLICABLE, reason=reason)
    if scale is Scale.RATIO and (values < 0).any():
        reason = "A ratio scale starts at zero, and a declared category lies below it."
        return replace(blank, status=Status.NOT_APPLICABLE, reason=reason)

    def evaluate(sums: FloatArray) -> FloatArray:
        return alpha_of_sums(sums, scale, values)

    return _with_value(blank, counts, item_coincidences, evaluate, resamples, seed)


def percent_agreement(counts: Counts, *, resamples: int = DEFAULT_RESAMPLES, seed: int = 0) -> Estimate:
    """The share of rater pairs that chose the same category, averaged over overlap items, with its interval.

    Every overlap item weighs the same, however many raters it has: the observed agreement of Fleiss (1971),
    Measuring nominal scale agreement among many raters, for any missing labels.
    """
    blank = _without_value(counts, "Percent agreement", Scale.NOMINAL)
    return _with_value(blank, counts, _agreeing_share, _mean, resamples, seed)


def item_coincidences(matrix: IntArray) -> FloatArray:
    """Each item's part of the coincidence matrix: its count of every category, then the upper triangle.

    Krippendorff (2011): an item with the counts n and m >= 2 labels adds (n n' - diag(n)) / (m - 1), so its
    marginals are the counts themselves. The parts add up over items.
    """
    first, second = category_pairs(matrix.shape[1])
    n_labels = matrix.sum(axis=1, keepdims=True)
    return np.hstack([matrix, matrix[:, first] * matrix[:, second] / (n_labels - 1)])


def alpha_of_sums(sums: FloatArray, scale: Scale, values: FloatArray) -> FloatArray:
    """Krippendorff's alpha of each row of summed `item_coincidences`, NaN where only one category occurs."""
    marginals, coincidences = sums[..., : len(values)], sums[..., len(values) :]
    first, second = category_pairs(len(values))
    distances = squared_distances(scale, values, marginals)
    observed = (coincidences * distances).sum(axis=-1)
    by_chance = (marginals[..., first] * marginals[..., second] * distances).sum(axis=-1)
    expected = by_chance / (marginals.sum(axis=-1) - 1)
    undefined = np.full_like(expected, np.nan)
    alpha: FloatArray = 1 - np.divide(observed, expected, out=undefined, where=expected > 0)
    return alpha


def _without_value(counts: Counts, statistic: str, scale: Scale) -> Estimate:
    has_overlap = counts.has_overlap
    return Estimate(
        value=None,
        ci_low=None,
        ci_high=None,
        status=Status.NOT_ESTIMABLE,
        reason="No item has labels from two raters.",
        n_items=counts.n_items,
        n_clusters=len(np.unique(counts.clusters[has_overlap])),
        n_raters=counts.n_raters,
        n_labels=counts.n_labels,
        n_items_overlap=int(has_overlap.sum()),
        statistic=statistic,
        scale=scale.value,
    )


def _with_value(
    blank: Estimate, counts: Counts, contribute: Contribute, evaluate: Evaluate, resamples: int, seed: int
) -> Estimate:
    if blank.n_items_overlap == 0:
        return blank
    has_overlap = counts.has_overlap
    units = resampling_units(counts.matrix[has_overlap], counts.clusters[has_overlap], contribute)
    value = float(evaluate(units.total))
    if np.isnan(value):
        return replace(blank, reason="No variation: every overlap item has the same one category.")
    interval = bootstrap_interval(units, evaluate, resamples=resamples, rng=np.random.default_rng(seed))
    is_collecting = blank.n_items_overlap < MIN_OVERLAP_ITEMS
    progress = f"{blank.n_items_overlap} of {MIN_OVERLAP_ITEMS} overlap items." if is_collecting else ""
    return replace(
        blank,
        value=value,
        ci_low=interval.low,
        ci_high=interval.high,
        status=Status.COLLECTING if is_collecting else Status.OK,
        reason=" ".join(filter(None, (progress, interval.reason))),
        n_resamples_undefined=interval.n_undefined,
    )


def _agreeing_share(matrix: IntArray) -> FloatArray:
    n_labels = matrix.sum(axis=1)
    agreeing = (matrix * (matrix - 1)).sum(axis=1) / (n_labels * (n_labels - 1))
    return np.column_stack([agreeing, np.ones(len(matrix))])


def _mean(sums: FloatArray) -> FloatArray:
    return sums[..., 0] / sums[..., 1]
