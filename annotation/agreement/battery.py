"""Every coefficient of one dimension, with its interval, from one set of resamples."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from annotation.agreement import gwet, reliability, statistics
from annotation.agreement.counts import Counts, FloatArray, Ratings
from annotation.agreement.distances import Scale, weighting_of
from annotation.agreement.estimates import (
    DEFAULT_RESAMPLING,
    Estimate,
    Resampling,
    Statistic,
    figures,
    only,
)
from annotation.agreement.pairs import PairEstimates, PairSums


@dataclass(frozen=True, slots=True, kw_only=True)
class CountBattery:
    """What can be reported where nobody says which rater gave which label.

    `classes` are named by code, thresholds as "3+".
    """

    percent_agreement: Estimate
    krippendorff_alpha: Estimate
    fleiss_kappa: Estimate
    fleiss_kappa_of_complete_block: Estimate
    gwet_ac1: Estimate
    gwet_ac2: Estimate
    brennan_prediger: Estimate
    panel_reliability: Estimate
    classes: dict[str, Estimate]


@dataclass(frozen=True, slots=True, kw_only=True)
class Battery(CountBattery):
    """What is reported of one dimension."""

    icc_2_1: Estimate
    icc_2_k: Estimate
    pairs: PairEstimates


def figures_of_ratings(
    ratings: Ratings,
    scale: Scale,
    *,
    at_least: Sequence[Hashable] = (),
    n_votes: int | None = None,
    resampling: Resampling = DEFAULT_RESAMPLING,
    weights: FloatArray | None = None,
) -> Battery:
    """All coefficients of one dimension.

    `at_least` names the threshold classes, `n_votes` the votes behind the gold (else the median number of
    labels per overlap item), `weights` the design weights of `figures`.
    """
    counts, weighting = ratings.counts, weighting_of(scale)
    pairs = PairSums(ratings, scale, weighting)
    single, panel = reliability.icc(ratings, scale)
    chosen = _of_counts(counts, scale, at_least, n_votes)
    chosen |= {"icc_2_1": single, "icc_2_k": panel, "pairs": pairs.statistic()}
    found = figures(ratings, chosen, resampling, weights)
    classes = _by_class(chosen["classes"], found.pop("classes"))
    kappas = pairs.named(found.pop("pairs"))
    return Battery(**{key: only(each) for key, each in found.items()}, classes=classes, pairs=kappas)


def figures_of_counts(
    counts: Counts,
    scale: Scale,
    *,
    at_least: Sequence[Hashable] = (),
    n_votes: int | None = None,
    resampling: Resampling = DEFAULT_RESAMPLING,
    weights: FloatArray | None = None,
) -> CountBattery:
    """All coefficients that counts alone allow; the arguments are those of `figures_of_ratings`."""
    chosen = _of_counts(counts, scale, at_least, n_votes)
    found = figures(counts, chosen, resampling, weights)
    classes = _by_class(chosen["classes"], found.pop("classes"))
    return CountBattery(**{key: only(each) for key, each in found.items()}, classes=classes)


def votes_per_item(counts: Counts) -> int:
    """The median number of labels on an overlap item, the lower where it falls between; two without any."""
    n_labels = np.sort(counts.matrix.sum(axis=1)[counts.has_overlap])
    return int(n_labels[(len(n_labels) - 1) // 2]) if len(n_labels) else 2


def _of_counts(
    counts: Counts, scale: Scale, at_least: Sequence[Hashable], n_votes: int | None
) -> dict[str, Statistic]:
    categories = counts.categories
    return {
        "percent_agreement": statistics.percent(),
        "krippendorff_alpha": statistics.alpha(scale, categories),
        "fleiss_kappa": gwet.fleiss_kappa(categories),
        "fleiss_kappa_of_complete_block": gwet.fleiss_kappa_of_complete_block(counts),
        "gwet_ac1": gwet.ac1(categories),
        "gwet_ac2": gwet.ac2(scale, categories),
        "brennan_prediger": gwet.brennan_prediger(categories),
        "panel_reliability": statistics.panel_reliability(
            scale, categories, n_votes or votes_per_item(counts)
        ),
        "classes": statistics.specific_agreement(categories, at_least),
    }


def _by_class(statistic: Statistic, estimates: tuple[Estimate, ...]) -> dict[str, Estimate]:
    return dict(zip(statistic.of, estimates, strict=True))
