"""Agreement figures with their intervals at campaign size, against resampling the krippendorff package."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import krippendorff
import numpy as np

from annotation.agreement.counts import Counts, IntArray, tally_labels
from annotation.agreement.distances import Scale
from annotation.agreement.statistics import krippendorff_alpha

N_ITEMS = 5_000
N_RATERS = 5
N_RESAMPLES = 1_000
WINDOWS_PER_CONVERSATION = 5
REFERENCE_RESAMPLES = 20
RUNS = 9


@dataclass(frozen=True, slots=True)
class Dimension:
    """One question put to all raters, and their simulated answers [item, rater]."""

    scale: Scale
    n_categories: int
    codes: IntArray

    def labels(self) -> list[tuple[int, int, int]]:
        return [(i, r, int(code)) for i, row in enumerate(self.codes) for r, code in enumerate(row)]


def run() -> list[dict[str, str | float | int | None]]:
    """Rows of name, median seconds, runs, and how many times faster than what."""
    rng = np.random.default_rng(0)
    crisis, modality, empathy = (Scale.ORDINAL, 6), (Scale.NOMINAL, 14), (Scale.ORDINAL, 5)
    dimensions = [_simulated(rng, *dimension) for dimension in (crisis, modality, empathy)]
    alone = [tally_labels(d.labels(), range(d.n_categories)) for d in dimensions]
    window_of = {item: item // WINDOWS_PER_CONVERSATION for item in range(N_ITEMS)}
    together = [tally_labels(d.labels(), range(d.n_categories), window_of) for d in dimensions]
    size = f"{N_ITEMS} items x {N_RATERS} raters x {len(dimensions)} dimensions"

    tally_s = _median_s(lambda: [tally_labels(d.labels(), range(d.n_categories)) for d in dimensions])
    over_items_s = _median_s(lambda: _alphas(dimensions, alone))
    over_conversations_s = _median_s(lambda: _alphas(dimensions, together))
    started = time.perf_counter()
    for dimension in dimensions:
        _resample_package(rng, dimension)
    package_s = (time.perf_counter() - started) * N_RESAMPLES / REFERENCE_RESAMPLES

    against = (
        f"resampling krippendorff.alpha {N_RESAMPLES} times a dimension: {package_s:.1f} s, "
        f"scaled from {REFERENCE_RESAMPLES} resamples measured in this run"
    )
    interval = f"alpha and {N_RESAMPLES}-resample interval"
    return [
        _row(f"labels to counts, {size}", tally_s),
        _row(f"{interval} over items, {size}", over_items_s, package_s / over_items_s, against),
        _row(
            f"{interval} over conversations of {WINDOWS_PER_CONVERSATION}, {size}",
            over_conversations_s,
            package_s / over_conversations_s,
            against,
        ),
    ]


def _simulated(rng: np.random.Generator, scale: Scale, n_categories: int) -> Dimension:
    """Most items in the low categories; a fifth of the labels slip to a neighbour, or anywhere if nominal."""
    shares = 1 / np.arange(1, n_categories + 1)
    shares /= shares.sum()
    truth = rng.choice(n_categories, (N_ITEMS, 1), p=shares)
    neighbour = np.clip(truth + rng.choice([-1, 1], (N_ITEMS, N_RATERS)), 0, n_categories - 1)
    anywhere = rng.choice(n_categories, (N_ITEMS, N_RATERS), p=shares)
    slip = anywhere if scale is Scale.NOMINAL else neighbour
    return Dimension(scale, n_categories, np.where(rng.random((N_ITEMS, N_RATERS)) < 0.2, slip, truth))


def _alphas(dimensions: list[Dimension], counts: list[Counts]) -> None:
    for dimension, tallied in zip(dimensions, counts, strict=True):
        krippendorff_alpha(tallied, dimension.scale, resamples=N_RESAMPLES)


def _resample_package(rng: np.random.Generator, dimension: Dimension) -> None:
    ratings, domain = dimension.codes.T.astype(np.float64), np.arange(dimension.n_categories)
    for _ in range(REFERENCE_RESAMPLES):
        drawn = ratings[:, rng.integers(N_ITEMS, size=N_ITEMS)]
        krippendorff.alpha(drawn, value_domain=domain, level_of_measurement=dimension.scale.value)


def _median_s(action: Callable[[], object]) -> float:
    action()  # the first call pays for imports and caches
    seconds = []
    for _ in range(RUNS):
        started = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def _row(
    name: str, median_s: float, ratio: float | None = None, against: str = ""
) -> dict[str, str | float | int | None]:
    return {"name": name, "median_s": median_s, "runs": RUNS, "ratio": ratio, "against": against}


if __name__ == "__main__":
    for row in run():
        print(row)
