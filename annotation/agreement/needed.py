"""What more labels could settle, and what no number of labels can: the ceiling set by test-retest."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from annotation.agreement import statistics
from annotation.agreement.battery import votes_per_item
from annotation.agreement.bootstrap import resampled_values, resampling_units
from annotation.agreement.checkpoints import TARGET
from annotation.agreement.counts import Ratings
from annotation.agreement.disagreements import Material, Measured
from annotation.agreement.distances import Scale, reason_not_applicable, weighting_of
from annotation.agreement.estimates import DEFAULT_RESAMPLING, Resampling, figures, only
from annotation.agreement.pairs import PairSums
from annotation.agreement.sample_size import Requirement, items_to_clear

MIN_REPEATS = 20
"""Fewer repeated items say too little of one rater's consistency."""


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The alpha that no team of these raters can exceed, each being no more consistent than they are.

    `reliability` is each rater's chance-corrected agreement with themselves. `is_below_target` says that even
    its upper bound is: then only more consistent raters, or clearer rules, can reach the target.
    """

    alpha: Measured
    reliability: dict[Hashable, float]
    n_repeats: dict[Hashable, int]
    is_below_target: bool = False


def labels_needed(material: Material, target: float = TARGET) -> Requirement:
    """Overlap items and labels until the bound on this side of the target clears it; see `items_to_clear`."""
    ratings = material.ratings
    chosen = {"": statistics.alpha(material.scale, ratings.categories)}
    usual = Resampling(material.resampling.resamples, material.resampling.seed)
    estimate = only(figures(ratings, chosen, usual, material.weights)[""])
    per_item = votes_per_item(ratings.counts)
    return items_to_clear(estimate, target, labels_per_item=per_item, tail=material.resampling.tail)


def ceiling(
    repeats: Mapping[Any, Ratings],
    scale: Scale,
    *,
    target: float = TARGET,
    resampling: Resampling = DEFAULT_RESAMPLING,
) -> Ceiling:
    """The mean over pairs of raters of sqrt(r_a r_b), r being each one's test-retest reliability.

    Spearman (1904), The proof and measurement of association between two things: two measures that hold
    errors of their own correlate by rho * sqrt(r_a r_b), where rho <= 1 is the correlation of what they
    measure without error. So the agreement of a pair is at most sqrt(r_a r_b), and alpha, which is close to
    the mean agreement of the pairs, at most its mean. For r stands kappa between a label and its repeat
    (quadratic on ordered scales, where Fleiss and Cohen 1973 show it to be an intraclass correlation).

    It rests on: errors of the two times independent (what is remembered or a habit raises r, so the true
    ceiling may lie lower still), no learning in between, repeats like the overlap items, equal marginals. On
    a nominal scale it is an approximation. A reliability below zero counts as zero. `repeats` are those of
    `raters.retest`; raters with fewer than MIN_REPEATS are left out. The interval resamples each rater's
    repeats on their own.
    """
    enough = {rater: both for rater, both in repeats.items() if len(_repeated(both)) >= MIN_REPEATS}
    counted = {rater: len(_repeated(both)) for rater, both in enough.items()}
    reason = next((reason_not_applicable(scale, each.categories) for each in enough.values()), "")
    found: dict[Hashable, float] = {}
    drawn = []
    for place, (rater, both) in enumerate({} if reason else enough.items()):
        pairs = PairSums(both, scale, weighting_of(scale))
        taken = _repeated(both)
        units = resampling_units(both.codes[taken], both.clusters[taken], pairs.contribute)
        kappa = float(pairs.kappas(units.total[np.newaxis])[0, 0])
        if not np.isnan(kappa) and units.n_units > 1:
            found[rater] = kappa
            rng = np.random.default_rng([resampling.seed, place])
            drawn.append(resampled_values(units, pairs.kappas, resamples=resampling.resamples, rng=rng)[:, 0])
    if len(found) < 2:
        words = f"A ceiling needs two raters with {MIN_REPEATS} varied repeats each; there are {len(found)}."
        return Ceiling(Measured(None, reason=reason or words), found, counted)
    roots = np.sqrt(np.clip(np.nan_to_num(np.stack(drawn), nan=1.0), 0, 1))
    own = np.sqrt(np.clip(np.array(list(found.values())), 0, 1))
    every = list(combinations(range(len(own)), 2))
    value = float(np.mean([own[a] * own[b] for a, b in every]))
    resampled = np.mean([roots[a] * roots[b] for a, b in every], axis=0)
    low, high = (float(each) for each in np.quantile(resampled, [resampling.tail, 1 - resampling.tail]))
    return Ceiling(Measured(value, low, high), found, counted, high < target)


def _repeated(both_times: Ratings) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The rows that have both labels."""
    return np.flatnonzero(both_times.counts.has_overlap).astype(np.int64)
