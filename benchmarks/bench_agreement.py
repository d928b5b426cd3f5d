"""Agreement figures with their intervals at campaign size, against resampling the krippendorff package."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import combinations

import krippendorff
import numpy as np

from annotation.agreement.battery import figures_of_counts, figures_of_ratings
from annotation.agreement.counts import (
    NO_LABEL,
    Counts,
    IntArray,
    Ratings,
    counts_of_codes,
    rate_labels,
    tally_labels,
)
from annotation.agreement.distances import Scale
from annotation.agreement.raters import figures_of_raters
from annotation.agreement.statistics import krippendorff_alpha

N_ITEMS = 5_000
N_RATERS = 5
N_RESAMPLES = 1_000
N_ANCHORS, N_ITEMS_PLANNED = 500, 4_850
WINDOWS_PER_CONVERSATION = 5
N_ITEMS_LARGE = 1_000_000
N_RATERS_LARGE = 10
REFERENCE_RESAMPLES = 20
RUNS = 9
RUNS_LARGE = 5
Row = dict[str, str | float | int | None]


@dataclass(frozen=True, slots=True)
class Dimension:
    """One question put to all raters, and their simulated answers [item, rater]."""

    scale: Scale
    n_categories: int
    codes: IntArray

    def labels(self) -> list[tuple[int, int, int]]:
        return [(i, r, int(code)) for i, row in enumerate(self.codes) for r, code in enumerate(row)]

    def ratings(self, per_conversation: int = 1) -> Ratings:
        return rate_labels(
            self.labels(),
            range(self.n_categories),
            {item: item // per_conversation for item in range(len(self.codes))},
        )


def run() -> list[Row]:
    """Rows of name, median seconds, runs, and how many times faster than what."""
    rng = np.random.default_rng(0)
    crisis, modality, empathy = (Scale.ORDINAL, 6), (Scale.NOMINAL, 14), (Scale.ORDINAL, 5)
    dimensions = [
        _simulated(rng, scale, n_categories, N_ITEMS, N_RATERS)
        for scale, n_categories in (crisis, modality, empathy)
    ]
    return [*_of_a_campaign(rng, dimensions), *_of_a_large_table(rng)]


def _of_a_campaign(rng: np.random.Generator, dimensions: list[Dimension]) -> list[Row]:
    scales = [dimension.scale for dimension in dimensions]
    alone = [dimension.ratings() for dimension in dimensions]
    together = [dimension.ratings(WINDOWS_PER_CONVERSATION) for dimension in dimensions]
    planned = [_planned(each) for each in alone]
    size = f"{N_ITEMS} items x {N_RATERS} raters x {len(dimensions)} dimensions"
    n_paired = N_ITEMS_PLANNED - N_ANCHORS
    plan = f"{N_ANCHORS} anchors by all and {n_paired} by pairs of {N_RATERS} x {len(dimensions)} dimensions"
    over_conversations = f"over conversations of {WINDOWS_PER_CONVERSATION}"
    every = f"all coefficients with {N_RESAMPLES}-resample intervals"
    alpha = f"alpha with a {N_RESAMPLES}-resample interval"
    goal = "at least 100 times faster"

    alphas_s = _median_s(lambda: _alphas(scales, [each.counts for each in alone]))
    clustered_s = _median_s(lambda: _alphas(scales, [each.counts for each in together]))
    started = time.perf_counter()
    for dimension in dimensions:
        _resample_package(rng, dimension)
    package_s = (time.perf_counter() - started) * N_RESAMPLES / REFERENCE_RESAMPLES
    against = (
        f"resampling krippendorff.alpha {N_RESAMPLES} times a dimension: {package_s:.1f} s, "
        f"scaled from {REFERENCE_RESAMPLES} resamples measured in this run"
    )
    return [
        _row(f"labels to counts, {size}", _median_s(lambda: [_tally(each) for each in dimensions])),
        _row(f"{every} over items, {size}", _median_s(lambda: _all(scales, alone)), goal="at most 0.1 s"),
        _row(f"{every} over items, {plan}", _median_s(lambda: _all(scales, planned)), goal="at most 0.1 s"),
        _row(f"{every} {over_conversations}, {size}", _median_s(lambda: _all(scales, together))),
        _row(f"all figures of each rater, {size}", _median_s(lambda: _of_raters(scales, alone))),
        _row(f"{alpha} over items, {size}", alphas_s, package_s / alphas_s, against, goal),
        _row(f"{alpha} {over_conversations}, {size}", clustered_s, package_s / clustered_s, against, goal),
    ]


def _of_a_large_table(rng: np.random.Generator) -> list[Row]:
    rows = []
    for scale, n_categories in ((Scale.ORDINAL, 6), (Scale.NOMINAL, 14)):
        codes = _simulated(rng, scale, n_categories, N_ITEMS_LARGE, N_RATERS_LARGE).codes
        counts = Counts(
            matrix=counts_of_codes(codes, n_categories),
            clusters=np.arange(N_ITEMS_LARGE, dtype=np.int64),
            categories=tuple(range(n_categories)),
            n_raters=N_RATERS_LARGE,
        )
        del codes
        seconds = _median_s(lambda: figures_of_counts(counts, scale, at_least=(3, 4)), RUNS_LARGE)  # noqa: B023
        name = (
            f"all coefficients of counts with {N_RESAMPLES}-resample intervals, {N_ITEMS_LARGE} items x "
            f"{N_RATERS_LARGE} raters, {n_categories} {scale} categories"
        )
        rows.append(_row(name, seconds, goal="at most 1 s", runs=RUNS_LARGE))
    return rows


def _simulated(
    rng: np.random.Generator, scale: Scale, n_categories: int, n_items: int, n_raters: int
) -> Dimension:
    """Most items in the low categories; a fifth of the labels slip to a neighbour, or anywhere if nominal."""
    shares = 1 / np.arange(1, n_categories + 1)
    shares /= shares.sum()
    truth = rng.choice(n_categories, (n_items, 1), p=shares)
    if scale is Scale.NOMINAL:
        slip = rng.choice(n_categories, (n_items, n_raters), p=shares)
    else:
        slip = np.clip(truth + rng.choice([-1, 1], (n_items, n_raters)), 0, n_categories - 1)
    return Dimension(scale, n_categories, np.where(rng.random((n_items, n_raters)) < 0.2, slip, truth))


def _planned(ratings: Ratings) -> Ratings:
    """The labels that the default plan asks for: of the anchors everybody's, of the rest those of a pair."""
    pairs = np.array(list(combinations(range(N_RATERS), 2)))
    codes = ratings.codes[:N_ITEMS_PLANNED]
    is_asked = np.ones(codes.shape, dtype=np.bool_)
    pair = pairs[np.arange(N_ITEMS_PLANNED - N_ANCHORS) % len(pairs)]
    is_asked[N_ANCHORS:] = (np.arange(N_RATERS) == pair[:, :1]) | (np.arange(N_RATERS) == pair[:, 1:])
    return replace(
        ratings,
        codes=np.where(is_asked, codes, NO_LABEL),
        clusters=ratings.clusters[:N_ITEMS_PLANNED],
        items=ratings.items[:N_ITEMS_PLANNED],
    )


def _tally(dimension: Dimension) -> Counts:
    return tally_labels(dimension.labels(), range(dimension.n_categories))


def _all(scales: list[Scale], ratings: list[Ratings]) -> None:
    for scale, each in zip(scales, ratings, strict=True):
        figures_of_ratings(each, scale, at_least=(3, 4))


def _of_raters(scales: list[Scale], ratings: list[Ratings]) -> None:
    for scale, each in zip(scales, ratings, strict=True):
        figures_of_raters(each, scale)


def _alphas(scales: list[Scale], counts: list[Counts]) -> None:
    for scale, each in zip(scales, counts, strict=True):
        krippendorff_alpha(each, scale, resamples=N_RESAMPLES)


def _resample_package(rng: np.random.Generator, dimension: Dimension) -> None:
    ratings, domain = dimension.codes.T.astype(np.float64), np.arange(dimension.n_categories)
    for _ in range(REFERENCE_RESAMPLES):
        drawn = ratings[:, rng.integers(N_ITEMS, size=N_ITEMS)]
        krippendorff.alpha(drawn, value_domain=domain, level_of_measurement=dimension.scale.value)


def _median_s(action: Callable[[], object], runs: int = RUNS) -> float:
    action()  # the first call pays for imports and caches
    seconds = []
    for _ in range(runs):
        started = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def _row(
    name: str,
    median_s: float,
    ratio: float | None = None,
    against: str = "",
    goal: str = "",
    runs: int = RUNS,
) -> Row:
    return {
        "name": name,
        "median_s": median_s,
        "goal": goal,
        "runs": runs,
        "ratio": ratio,
        "against": against,
    }


if __name__ == "__main__":
    for row in run():
        print(row)
