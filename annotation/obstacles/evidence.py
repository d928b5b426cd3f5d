"""The samples behind a part of the disagreement, the most telling first."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from annotation.agreement.counts import NO_LABEL, BoolArray, FloatArray, IntArray
from annotation.agreement.disagreements import Material
from annotation.agreement.distances import category_pairs, category_values, squared_distances
from annotation.agreement.shortfall import NO_CLAUSE, clauses_of_pair

CodePair = tuple[Hashable, Hashable]


@dataclass(frozen=True, slots=True)
class Behind:
    """Which disagreements are meant: two different labels of one sample, narrowed by all that is given.

    One of the two is by one of `raters` (and among the first `n_first` labels of that rater); the two are one
    of `pairs`, or put down to `clause`; the sample is in `group`, a division and one of its groups.
    """

    raters: tuple[Hashable, ...] = ()
    pairs: tuple[CodePair, ...] = ()
    clause: str = ""
    group: tuple[str, Hashable] | None = None
    n_first: int | None = None


def items_behind(material: Material, behind: Behind, order: FloatArray) -> tuple[Hashable, ...]:
    """Return the items with such a disagreement, those first that cost most alpha.

    `order[item, rater]` sorts the labels of a rater.
    """
    codes = material.ratings.codes
    first, second = category_pairs(len(material.ratings.raters))
    a, b = codes[:, first], codes[:, second]
    differ = (a != NO_LABEL) & (b != NO_LABEL) & (a != b)
    if behind.raters:
        columns = [material.ratings.raters.index(rater) for rater in behind.raters]
        is_theirs = np.isin(np.arange(codes.shape[1]), columns) & _among_first(codes, order, behind.n_first)
        differ &= is_theirs[:, first] | is_theirs[:, second]
    if behind.pairs or behind.clause:
        pairs = _pairs_of_clause(material, behind.clause) if behind.clause else behind.pairs
        differ &= _is_meant(material, pairs)[a, b]
    if behind.group is not None:
        division, group = behind.group
        differ &= np.array([each == group for each in material.groupings[division]])[:, np.newaxis]
    n_labels = (codes != NO_LABEL).sum(axis=1)
    cost = np.where(differ, _distances(material)[a, b], 0).sum(axis=1) / np.maximum(n_labels - 1, 1)
    most_first = np.argsort(-cost, kind="stable")
    return tuple(material.ratings.items[row] for row in most_first if differ[row].any())


def _pairs_of_clause(material: Material, clause: str) -> tuple[CodePair, ...]:
    """The pairs of categories whose disagreements are put down to the clause, as in `shortfall`."""
    categories = material.ratings.categories
    pairs = zip(*category_pairs(len(categories)), strict=True)
    named = [(categories[a], categories[b]) for a, b in pairs]
    return tuple(pair for pair in named if clause in (clauses_of_pair(material, pair) or (NO_CLAUSE,)))


def _among_first(codes: IntArray, order: FloatArray, n_first: int | None) -> BoolArray:
    """Whether each label is among the first ones of its rater, [item, rater]."""
    is_given: BoolArray = codes != NO_LABEL
    if n_first is None:
        return is_given
    rank = np.argsort(np.argsort(np.where(is_given, order, np.inf), axis=0, kind="stable"), axis=0)
    return is_given & (rank < n_first)


def _is_meant(material: Material, pairs: Sequence[CodePair]) -> BoolArray:
    categories = material.ratings.categories
    is_meant = np.zeros((len(categories),) * 2, dtype=bool)
    for pair in pairs:
        a, b = (categories.index(code) for code in pair)
        is_meant[a, b] = is_meant[b, a] = True
    return is_meant


def _distances(material: Material) -> FloatArray:
    """The squared distance of each two categories, [category, category]."""
    ratings = material.ratings
    counts = ratings.counts
    labels = counts.matrix[counts.has_overlap].sum(axis=0).astype(np.float64)
    first, second = category_pairs(len(ratings.categories))
    table = np.zeros((len(ratings.categories),) * 2)
    table[first, second] = squared_distances(material.scale, category_values(ratings.categories), labels)
    both_ways: FloatArray = table + table.T
    return both_ways
