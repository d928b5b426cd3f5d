"""How often intervals hold the truth, and how often a campaign short of the target is called met.

Campaigns are simulated whose true agreement is known exactly: `python -m benchmarks.simulate_agreement
--runs 2000`.
"""

from __future__ import annotations

import argparse
import math
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from typing import TypeVar

import numpy as np

from annotation.agreement import gwet, pairs, reliability, statistics
from annotation.agreement.alerts import Course
from annotation.agreement.bootstrap import TAIL_SHARE
from annotation.agreement.checkpoints import RESAMPLES_AT_A_LOOK, TARGET, Verdict
from annotation.agreement.counts import Counts, FloatArray, IntArray, Ratings
from annotation.agreement.dimension_labels import DimensionLabels
from annotation.agreement.distances import Scale, category_pairs, squared_distances, weighting_of
from annotation.agreement.estimates import Estimate, Resampling, Statistic, figures
from annotation.checkpoints.declaring import looks_to_declare
from annotation.checkpoints.figures import deciding_figure, standing_of, verdict_at
from annotation.checkpoints.labels import labels_at

N_PLANNED = 2000
ITEMS_OF_INTERVALS = (100, 500)
NAIVE_FIRST_ITEM = 50
NAIVE_STEP_ITEMS = 10
TRUTHS = (0.85, 0.83)
N_ITEMS_OF_TRUTH = 1_000_000
RUNS = 2_000
RUNS_A_TASK = 50
Row = dict[str, str | float | int | None]
Bounds = tuple[float, float] | None
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Population:
    """Items, and raters who slip to a neighbour (or anywhere on a nominal scale), of a known alpha.

    A conversation has `per_conversation` items; its raters slip half as often as the average or half as
    often again, and half its items are of the conversation's own category. Where `is_enriched`, items of the
    upper half of the scale are five times as likely to be sampled, and weighted accordingly.
    """

    name: str
    scale: Scale
    n_categories: int
    n_raters: int
    per_conversation: int = 1
    is_enriched: bool = False

    @property
    def shares(self) -> FloatArray:
        shares = 1 / np.arange(1, self.n_categories + 1) ** 1.2
        result: FloatArray = shares / shares.sum()
        return result

    def slip_rate(self, alpha: float) -> float:
        """The share of slips at which the population has this alpha, by bisection."""
        low, high = 0.0, 0.5
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if self._alpha(middle) > alpha else (low, middle)
        return (low + high) / 2

    def _alpha(self, slip: float) -> float:
        rates = [slip] if self.per_conversation == 1 else [slip / 2, slip * 3 / 2]
        together = np.zeros((self.n_categories, self.n_categories))
        for rate in rates:
            given = self._given_truth(rate)
            together += (given.T * self.shares) @ given / len(rates)
        marginals = together.sum(axis=0)
        first, second = category_pairs(self.n_categories)
        values = np.arange(self.n_categories, dtype=np.float64)
        distances = squared_distances(self.scale, values, marginals)
        expected = (marginals[first] * marginals[second] * distances).sum()
        return float(1 - (together[first, second] * distances).sum() / expected)

    def _given_truth(self, slip: float) -> FloatArray:
        """The chance of each label [truth, label]."""
        n = self.n_categories
        if self.scale is Scale.NOMINAL:
            return (1 - slip) * np.eye(n) + slip * self.shares
        result = (1 - slip) * np.eye(n)
        for truth in range(n):
            for neighbour in (truth - 1, truth + 1):
                result[truth, min(max(neighbour, 0), n - 1)] += slip / 2
        return result

    def draw(self, n_items: int, slip: float, rng: np.random.Generator) -> tuple[Ratings, FloatArray | None]:
        """The labels of so many items, and the items' design weights if they are not all alike."""
        n, size = self.n_categories, self.per_conversation
        clusters = np.arange(n_items) // size
        chance = np.where((np.arange(n) >= n / 2) & self.is_enriched, 1.0, 0.2)
        sampled = self.shares * chance / (self.shares @ chance)
        truth, rate = rng.choice(n, n_items, p=sampled), np.full(n_items, slip)
        if size > 1:
            n_clusters = int(clusters[-1]) + 1
            own = rng.choice(n, n_clusters, p=self.shares)[clusters]
            truth = np.where(rng.random(n_items) < 0.5, own, truth)
            rate = rng.choice([slip / 2, slip * 3 / 2], n_clusters)[clusters]
        shape = (n_items, self.n_raters)
        if self.scale is Scale.NOMINAL:
            other = rng.choice(n, shape, p=self.shares)
        else:
            other = np.clip(truth[:, np.newaxis] + rng.choice([-1, 1], shape), 0, n - 1)
        codes = np.where(rng.random(shape) < rate[:, np.newaxis], other, truth[:, np.newaxis])
        ratings = Ratings(
            codes=codes.astype(np.int64),
            clusters=clusters.astype(np.int64),
            categories=tuple(range(n)),
            items=tuple(range(n_items)),
            raters=tuple(range(self.n_raters)),
        )
        return ratings, 1 / chance[truth] if self.is_enriched else None


POPULATIONS = (
    Population("ordinal 6, five raters", Scale.ORDINAL, 6, 5),
    Population("ordinal 6, pairs", Scale.ORDINAL, 6, 2),
    Population("nominal 14, five raters", Scale.NOMINAL, 14, 5),
    Population("nominal 14, pairs", Scale.NOMINAL, 14, 2),
    Population("ordinal 6, pairs, severe enriched, design-weighted", Scale.ORDINAL, 6, 2, is_enriched=True),
    Population("ordinal 5, pairs, conversations of 4", Scale.ORDINAL, 5, 2, 4),
)
POPULATIONS_OF_VERDICTS = (POPULATIONS[0], POPULATIONS[3], POPULATIONS[4])


def run(runs: int = RUNS) -> list[Row]:
    """Rows of what was asked, the share found, and the share that was promised."""
    return list(_rows(runs))


def _rows(runs: int) -> Iterator[Row]:
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # a process for each core, and no more threads
    # Spawned and not forked: nothing of the caller's connections goes with them.
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:

        def of_seeds(simulate: Callable[[int], T]) -> list[T]:
            return list(pool.map(simulate, range(runs), chunksize=RUNS_A_TASK))

        for population in POPULATIONS:
            yield from coverage_of_alpha(population, of_seeds)
        for population in (POPULATIONS[0], POPULATIONS[2]):
            yield from coverage_of_the_others(population, of_seeds)
        for population in POPULATIONS_OF_VERDICTS:
            for truth in TRUTHS:
                yield from false_verdicts(population, truth, of_seeds)


def coverage_of_alpha(population: Population, of_seeds: Callable[..., list[Bounds]]) -> Iterator[Row]:
    """The share of 95 % intervals of alpha that hold the population's alpha."""
    slip = population.slip_rate(TARGET)
    for n_items in ITEMS_OF_INTERVALS:
        bounds = of_seeds(partial(_bounds_of_alpha, population, slip, n_items))
        yield _coverage(f"alpha {TARGET}, {population.name}, {n_items} items", bounds, TARGET)


def _bounds_of_alpha(population: Population, slip: float, n_items: int, seed: int) -> Bounds:
    ratings, weights = population.draw(n_items, slip, np.random.default_rng([seed, n_items]))
    statistic = statistics.alpha(population.scale, range(population.n_categories))
    (estimate,) = figures(ratings, {"": statistic}, Resampling(seed=seed), weights)[""]
    return _bounds(estimate)


def coverage_of_the_others(
    population: Population, of_seeds: Callable[..., list[dict[str, Bounds]]]
) -> Iterator[Row]:
    """The share of 95 % intervals that hold the figure of a very large sample."""
    slip = population.slip_rate(TARGET)
    large, _ = population.draw(N_ITEMS_OF_TRUTH, slip, np.random.default_rng(1))
    truths = {name: _values(large, each) for name, each in _others(large).items()}
    for n_items in ITEMS_OF_INTERVALS:
        found = of_seeds(partial(_bounds_of_the_others, population, slip, n_items))
        for name, truth in truths.items():
            bounds = [each[name] for each in found]
            yield _coverage(f"{name}, {population.name}, {n_items} items", bounds, truth)


def _bounds_of_the_others(population: Population, slip: float, n_items: int, seed: int) -> dict[str, Bounds]:
    ratings, _ = population.draw(n_items, slip, np.random.default_rng([seed, n_items]))
    found = figures(ratings, _others(ratings), Resampling(seed=seed))
    return {name: _bounds(each[-1]) for name, each in found.items()}


def false_verdicts(
    population: Population, truth: float, of_seeds: Callable[..., list[tuple[str, bool]]]
) -> Iterator[Row]:
    """How often a campaign is called met at any look, by the declared looks and by watching the figure."""
    found = of_seeds(partial(_campaign, population, population.slip_rate(truth)))
    runs, verdicts = len(found), [verdict for verdict, _ in found]
    looks = ", ".join(str(look.n_overlap_items) for look in looks_to_declare(N_PLANNED))
    size = f"truth {truth}, {population.name}, looks at {looks}"
    promised = "at most 5 %" if truth == TARGET else "at most 1 %"
    yield _row(f"called met, {size}", verdicts.count(Verdict.MET.value) / runs, runs, promised)
    yield _row(f"called not met, {size}", verdicts.count(Verdict.NOT_MET.value) / runs, runs, "")
    n_naive = sum(is_naive for _, is_naive in found)
    yield _row(f"running estimate above {TARGET} at some time, {size}", n_naive / runs, runs, "naive")


def _campaign(population: Population, slip: float, seed: int) -> tuple[str, bool]:
    """The standing verdict at the end, and whether the running estimate was ever above the target."""
    ratings, weights = population.draw(N_PLANNED, slip, np.random.default_rng([seed, 7]))
    labels, verdicts = _in_order(ratings, weights, population.scale), []
    for look in looks_to_declare(N_PLANNED):
        resampling = Resampling(RESAMPLES_AT_A_LOOK, seed, look.tail)
        at_the_look = labels_at(labels, math.inf, look.n_overlap_items)
        verdicts.append(verdict_at(deciding_figure(at_the_look, population.scale, resampling), TARGET))
    statistic = statistics.alpha(population.scale, range(population.n_categories))
    return standing_of(verdicts), _crosses_once(ratings.counts, statistic, weights)


def _in_order(ratings: Ratings, weights: FloatArray | None, scale: Scale) -> DimensionLabels:
    """The labels as a campaign's reading holds them, an item complete every second."""
    n_items, shape = len(ratings.codes), ratings.codes.shape
    locked_at = np.broadcast_to(np.arange(float(n_items))[:, np.newaxis], shape)
    return DimensionLabels(
        key="",
        scale=scale,
        ratings=ratings,
        weights=np.ones(n_items) if weights is None else weights,
        completed_at=locked_at[:, 0],
        locked_at=locked_at,
        course=Course(locked_at, locked_at, np.zeros(n_items, dtype=np.int64), n_planned=n_items),
        topics=("",) * n_items,
        versions=("1.0",),
        version_codes=np.zeros(shape, dtype=np.int64),
        n_not_eligible=0,
    )


def _others(ratings: Ratings) -> dict[str, Statistic]:
    """The statistics beside alpha, each with its last value the one looked at."""
    categories = ratings.categories
    scale = Scale.NOMINAL if len(categories) == 14 else Scale.ORDINAL
    sums = pairs.PairSums(ratings, scale, weighting_of(scale))
    kappas = sums.statistic()
    n_values = len(sums.first) + 1
    chosen = {
        "percent agreement": statistics.percent(),
        "Fleiss' kappa": gwet.fleiss_kappa(categories),
        "AC1": gwet.ac1(categories),
        "AC2": gwet.ac2(scale, categories),
        "mean pairwise kappa": _first_values(kappas, n_values),
        "agreement on the third category or later": statistics.specific_agreement(
            categories, at_least=[categories[2]]
        ),
    }
    if scale is Scale.ORDINAL:
        chosen["ICC(2,1)"] = reliability.icc(ratings, scale)[0]
        chosen["panel reliability"] = statistics.panel_reliability(scale, categories, 5)
    return chosen


def _first_values(statistic: Statistic, n_values: int) -> Statistic:
    return replace(
        statistic,
        evaluate=lambda sums: statistic.evaluate(sums)[..., :n_values],
        of=statistic.of[:n_values],
    )


def _values(ratings: Ratings, statistic: Statistic) -> float:
    """The value looked at, without an interval, in parts that fit the memory."""
    matrix: IntArray = ratings.codes if statistic.needs_raters else ratings.counts.matrix
    total = sum(statistic.contribute(part).sum(axis=0) for part in np.array_split(matrix, 50))
    return float(np.ravel(statistic.evaluate(np.asarray(total)[np.newaxis]))[-1])


def _bounds(estimate: Estimate) -> Bounds:
    low, high = estimate.ci_low, estimate.ci_high
    return None if low is None or high is None else (low, high)


def _crosses_once(counts: Counts, statistic: Statistic, weights: FloatArray | None) -> bool:
    parts = statistic.contribute(counts.matrix)
    sums = np.cumsum(parts if weights is None else parts * weights[:, np.newaxis], axis=0)
    return bool((statistic.evaluate(sums[NAIVE_FIRST_ITEM - 1 :: NAIVE_STEP_ITEMS]) > TARGET).any())


def _coverage(name: str, bounds: list[Bounds], truth: float) -> Row:
    known = [each for each in bounds if each is not None]
    held = sum(low <= truth <= high for low, high in known)
    below, above = sum(truth < low for low, _ in known), sum(truth > high for _, high in known)
    against = (
        f"93 to 97 %; truth below in {below}, above in {above}, no interval in {len(bounds) - len(known)}"
    )
    return _row(f"95 % interval holds the truth: {name}", held / max(len(known), 1), len(bounds), against)


def _row(name: str, share: float, runs: int, against: str) -> Row:
    return {"name": name, "share": f"{share:.2%}".replace("%", " %"), "runs": runs, "against": against}


def main() -> None:
    """Print the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS)
    runs = parser.parse_args().runs
    started = time.perf_counter()
    for row in _rows(runs):
        print(f"{row['share']:>9}  {row['name']}  ({row['against']})", flush=True)
    print(f"{runs} runs each in {time.perf_counter() - started:.0f} s, tails of {TAIL_SHARE}")


if __name__ == "__main__":
    main()
