"""The samples behind a cell of an agreement figure: chosen by who labelled them, and by what was answered."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from annotation.agreement.counts import NO_LABEL, BoolArray, IntArray
from annotation.agreement.dimension_labels import DimensionLabels
from annotation.agreement.raters import WINDOW_ITEMS


@dataclass(frozen=True)
class Choice:
    """Which overlap items; what is left empty does not narrow.

    With a ``person``, ``answer`` is what that person said; without, what anybody said. ``other`` and
    ``against`` are a second person and a second label of the same sample, of another person than the first.
    ``at_least`` is anybody's answer at that point of the scale or above. ``first`` are the items that were
    completed first; ``through`` the window of a person's items that ends with the so-manieth.
    """

    person: str = ""
    other: str = ""
    answer: str = ""
    against: str = ""
    at_least: str = ""
    first: int | None = None
    through: int | None = None


def chosen_items(labels: DimensionLabels, choice: Choice) -> tuple[int, ...]:
    """Return the numbers of the chosen overlap samples, in order of completion. Raises KeyError for a code
    that the dimension does not have."""
    rows = np.flatnonzero(labels.has_overlap)
    if choice.first is not None:
        rows = rows[: choice.first]
    rows = rows[_is_chosen(labels, choice, labels.ratings.codes[rows])]
    if choice.through is not None:
        rows = rows[max(choice.through - WINDOW_ITEMS, 0) : choice.through]
    items = labels.ratings.items
    return tuple(int(items[row]) for row in rows)


def items_by_answers(codes: IntArray, n_categories: int) -> IntArray:
    """Count for each two categories the items on which one rater chose one and another the other.

    On the diagonal stand the items on which two raters or more chose the same.
    """
    given = np.stack([(codes == code).sum(axis=1) for code in range(n_categories)], axis=1)
    is_given = (given > 0).astype(np.int64)
    both: IntArray = is_given.T @ is_given
    np.fill_diagonal(both, (given >= 2).sum(axis=0))
    return both


def _is_chosen(labels: DimensionLabels, choice: Choice, codes: IntArray) -> BoolArray:
    is_first, is_second = (_matches(labels, codes, *each) for each in _wanted(choice))
    # One label cannot be both: with the same cell on both sides, another one is needed.
    n_both = (is_first & is_second).sum(axis=1)
    is_pair = (is_first.sum(axis=1) * is_second.sum(axis=1)) > n_both
    is_any = is_first.any(axis=1)
    is_chosen: BoolArray = is_pair if choice.other or choice.against else is_any
    if choice.at_least:
        is_chosen = is_chosen & (codes >= _place(labels, choice.at_least)).any(axis=1)
    return is_chosen


def _wanted(choice: Choice) -> tuple[tuple[str, str], tuple[str, str]]:
    return (choice.person, choice.answer), (choice.other, choice.against)


def _matches(labels: DimensionLabels, codes: IntArray, person: str, answer: str) -> BoolArray:
    """True for each label by that person with that answer."""
    matches: BoolArray = codes != NO_LABEL if not answer else codes == _place(labels, answer)
    if person:
        matches = matches & (np.array(labels.ratings.raters, dtype=object) == person)
    return matches


def _place(labels: DimensionLabels, code: str) -> int:
    if code not in labels.ratings.categories:
        raise KeyError(code)
    return labels.ratings.categories.index(code)
