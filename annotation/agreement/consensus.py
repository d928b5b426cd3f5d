"""One answer from several labels, where there is one: median or majority, the votes, ties, alarms."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np

from annotation.agreement.counts import NO_LABEL, Counts, FloatArray, IntArray, Ratings
from annotation.agreement.distances import Scale
from annotation.agreement.estimates import Status


@dataclass(frozen=True, slots=True)
class Consensus:
    """What the labels of one item say together.

    `choice` is None where it is left to adjudication, which `reason` explains. `votes` counts every declared
    category in order. `is_tied` says that two categories share the most votes (nominal), or that the median
    falls between two (ordinal, where the lower one is taken).
    """

    choice: Hashable | None
    votes: tuple[int, ...]
    is_tied: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class DawidSkene:
    """Dawid and Skene's (1979) estimate, a diagnostic beside the vote, never the gold.

    `posterior[item, category]` and `prevalence[category]` are None unless `status` is ok.
    """

    posterior: FloatArray | None
    prevalence: FloatArray | None
    status: Status
    reason: str = ""


def consensus(counts: Counts, scale: Scale, *, alarm_from: Hashable | None = None) -> list[Consensus]:
    """The median of ordered labels, or the majority of nominal ones, of each item in order.

    A vote at `alarm_from` or later in the declared order (act now) is never outvoted: unless the consensus
    is at that level too, the item goes to adjudication. Raises ValueError for an `alarm_from` that is not
    declared.
    """
    if alarm_from is not None and alarm_from not in counts.categories:
        raise ValueError("The alarm level is not one of the declared categories. Name one of them.")
    first_alarm = len(counts.categories) if alarm_from is None else counts.categories.index(alarm_from)
    choose = _majority if scale is Scale.NOMINAL else _median
    return [_of_item(row, choose(row), counts.categories, first_alarm) for row in counts.matrix]


def vote_shares(counts: Counts) -> FloatArray:
    """The share of each category among the labels of each item, [item, category]."""
    n_labels = counts.matrix.sum(axis=1, keepdims=True)
    shares: FloatArray = counts.matrix / np.maximum(n_labels, 1)
    return shares


def dawid_skene(ratings: Ratings, *, n_iterations: int = 100) -> DawidSkene:
    """Dawid and Skene's posterior of each item and prevalence of each category, by crowd-kit."""
    rows, raters = np.nonzero(ratings.codes != NO_LABEL)
    return dawid_skene_of_labels(
        rows, raters, ratings.codes[rows, raters], len(ratings.categories), n_iterations=n_iterations
    )


def dawid_skene_of_labels(
    items: IntArray, raters: IntArray, codes: IntArray, n_categories: int, *, n_iterations: int = 100
) -> DawidSkene:
    """As `dawid_skene`, from one entry per label; a rater may label an item more than once."""
    try:
        import pandas as pd
        from crowdkit.aggregation import DawidSkene as Model
    except ImportError:
        reason = 'crowd-kit is not installed. Install the extra "crowd-kit" to see this diagnostic.'
        return DawidSkene(None, None, Status.NOT_ESTIMABLE, reason)
    if not len(codes):
        return DawidSkene(None, None, Status.NOT_ESTIMABLE, "There are no labels.")
    table = pd.DataFrame({"task": items, "worker": raters, "label": codes})
    found = Model(n_iter=n_iterations, tol=1e-8).fit_predict_proba(table)
    whole = found.reindex(columns=range(n_categories), fill_value=0.0).sort_index()
    posterior: FloatArray = whole.to_numpy(dtype=np.float64)
    return DawidSkene(posterior, posterior.mean(axis=0), Status.OK)


def _of_item(
    row: IntArray, chosen: tuple[int | None, bool], categories: tuple[Hashable, ...], first_alarm: int
) -> Consensus:
    place, is_tied = chosen
    votes = tuple(row.tolist())
    if row[first_alarm:].any() and (place is None or place < first_alarm):
        return Consensus(None, votes, is_tied, "An alarm is not outvoted: to adjudication.")
    if place is None:
        reason = "The most votes are shared: to adjudication." if row.any() else "No labels."
        return Consensus(None, votes, is_tied, reason)
    return Consensus(categories[place], votes, is_tied)


def _median(row: IntArray) -> tuple[int | None, bool]:
    n_labels = int(row.sum())
    if n_labels == 0:
        return None, False
    reached = np.cumsum(row)
    low = int(np.searchsorted(reached, (n_labels + 1) // 2))
    high = int(np.searchsorted(reached, n_labels // 2 + 1))
    return low, low != high


def _majority(row: IntArray) -> tuple[int | None, bool]:
    if not row.any():
        return None, False
    winners = np.flatnonzero(row == row.max())
    return (int(winners[0]), False) if len(winners) == 1 else (None, True)
