"""How far apart two categories are on each of Krippendorff's four scales."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from enum import StrEnum

import numpy as np

from annotation.agreement.counts import FloatArray, IntArray


class Scale(StrEnum):
    """What the declared categories mean: names, an order, numbers, or numbers with a true zero."""

    NOMINAL = "nominal"
    ORDINAL = "ordinal"
    INTERVAL = "interval"
    RATIO = "ratio"


def category_pairs(n_categories: int) -> tuple[IntArray, IntArray]:
    """First and second column of every unordered pair of different categories."""
    first, second = np.triu_indices(n_categories, k=1)
    return first.astype(np.int64), second.astype(np.int64)


def category_values(categories: Sequence[Hashable]) -> FloatArray:
    """The categories as numbers, NaN for one that is not a number."""
    return np.array([float(code) if isinstance(code, int | float) else np.nan for code in categories])


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
