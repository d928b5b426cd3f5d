"""How far apart two categories are, and how much credit a near miss gets, on each scale."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from enum import StrEnum
from functools import cache

import numpy as np

from annotation.agreement.counts import FloatArray, IntArray


class Scale(StrEnum):
    """What the declared categories mean: names, an order, numbers, or numbers with a true zero."""

    NOMINAL = "nominal"
    ORDINAL = "ordinal"
    INTERVAL = "interval"
    RATIO = "ratio"


class Weighting(StrEnum):
    """How much a label of k is worth where another rater said l."""

    IDENTITY = "unweighted"
    LINEAR = "linear"
    QUADRATIC = "quadratic"
    ORDINAL = "ordinal"


@cache
def category_pairs(n_categories: int) -> tuple[IntArray, IntArray]:
    """First and second column of every unordered pair of different categories; not to be written to."""
    first, second = (place.astype(np.int64) for place in np.triu_indices(n_categories, k=1))
    first.flags.writeable = second.flags.writeable = False
    return first, second


def category_values(categories: Sequence[Hashable]) -> FloatArray:
    """The categories as numbers, NaN for one that is not a number."""
    return np.array([float(code) if isinstance(code, int | float) else np.nan for code in categories])


def positions(scale: Scale, categories: Sequence[Hashable]) -> FloatArray:
    """Where each category lies: its number on an interval or ratio scale, else its declared place."""
    if scale in (Scale.INTERVAL, Scale.RATIO):
        return category_values(categories)
    return np.arange(len(categories), dtype=np.float64)


def reason_not_applicable(scale: Scale, categories: Sequence[Hashable]) -> str:
    """Why the declared categories cannot be read on this scale; empty where they can."""
    if scale not in (Scale.INTERVAL, Scale.RATIO):
        return ""
    values = category_values(categories)
    if not np.isfinite(values).all():
        return f"The {scale} scale needs a number for each declared category."
    if scale is Scale.RATIO and (values < 0).any():
        return "A ratio scale starts at zero, and a declared category lies below it."
    return ""


def squared_distances(scale: Scale, values: FloatArray, marginals: FloatArray) -> FloatArray:
    """Squared difference of every pair of categories, in the order of `category_pairs`.

    The four metrics of Krippendorff (2011), Computing Krippendorff's Alpha-Reliability. `values` are the
    categories as numbers (read by interval and ratio only); `marginals[..., category]` are the pairable
    labels of each category (read by ordinal only, whose distances follow the data). The result is [..., pair]
    or, where the distances are fixed, [pair].
    """
    first, second = category_pairs(marginals.shape[-1])
    if scale is Scale.NOMINAL:
        return np.ones(len(first))
    if scale is Scale.ORDINAL:
        # The sum of the marginals from c to k, less half of both ends, is the difference of their mid-ranks.
        ranks = np.cumsum(marginals, axis=-1) - marginals / 2
        difference: FloatArray = ranks[..., second] - ranks[..., first]
    else:
        difference = values[second] - values[first]
    if scale is Scale.RATIO:
        # Two different values of a ratio scale, none below zero, never add up to zero.
        difference = difference / (values[second] + values[first])
    return difference * difference


def agreement_weights(weighting: Weighting, places: FloatArray) -> FloatArray:
    """The credit [category, category] between 0 and 1 for two labels, on the whole declared scale.

    Cohen (1968) for linear and quadratic; Gwet (2014), Handbook of Inter-Rater Reliability, chapter 3, for
    ordinal, which reads the order of the categories only.
    """
    n_categories = len(places)
    apart = np.abs(places[:, np.newaxis] - places)
    if weighting is Weighting.IDENTITY or n_categories < 2:
        return np.eye(n_categories)
    if weighting is Weighting.ORDINAL:
        steps = np.abs(np.arange(n_categories)[:, np.newaxis] - np.arange(n_categories))
        apart = steps * (steps + 1) / 2
    share: FloatArray = apart / apart.max()
    return 1 - (share * share if weighting is Weighting.QUADRATIC else share)


def weighting_of(scale: Scale) -> Weighting:
    """The weighting under which kappa and AC2 are reported on a scale."""
    return Weighting.IDENTITY if scale is Scale.NOMINAL else Weighting.QUADRATIC
