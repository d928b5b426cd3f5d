"""From labels and a list of statistics to figures with intervals, all on the same resamples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar

import numpy as np

from annotation.agreement.bootstrap import (
    TAIL_SHARE,
    Contribute,
    Evaluate,
    Interval,
    ResamplingUnits,
    bca_intervals,
    drawn_sums,
    resampling_units,
)
from annotation.agreement.counts import BoolArray, Counts, FloatArray, IntArray, Ratings, counts_of_codes

MIN_OVERLAP_ITEMS = 50
"""Below this many items to rest on, each with two labels or more, a figure is still being collected."""
DEFAULT_RESAMPLES = 1000
NO_VARIATION = "No variation: every overlap item has the same one category."
Key = TypeVar("Key")


class Status(StrEnum):
    """Whether a figure can be read as it stands."""

    OK = "ok"
    COLLECTING = "collecting"
    NOT_ESTIMABLE = "not_estimable"
    NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True, slots=True)
class Estimate:
    """One agreement figure and what it rests on.

    `value` is given wherever it can be computed, also while `status` is collecting because it rests on fewer
    than MIN_OVERLAP_ITEMS items; None is explained by `reason`, and so is a value without an interval.
    `n_items`, `n_raters` and `n_labels` count all that was
    handed in, `n_items_overlap` the items with two labels or more, `n_clusters` the conversations of those.
    `n_resamples_undefined` resamples had no value; the interval rests on the others.
    """

    value: float | None
    ci_low: float | None
    ci_high: float | None
    status: Status
    reason: str
    n_items: int
    n_clusters: int
    n_raters: int
    n_labels: int
    n_items_overlap: int
    statistic: str
    scale: str
    n_resamples_undefined: int = 0


@dataclass(frozen=True, slots=True)
class Statistic:
    """A statistic of additive sums: each row's share of the sums, and the value or values they give.

    `contribute` reads counts[item, category], or codes[item, rater] if `needs_raters`. Statistics that share
    one `contribute` share its sums. `of` names each value where there are several (one per class, pair or
    rater). Only overlap items enter, unless `takes_single_labels`. `not_applicable` says why the statistic
    has no meaning for these labels; `undefined` what it means when there is no value; `note` stands beside
    every value. `n_items` counts the items it rests on where these are fewer than all overlap items.
    """

    name: str
    scale: str
    contribute: Contribute
    evaluate: Evaluate
    of: tuple[str, ...] = ("",)
    needs_raters: bool = False
    takes_single_labels: bool = False
    not_applicable: str = ""
    undefined: str = NO_VARIATION
    note: str = ""
    n_items: int | None = None


@dataclass(frozen=True, slots=True)
class Resampling:
    """How intervals are made: how many resamples, from which seed, and what they leave out on each side."""

    resamples: int = DEFAULT_RESAMPLES
    seed: int = 0
    tail: float = TAIL_SHARE


DEFAULT_RESAMPLING = Resampling()


def figures(
    data: Counts | Ratings,
    statistics: Mapping[Key, Statistic],
    resampling: Resampling = DEFAULT_RESAMPLING,
    weights: FloatArray | None = None,
) -> dict[Key, tuple[Estimate, ...]]:
    """Every statistic with its interval; those of the same items are evaluated on the same resamples.

    `weights[item]` are inverse inclusion probabilities: with them the figures are those of the population
    that the items were drawn from. Their common factor is irrelevant. Raises ValueError for weights that
    are not positive numbers, one per item.
    """
    counts = data.counts if isinstance(data, Ratings) else data
    blank = _without_value(counts)
    if weights is not None:
        statistics = {
            key: replace(each, name=f"{each.name}, design-weighted") for key, each in statistics.items()
        }
    found: dict[Key, tuple[Estimate, ...]] = {}
    n_labels = counts.matrix.sum(axis=1)
    has_single_labels = bool((n_labels == 1).any())
    for takes_single_labels in {False, has_single_labels}:
        group = {
            key: statistic
            for key, statistic in statistics.items()
            if (statistic.takes_single_labels and has_single_labels) is takes_single_labels
        }
        is_taken = n_labels >= (1 if takes_single_labels else 2)
        found |= _group_figures(data, group, blank, is_taken, resampling, weights)
    return {key: found[key] for key in statistics}


def only(estimates: tuple[Estimate, ...]) -> Estimate:
    """The figure of a statistic that has a single value."""
    (estimate,) = estimates
    return estimate


def _group_figures(
    data: Counts | Ratings,
    statistics: Mapping[Key, Statistic],
    blank: Estimate,
    is_taken: BoolArray,
    resampling: Resampling,
    weights: FloatArray | None,
) -> dict[Key, tuple[Estimate, ...]]:
    """The figures of statistics that rest on the same items."""
    found: dict[Key, tuple[Estimate, ...]] = {}
    ready: dict[Key, Statistic] = {}
    for key, statistic in statistics.items():
        refusal = _refusal(statistic, data, blank)
        if refusal is None:
            ready[key] = statistic
        else:
            found[key] = refusal
    if not ready:
        return found
    stack = _Stack(list(ready.values()), data)
    units = _units(data, stack, is_taken, weights)
    drawn = drawn_sums(units, resamples=resampling.resamples, rng=np.random.default_rng(resampling.seed))
    for key, statistic in ready.items():
        columns = stack.columns[statistic.contribute]
        part = ResamplingUnits(units.sums[:, columns], units.multiplicities)
        values = np.asarray(statistic.evaluate(part.total[np.newaxis])).reshape(-1)
        intervals = bca_intervals(part, statistic.evaluate, values, drawn[:, columns], resampling.tail)
        found[key] = tuple(
            _with_value(blank, statistic, name, float(value), interval)
            for name, value, interval in zip(statistic.of, values, intervals, strict=True)
        )
    return found


class _Stack:
    """The contributions of several statistics side by side, each once."""

    def __init__(self, statistics: Sequence[Statistic], data: Counts | Ratings) -> None:
        self.needs_raters = {each.contribute: each.needs_raters for each in statistics}
        self.reads_codes = any(self.needs_raters.values())
        self.n_categories = len(data.categories)
        self.columns: dict[Contribute, slice] = {}

    def contribute(self, matrix: IntArray) -> FloatArray:
        """The stacked sums of each row of codes, or of counts where no statistic needs the raters."""
        counts = counts_of_codes(matrix, self.n_categories) if self.reads_codes else matrix
        parts, n_columns = [], 0
        for contribute, needs_raters in self.needs_raters.items():
            part = contribute(matrix if needs_raters else counts)
            self.columns[contribute] = slice(n_columns, n_columns + part.shape[1])
            n_columns += part.shape[1]
            parts.append(part)
        return np.hstack(parts)


def _units(
    data: Counts | Ratings, stack: _Stack, is_taken: BoolArray, weights: FloatArray | None
) -> ResamplingUnits:
    if weights is not None:
        if weights.shape != is_taken.shape or not (np.isfinite(weights) & (weights > 0)).all():
            raise ValueError(
                "Design weights are positive numbers, one per item. Correct the sampling weights."
            )
        weights = weights[is_taken] / weights[is_taken].mean()
    if isinstance(data, Ratings):
        matrix = data.codes if stack.reads_codes else data.counts.matrix
    else:
        matrix = data.matrix
    return resampling_units(matrix[is_taken], data.clusters[is_taken], stack.contribute, weights)


def _refusal(statistic: Statistic, data: Counts | Ratings, blank: Estimate) -> tuple[Estimate, ...] | None:
    """The reasoned figures of a statistic that cannot be computed from these labels at all."""
    reason = statistic.not_applicable
    if not reason and statistic.needs_raters and isinstance(data, Counts):
        reason = "This figure needs to know which rater gave which label."
    if reason:
        blank = replace(blank, status=Status.NOT_APPLICABLE, reason=reason)
    elif blank.n_items_overlap > 0:
        return None
    return tuple(replace(blank, statistic=_name(statistic, of), scale=statistic.scale) for of in statistic.of)


def _name(statistic: Statistic, of: str) -> str:
    return f"{statistic.name}, {of}" if of else statistic.name


def _without_value(counts: Counts) -> Estimate:
    has_overlap = counts.has_overlap
    return Estimate(
        value=None,
        ci_low=None,
        ci_high=None,
        status=Status.NOT_ESTIMABLE,
        reason="No item has labels from two raters.",
        n_items=counts.n_items,
        n_clusters=len(np.unique(counts.clusters[has_overlap])),
        n_raters=counts.n_raters,
        n_labels=counts.n_labels,
        n_items_overlap=int(has_overlap.sum()),
        statistic="",
        scale="",
    )


def _with_value(blank: Estimate, statistic: Statistic, of: str, value: float, interval: Interval) -> Estimate:
    name = _name(statistic, of)
    if np.isnan(value):
        return replace(blank, statistic=name, scale=statistic.scale, reason=statistic.undefined)
    n_overlap = blank.n_items_overlap
    n_items = n_overlap if statistic.n_items is None else min(statistic.n_items, n_overlap)
    is_collecting = n_items < MIN_OVERLAP_ITEMS
    which = "overlap items" if n_items == n_overlap else "items that it can rest on"
    progress = f"{n_items} of {MIN_OVERLAP_ITEMS} {which}." if is_collecting else ""
    return replace(
        blank,
        statistic=name,
        scale=statistic.scale,
        value=value,
        ci_low=interval.low,
        ci_high=interval.high,
        status=Status.COLLECTING if is_collecting else Status.OK,
        reason=" ".join(filter(None, (progress, interval.reason, statistic.note))),
        n_resamples_undefined=interval.n_undefined,
    )
