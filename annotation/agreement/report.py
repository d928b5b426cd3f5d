"""The agreement report on one file of labels: as one JSON object, and as a table to read."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from annotation.agreement import gwet, reliability, statistics
from annotation.agreement.battery import votes_per_item
from annotation.agreement.counts import NO_LABEL, Ratings
from annotation.agreement.distances import Scale, weighting_of
from annotation.agreement.estimates import Estimate, Resampling, Statistic, Status, figures, only
from annotation.agreement.label_files import LabelFile
from annotation.agreement.pairs import PairFigures, PairSums, pair_figures

MAX_CELLS_OF_PAIRS = 2**27
FIGURES = (
    "percent_agreement",
    "krippendorff_alpha",
    "fleiss_kappa",
    "gwet_ac1",
    "gwet_ac2",
    "mean_pairwise_kappa",
    "icc_2_1",
    "panel_reliability",
)


def report_of(file: LabelFile, scale: Scale, resampling: Resampling) -> dict[str, Any]:
    """The report as one JSON object; `value` is given wherever it can be computed."""
    ratings = file.ratings
    pairs = pair_figures(ratings, scale, weighting_of(scale))
    estimates = _estimates(ratings, scale, resampling, pairs)
    some = estimates["krippendorff_alpha"]
    return {
        "n_items": some.n_items,
        "n_raters": some.n_raters,
        "n_labels": some.n_labels,
        "n_items_overlap": some.n_items_overlap,
        "scale": scale.value,
        "categories": list(file.codes),
        **{name: _as_json(estimates[name]) for name in FIGURES},
        "pairs": list(_pairs(ratings, scale, pairs)),
    }


def lines_of_report(report: dict[str, Any], file: LabelFile, resampling: Resampling) -> Iterator[str]:
    """The report in lines of text, at most 100 columns wide but for names."""
    found = "found in the file" if file.are_codes_inferred else "declared"
    yield (
        f"{report['n_labels']} labels by {report['n_raters']} raters on {report['n_items']} items, "
        f"{report['n_items_overlap']} of them with two labels or more."
    )
    yield f"Scale {report['scale']}; {len(file.codes)} categories {found}: {', '.join(file.codes)}"
    if file.are_codes_inferred:
        yield "A category that nobody used is missing from these. Declare the scale with --categories."
    n_clusters = len(np.unique(file.ratings.clusters))
    over = "items" if n_clusters == report["n_items"] else f"{n_clusters} clusters of items"
    yield f"95 % intervals by {resampling.resamples} resamples over {over}, seed {resampling.seed}."
    yield ""
    yield f"{'statistic':<22}{'value':>8}   {'95 % interval':<18}{'status':<16}reason"
    for name in FIGURES:
        each = report[name]
        value, interval = _number(each["value"]), ""
        if each["ci_low"] is not None:
            interval = f"{_number(each['ci_low'])} to {_number(each['ci_high'])}"
        label = name.replace("_", " ")
        yield f"{label:<22}{value:>8}   {interval:<18}{each['status']:<16}{each['reason']}".rstrip()
    if report["pairs"]:
        yield ""
        yield f"{'pair':<30}{'n':>7}{'kappa':>9}{'weighted':>10}{'percent':>9}"
    for pair in report["pairs"]:
        numbers = (pair["kappa"], pair["weighted_kappa"], pair["percent_agreement"])
        kappa, weighted, percent = map(_number, numbers)
        yield f"{pair['a'] + ' and ' + pair['b']:<30}{pair['n']:>7}{kappa:>9}{weighted:>10}{percent:>9}"


def _estimates(
    ratings: Ratings, scale: Scale, resampling: Resampling, pairs: PairFigures
) -> dict[str, Estimate]:
    categories, counts = ratings.categories, ratings.counts
    single, _ = reliability.icc(ratings, scale)
    fleiss = gwet.fleiss_kappa(categories)
    if len(np.unique(counts.matrix.sum(axis=1))) > 1:
        fleiss = replace(fleiss, note="Items have unequal numbers of labels: Gwet's generalisation.")
    chosen: dict[str, Statistic] = {
        "percent_agreement": statistics.percent(),
        "krippendorff_alpha": statistics.alpha(scale, categories),
        "fleiss_kappa": fleiss,
        "gwet_ac1": gwet.ac1(categories),
        "gwet_ac2": gwet.ac2(scale, categories),
        "icc_2_1": single,
        "panel_reliability": statistics.panel_reliability(scale, categories, votes_per_item(counts)),
    }
    sums = PairSums(ratings, scale, weighting_of(scale))
    is_small = sums.n_sums * len(ratings.codes) <= MAX_CELLS_OF_PAIRS
    if is_small:
        chosen["mean_pairwise_kappa"] = sums.statistic()
    found = figures(ratings, chosen, resampling)
    if is_small:
        mean = sums.named(found.pop("mean_pairwise_kappa")).mean
    else:
        mean = _mean_without_interval(only(found["krippendorff_alpha"]), pairs, scale)
    return {name: only(each) for name, each in found.items()} | {"mean_pairwise_kappa": mean}


def _mean_without_interval(like: Estimate, pairs: PairFigures, scale: Scale) -> Estimate:
    first, second = np.triu_indices(len(pairs.n), k=1)
    table = pairs.kappa if scale is Scale.NOMINAL else pairs.weighted_kappa
    kappas = table[first, second]
    kappas = kappas[~np.isnan(kappas)]
    status = like.status if len(kappas) else Status.NOT_ESTIMABLE
    return replace(
        like,
        value=float(kappas.mean()) if len(kappas) else None,
        ci_low=None,
        ci_high=None,
        status=status,
        statistic="Mean pairwise kappa",
        reason=f"No interval: {len(kappas)} pairs of raters are too many to resample.",
    )


def _pairs(ratings: Ratings, scale: Scale, pairs: PairFigures) -> Iterator[dict[str, Any]]:
    """Every pair of raters with a common item."""
    is_given = (ratings.codes != NO_LABEL).any(axis=0)
    for a, b in zip(*np.triu_indices(len(ratings.raters), k=1), strict=True):
        if pairs.n[a, b] and is_given[a] and is_given[b]:
            yield {
                "a": str(ratings.raters[a]),
                "b": str(ratings.raters[b]),
                "n": int(pairs.n[a, b]),
                "kappa": _or_none(pairs.kappa[a, b]),
                "weighted_kappa": None if scale is Scale.NOMINAL else _or_none(pairs.weighted_kappa[a, b]),
                "percent_agreement": _or_none(pairs.percent_agreement[a, b]),
            }


def _as_json(estimate: Estimate) -> dict[str, Any]:
    return {
        "value": estimate.value,
        "ci_low": estimate.ci_low,
        "ci_high": estimate.ci_high,
        "status": estimate.status.value,
        "reason": estimate.reason,
    }


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
