"""A grid of codes as the labels of a dimension, made up in memory."""

import numpy as np

from annotation.agreement.alerts import Course
from annotation.agreement.counts import NO_LABEL, IntArray, Ratings
from annotation.agreement.dimension_labels import DimensionLabels
from annotation.agreement.distances import Scale

CODES, RATERS = ("0", "1", "2"), ("anna", "ben", "carl")


def laid_out(codes: IntArray, raters: tuple[str, ...] = RATERS, new_version_from: int = 0) -> DimensionLabels:
    """The grid as a dimension's labels, overlap items first, as they come out of a reading.

    An item locks every second, so that the n-th is completed at second n; from the ``new_version_from``-th on
    under another guideline version, if that is not 0.
    """
    is_overlap = (codes != NO_LABEL).sum(axis=1) >= 2
    codes = np.concatenate([codes[is_overlap], codes[~is_overlap]])
    n, blank = len(codes), np.full(codes.shape, np.nan)
    is_newer = (np.arange(n) + 1 >= new_version_from) & (new_version_from > 0)
    return DimensionLabels(
        key="level",
        scale=Scale.ORDINAL,
        ratings=Ratings(codes, np.arange(n), CODES, tuple(range(1, n + 1)), raters),
        weights=np.ones(n),
        completed_at=np.arange(1.0, n + 1),
        locked_at=np.where(codes == NO_LABEL, np.nan, np.arange(1.0, n + 1)[:, np.newaxis]),
        course=Course(blank, blank, np.zeros(n, dtype=np.int64), n_planned=n),
        topics=("",) * n,
        versions=("1.0", "1.1"),
        version_codes=np.where(codes == NO_LABEL, NO_LABEL, is_newer[:, np.newaxis]),
        n_not_eligible=0,
    )
