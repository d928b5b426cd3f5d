"""Labels as a grid of raters, and as counts: how many raters put each item into each category."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

NO_LABEL = -1
"""Stands in a grid of ratings where a rater gave an item no label."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How often each category was given to each item: all that agreement among exchangeable raters needs.

    `matrix[item, category]` has one row per labelled item and one column per declared category, used or not.
    `clusters[item]` is the index of the item's conversation; items that share one are resampled together.
    """

    matrix: IntArray
    clusters: IntArray
    categories: tuple[Hashable, ...]
    n_raters: int

    @property
    def n_items(self) -> int:
        return len(self.matrix)

    @property
    def n_labels(self) -> int:
        return int(self.matrix.sum())

    @property
    def has_overlap(self) -> BoolArray:
        """True for the items with two labels or more, the only ones that say anything about agreement."""
        n_labels: IntArray = self.matrix.sum(axis=1)
        return n_labels >= 2


@dataclass(frozen=True, slots=True)
class Ratings:
    """Who gave which label: what figures about single raters and pairs of raters need.

    `codes[item, rater]` is the column of the category in `categories`, NO_LABEL where there is none.
    `clusters` is as in Counts; `items` and `raters` name the rows and columns.
    """

    codes: IntArray
    clusters: IntArray
    categories: tuple[Hashable, ...]
    items: tuple[Hashable, ...]
    raters: tuple[Hashable, ...]

    @property
    def counts(self) -> Counts:
        """The same labels without their raters."""
        matrix = counts_of_codes(self.codes, len(self.categories))
        return Counts(matrix, self.clusters, self.categories, len(self.raters))


def counts_of_codes(codes: IntArray, n_categories: int) -> IntArray:
    """Count the categories of each row of a grid of codes, [item, category]."""
    is_given = codes != NO_LABEL
    cells = (np.arange(len(codes))[:, np.newaxis] * n_categories + codes)[is_given]
    counts: IntArray = np.bincount(cells, minlength=len(codes) * n_categories)
    return counts.reshape(len(codes), n_categories)


def tally_labels(
    labels: Iterable[tuple[Hashable, Hashable, Hashable]],
    categories: Sequence[Hashable],
    cluster_of: Mapping[Any, Hashable] | None = None,
) -> Counts:
    """Count (item, rater, code) triples on the declared categories, in their declared order.

    Rows come in the order in which items first appear. `cluster_of` names each item's conversation; without
    it every item stands alone. A missing label is simply not among the triples.

    Raises ValueError for a rater who labelled one item twice, for a code that was not declared, for
    categories that are empty or repeated, and for an item without a cluster. Codes are kept out of the
    messages: a wrongly chosen column could be a client's words.
    """
    cells = _Cells(labels, categories)
    n_rows, n_columns = len(cells.row), len(categories)
    flat = np.bincount(cells.rows * n_columns + cells.columns, minlength=n_rows * n_columns)
    return Counts(
        matrix=flat.reshape(n_rows, n_columns).astype(np.int64),
        clusters=_cluster_indices(cells.row, cluster_of),
        categories=tuple(categories),
        n_raters=len(cells.rater),
    )


def rate_labels(
    labels: Iterable[tuple[Hashable, Hashable, Hashable]],
    categories: Sequence[Hashable],
    cluster_of: Mapping[Any, Hashable] | None = None,
) -> Ratings:
    """Lay (item, rater, code) triples out as a grid; arguments and errors are those of `tally_labels`.

    Raters stand in the order in which they first appear.
    """
    cells = _Cells(labels, categories)
    codes = np.full((len(cells.row), len(cells.rater)), NO_LABEL, dtype=np.int64)
    codes[cells.rows, cells.raters] = cells.columns
    return Ratings(
        codes=codes,
        clusters=_cluster_indices(cells.row, cluster_of),
        categories=tuple(categories),
        items=tuple(cells.row),
        raters=tuple(cells.rater),
    )


class _Cells:
    """Each label as three indices, checked."""

    def __init__(
        self, labels: Iterable[tuple[Hashable, Hashable, Hashable]], categories: Sequence[Hashable]
    ) -> None:
        column = {category: index for index, category in enumerate(categories)}
        if not column or len(column) != len(categories):
            raise ValueError("The declared categories are empty or name one twice. Name each category once.")
        self.row: dict[Hashable, int] = {}
        self.rater: dict[Hashable, int] = {}
        given: dict[tuple[int, int], int] = {}
        for item, rater, code in labels:
            if code not in column:
                raise ValueError(
                    f"The label of rater {rater!r} on item {item!r} is not one of the {len(column)} declared "
                    "categories. Declare its code or correct the label."
                )
            cell = self.row.setdefault(item, len(self.row)), self.rater.setdefault(rater, len(self.rater))
            if cell in given:
                raise ValueError(
                    f"Rater {rater!r} has more than one label on item {item!r}. "
                    "Pass the one label that counts."
                )
            given[cell] = column[code]
        places = np.array(list(given), dtype=np.int64).reshape(-1, 2)
        self.rows: IntArray = places[:, 0]
        self.raters: IntArray = places[:, 1]
        self.columns: IntArray = np.array(list(given.values()), dtype=np.int64)


def _cluster_indices(items: Iterable[Hashable], cluster_of: Mapping[Any, Hashable] | None) -> IntArray:
    index: dict[Hashable, int] = {}
    indices: list[int] = []
    for item in items:
        if cluster_of is not None and item not in cluster_of:
            raise ValueError(f"Item {item!r} has labels but no cluster. Name the conversation it belongs to.")
        cluster = item if cluster_of is None else cluster_of[item]
        indices.append(index.setdefault(cluster, len(index)))
    return np.array(indices, dtype=np.int64)
