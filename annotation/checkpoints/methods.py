"""The methods of a checkpoint report in words that could go into a paper. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

REHEARSAL = (
    "REHEARSAL: the labels were made by a program. No figure here is a clinician's judgement, and none may "
    "be reported as one."
)
OTHER_SCHEME = (
    "The scheme of this campaign does not ask crisis intensity, modality and empathy together: the verdict "
    "is about the dimensions named here, not the project's target."
)
Report = Mapping[str, Any]


def notices_of(report: Report) -> list[str]:
    """Return what has to be said before any figure."""
    look, declared, found = report["look"], report["declaration"], []
    if report["is_rehearsal"]:
        found.append(REHEARSAL)
    if not report["target"]["is_project_target"]:
        found.append(OTHER_SCHEME)
    if declared["number"] > 1:
        found.append(
            f"The looks to come were declared anew on {_day(declared['declared_at'])}, because: "
            f"{declared['because']}. Looks before that keep their reports and their error."
        )
    if look["is_short"]:
        found.append(
            "The campaign ended short of its plan: the end was declared at "
            f"{_n(look['n_overlap_items'])} overlap items, and was looked at before they were complete."
        )
    if declared["n_complete"]:
        found.append(f"This look was declared when {_n(declared['n_complete'])} overlap items were complete.")
    return found


def methods_of(report: Report) -> list[str]:
    """Return the methods as paragraphs."""
    return [_labels(report), _looks(report), _statistics(report), _checks(report)]


def _labels(report: Report) -> str:
    design, scheme = report["design"], report["scheme"]
    raters = "simulated annotators" if report["is_rehearsal"] else "clinicians"
    weights = (
        "every sample had the same chance to be drawn"
        if design["has_equal_weights"]
        else "samples had unequal chances to be drawn, which are stored as design weights"
    )
    parts = _and(f"{_n(n)} {purpose}" for purpose, n in sorted(design["samples_by_purpose"].items()))
    left_out = _and(f"{_n(n)} {what}" for what, n in report["exclusions"].items() if n)
    return (
        f"{_n(len(design['raters']))} {raters} labelled samples of therapy conversations with the scheme "
        f"“{scheme['title']}”, version {scheme['version']}, under guideline version "
        f"{_and(report['guideline_versions'])}. Who labelled what, and in which order, was a stored random "
        f"plan (revision {design['plan_revision']}, seed {design['seed']}; samples: {parts}); {weights}. "
        "Labels were given blind to those of others. Only first labels of the planned overlap count, as they "
        f"stood when they locked. Left out: {left_out}. Passed without a label: {_n(report['n_passes'])}; "
        "what is passed is not a random part."
    )


def _looks(report: Report) -> str:
    look, declared = report["look"], report["declaration"]
    sizes = _and(_n(each["n_overlap_items"]) for each in declared["looks"])
    when = (
        f"when {_n(declared['n_complete'])} overlap items were complete"
        if declared["n_complete"]
        else "before any overlap item was complete"
    )
    this = "the end" if look["is_end"] else f"{_n(look['n_overlap_items'])} items"
    error = look["error_per_side"]
    return (
        f"Whether the target was met was decided at looks declared on {_day(declared['declared_at'])}, "
        f"{when}: at {sizes} overlap items (samples with two labels or more) of every dimension, the last "
        "number being the planned end. An error of 2.5 % on each side was split over all looks of the "
        f"campaign (Bonferroni). This report is of the look at {this}, reached on "
        f"{_day(look['reached_at'])}; it spent {_percent(error)} on each side, so that every interval here "
        f"is a {_percent(1 - 2 * error)} interval."
    )


def _statistics(report: Report) -> str:
    target, resampling = report["target"]["value"], report["resampling"]
    scales = _and(
        f"{each['title'].lower()} ({each['scale']}, {len(each['codes'])} codes)"
        for each in report["dimensions"]
    )
    return (
        "Agreement was measured by Krippendorff's alpha (Krippendorff 2011) on the declared scale of each "
        f"dimension: {scales}. The alpha of single raters' labels decides, each item weighted by the inverse "
        "of its chance to be drawn; the figure of the campaign set, the reliability of a panel, coarser "
        "groups of codes and all other coefficients are shown and never decide. Intervals are bias-corrected "
        f"and accelerated bootstrap intervals (Efron 1987) from {_n(resampling['resamples'])} resamples of "
        f"whole conversations (seed {resampling['seed']}), widened for few conversations (Hesterberg 2015). "
        f"A dimension meets the target of {target} when the lower bound lies above it and fails it when the "
        "upper bound lies below it; the first look that decides stands. The target as a whole is met only if "
        "every dimension meets it."
    )


def _checks(report: Report) -> str:
    every = [each for one in report["dimensions"] for each in one["recomputed"]]
    compared = [each for each in every if each["difference"] is not None]
    n_differing = sum(not each["is_same"] for each in every)
    if not compared and not n_differing:
        return "No figure was recomputed by an independent package: none is defined for these labels."
    packages = _and(sorted({each["package"] for each in every if each["theirs"] is not None}))
    largest = max((each["difference"] for each in compared), default=0.0)
    words = f"{n_differing} differ by more than 1e-9" if n_differing else "all agree to nine digits"
    return f"{len(compared)} figures were recomputed with {packages}: {words} (largest: {largest:.0e})."


def _n(number: int) -> str:
    return f"{number:,}"


def _day(moment: str) -> str:
    return moment[:10]


def _percent(share: float) -> str:
    return f"{100 * share:.4g} %"


def _and(words: Iterable[str]) -> str:
    *most, last = list(words) or ["nothing"]
    return f"{', '.join(most)} and {last}" if most else last
