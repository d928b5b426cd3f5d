"""How many more items and labels until a bound clears the target or an interval is narrow enough."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

from annotation.agreement.bootstrap import TAIL_SHARE
from annotation.agreement.estimates import Estimate, Status


@dataclass(frozen=True, slots=True)
class Requirement:
    """Overlap items wanted in all, and items and labels still wanted; None with the reason in words.

    `n_items_low` and `n_items_high` are the wanted items if the truth lies at the near or the far bound of
    the present interval; `n_items_high` is None where from the far bound no number would do.
    """

    n_items: int | None
    n_items_low: int | None
    n_items_high: int | None
    n_items_needed: int | None
    n_labels_needed: int | None
    status: Status
    reason: str


def items_to_clear(
    estimate: Estimate, target: float, *, labels_per_item: float, tail: float = TAIL_SHARE
) -> Requirement:
    """Items until the bound on this side of the target clears it, if the figure stays what it is.

    A lower bound for a figure above the target, an upper bound for one below. On log(1 - figure), where
    intervals of chance-corrected figures are near to symmetric, the standard error falls with the square root
    of the number of items. `tail` is the error of the look that will decide.
    """
    error = _log_error(estimate)
    if error is None or estimate.value is None:
        return _unknown(estimate)
    quantile = NormalDist().inv_cdf(1 - tail)

    def items_at(value: float | None) -> int | None:
        if value is None or value >= 1 or value == target or (value > target) != is_above:
            return None
        distance = math.log(1 - value) - math.log(1 - target)
        return max(2, math.ceil(estimate.n_items_overlap * (quantile * error / distance) ** 2))

    is_above = estimate.value > target
    near, far = estimate.ci_low, estimate.ci_high
    if is_above:
        near, far = far, near
    wanted = items_at(estimate.value)
    if wanted is None:
        return _without_number("The figure lies on the target: no number of labels decides it.")
    low = items_at(near) or wanted
    return _requirement(estimate, wanted, min(low, wanted), items_at(far), labels_per_item)


def items_to_narrow(estimate: Estimate, half_width: float, *, labels_per_item: float) -> Requirement:
    """Items until the 95 % interval reaches no further than `half_width` to either side on average."""
    if half_width <= 0:
        raise ValueError("The half width of an interval is above zero. Ask for one such as 0.03.")
    if estimate.ci_low is None or estimate.ci_high is None:
        return _unknown(estimate)
    now = (estimate.ci_high - estimate.ci_low) / 2
    wanted = max(2, math.ceil(estimate.n_items_overlap * (now / half_width) ** 2))
    return _requirement(estimate, wanted, wanted, wanted, labels_per_item)


def _log_error(estimate: Estimate) -> float | None:
    """The standard error of log(1 - figure), from its 95 % interval."""
    if estimate.ci_low is None or estimate.ci_high is None or estimate.ci_high >= 1:
        return None
    both = 2 * NormalDist().inv_cdf(1 - TAIL_SHARE)
    error = (math.log(1 - estimate.ci_low) - math.log(1 - estimate.ci_high)) / both
    return error if error > 0 else None


def _requirement(
    estimate: Estimate, wanted: int, low: int, high: int | None, labels_per_item: float
) -> Requirement:
    needed = max(0, wanted - estimate.n_items_overlap)
    reason = "" if high is not None else "If the truth lies at the far bound, no number of labels will do."
    return Requirement(
        n_items=wanted,
        n_items_low=low,
        n_items_high=high,
        n_items_needed=needed,
        n_labels_needed=math.ceil(needed * labels_per_item),
        status=estimate.status,
        reason=" ".join(filter(None, (reason, estimate.reason))),
    )


def _unknown(estimate: Estimate) -> Requirement:
    reason = estimate.reason or "The figure has no interval below 1 to reckon from."
    return _without_number(reason)


def _without_number(reason: str) -> Requirement:
    return Requirement(None, None, None, None, None, Status.NOT_ESTIMABLE, reason)
