"""Who labelled what, as grids of raters by items, for the tests of agreement."""

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

from annotation.agreement.counts import (
    NO_LABEL,
    Counts,
    FloatArray,
    IntArray,
    Ratings,
    tally_labels,
)

Grid = list[list[int | None]]
"""One row per rater, one column per item; None where the rater gave no label."""


def counts_of_grid(grid: Grid, categories: Sequence[int]) -> Counts:
    labels = [
        (item, rater, code)
        for rater, row in enumerate(grid)
        for item, code in enumerate(row)
        if code is not None
    ]
    return tally_labels(labels, categories)


def counts_of_matrix(matrix: IntArray, clusters: IntArray | None = None) -> Counts:
    """Counts whose categories are 0, 1, 2 … and whose items stand alone unless clusters are given."""
    n_items, n_categories = matrix.shape
    alone = np.arange(n_items, dtype=np.int64)
    return Counts(
        matrix=matrix,
        clusters=alone if clusters is None else clusters,
        categories=tuple(range(n_categories)),
        n_raters=int(matrix.sum(axis=1).max()),
    )


def random_matrix(
    seed: int, *, n_items: int, n_raters: int, n_categories: int, share_missing: float = 0.0
) -> IntArray:
    """Counts of the codes that `random_codes` gives."""
    codes = random_codes(
        seed, n_items=n_items, n_raters=n_raters, n_categories=n_categories, share_missing=share_missing
    )
    return np.stack([(codes == code).sum(axis=1) for code in range(n_categories)], axis=1)


def _falling_shares(n_categories: int) -> FloatArray:
    weights = 1 / np.arange(1, n_categories + 1)
    shares: FloatArray = weights / weights.sum()
    return shares


@st.composite
def grids(draw: st.DrawFn) -> tuple[Grid, list[int]]:
    """A grid of any shape with any labels missing, and the declared categories, some perhaps unused."""
    categories = sorted(draw(st.sets(st.integers(0, 20), min_size=2, max_size=6)))
    n_items = draw(st.integers(1, 15))
    cell = st.one_of(st.sampled_from(categories), st.none())
    row = st.lists(cell, min_size=n_items, max_size=n_items)
    return draw(st.lists(row, min_size=1, max_size=6)), categories


def ratings_of_grid(grid: Grid, categories: Sequence[int]) -> Ratings:
    """The grid as it is, with raters and items that have no label at all."""
    place = {code: index for index, code in enumerate(categories)}
    codes = [[NO_LABEL if code is None else place[code] for code in row] for row in grid]
    return ratings_of_codes(np.array(codes, dtype=np.int64).T, len(categories), tuple(categories))


def ratings_of_codes(
    codes: IntArray,
    n_categories: int,
    categories: tuple[int, ...] | None = None,
    clusters: IntArray | None = None,
) -> Ratings:
    """Ratings by raters "r0", "r1" … of codes[item, rater]."""
    n_items, n_raters = codes.shape
    return Ratings(
        codes=codes,
        clusters=np.arange(n_items, dtype=np.int64) if clusters is None else clusters,
        categories=tuple(range(n_categories)) if categories is None else categories,
        items=tuple(range(n_items)),
        raters=tuple(f"r{rater}" for rater in range(n_raters)),
    )


def random_codes(
    seed: int, *, n_items: int, n_raters: int, n_categories: int, share_missing: float = 0.0
) -> IntArray:
    """Codes of raters who see a true level and are one level off in a quarter of their labels."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(n_categories, n_items, p=_falling_shares(n_categories))
    slips = rng.choice([-1, 0, 1], (n_items, n_raters), p=[0.125, 0.75, 0.125])
    codes = np.clip(truth[:, np.newaxis] + slips, 0, n_categories - 1)
    return np.where(rng.random((n_items, n_raters)) < share_missing, NO_LABEL, codes).astype(np.int64)
