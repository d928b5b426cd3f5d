"""Intraclass correlations: how reliable one clinician's ratings are, and the mean of all of them."""

from __future__ import annotations

from functools import partial

import numpy as np

from annotation.agreement.bootstrap import defined_ratio
from annotation.agreement.counts import NO_LABEL, FloatArray, IntArray, Ratings
from annotation.agreement.distances import Scale, positions, reason_not_applicable
from annotation.agreement.estimates import Statistic


def icc(ratings: Ratings, scale: Scale) -> tuple[Statistic, Statistic]:
    """ICC(2,1) and ICC(2,k) of the items that every rater labelled.

    Shrout and Fleiss (1979), Intraclass correlations, case 2: two-way random effects, absolute agreement.
    Ordinal codes are read as their places on the declared scale. Not applicable to a nominal scale.
    """
    refusal = (
        "A nominal scale has no variance, so no intraclass correlation."
        if scale is Scale.NOMINAL
        else reason_not_applicable(scale, ratings.categories)
    )
    n_raters = len(ratings.raters)
    if n_raters < 2:
        refusal = refusal or "An intraclass correlation needs two raters."
    places = np.nan_to_num(positions(scale, ratings.categories))
    places = places - places.mean()  # sums of squares about zero lose fewer digits
    n_complete = int(np.count_nonzero((ratings.codes != NO_LABEL).all(axis=1)))

    def contribute(codes: IntArray) -> FloatArray:
        is_complete = (codes != NO_LABEL).all(axis=1, keepdims=True)
        given = np.where(is_complete, places[codes], 0)
        squares, totals = (given**2).sum(axis=1), given.sum(axis=1)
        return np.hstack([is_complete, given, squares[:, np.newaxis], totals[:, np.newaxis] ** 2 / n_raters])

    undefined = (
        "The items that all raters labelled show no variation."
        if n_complete > 1
        else f"{n_complete} items have a label from each of the {n_raters} raters, and two are needed."
    )
    note = f"Rests on the {n_complete} items that all {n_raters} raters labelled."
    named = (("ICC(2,1)", _of_single_rater), (f"ICC(2,k), k = {n_raters}", _of_panel))
    first, second = (
        Statistic(
            name=name,
            scale=scale.value,
            contribute=contribute,
            evaluate=partial(evaluate, n_raters),
            needs_raters=True,
            not_applicable=refusal,
            undefined=undefined,
            note=note if n_complete < len(ratings.codes) else "",
            n_items=n_complete,
        )
        for name, evaluate in named
    )
    return first, second


def _of_single_rater(n_raters: int, sums: FloatArray) -> FloatArray:
    n, between, raters, error = mean_squares(sums, n_raters)
    spread = between + (n_raters - 1) * error + defined_ratio(n_raters * (raters - error), n)
    return defined_ratio(between - error, np.nan_to_num(spread))


def _of_panel(n_raters: int, sums: FloatArray) -> FloatArray:
    n, between, raters, error = mean_squares(sums, n_raters)
    return defined_ratio(between - error, np.nan_to_num(between + defined_ratio(raters - error, n)))


def mean_squares(sums: FloatArray, n_raters: int) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Number of items, and the mean squares between items, between raters and of what is left."""
    n, given = sums[..., 0], sums[..., 1 : 1 + n_raters]
    squares, row_squares = sums[..., -2], sums[..., -1]
    grand = defined_ratio(given.sum(axis=-1) ** 2, n * n_raters)
    of_items = row_squares - grand
    of_raters = defined_ratio((given**2).sum(axis=-1), n) - grand
    residual = np.maximum(squares - grand - of_items - of_raters, 0)
    between = defined_ratio(of_items, n - 1)
    error = defined_ratio(residual, (n - 1) * max(n_raters - 1, 1))
    return n, between, of_raters / max(n_raters - 1, 1), error
