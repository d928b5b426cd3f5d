"""One rater against the others: influence on alpha, signed bias, habits, the course of time, repeats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np

from annotation.agreement import statistics
from annotation.agreement.bootstrap import TAIL_SHARE, defined_ratio, reach_of_interval
from annotation.agreement.counts import NO_LABEL, FloatArray, IntArray, Ratings, counts_of_codes
from annotation.agreement.distances import (
    Scale,
    agreement_weights,
    positions,
    reason_not_applicable,
    weighting_of,
)
from annotation.agreement.estimates import (
    DEFAULT_RESAMPLING,
    Estimate,
    Resampling,
    Statistic,
    figures,
    only,
)
from annotation.agreement.pairs import PairSums

WINDOW_ITEMS = 100
Bounded = tuple[float, float | None, float | None]


@dataclass(frozen=True, slots=True)
class RaterFigures:
    """One rater's figures.

    `alpha_without` minus the alpha of all is `leave_one_out`: above zero, the others agree better among
    themselves. `signed_bias` is in scale points against the mean of the other raters of the same items;
    `marginals` are the shares of each category among this rater's labels of overlap items.
    """

    n_overlap_labels: int
    mean_pairwise_kappa: Estimate
    leave_one_out: Estimate
    signed_bias: Estimate
    marginals: tuple[Estimate, ...]


@dataclass(frozen=True, slots=True)
class WindowFigure:
    """Agreement and bias over one window of a rater's items, which ends with the `last_item`-th (from 1).

    `agreement` is the mean credit of the rater's label against the other labels of the item, `bias` the mean
    signed difference in scale points, None on a nominal scale; each with the bounds of its 95 % interval,
    None where all items of the window are of one conversation.
    """

    last_item: int
    agreement: Bounded
    bias: Bounded | None


def figures_of_raters(
    ratings: Ratings,
    scale: Scale,
    *,
    resampling: Resampling = DEFAULT_RESAMPLING,
    weights: FloatArray | None = None,
) -> dict[object, RaterFigures]:
    """The figures of every rater, all from one set of resamples."""
    pairs = PairSums(ratings, scale, weighting_of(scale))
    found = figures(
        ratings,
        {
            "pairs": pairs.statistic(),
            "leave_one_out": leave_one_out(ratings, scale),
            "bias": signed_bias(ratings, scale),
            "marginals": marginals(ratings),
        },
        resampling,
        weights,
    )
    kappas = pairs.named(found["pairs"]).of_rater
    n_categories = len(ratings.categories)
    has_overlap = ratings.counts.has_overlap[:, np.newaxis]
    n_labels = ((ratings.codes != NO_LABEL) & has_overlap).sum(axis=0)
    return {
        rater: RaterFigures(
            n_overlap_labels=int(n_labels[index]),
            mean_pairwise_kappa=kappas[rater],
            leave_one_out=found["leave_one_out"][index],
            signed_bias=found["bias"][index],
            marginals=found["marginals"][index * n_categories : (index + 1) * n_categories],
        )
        for index, rater in enumerate(ratings.raters)
    }


def leave_one_out(ratings: Ratings, scale: Scale) -> Statistic:
    """How much alpha changes without each rater: above zero, the others agree better among themselves."""
    alpha = statistics.alpha(scale, ratings.categories)
    n_raters, n_categories = len(ratings.raters), len(ratings.categories)

    def contribute(codes: IntArray) -> FloatArray:
        counts = counts_of_codes(codes, n_categories)
        parts = [alpha.contribute(counts)]
        for rater in range(n_raters):
            own = codes[:, rater, np.newaxis] == np.arange(n_categories)
            parts.append(alpha.contribute(counts - own))
        return np.hstack(parts)

    def evaluate(sums: FloatArray) -> FloatArray:
        alphas = alpha.evaluate(sums.reshape(*sums.shape[:-1], 1 + n_raters, -1))
        return alphas[..., 1:] - alphas[..., :1]

    return Statistic(
        name="Change of alpha without one rater",
        scale=scale.value,
        contribute=contribute,
        evaluate=evaluate,
        of=tuple(map(str, ratings.raters)),
        needs_raters=True,
        not_applicable=alpha.not_applicable,
        undefined="Without this rater no varied overlap is left.",
    )


def signed_bias(ratings: Ratings, scale: Scale) -> Statistic:
    """How far each rater lies above (or below) the mean of the others on the same items, in scale points.

    A steady shift of one rater moves alpha little and shows here at once.
    """
    refusal = reason_not_applicable(scale, ratings.categories)
    if scale is Scale.NOMINAL:
        refusal = "A nominal scale has no direction, so no signed bias."
    places = np.nan_to_num(positions(scale, ratings.categories))
    n_raters = len(ratings.raters)

    def contribute(codes: IntArray) -> FloatArray:
        differences = _differences(codes, places)
        return np.hstack([np.nan_to_num(differences), ~np.isnan(differences)])

    return Statistic(
        name="Signed bias",
        scale=scale.value,
        contribute=contribute,
        evaluate=lambda sums: defined_ratio(sums[..., :n_raters], sums[..., n_raters:]),
        of=tuple(map(str, ratings.raters)),
        needs_raters=True,
        not_applicable=refusal,
        undefined="This rater shares no item with another.",
    )


def marginals(ratings: Ratings) -> Statistic:
    """The share of each category among each rater's labels of overlap items: rater by rater, in order."""
    n_raters, n_categories = len(ratings.raters), len(ratings.categories)

    def contribute(codes: IntArray) -> FloatArray:
        is_code: FloatArray = (codes[:, :, np.newaxis] == np.arange(n_categories)).astype(np.float64)
        return is_code.reshape(len(codes), -1)

    def evaluate(sums: FloatArray) -> FloatArray:
        given = sums.reshape(*sums.shape[:-1], n_raters, n_categories)
        return defined_ratio(given, given.sum(axis=-1, keepdims=True)).reshape(sums.shape)

    return Statistic(
        name="Share of labels",
        scale=Scale.NOMINAL.value,
        contribute=contribute,
        evaluate=evaluate,
        of=tuple(f"{category} by {rater}" for rater in ratings.raters for category in ratings.categories),
        needs_raters=True,
        undefined="This rater has no label on an overlap item.",
    )


def rolling_figures(
    ratings: Ratings,
    rater: object,
    scale: Scale,
    *,
    step_items: int = 10,
    resampling: Resampling = DEFAULT_RESAMPLING,
) -> list[WindowFigure]:
    """A rater's agreement and bias over windows of WINDOW_ITEMS shared items, in the order of the rows.

    Percentile intervals over the conversations of each window, widened for few of them (Hesterberg 2015).
    Empty before the first full window, and where the categories cannot be read on the scale.
    """
    if reason_not_applicable(scale, ratings.categories):
        return []
    own = ratings.raters.index(rater)
    places = positions(scale, ratings.categories)
    differences = _differences(ratings.codes, places)[:, own]
    credits = _credits(ratings.codes, own, agreement_weights(weighting_of(scale), places))
    is_shared = ~np.isnan(differences)
    if is_shared.sum() < WINDOW_ITEMS:
        return []
    clusters = ratings.clusters[is_shared]
    agreement = _windows(credits[is_shared], clusters, step_items, resampling)
    bias = _windows(differences[is_shared], clusters, step_items, resampling)
    return [
        WindowFigure(
            last_item=WINDOW_ITEMS + index * step_items,
            agreement=agreement[index],
            bias=None if scale is Scale.NOMINAL else bias[index],
        )
        for index in range(len(agreement))
    ]


def retest(
    repeats: Mapping[object, Ratings],
    scale: Scale,
    *,
    resampling: Resampling = DEFAULT_RESAMPLING,
) -> dict[object, tuple[Estimate, Estimate]]:
    """For each rater, kappa and percent agreement between a label and its repeat.

    `repeats[rater]` holds the repeated items, with the first and the second time as its two "raters".
    """
    found: dict[object, tuple[Estimate, Estimate]] = {}
    for rater, both_times in repeats.items():
        pairs = PairSums(both_times, scale, weighting_of(scale))
        estimates = figures(
            both_times, {"kappa": pairs.statistic(), "percent": statistics.percent()}, resampling
        )
        found[rater] = pairs.named(estimates["kappa"]).mean, only(estimates["percent"])
    return found


def _differences(codes: IntArray, places: FloatArray) -> FloatArray:
    """Each label's place less the mean place of the item's other labels, NaN where there is no other."""
    is_given = codes != NO_LABEL
    given = np.where(is_given, places[codes], 0)
    n_others = is_given.sum(axis=1, keepdims=True) - is_given
    others = given.sum(axis=1, keepdims=True) - given
    mean_of_others = defined_ratio(others, n_others.astype(np.float64))
    return np.where(is_given, given - mean_of_others, np.nan)


def _credits(codes: IntArray, own: int, weights: FloatArray) -> FloatArray:
    """The mean credit of one rater's label against the item's other labels; junk where there is none."""
    others = np.delete(codes, own, axis=1)
    is_other = others != NO_LABEL
    credit = np.where(is_other, weights[codes[:, own, np.newaxis], others], 0).sum(axis=1)
    mean: FloatArray = credit / np.maximum(is_other.sum(axis=1), 1)
    return mean


def _windows(
    values: FloatArray, clusters: IntArray, step_items: int, resampling: Resampling
) -> Sequence[Bounded]:
    starts = range(0, len(values) - WINDOW_ITEMS + 1, step_items)
    places = (slice(start, start + WINDOW_ITEMS) for start in starts)
    return [_mean_of_clusters(values[place], clusters[place], resampling) for place in places]


def _mean_of_clusters(values: FloatArray, clusters: IntArray, resampling: Resampling) -> Bounded:
    """The mean with its interval over whole clusters; the same draws wherever as many clusters are drawn."""
    mean, place = float(values.mean()), np.unique(clusters, return_inverse=True)[1]
    sums, sizes = np.bincount(place, values), np.bincount(place)
    n = len(sizes)
    if n < 2:
        return mean, None, None
    draws = _draws_of_equals(n, resampling)
    tail = NormalDist().cdf(-reach_of_interval(TAIL_SHARE, n))
    low, high = np.quantile((draws @ sums) / (draws @ sizes), [tail, 1 - tail])
    return mean, float(low), float(high)


@lru_cache(maxsize=8)
def _draws_of_equals(n: int, resampling: Resampling) -> FloatArray:
    """How often each of n clusters is drawn, [resample, cluster]: kept, for every rater has windows alike."""
    rng = np.random.default_rng(resampling.seed)
    draws = rng.multinomial(n, np.full(n, 1 / n), size=resampling.resamples).astype(np.float64)
    draws.flags.writeable = False
    return draws
