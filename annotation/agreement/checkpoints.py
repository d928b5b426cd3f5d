"""Whether the target is met, decided at looks declared beforehand so that looking often cannot decide it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from annotation.agreement.counts import Counts, Ratings
from annotation.agreement.estimates import Estimate

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


def verdict_of(estimate: Estimate, target: float = TARGET) -> Verdict:
    """Met when the lower bound is above the target, not met when the upper bound is below it."""
    if estimate.ci_low is not None and estimate.ci_low > target:
        return Verdict.MET
    if estimate.ci_high is not None and estimate.ci_high < target:
        return Verdict.NOT_MET
    return Verdict.UNDECIDED


def first_rows(data: Counts | Ratings, n_rows: int) -> Counts | Ratings:
    """The first items only."""
    if isinstance(data, Ratings):
        return replace(
            data, codes=data.codes[:n_rows], clusters=data.clusters[:n_rows], items=data.items[:n_rows]
        )
    return replace(data, matrix=data.matrix[:n_rows], clusters=data.clusters[:n_rows])
