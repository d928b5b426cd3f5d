"""The labels of one dimension from a grid of codes, as a campaign's reading holds them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from annotation.agreement.alerts import Course
from annotation.agreement.counts import NO_LABEL, IntArray, Ratings
from annotation.agreement.dimension_labels import DimensionLabels
from annotation.agreement.distances import Scale
from annotation.agreement.estimates import Resampling
from annotation.obstacles.findings import Findings, findings_of
from annotation.schemes.definition import Category, Dimension

FEW = Resampling(100)
RATERS = ("C-A00001", "C-B00002", "C-C00003", "C-D00004", "C-E00005")
MORE_RATERS = tuple(f"C-{number:06}" for number in range(20))
DEPTH = Dimension(
    key="depth",
    title="Depth",
    scale="ordinal",
    categories=tuple(
        Category(str(level), name, value=level, clauses=clauses)
        for level, (name, clauses) in enumerate(
            [("None", ("D1",)), ("Some", ("D1", "D2")), ("Deep", ("D2",)), ("Deepest", ())]
        )
    ),
    is_headline=True,
)


def labels_of(
    codes: IntArray,
    *,
    topics: Sequence[str] = (),
    repeats: Mapping[Any, Ratings] | None = None,
    weights: Sequence[float] = (),
) -> DimensionLabels:
    """The labels of DEPTH by the first so many RATERS, given in the order of the rows."""
    n_items, n_raters = codes.shape
    items = tuple(range(1, n_items + 1))
    order = np.where(codes == NO_LABEL, np.nan, np.arange(n_items, dtype=np.float64)[:, np.newaxis])
    course = Course(
        order=order,
        seconds=np.full(codes.shape, 60.0),
        words=np.full(n_items, 100),
        n_planned=n_items,
        repeats=repeats or {},
    )
    return DimensionLabels(
        key=DEPTH.key,
        scale=Scale(DEPTH.scale),
        ratings=Ratings(codes, np.arange(n_items), DEPTH.codes, items, (RATERS + MORE_RATERS)[:n_raters]),
        weights=np.array(weights or [1.0] * n_items),
        completed_at=np.arange(n_items, dtype=np.float64),
        locked_at=order,
        course=course,
        topics=tuple(topics) or ("",) * n_items,
        versions=("1.0",),
        version_codes=np.where(codes == NO_LABEL, NO_LABEL, 0),
        n_not_eligible=0,
    )


def noisy(seed: int, n_items: int = 200, n_raters: int = 5, n_codes: int = 4, share: float = 0.1) -> IntArray:
    """Labels of which some are anything at all."""
    rng = np.random.default_rng(seed)
    codes = np.repeat(rng.integers(0, n_codes, n_items)[:, np.newaxis], n_raters, axis=1)
    slipped: IntArray = np.where(
        rng.random(codes.shape) < share, rng.integers(0, n_codes, codes.shape), codes
    )
    return slipped


def found_in(labels: DimensionLabels, *, dimension: Dimension = DEPTH) -> Findings:
    """All that is said of them."""
    return findings_of(labels, dimension, target=0.85, tail=0.01, resampling=FEW, source_of={})
