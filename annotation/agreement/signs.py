"""Signs that a clinician departs from the others: tests that may be looked at often without crying wolf."""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np

from annotation.agreement.bootstrap import reach_of_interval, resampling_units
from annotation.agreement.counts import NO_LABEL, BoolArray, FloatArray, IntArray, Ratings
from annotation.agreement.distances import Scale, positions
from annotation.agreement.raters import WINDOW_ITEMS, leave_one_out

STEP_ITEMS = 10
MIN_SHARED_ITEMS = 100
MIN_SHARED_ITEMS_OF_DRIFT = 2 * WINDOW_ITEMS
MIN_REPEATS = 10
FASTEST_WORDS_PER_SECOND = 10.0
"""Two and a half times the mean silent reading rate of 238 words a minute (Brysbaert 2019)."""
SECONDS_TO_ANSWER = 2.0
TOLERATED_SHARE_TOO_FAST = 0.05
MIN_STEPS_APART = 2
TOLERATED_SHARE_APART = 0.05


@dataclass(frozen=True, slots=True)
class Sign:
    """A figure of one rater beside what it is compared with, and the interval that made it a sign.

    `ci_low` and `ci_high` bound `value` at the error left to one test. `first` and `last` count the rater's
    labels from 1, in their order; `items` are those to open, the most telling first.
    """

    value: float
    ci_low: float
    ci_high: float
    compared_with: float
    n: int
    first: int
    last: int
    items: tuple[Hashable, ...]
    category: Hashable = None


class Watched:
    """One rater's labels in the order they were given, beside those of the others on the same items.

    Raters in `set_aside` are not among the others.
    """

    def __init__(
        self, ratings: Ratings, scale: Scale, rater: int, order: FloatArray, set_aside: tuple[int, ...] = ()
    ) -> None:
        self.ratings, self.scale, self.rater = ratings, scale, rater
        given = np.flatnonzero(ratings.codes[:, rater] != NO_LABEL)
        self.rows: IntArray = given[np.argsort(order[given, rater], kind="stable")]
        self.own: IntArray = ratings.codes[self.rows, rater]
        self.others: IntArray = np.delete(ratings.codes[self.rows], [rater, *set_aside], axis=1)
        self.is_shared: BoolArray = (self.others != NO_LABEL).any(axis=1)
        self.places = positions(scale, ratings.categories)

    def items(self, places: IntArray) -> tuple[Hashable, ...]:
        """The items at these places of the order."""
        return tuple(self.ratings.items[row] for row in self.rows[places])

    def clusters(self) -> IntArray:
        """The conversation of each shared item."""
        clusters: IntArray = self.ratings.clusters[self.rows[self.is_shared]]
        return clusters

    def centre(self) -> FloatArray:
        """The median place of the other labels of each shared item, so that one of them moves it little."""
        others = self.others[self.is_shared]
        placed = np.where(others == NO_LABEL, np.nan, self.places[others])
        median: FloatArray = np.nanmedian(placed, axis=1)
        return median

    def differences(self) -> FloatArray:
        """For each shared item how far the label lies above the others; on a nominal scale, who agrees."""
        own, others = self.own[self.is_shared], self.others[self.is_shared]
        if self.scale is Scale.NOMINAL:
            n_same = (others == own[:, np.newaxis]).sum(axis=1)
            agreeing: FloatArray = n_same / (others != NO_LABEL).sum(axis=1)
            return agreeing
        difference: FloatArray = self.places[own] - self.centre()
        return difference


def drift(watched: Watched, error: float, n_planned: int) -> Sign | None:
    """The window of labels that changed most against all before it, if beyond doubt.

    Every window of WINDOW_ITEMS shared items is one look; `error` is split over both sides of all windows of
    the planned number of items, so that looking at each new label never raises it (Bonferroni).
    """
    values = watched.differences()
    ends = np.arange(MIN_SHARED_ITEMS_OF_DRIFT, len(values) + 1, STEP_ITEMS)
    if not len(ends):
        return None
    n_windows = max((max(n_planned, len(values)) - MIN_SHARED_ITEMS_OF_DRIFT) // STEP_ITEMS + 1, 1)
    reach = _reach(error / 2 / n_windows)
    total, squares = (np.concatenate([[0.0], np.cumsum(each)]) for each in (values, values**2))
    starts = ends - WINDOW_ITEMS
    before, window = total[starts] / starts, (total[ends] - total[starts]) / WINDOW_ITEMS
    # The larger of both spreads: rare differences can be absent from a window by chance.
    spreads = (
        squares[starts] / starts - before**2,
        (squares[ends] - squares[starts]) / WINDOW_ITEMS - window**2,
    )
    spread = np.maximum(*spreads)
    together = _design_effect(values, watched.clusters())
    errors = np.sqrt(together * spread * (1 / starts + 1 / WINDOW_ITEMS))
    changes = window - before
    ratio = np.divide(np.abs(changes), errors, out=np.zeros_like(changes), where=errors > 0)
    most = int(ratio.argmax())
    if ratio[most] <= reach:
        return None
    change, half = float(changes[most]), float(reach * errors[most])
    shared = np.flatnonzero(watched.is_shared)
    inside = np.arange(starts[most], ends[most])
    telling = inside[np.argsort(-np.sign(change) * (values[inside] - before[most]), kind="stable")]
    telling = telling[np.sign(values[telling] - before[most]) == np.sign(change)]
    return Sign(
        value=change,
        ci_low=change - half,
        ci_high=change + half,
        compared_with=float(before[most]),
        n=WINDOW_ITEMS,
        first=int(shared[inside[0]]) + 1,
        last=int(shared[inside[-1]]) + 1,
        items=watched.items(shared[telling]),
    )


def steady_bias(watched: Watched, error: float, tolerated: float) -> Sign | None:
    """A mean signed difference from the others whose whole interval lies beyond the tolerated one."""
    if watched.scale is Scale.NOMINAL or watched.is_shared.sum() < MIN_SHARED_ITEMS:
        return None
    values = watched.differences()
    mean, n = float(values.mean()), len(values)
    of_conversation = _sums(values - mean, watched.clusters())
    spread = math.sqrt(float((of_conversation**2).sum())) / n
    half = (
        reach_of_interval(error / 2, len(of_conversation)) * spread if len(of_conversation) > 1 else math.inf
    )
    if abs(mean) - half <= tolerated:
        return None
    shared = np.flatnonzero(watched.is_shared)
    telling = np.argsort(-np.sign(mean) * values, kind="stable")
    telling = telling[np.sign(values[telling]) == np.sign(mean)]
    first, last = int(shared[0]) + 1, int(shared[-1]) + 1
    return Sign(mean, mean - half, mean + half, 0.0, n, first, last, watched.items(shared[telling]))


def influence(ratings: Ratings, scale: Scale, error: float, tolerated: float) -> dict[int, Sign]:
    """The raters without whom alpha gains more than is tolerated and more than without the others.

    Both the gain and its distance from the median gain of the other raters have an interval above zero, by
    leaving out each item or conversation once (the jackknife of Efron and Stein 1981).
    """
    has_overlap = ratings.counts.has_overlap
    n_raters = len(ratings.raters)
    if n_raters < 3 or has_overlap.sum() < MIN_SHARED_ITEMS:
        return {}
    statistic = leave_one_out(ratings, scale)
    if statistic.not_applicable:
        return {}
    units = resampling_units(ratings.codes[has_overlap], ratings.clusters[has_overlap], statistic.contribute)

    def beside(sums: FloatArray) -> FloatArray:
        gains = statistic.evaluate(sums)
        others = [np.median(np.delete(gains, rater, axis=-1), axis=-1) for rater in range(n_raters)]
        return np.concatenate([gains, gains - np.stack(others, axis=-1)], axis=-1)

    values, left_out = beside(units.total), beside(units.total - units.sums)
    n = units.n_units
    spread = units.multiplicities @ (left_out - units.multiplicities @ left_out / n) ** 2
    half = _reach(error) * np.sqrt(spread * (n - 1) / n)
    # Compared with NaN (alpha undefined without a rater) nothing stands out.
    stands_out = (values > half) & (values > np.repeat([tolerated, 0.0], n_raters))
    return {
        rater: Sign(
            value=float(values[rater]),
            ci_low=float(values[rater] - half[rater]),
            ci_high=float(values[rater] + half[rater]),
            compared_with=float(values[rater] - values[n_raters + rater]),
            n=int((ratings.codes[has_overlap, rater] != NO_LABEL).sum()),
            first=1,
            last=int((ratings.codes[:, rater] != NO_LABEL).sum()),
            items=_most_apart(ratings, scale, rater),
        )
        for rater in range(n_raters)
        if stands_out[rater] and stands_out[n_raters + rater]
    }


def _most_apart(ratings: Ratings, scale: Scale, rater: int) -> tuple[Hashable, ...]:
    unordered = np.tile(np.arange(len(ratings.codes), dtype=np.float64)[:, np.newaxis], len(ratings.raters))
    watched = Watched(ratings, scale, rater, unordered)
    values = watched.differences()
    apart = 1 - values if scale is Scale.NOMINAL else np.abs(values)
    most = np.argsort(-apart, kind="stable")
    return watched.items(np.flatnonzero(watched.is_shared)[most[apart[most] > 0]])


def unlike_repeats(own: Ratings, others: list[Ratings], error: float) -> Sign | None:
    """A share of repeats with the same answer below that of the others, by Fisher's exact test (1935)."""
    n, same = _same(own)
    counted = [_same(each) for each in others]
    n_others, same_others = sum(each[0] for each in counted), sum(each[1] for each in counted)
    if n < MIN_REPEATS or n_others < MIN_REPEATS:
        return None
    n_same = same + same_others
    ways = math.comb(n + n_others, n)
    chance = sum(
        math.comb(n_same, k) * math.comb(n + n_others - n_same, n - k) for k in range(same + 1) if k <= n_same
    )
    if chance / ways > error:
        return None
    low, high = _wilson(same, n, error)
    is_unlike = (own.codes[:, 0] != own.codes[:, 1]) & own.counts.has_overlap
    items = tuple(own.items[row] for row in np.flatnonzero(is_unlike))
    return Sign(same / n, low, high, same_others / n_others, n, 1, n, items)


def _same(both_times: Ratings) -> tuple[int, int]:
    codes = both_times.codes[both_times.counts.has_overlap]
    return len(codes), int((codes[:, 0] == codes[:, 1]).sum())


def too_fast(watched: Watched, seconds: FloatArray, words: IntArray, error: float) -> Sign | None:
    """More labels than tolerated given faster than their text can be read, in all or in one run.

    The binomial chance of so many, were the tolerated share the true one; for a run, of one so long anywhere.
    """
    rows = watched.rows[~np.isnan(seconds[watched.rows, watched.rater])]
    if not len(rows):
        return None
    floor = SECONDS_TO_ANSWER + words[rows] / FASTEST_WORDS_PER_SECOND
    is_fast = seconds[rows, watched.rater] < floor
    n, n_fast = len(rows), int(is_fast.sum())
    start, length = _longest_run(is_fast)
    is_run = length > 0 and n * TOLERATED_SHARE_TOO_FAST**length <= error / 2
    if not is_run and _binomial_tail(n_fast, n, TOLERATED_SHARE_TOO_FAST) > error / 2:
        return None
    low, high = _wilson(n_fast, n, error)
    fast = np.flatnonzero(is_fast)
    first, last = (start + 1, start + length) if is_run else (1, n)
    if is_run:
        fast = fast[np.argsort((fast < start) | (fast >= start + length), kind="stable")]
    items = tuple(watched.ratings.items[row] for row in rows[fast])
    return Sign(n_fast / n, low, high, TOLERATED_SHARE_TOO_FAST, n, first, last, items)


def one_answer(watched: Watched, error: float) -> Sign | None:
    """One category given where the others are far from it, more often than is tolerated.

    Far is MIN_STEPS_APART levels from the median of the others. On a nominal scale it is any other code on
    which more than half of the others agree, less the code most often written as this one: that is a
    confusion of two codes.
    """
    own, n_categories = watched.own[watched.is_shared], len(watched.ratings.categories)
    if len(own) < MIN_SHARED_ITEMS:
        return None
    found: list[tuple[float, Sign]] = []
    shared, others = np.flatnonzero(watched.is_shared), watched.others[watched.is_shared]
    for category in range(n_categories):
        is_far = _is_far(watched, own, others, category)
        is_given = is_far & (own == category)
        n_far, n_given = int(is_far.sum()), int(is_given.sum())
        if n_far == 0:
            continue
        low, high = _wilson(n_given, n_far, error / n_categories)
        # By the exact chance: so far out the normal approximation behind the interval is wrong for few items.
        if _binomial_tail(n_given, n_far, TOLERATED_SHARE_APART) <= error / n_categories:
            theirs = float((others[is_far] == category).sum() / (others[is_far] != NO_LABEL).sum())
            items = watched.items(shared[is_given])
            sign = Sign(
                n_given / n_far, low, high, theirs, n_far, int(shared[0]) + 1, int(shared[-1]) + 1, items
            )
            found.append((low, replace(sign, category=watched.ratings.categories[category])))
    return max(found, key=lambda each: each[0])[1] if found else None


def _is_far(watched: Watched, own: IntArray, others: IntArray, category: int) -> BoolArray:
    if watched.scale is not Scale.NOMINAL:
        steps = np.median(np.diff(watched.places)) if len(watched.places) > 1 else 1.0
        far: BoolArray = np.abs(watched.centre() - watched.places[category]) >= MIN_STEPS_APART * steps
        return far
    tally = np.stack([(others == code).sum(axis=1) for code in range(len(watched.places))], axis=1)
    said = tally.argmax(axis=1)
    is_far: BoolArray = (tally.max(axis=1) * 2 > tally.sum(axis=1)) & (said != category)
    taken = np.bincount(said[is_far & (own == category)], minlength=len(watched.places))
    spread: BoolArray = is_far & (said != taken.argmax())
    return spread


def long_run(watched: Watched, error: float) -> Sign | None:
    """The longest run of one answer, if so long a run of an answer as frequent as it is would be rare.

    In an order that is random, a run of `length` starts at a given place with the chance share ** length.
    """
    n = len(watched.own)
    for category in np.unique(watched.own):
        is_given = watched.own == category
        share = float(is_given.mean())
        start, length = _longest_run(is_given)
        needed = math.log(error / len(watched.places) / n) / math.log(share) if share < 1 else math.inf
        if length >= needed:
            items = watched.items(np.arange(start, start + length))
            sign = Sign(length, needed, length, needed, n, start + 1, start + length, items)
            return replace(sign, category=watched.ratings.categories[category])
    return None


def _longest_run(is_given: BoolArray) -> tuple[int, int]:
    """Where the longest run of True starts, and its length."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], is_given.astype(np.int64), [0]])))
    starts, lengths = edges[::2], np.diff(edges)[::2]
    if not len(starts):
        return 0, 0
    longest = int(lengths.argmax())
    return int(starts[longest]), int(lengths[longest])


def _sums(values: FloatArray, clusters: IntArray) -> FloatArray:
    """The sum over each conversation, whose items are no independent evidence (Liang and Zeger 1986)."""
    _, place = np.unique(clusters, return_inverse=True)
    return np.bincount(place, values).astype(np.float64)


def _design_effect(values: FloatArray, clusters: IntArray) -> float:
    """How many times the variance of a mean is that of independent items (Kish 1965); at least one."""
    apart = values - values.mean()
    alone = float((apart**2).sum())
    return max(float((_sums(apart, clusters) ** 2).sum()) / alone, 1.0) if alone > 0 else 1.0


def _reach(error: float) -> float:
    return NormalDist().inv_cdf(1 - error)


def _wilson(n_hits: int, n: int, error: float) -> tuple[float, float]:
    """The interval of Wilson (1927), Probable inference, for a share."""
    z2 = _reach(error) ** 2
    centre = (n_hits + z2 / 2) / (n + z2)
    half = math.sqrt(z2 * (n_hits * (n - n_hits) / n + z2 / 4)) / (n + z2)
    return centre - half, centre + half


def _binomial_tail(n_hits: int, n: int, share: float) -> float:
    """The chance of so many hits or more."""
    return math.fsum(
        math.exp(
            math.lgamma(n + 1)
            - math.lgamma(k + 1)
            - math.lgamma(n - k + 1)
            + k * math.log(share)
            + (n - k) * math.log1p(-share)
        )
        for k in range(n_hits, n + 1)
    )
