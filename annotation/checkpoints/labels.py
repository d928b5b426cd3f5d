"""The labels that one look rests on, cut out of all that were given, and their digest. Pure."""

from __future__ import annotations

import csv
import hashlib
import io
from collections import Counter
from dataclasses import dataclass

import numpy as np

from annotation.agreement.counts import NO_LABEL, FloatArray, IntArray, Ratings
from annotation.agreement.dimension_labels import DimensionLabels

TABLE_COLUMNS = ("sample", "rater", "code", "conversation", "weight", "guideline")


@dataclass(frozen=True)
class LookLabels:
    """The overlap items of a look on one dimension, as they stood at its moment.

    ``n_later_items`` overlap items were complete too late for this look, ``n_later_labels`` labels of its
    items came after its moment, ``n_single`` samples had one label; ``guideline_versions`` counts its labels.
    """

    ratings: Ratings
    weights: FloatArray
    version_codes: IntArray
    versions: tuple[str, ...]
    n_later_items: int
    n_later_labels: int
    n_single: int
    n_not_eligible: int

    @property
    def guideline_versions(self) -> dict[str, int]:
        """How many of the labels were given under each version."""
        given = Counter(self.version_codes[self.version_codes != NO_LABEL].tolist())
        return {self.versions[code]: n for code, n in sorted(given.items())}

    @property
    def has_equal_weights(self) -> bool:
        """Whether every item had the same chance to be drawn."""
        return self.unequal_weights is None

    @property
    def unequal_weights(self) -> FloatArray | None:
        """The design weights; None where they make no difference."""
        return self.weights if len(np.unique(self.weights)) > 1 else None


def labels_at(labels: DimensionLabels, until: float, n_items: int | None = None) -> LookLabels:
    """Return the first ``n_items`` overlap items, all without it, with the labels locked until that moment.

    So what a look rests on follows from the record alone, whenever its report is made.
    """
    is_early = labels.locked_at <= until  # False where there is no label: NaN
    n_complete = int(np.count_nonzero(labels.completed_at <= until))
    n_rows = n_complete if n_items is None else min(n_items, n_complete)
    codes = np.where(is_early, labels.ratings.codes, NO_LABEL)[:n_rows]
    present = np.flatnonzero((codes != NO_LABEL).any(axis=0))
    whole = labels.ratings
    n_overlap = int(np.count_nonzero(labels.has_overlap))
    return LookLabels(
        ratings=Ratings(
            codes=codes[:, present],
            clusters=whole.clusters[:n_rows],
            categories=whole.categories,
            items=whole.items[:n_rows],
            raters=tuple(whole.raters[column] for column in present),
        ),
        weights=labels.weights[:n_rows],
        version_codes=np.where(is_early, labels.version_codes, NO_LABEL)[:n_rows, present],
        versions=labels.versions,
        n_later_items=n_overlap - n_rows,
        n_later_labels=int(np.count_nonzero((whole.codes[:n_rows] != NO_LABEL) & ~is_early[:n_rows])),
        n_single=len(whole.items) - n_overlap,
        n_not_eligible=labels.n_not_eligible,
    )


def moment_of_item(labels: DimensionLabels, n: int) -> float | None:
    """Return when the n-th overlap item was complete; None while it is not."""
    n_complete = int(np.count_nonzero(labels.has_overlap))
    return float(labels.completed_at[n - 1]) if 0 < n <= n_complete else None


def label_table(labels: LookLabels) -> bytes:
    """Return the exact labels of a look as CSV, by sample and rater; a conversation by its first sample."""
    ratings = labels.ratings
    items = np.array(ratings.items, dtype=np.int64)
    first_sample: dict[int, int] = {}
    for cluster, item in sorted(zip(ratings.clusters.tolist(), items.tolist(), strict=True)):
        first_sample.setdefault(cluster, item)
    rows = [
        (
            int(items[row]),
            str(ratings.raters[column]),
            str(ratings.categories[ratings.codes[row, column]]),
            first_sample[int(ratings.clusters[row])],
            repr(float(labels.weights[row])),
            labels.versions[labels.version_codes[row, column]],
        )
        for row, column in zip(*np.nonzero(ratings.codes != NO_LABEL), strict=True)
    ]
    page = io.StringIO()
    csv.writer(page, lineterminator="\n").writerows([TABLE_COLUMNS, *sorted(rows)])
    return page.getvalue().encode()


def digest_of_table(labels: LookLabels) -> str:
    """Return the SHA-256 of the label table."""
    return hashlib.sha256(label_table(labels)).hexdigest()
