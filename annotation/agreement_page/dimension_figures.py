"""Everything that the agreement page says of a dimension, computed from its labels. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from annotation.agreement import statistics
from annotation.agreement.battery import Battery, CountBattery, figures_of_counts, figures_of_ratings
from annotation.agreement.chosen_items import items_by_answers
from annotation.agreement.counts import NO_LABEL, FloatArray, IntArray, Ratings
from annotation.agreement.dimension_labels import DimensionLabels, in_groups
from annotation.agreement.distances import weighting_of
from annotation.agreement.estimates import Estimate, Resampling, figures, only
from annotation.agreement.pairs import PairEstimates, pair_figures, pair_kappas
from annotation.agreement.raters import (
    WINDOW_ITEMS,
    RaterFigures,
    WindowFigure,
    figures_of_raters,
    retest,
    rolling_figures,
)
from annotation.agreement_page.course import CoursePoint, course_of

RATERS_SHOWN = 20  # tables of people that can still be read


@dataclass(frozen=True)
class Design:
    """What the scheme says of the dimension.

    ``at_least`` are the codes that begin a class of their own with all above, such as severe; ``groupings``
    the coarser readings of a nominal scale by their title, each from code to group.
    """

    at_least: tuple[str, ...] = ()
    groupings: Mapping[str, Mapping[str, str]] | None = None


@dataclass(frozen=True)
class Both:
    """A figure of the campaign's set, and of the population it was drawn from where the chances differed."""

    of_set: Estimate
    weighted: Estimate | None

    @property
    def deciding(self) -> Estimate:
        """The design-weighted figure; the plain one where all weights are the same, so that both are."""
        return self.weighted or self.of_set


@dataclass(frozen=True)
class Headline:
    """The running figure of the reading that decides, and what it rests on."""

    key: str
    alpha: Both
    groups: Mapping[str, Both]
    n_raters: int
    n_labels: int
    n_single: int
    n_not_eligible: int
    versions: tuple[str, ...]


@dataclass(frozen=True)
class RaterDetail:
    """One clinician: beside the figures of `raters`, the pace and the agreement with oneself."""

    figures: RaterFigures
    median_seconds: float | None
    latest: WindowFigure | None
    retest_kappa: Estimate | None
    n_labels_by_category: IntArray


@dataclass(frozen=True)
class Detail:
    """One dimension in full; people are the RATERS_SHOWN who label most.

    The figures of people and of pairs of them are those of the population, as the alpha that decides is.
    """

    categories: tuple[str, ...]
    of_set: CountBattery
    weighted: CountBattery | None
    kappas: PairEstimates
    n_common: IntArray
    people: tuple[str, ...]
    n_people_left_out: int
    raters: Mapping[str, RaterDetail]
    items_by_answers: IntArray
    n_items_by_class: Mapping[str, int]
    n_labels_by_category: IntArray
    course: tuple[CoursePoint, ...]
    version_marks: tuple[tuple[float, str], ...]


def headline_of(labels: DimensionLabels, design: Design, *, seed: int) -> Headline:
    """Compute the running figure of the reading that decides; a verdict comes with a declared look alone."""
    counts = labels.ratings.counts
    return Headline(
        key=labels.key,
        alpha=_alpha(labels, labels.ratings, seed),
        groups={
            title: _alpha(labels, in_groups(labels.ratings, members), seed)
            for title, members in (design.groupings or {}).items()
        },
        n_raters=len(labels.overlap_raters),
        n_labels=int(counts.matrix[counts.has_overlap].sum()),
        n_single=len(labels.single_label_items),
        n_not_eligible=labels.n_not_eligible,
        versions=labels.overlap_versions,
    )


def detail_of(
    labels: DimensionLabels, design: Design, *, seed: int, known: Sequence[CoursePoint] = ()
) -> Detail | None:
    """Compute the dimension in full; None while no item has two labels.

    ``known`` is a course of before: what has not changed of it is not computed again.
    """
    if not labels.has_overlap.any():
        return None
    resampling = Resampling(seed=seed)
    people = _most_active(labels.ratings)
    weights = labels.unequal_weights
    of_set = _battery(labels, design, resampling, None)
    weighted = None if weights is None else _battery(labels, design, resampling, weights)
    codes = labels.ratings.codes[labels.has_overlap]
    n_categories = len(labels.ratings.categories)
    return Detail(
        categories=tuple(map(str, labels.ratings.categories)),
        of_set=of_set,
        weighted=weighted,
        kappas=_kappas(weighted or of_set, people, labels, resampling),
        n_common=pair_figures(people, labels.scale, weighting_of(labels.scale)).n,
        people=tuple(map(str, people.raters)),
        n_people_left_out=len(labels.ratings.raters) - len(people.raters),
        raters=_raters(labels, people, resampling),
        items_by_answers=items_by_answers(codes, n_categories),
        n_items_by_class=_items_by_class(codes, labels.ratings, design.at_least),
        n_labels_by_category=_by_category(codes, n_categories),
        course=course_of(labels, seed, known),
        version_marks=_version_marks(labels),
    )


def _alpha(labels: DimensionLabels, ratings: Ratings, seed: int) -> Both:
    # A grouped reading is nominal, and only nominal dimensions have one.
    statistic = {"": statistics.alpha(labels.scale, ratings.categories)}
    weights = labels.unequal_weights
    resampling = Resampling(seed=seed)
    plain = only(figures(ratings.counts, statistic, resampling)[""])
    if weights is None:
        return Both(plain, None)
    return Both(plain, only(figures(ratings.counts, statistic, resampling, weights)[""]))


def _battery(
    labels: DimensionLabels, design: Design, resampling: Resampling, weights: FloatArray | None
) -> CountBattery:
    ratings = labels.ratings
    if len(ratings.raters) > RATERS_SHOWN:  # the pairs of very many people are too many to reckon with
        return figures_of_counts(
            ratings.counts, labels.scale, at_least=design.at_least, resampling=resampling, weights=weights
        )
    return figures_of_ratings(
        ratings, labels.scale, at_least=design.at_least, resampling=resampling, weights=weights
    )


def _kappas(
    battery: CountBattery, people: Ratings, labels: DimensionLabels, resampling: Resampling
) -> PairEstimates:
    if isinstance(battery, Battery):
        return battery.pairs
    weighting = weighting_of(labels.scale)
    return pair_kappas(people, labels.scale, weighting, resampling, labels.unequal_weights)


def _most_active(ratings: Ratings) -> Ratings:
    """The labels of the RATERS_SHOWN who have most of them on overlap items, in the order they stand in."""
    n_labels = (ratings.codes[ratings.counts.has_overlap] != NO_LABEL).sum(axis=0)
    columns = np.sort(np.argsort(-n_labels, kind="stable")[:RATERS_SHOWN])
    return replace(
        ratings,
        codes=ratings.codes[:, columns],
        raters=tuple(ratings.raters[column] for column in columns),
    )


def _raters(labels: DimensionLabels, people: Ratings, resampling: Resampling) -> dict[str, RaterDetail]:
    found = figures_of_raters(people, labels.scale, resampling=resampling, weights=labels.unequal_weights)
    again = retest(labels.course.repeats, labels.scale, resampling=resampling)
    details = {}
    for rater in people.raters:
        column = labels.ratings.raters.index(rater)
        seconds = labels.course.seconds[:, column]
        own = labels.ratings.codes[labels.has_overlap, column]
        details[str(rater)] = RaterDetail(
            # Those who are not shown may be the only others on an item that the list has.
            figures=replace(found[rater], n_overlap_labels=int(np.count_nonzero(own != NO_LABEL))),
            median_seconds=None if np.isnan(seconds).all() else float(np.nanmedian(seconds)),
            latest=_latest_window(labels, rater, resampling),
            retest_kappa=again[rater][0] if rater in again else None,
            n_labels_by_category=_by_category(own, len(people.categories)),
        )
    return details


def _latest_window(labels: DimensionLabels, rater: object, resampling: Resampling) -> WindowFigure | None:
    """The last of the rater's windows; None before the first is full."""
    column = labels.ratings.raters.index(rater)
    shared = np.flatnonzero(labels.has_overlap & (labels.ratings.codes[:, column] != NO_LABEL))
    latest = shared[-WINDOW_ITEMS:]
    ratings = replace(
        labels.ratings, codes=labels.ratings.codes[latest], clusters=labels.ratings.clusters[latest]
    )
    windows = rolling_figures(ratings, rater, labels.scale, resampling=resampling)
    return replace(windows[-1], last_item=len(shared)) if windows else None


def _by_category(codes: IntArray, n_categories: int) -> IntArray:
    return np.bincount(codes[codes != NO_LABEL], minlength=n_categories)


def _items_by_class(codes: IntArray, ratings: Ratings, at_least: Sequence[str]) -> dict[str, int]:
    """The number of items with a label of each class, by the names that the figures give the classes."""
    every = {str(code): codes == place for place, code in enumerate(ratings.categories)}
    every |= {f"{code}+": codes >= ratings.categories.index(code) for code in at_least}
    return {name: int(is_in.any(axis=1).sum()) for name, is_in in every.items()}


def _version_marks(labels: DimensionLabels) -> tuple[tuple[float, str], ...]:
    """When the first label under each guideline version but the first locked."""
    first_locked = sorted(
        (float(np.nanmin(labels.locked_at[is_under])), version)
        for place, version in enumerate(labels.versions)
        if (is_under := labels.version_codes == place).any()
    )
    return tuple(first_locked[1:])
