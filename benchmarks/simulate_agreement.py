"""How often intervals hold the truth, and how often a campaign short of the target is called met.

Campaigns are simulated whose true agreement is known exactly: `python -m benchmarks.simulate_agreement
--runs 2000`.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from annotation.agreement import gwet, pairs, reliability, statistics
from annotation.agreement.bootstrap import TAIL_SHARE
from annotation.agreement.checkpoints import TARGET, Verdict, checkpoints, declared_looks, standing_verdict
from annotation.agreement.counts import Counts, FloatArray, IntArray, Ratings
from annotation.agreement.distances import Scale, category_pairs, squared_distances, weighting_of
from annotation.agreement.estimates import Resampling, Statistic, figures

N_PLANNED = 2000
ITEMS_OF_INTERVALS = (100, 500)
NAIVE_FIRST_ITEM = 50
NAIVE_STEP_ITEMS = 10
TRUTHS = (0.85, 0.83)
N_ITEMS_OF_TRUTH = 1_000_000


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


def run(runs: int = 100) -> list[dict[str, str | float | int | None]]:
    """Rows of what was asked, the share found, and the share that was promised."""
    return [*coverage_of_alpha(runs), *coverage_of_the_others(runs), *false_verdicts(runs)]


def coverage_of_alpha(runs: int) -> Iterator[dict[str, str | float | int | None]]:
    """The share of 95 % intervals of alpha that hold the population's alpha."""
    for population in POPULATIONS:
        slip = population.slip_rate(TARGET)
        statistic = statistics.alpha(population.scale, range(population.n_categories))
        for n_items in ITEMS_OF_INTERVALS:
            samples = (
                population.draw(n_items, slip, np.random.default_rng([seed, n_items])) for seed in range(runs)
            )
            bounds = [_bounds(*each, statistic, seed) for seed, each in enumerate(samples)]
            yield _coverage(f"alpha {TARGET}, {population.name}, {n_items} items", bounds, TARGET)


def coverage_of_the_others(runs: int) -> Iterator[dict[str, str | float | int | None]]:
    """The share of 95 % intervals that hold the figure of a very large sample."""
    for population in (POPULATIONS[0], POPULATIONS[2]):
        slip = population.slip_rate(TARGET)
        large, _ = population.draw(N_ITEMS_OF_TRUTH, slip, np.random.default_rng(1))
        chosen = _others(large)
        truths = {name: _values(large, each) for name, each in chosen.items()}
        for n_items in ITEMS_OF_INTERVALS:
            bounds: dict[str, list[tuple[float, float] | None]] = {name: [] for name in chosen}
            for seed in range(runs):
                ratings, _ = population.draw(n_items, slip, np.random.default_rng([seed, n_items]))
                for name, found in figures(ratings, _others(ratings), Resampling(seed=seed)).items():
                    low, high = found[-1].ci_low, found[-1].ci_high
                    bounds[name].append(None if low is None or high is None else (low, high))
            for name in chosen:
                yield _coverage(f"{name}, {population.name}, {n_items} items", bounds[name], truths[name])


def false_verdicts(runs: int) -> Iterator[dict[str, str | float | int | None]]:
    """How often a campaign is called met at any look, by the declared looks and by watching the figure."""
    looks = declared_looks(N_PLANNED)
    for population in POPULATIONS[:5]:
        statistic = statistics.alpha(population.scale, range(population.n_categories))
        for truth in TRUTHS:
            slip = population.slip_rate(truth)
            verdicts, n_naive = [], 0
            for seed in range(runs):
                ratings, weights = population.draw(N_PLANNED, slip, np.random.default_rng([seed, 7]))
                reached = checkpoints(ratings, statistic, looks, seed=seed, weights=weights)
                verdicts.append(standing_verdict(reached))
                n_naive += _crosses_once(ratings.counts, statistic, weights)
            size = f"truth {truth}, {population.name}, looks at " + ", ".join(
                str(look.n_overlap_items) for look in looks
            )
            promised = "at most 5 %" if truth == TARGET else "at most 1 %"
            n_met, n_not = verdicts.count(Verdict.MET), verdicts.count(Verdict.NOT_MET)
            yield _row(f"called met, {size}", n_met / runs, runs, promised)
            yield _row(f"called not met, {size}", n_not / runs, runs, "")
            yield _row(f"running estimate above {TARGET} at some time, {size}", n_naive / runs, runs, "naive")


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


def _bounds(
    ratings: Ratings, weights: FloatArray | None, statistic: Statistic, seed: int
) -> tuple[float, float] | None:
    (estimate,) = figures(ratings, {"": statistic}, Resampling(seed=seed), weights)[""]
    if estimate.ci_low is None or estimate.ci_high is None:
        return None
    return estimate.ci_low, estimate.ci_high


def _crosses_once(counts: Counts, statistic: Statistic, weights: FloatArray | None) -> bool:
    parts = statistic.contribute(counts.matrix)
    sums = np.cumsum(parts if weights is None else parts * weights[:, np.newaxis], axis=0)
    return bool((statistic.evaluate(sums[NAIVE_FIRST_ITEM - 1 :: NAIVE_STEP_ITEMS]) > TARGET).any())


def _coverage(
    name: str, bounds: list[tuple[float, float] | None], truth: float
) -> dict[str, str | float | int | None]:
    known = [each for each in bounds if each is not None]
    held = sum(low <= truth <= high for low, high in known)
    below, above = sum(truth < low for low, _ in known), sum(truth > high for _, high in known)
    against = (
        f"93 to 97 %; truth below in {below}, above in {above}, no interval in {len(bounds) - len(known)}"
    )
    return _row(f"95 % interval holds the truth: {name}", held / max(len(known), 1), len(bounds), against)


def _row(name: str, share: float, runs: int, against: str) -> dict[str, str | float | int | None]:
    return {"name": name, "share": share, "runs": runs, "against": against}


def main() -> None:
    """Print the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=100)
    runs = parser.parse_args().runs
    started = time.perf_counter()
    for part in (coverage_of_alpha, coverage_of_the_others, false_verdicts):
        for row in part(runs):
            print(f"{row['share']:.4f}  {row['name']}  ({row['against']})", flush=True)
    print(f"{runs} runs each in {time.perf_counter() - started:.0f} s, tails of {TAIL_SHARE}")


if __name__ == "__main__":
    main()
