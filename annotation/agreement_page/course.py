"""The running figure over time: where agreement stood after so many items. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from annotation.agreement import statistics
from annotation.agreement.checkpoints import first_rows
from annotation.agreement.dimension_labels import DimensionLabels
from annotation.agreement.estimates import MIN_OVERLAP_ITEMS, Estimate, Resampling, figures, only

STEPS_ITEMS = (10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 50_000)
POINTS = 25
RESAMPLES = 400


@dataclass(frozen=True)
class CoursePoint:
    """The running figure after so many overlap items, at the moment when the last of them was completed.

    ``rests_on`` is a digest of everything the figure was computed from.
    """

    n_items: int
    completed_at: float
    estimate: Estimate
    rests_on: bytes


def course_of(
    labels: DimensionLabels, seed: int, known: Iterable[CoursePoint] = ()
) -> tuple[CoursePoint, ...]:
    """Return the running figure at even steps, so that a point once drawn stays where it is; now, too.

    Points of ``known`` that rest on the very same labels are not computed again.
    """
    sizes = _sizes(int(labels.has_overlap.sum()))
    kept = {point.rests_on: point.estimate for point in known}
    return tuple(
        CoursePoint(
            size,
            float(labels.completed_at[size - 1]),
            kept[digest] if digest in kept else _estimate(labels, size, seed),
            digest,
        )
        for size, digest in zip(sizes, _digests(labels, sizes, seed), strict=True)
    )


def _sizes(n_items: int) -> list[int]:
    if n_items < MIN_OVERLAP_ITEMS:
        return []
    step = next((each for each in STEPS_ITEMS if n_items <= POINTS * each), n_items)
    return [*(size for size in range(step, n_items, step) if size >= MIN_OVERLAP_ITEMS), n_items]


def _estimate(labels: DimensionLabels, size: int, seed: int) -> Estimate:
    statistic = {"": statistics.alpha(labels.scale, labels.ratings.categories)}
    weights = labels.unequal_weights
    so_far = None if weights is None else weights[:size]
    counts = first_rows(labels.ratings.counts, size)
    return only(figures(counts, statistic, Resampling(RESAMPLES, seed), so_far)[""])


def _digests(labels: DimensionLabels, sizes: Sequence[int], seed: int) -> Iterator[bytes]:
    """Yield a digest of what the figure of each size is computed from; each row is read once."""
    counts, weights = labels.ratings.counts, labels.unequal_weights
    columns = [counts.matrix, counts.clusters, *([] if weights is None else [weights])]
    digest = blake2b(repr((labels.scale, counts.categories, counts.n_raters, seed, len(columns))).encode())
    start = 0
    for size in sizes:
        for column in columns:
            digest.update(column[start:size].tobytes())
        yield digest.copy().digest()
        start = size
