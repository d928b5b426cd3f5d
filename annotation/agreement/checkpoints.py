"""Whether the target is met, decided at looks declared beforehand so that looking often cannot decide it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from annotation.agreement.bootstrap import TAIL_SHARE
from annotation.agreement.counts import Counts, FloatArray, Ratings
from annotation.agreement.estimates import Estimate, Resampling, Statistic, figures, only

TARGET = 0.85
LOOKS_OVERLAP_ITEMS = (200, 500, 1000)
RESAMPLES_AT_A_LOOK = 4000


class Verdict(StrEnum):
    """What a look says of the target."""

    MET = "met"
    NOT_MET = "not met"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Look:
    """One declared look: after how many overlap items, with what error spent on each side."""

    n_overlap_items: int
    tail: float


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A look that was reached: the figure of the items so far, its interval at the look's own level."""

    look: Look
    estimate: Estimate
    verdict: Verdict


def declared_looks(n_planned: int, *, tail: float = TAIL_SHARE) -> tuple[Look, ...]:
    """The looks of a campaign with so many planned overlap items: those before its end, and the end.

    The error of each side is split evenly over them (Bonferroni), so that the chance of a false "met" at any
    look stays below `tail` whatever the correlation of the looks.
    """
    sizes = [size for size in LOOKS_OVERLAP_ITEMS if size < n_planned] + [n_planned]
    return tuple(Look(size, tail / len(sizes)) for size in sizes)


def verdict_of(estimate: Estimate, target: float = TARGET) -> Verdict:
    """Met when the lower bound is above the target, not met when the upper bound is below it."""
    if estimate.ci_low is not None and estimate.ci_low > target:
        return Verdict.MET
    if estimate.ci_high is not None and estimate.ci_high < target:
        return Verdict.NOT_MET
    return Verdict.UNDECIDED


def checkpoints(
    data: Counts | Ratings,
    statistic: Statistic,
    looks: Sequence[Look],
    *,
    target: float = TARGET,
    seed: int = 0,
    weights: FloatArray | None = None,
    has_ended: bool = False,
) -> list[Checkpoint]:
    """What each look that was reached says, from the first overlap items in the order of the rows.

    The rows stand in the order in which their items were completed. With design weights the weighted figure
    decides. A campaign that has ended short of its plan is looked at once more, with the error of its end.
    """
    counts = data.counts if isinstance(data, Ratings) else data
    places = np.flatnonzero(counts.has_overlap)
    reached = [look for look in looks if look.n_overlap_items <= len(places)]
    if has_ended and 0 < len(places) < looks[-1].n_overlap_items:
        reached = [look for look in reached if look.n_overlap_items < len(places)]
        reached.append(Look(len(places), looks[-1].tail))
    found = []
    for look in reached:
        n_rows = int(places[look.n_overlap_items - 1]) + 1
        resampling = Resampling(RESAMPLES_AT_A_LOOK, seed, look.tail)
        so_far = None if weights is None else weights[:n_rows]
        estimate = only(figures(first_rows(data, n_rows), {"": statistic}, resampling, so_far)[""])
        found.append(Checkpoint(look, estimate, verdict_of(estimate, target)))
    return found


def standing_verdict(reached: Sequence[Checkpoint]) -> Verdict:
    """The first look that decided; undecided while none has."""
    decided = (each.verdict for each in reached if each.verdict is not Verdict.UNDECIDED)
    return next(decided, Verdict.UNDECIDED)


def first_rows(data: Counts | Ratings, n_rows: int) -> Counts | Ratings:
    """The first items only."""
    if isinstance(data, Ratings):
        return replace(
            data, codes=data.codes[:n_rows], clusters=data.clusters[:n_rows], items=data.items[:n_rows]
        )
    return replace(data, matrix=data.matrix[:n_rows], clusters=data.clusters[:n_rows])
