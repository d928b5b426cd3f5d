"""The figures of one dimension at one look, and what they say of the target. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from annotation.agreement import statistics
from annotation.agreement.battery import (
    Battery,
    CountBattery,
    figures_of_counts,
    figures_of_ratings,
    votes_per_item,
)
from annotation.agreement.checkpoints import RESAMPLES_AT_A_LOOK, Verdict, verdict_of
from annotation.agreement.counts import FloatArray, Ratings
from annotation.agreement.dimension_labels import in_groups
from annotation.agreement.distances import Scale, weighting_of
from annotation.agreement.estimates import Estimate, Resampling, Status, figures, only
from annotation.agreement.pairs import PairSums
from annotation.agreement.report import MAX_CELLS_OF_PAIRS
from annotation.checkpoints import recomputed as packages
from annotation.checkpoints.labels import LookLabels, digest_of_table

NOT_MEASURED = "not measured"
TOO_MANY_PAIRS = "Left out: so many clinicians are more pairs than can be resampled."
DECIDED = (Verdict.MET.value, Verdict.NOT_MET.value)
CAMPAIGN_SET, WEIGHTED = "campaign set", "design-weighted"
PROJECT_DIMENSIONS = frozenset({"crisis_intensity", "modality_primary", "empathy_global"})
Json = dict[str, Any]


@dataclass(frozen=True)
class Question:
    """A deciding dimension; ``labels`` by code, ``groupings`` by title, ``at_least`` the thresholds."""

    key: str
    title: str
    scale: Scale
    labels: Mapping[str, str]
    groupings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    at_least: Sequence[str] = ()


def measured(
    question: Question, labels: LookLabels, *, error_per_side: float, target: float, seed: int
) -> Json:
    """Return everything that a report says of one dimension, but for the looks before this one."""
    ratings, resampling = labels.ratings, Resampling(RESAMPLES_AT_A_LOOK, seed, error_per_side)
    deciding = deciding_figure(labels, question.scale, resampling)
    battery = _battery(ratings, question, resampling)
    beside = _beside(battery, question, labels, resampling)
    return {
        "dimension": question.key,
        "title": question.title,
        "scale": question.scale.value,
        "codes": list(question.labels),
        "n_items": len(ratings.items),
        "n_conversations": deciding.n_clusters,
        "n_raters": deciding.n_raters,
        "n_labels": deciding.n_labels,
        "verdict": verdict_at(deciding, target),
        "figures": [_figure(deciding, WEIGHTED, decides=True), *beside],
        "classes": [_class(name, question, each) for name, each in battery.classes.items()],
        "recomputed": _recomputed(ratings, question.scale, battery) if deciding.status is Status.OK else [],
        "guideline_versions": labels.guideline_versions,
        "has_equal_weights": labels.has_equal_weights,
        "excluded": {
            "overlap items complete after this look": labels.n_later_items,
            "labels of its items locked after this look": labels.n_later_labels,
            "samples with one label": labels.n_single,
            "labels to which the question did not apply": labels.n_not_eligible,
        },
        "label_table": {"sha256": digest_of_table(labels), "rows": deciding.n_labels},
    }


def deciding_figure(labels: LookLabels, scale: Scale, resampling: Resampling) -> Estimate:
    """Return the alpha that decides at a look: design-weighted where samples had unequal chances."""
    return _alpha(labels.ratings, scale, resampling, labels.unequal_weights)


def verdict_at(estimate: Estimate, target: float) -> str:
    """Return what the deciding figure says; a figure that is not there says nothing."""
    if estimate.status is Status.OK:
        return verdict_of(estimate, target).value
    return Verdict.UNDECIDED.value if estimate.status is Status.COLLECTING else NOT_MEASURED


def standing_of(verdicts: Sequence[str]) -> str:
    """Return what stands after these looks at a dimension: the first that decided, else the last."""
    return next((verdict for verdict in verdicts if verdict in DECIDED), verdicts[-1])


def verdict_of_target(standing: Mapping[str, str]) -> str:
    """Return what stands of the target as a whole: met only where every dimension, by title, is met."""
    found = set(standing.values())
    if Verdict.NOT_MET.value in found:
        return Verdict.NOT_MET.value
    if found == {Verdict.MET.value} or found == {NOT_MEASURED}:
        return found.pop()
    return Verdict.UNDECIDED.value


def _alpha(
    ratings: Ratings, scale: Scale, resampling: Resampling, weights: FloatArray | None = None
) -> Estimate:
    statistic = statistics.alpha(scale, ratings.categories)
    return only(figures(ratings, {"": statistic}, resampling, weights)[""])


def _battery(ratings: Ratings, question: Question, resampling: Resampling) -> CountBattery:
    """Return every coefficient; those of single raters are left out of very large teams."""
    sums = PairSums(ratings, question.scale, weighting_of(question.scale))
    if sums.n_sums * len(ratings.codes) <= MAX_CELLS_OF_PAIRS:
        return figures_of_ratings(ratings, question.scale, at_least=question.at_least, resampling=resampling)
    return figures_of_counts(
        ratings.counts, question.scale, at_least=question.at_least, resampling=resampling
    )


def _beside(
    battery: CountBattery, question: Question, labels: LookLabels, resampling: Resampling
) -> list[Json]:
    """Return the figures that stand beside the deciding one and never decide."""
    populations = {WEIGHTED: labels.unequal_weights}
    shown = []
    if not labels.has_equal_weights:
        populations[CAMPAIGN_SET] = None
        shown.append(_figure(battery.krippendorff_alpha, CAMPAIGN_SET))
    for title, members in question.groupings.items():
        coarse = in_groups(labels.ratings, members)
        for population, weights in populations.items():
            estimate = _alpha(coarse, Scale.NOMINAL, resampling, weights)
            shown.append(_figure(estimate, population, of=title))
    mean_kappa, icc = _of_single_raters(battery)
    shown.append(_figure(mean_kappa, CAMPAIGN_SET, name=packages.KAPPA))
    shown += [_figure(each, CAMPAIGN_SET) for each in _panels(battery, question, labels, resampling)]
    shown.append(_figure(battery.gwet_ac1, CAMPAIGN_SET))
    if question.scale is not Scale.NOMINAL:  # without an order AC2 is AC1, and there is no variance
        shown.append(_figure(battery.gwet_ac2, CAMPAIGN_SET))
        shown.append(_figure(icc, CAMPAIGN_SET))
    shown.append(_figure(battery.fleiss_kappa_of_complete_block, CAMPAIGN_SET))
    return [*shown, _figure(battery.percent_agreement, CAMPAIGN_SET)]


def _of_single_raters(battery: CountBattery) -> tuple[Estimate, Estimate]:
    """Return the mean pairwise kappa and the ICC; what too large a team goes without is said, not dropped."""
    if isinstance(battery, Battery):
        return battery.pairs.mean, battery.icc_2_1
    blank = replace(
        battery.percent_agreement,
        value=None,
        ci_low=None,
        ci_high=None,
        status=Status.NOT_APPLICABLE,
        reason=TOO_MANY_PAIRS,
    )
    return replace(blank, statistic=packages.KAPPA), replace(blank, statistic=packages.ICC)


def _panels(
    battery: CountBattery, question: Question, labels: LookLabels, resampling: Resampling
) -> list[Estimate]:
    """Return the panel reading for the usual votes behind the gold, and for the most that an item has."""
    counts = labels.ratings.counts
    most = int(counts.matrix.sum(axis=1).max(initial=0))
    if most <= votes_per_item(counts) or question.scale is Scale.NOMINAL:
        return [battery.panel_reliability]
    statistic = statistics.panel_reliability(question.scale, counts.categories, most)
    return [battery.panel_reliability, only(figures(counts, {"": statistic}, resampling)[""])]


def _figure(
    estimate: Estimate, population: str, *, name: str = "", of: str = "", decides: bool = False
) -> Json:
    plain = name or estimate.statistic.removesuffix(f", {WEIGHTED}")
    return {
        "figure": f"{plain}, {of}" if of else plain,
        "statistic": estimate.statistic,
        "labels": population,
        "decides": decides,
    } | _numbers(estimate)


def _class(name: str, question: Question, estimate: Estimate) -> Json:
    first = question.labels[name.removesuffix("+")] if name not in question.labels else ""
    words = question.labels.get(name) or f"{first} or higher"
    return {"class": name, "title": words} | _numbers(estimate)


def _numbers(estimate: Estimate) -> Json:
    """Return value, interval, status and reason; fewer than 50 items to rest on give no number."""
    is_shown = estimate.status is Status.OK
    return {
        "value": estimate.value if is_shown else None,
        "ci_low": estimate.ci_low if is_shown else None,
        "ci_high": estimate.ci_high if is_shown else None,
        "status": estimate.status.value,
        "reason": estimate.reason,
    }


def _recomputed(ratings: Ratings, scale: Scale, battery: CountBattery) -> list[Json]:
    """Return the figures beside the packages'; one that rests on too few items is shown nowhere."""
    ours = {
        packages.ALPHA: battery.krippendorff_alpha,
        packages.FLEISS: battery.fleiss_kappa_of_complete_block,
    }
    if isinstance(battery, Battery):
        ours[packages.KAPPA] = battery.pairs.mean
        if scale is not Scale.NOMINAL:
            ours[packages.ICC] = battery.icc_2_1
    values = {name: each.value for name, each in ours.items() if each.status is not Status.COLLECTING}
    return [
        {
            "figure": each.figure,
            "package": each.package,
            "ours": each.ours,
            "theirs": each.theirs,
            "difference": each.difference,
            "is_same": each.is_same,
            "reason": each.reason,
        }
        for each in packages.recomputed(ratings, scale, values)
    ]
