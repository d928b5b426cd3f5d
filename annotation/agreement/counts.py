"""Labels as counts: how many raters put each item into each category."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


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
    def has_overlap(self) -> npt.NDArray[np.bool_]:
        """True for the items with two labels or more, the only ones that say anything about agreement."""
        n_labels: IntArray = self.matrix.sum(axis=1)
        return n_labels >= 2


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
    column = {category: index for index, category in enumerate(categories)}
    if not column or len(column) != len(categories):
        raise ValueError("The declared categories are empty or name one twice. Name each category once.")
    row: dict[Hashable, int] = {}
    raters: set[Hashable] = set()
    given: set[tuple[Hashable, Hashable]] = set()
    cells: list[int] = []
    for item, rater, code in labels:
        if (item, rater) in given:
            raise ValueError(
                f"Rater {rater!r} has more than one label on item {item!r}. Pass the one label that counts."
            )
        if code not in column:
            raise ValueError(
                f"The label of rater {rater!r} on item {item!r} is not one of the {len(column)} declared "
                "categories. Declare its code or correct the label."
            )
        given.add((item, rater))
        raters.add(rater)
        cells.append(row.setdefault(item, len(row)) * len(column) + column[code])
    flat = np.bincount(np.array(cells, dtype=np.int64), minlength=len(row) * len(column))
    return Counts(
        matrix=flat.reshape(len(row), len(column)).astype(np.int64),
        clusters=_cluster_indices(row, cluster_of),
        categories=tuple(categories),
        n_raters=len(raters),
    )


def _cluster_indices(items: Iterable[Hashable], cluster_of: Mapping[Any, Hashable] | None) -> IntArray:
    index: dict[Hashable, int] = {}
    indices: list[int] = []
    for item in items:
        if cluster_of is not None and item not in cluster_of:
            raise ValueError(f"Item {item!r} has labels but no cluster. Name the conversation it belongs to.")
        cluster = item if cluster_of is None else cluster_of[item]
        indices.append(index.setdefault(cluster, len(index)))
    return np.array(indices, dtype=np.int64)
