"""A campaign's counting labels laid out for the statistics: a grid per dimension, in order of completion."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from annotation.agreement.alerts import Course
from annotation.agreement.counts import NO_LABEL, BoolArray, FloatArray, IntArray, Ratings
from annotation.agreement.distances import Scale

FIRST_TIME, REPEATED = "first time", "repeated"


@dataclass(frozen=True)
class Factor:
    """Values by number: ``codes[row]`` is the place of a row's value in ``values``."""

    codes: IntArray
    values: tuple[Any, ...]


@dataclass(frozen=True)
class LabelColumns:
    """One entry per counting label in every column; moments in seconds since 1970, NaN where not known.

    A rater never has two labels of one sample. The columns of a sample say the same on each of its labels.
    """

    sample: IntArray
    rater: Factor
    conversation: Factor
    guideline: Factor
    topic: Factor
    weight: FloatArray
    words: IntArray
    locked_at: FloatArray
    created_at: FloatArray
    seconds: FloatArray


@dataclass(frozen=True)
class DimensionLabels:
    """What agreement on one dimension rests on.

    Items of ``ratings`` are sample numbers: first those with two labels or more in the order in which their
    second label locked, then the others by their first lock. Raters are annotator codes. ``completed_at`` is
    the moment of the second lock, NaN where there is none; ``version_codes[item, rater]`` the place of the
    label's guideline version in ``versions``, NO_LABEL where there is no label. ``n_not_eligible`` counting
    labels answer nothing on this scale.
    """

    key: str
    scale: Scale
    ratings: Ratings
    weights: FloatArray
    completed_at: FloatArray
    locked_at: FloatArray
    course: Course
    topics: tuple[str, ...]
    versions: tuple[str, ...]
    version_codes: IntArray
    n_not_eligible: int

    @property
    def has_overlap(self) -> BoolArray:
        """True for items with two labels or more."""
        has_overlap: BoolArray = (self.ratings.codes != NO_LABEL).sum(axis=1) >= 2
        return has_overlap

    @property
    def overlap_items(self) -> tuple[int, ...]:
        """The numbers of the samples that the figures are computed from."""
        return self._items(self.has_overlap)

    @property
    def single_label_items(self) -> tuple[int, ...]:
        """The numbers of the samples with nobody to agree with yet."""
        return self._items(~self.has_overlap)

    @property
    def overlap_raters(self) -> tuple[str, ...]:
        """The codes of those who labelled an overlap item."""
        is_present = (self.ratings.codes[self.has_overlap] != NO_LABEL).any(axis=0)
        return tuple(str(self.ratings.raters[column]) for column in np.flatnonzero(is_present))

    @property
    def overlap_versions(self) -> tuple[str, ...]:
        """The guideline versions under which the labels of overlap items were given."""
        codes = np.unique(self.version_codes[self.has_overlap])
        return tuple(self.versions[code] for code in codes if code != NO_LABEL)

    @property
    def unequal_weights(self) -> FloatArray | None:
        """The design weights; None where every sample was as likely as any other, so that none is needed."""
        return self.weights if len(np.unique(self.weights)) > 1 else None

    @property
    def versions_of_items(self) -> tuple[tuple[str, ...], ...]:
        """The guideline versions of the labels of each item."""
        return tuple(
            tuple(self.versions[code] for code in row if code != NO_LABEL)
            for row in self.version_codes.tolist()
        )

    def _items(self, is_taken: BoolArray) -> tuple[int, ...]:
        return tuple(self.ratings.items[row] for row in np.flatnonzero(is_taken))


def in_groups(ratings: Ratings, group_of: Mapping[Any, str]) -> Ratings:
    """Return the same labels on the coarser scale of their groups."""
    groups = tuple(dict.fromkeys(group_of[code] for code in ratings.categories))
    # Last stands what NO_LABEL, which is -1, reads.
    place = np.array([*(groups.index(group_of[code]) for code in ratings.categories), NO_LABEL])
    return replace(ratings, codes=place[ratings.codes], categories=groups)


@dataclass(frozen=True)
class Question:
    """A headline dimension: its key, its scale, its codes in the order of the scale."""

    key: str
    scale: Scale
    codes: tuple[str, ...]


def arrange(
    columns: LabelColumns,
    question: Question,
    answers: Sequence[object],
    *,
    n_planned: int,
    repeats: Sequence[tuple[int, str, object]] = (),
) -> DimensionLabels:
    """Lay the labels out by sample and rater; an answer that is no code of the question is not eligible.

    ``repeats`` are (sample, rater, answer) of silent repeats; they enter ``course`` alone.
    """
    place = {code: index for index, code in enumerate(question.codes)}
    codes = np.array([place.get(answer, NO_LABEL) for answer in answers], dtype=np.int64)  # type: ignore[call-overload]
    rows = np.flatnonzero(codes != NO_LABEL)
    grid = _Grid(columns, rows)
    ratings = Ratings(
        codes=grid.filled(codes, NO_LABEL),
        clusters=_renumbered(columns.conversation.codes[grid.first_row]),
        categories=question.codes,
        items=tuple(columns.sample[grid.first_row].tolist()),
        raters=grid.raters,
    )
    course = Course(
        order=grid.filled(columns.created_at, np.nan),
        seconds=grid.filled(columns.seconds, np.nan),
        words=columns.words[grid.first_row],
        n_planned=n_planned,
        repeats=_repeats(ratings, place, repeats),
    )
    topics = columns.topic.values
    return DimensionLabels(
        key=question.key,
        scale=question.scale,
        ratings=ratings,
        weights=columns.weight[grid.first_row],
        completed_at=grid.completed_at,
        locked_at=grid.filled(columns.locked_at, np.nan),
        course=course,
        topics=tuple(topics[code] for code in columns.topic.codes[grid.first_row]),
        versions=columns.guideline.values,
        version_codes=grid.filled(columns.guideline.codes, NO_LABEL),
        n_not_eligible=len(codes) - len(rows),
    )


class _Grid:
    """Where each eligible label stands: its sample's row, its rater's column."""

    def __init__(self, columns: LabelColumns, rows: IntArray) -> None:
        # By sample, and within a sample by lock: labels that one sitting's end locked together have one
        # moment, so the order in which they were given decides.
        order = np.lexsort((columns.created_at[rows], columns.locked_at[rows], columns.sample[rows]))
        rows = rows[order]
        samples = columns.sample[rows]
        starts = np.flatnonzero(np.diff(samples, prepend=-1))
        sizes = np.diff(starts, append=len(rows))
        second = rows[starts + np.minimum(sizes - 1, 1)]
        is_single = sizes < 2
        in_order = np.lexsort(
            (samples[starts], columns.created_at[second], columns.locked_at[second], is_single)
        )
        place = np.empty_like(in_order)
        place[in_order] = np.arange(len(in_order))
        present = np.unique(columns.rater.codes[rows])
        self.raters = tuple(columns.rater.values[code] for code in present)
        self.first_row: IntArray = rows[starts[in_order]]
        self.completed_at: FloatArray = np.where(is_single, np.nan, columns.locked_at[second])[in_order]
        self._rows = rows
        self._item: IntArray = np.repeat(place, sizes)
        self._rater: IntArray = np.searchsorted(present, columns.rater.codes[rows])

    def filled(self, values: Any, blank: Any) -> Any:
        """The labels' values as a grid [item, rater]."""
        grid = np.full((len(self.first_row), len(self.raters)), blank, dtype=values.dtype)
        grid[self._item, self._rater] = values[self._rows]
        return grid


def _renumbered(codes: IntArray) -> IntArray:
    """Conversation numbers without gaps."""
    renumbered: IntArray = np.unique(codes, return_inverse=True)[1]
    return renumbered


def _repeats(
    ratings: Ratings, place: Mapping[Any, int], repeats: Sequence[tuple[int, str, object]]
) -> dict[Hashable, Ratings]:
    """Each rater's label of a sample beside that rater's repeat of it."""
    row_of = {item: row for row, item in enumerate(ratings.items)}
    column_of = {rater: column for column, rater in enumerate(ratings.raters)}
    both: dict[Hashable, list[tuple[int, int]]] = {}
    for sample, rater, answer in repeats:
        row, column, repeated = row_of.get(sample), column_of.get(rater), place.get(answer)
        if row is None or column is None or repeated is None or ratings.codes[row, column] == NO_LABEL:
            continue
        both.setdefault(rater, []).append((row, repeated))
    return {
        rater: Ratings(
            codes=np.array([[ratings.codes[row, column_of[rater]], code] for row, code in pairs]),
            clusters=_renumbered(ratings.clusters[[row for row, _ in pairs]]),
            categories=ratings.categories,
            items=tuple(ratings.items[row] for row, _ in pairs),
            raters=(FIRST_TIME, REPEATED),
        )
        for rater, pairs in sorted(both.items())
    }
