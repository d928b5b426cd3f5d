"""Krippendorff's alpha equals the independent package, keeps its invariances and says when it has none."""

import math
import random
import warnings
from dataclasses import replace

import krippendorff
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from annotation.agreement.counts import tally_labels
from annotation.agreement.distances import Scale
from annotation.agreement.statistics import (
    MIN_OVERLAP_ITEMS,
    Status,
    krippendorff_alpha,
    percent_agreement,
)
from tests.annotation.agreement.designs import Grid, counts_of_grid, counts_of_matrix, grids, random_matrix

FEW = 100
"""Resamples where the interval is beside the point."""
scales = st.sampled_from(Scale)


def alpha_value(grid: Grid, categories: list[int], scale: Scale) -> float | None:
    return krippendorff_alpha(counts_of_grid(grid, categories), scale, resamples=FEW).value


def alpha_of_package(grid: Grid, categories: list[int], scale: Scale) -> float | None:
    """None where the package refuses (ValueError) or divides nothing by nothing (NaN and a warning)."""
    data = [[math.nan if code is None else code for code in row] for row in grid]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            value = float(krippendorff.alpha(data, value_domain=categories, level_of_measurement=scale.value))
        except ValueError:
            return None
    return None if math.isnan(value) else value


@settings(max_examples=500, deadline=None)
@given(design=grids(), scale=scales)
def test_alpha_equals_the_independent_package_on_random_designs(
    design: tuple[Grid, list[int]], scale: Scale
) -> None:
    ours, theirs = alpha_value(*design, scale), alpha_of_package(*design, scale)
    if theirs is None:
        assert ours is None
    else:
        assert ours == pytest.approx(theirs, abs=1e-9)


@settings(max_examples=200, deadline=None)
@given(design=grids(), scale=scales)
def test_a_figure_is_whole_or_explained(design: tuple[Grid, list[int]], scale: Scale) -> None:
    counts = counts_of_grid(*design)
    for estimate in (krippendorff_alpha(counts, scale), percent_agreement(counts)):
        numbers = [estimate.value, estimate.ci_low, estimate.ci_high]
        assert all(number is None or math.isfinite(number) for number in numbers)
        assert (estimate.ci_low is None) == (estimate.ci_high is None)
        if estimate.ci_low is not None and estimate.ci_high is not None:
            assert estimate.value is not None
            assert estimate.ci_low <= estimate.ci_high <= 1
        else:
            assert estimate.reason
        assert (estimate.value is None) == (estimate.status is Status.NOT_ESTIMABLE)


@settings(max_examples=100, deadline=None)
@given(design=grids(), scale=scales, seed=st.integers(0, 999))
def test_the_order_of_raters_and_items_is_irrelevant(
    design: tuple[Grid, list[int]], scale: Scale, seed: int
) -> None:
    grid, categories = design
    shuffle = random.Random(seed)  # noqa: S311 -- a shuffle, not a secret
    raters = shuffle.sample(grid, len(grid))
    order = shuffle.sample(range(len(grid[0])), len(grid[0]))
    shuffled: Grid = [[row[item] for item in order] for row in raters]
    before, after = (counts_of_grid(each, categories) for each in (grid, shuffled))
    assert krippendorff_alpha(before, scale) == krippendorff_alpha(after, scale)
    assert percent_agreement(before) == percent_agreement(after)


@settings(max_examples=100, deadline=None)
@given(design=grids(), scale=scales, data=st.data())
def test_an_item_with_a_single_label_changes_no_figure(
    design: tuple[Grid, list[int]], scale: Scale, data: st.DataObject
) -> None:
    grid, categories = design
    code = data.draw(st.sampled_from(categories))
    longer: Grid = [[*row, code if rater == 0 else None] for rater, row in enumerate(grid)]
    before = krippendorff_alpha(counts_of_grid(grid, categories), scale)
    after = krippendorff_alpha(counts_of_grid(longer, categories), scale)
    assert (after.n_items, after.n_labels) == (before.n_items + 1, before.n_labels + 1)
    assert after == replace(before, n_items=after.n_items, n_labels=after.n_labels, n_raters=after.n_raters)


@settings(max_examples=100, deadline=None)
@given(design=grids(), data=st.data())
def test_nominal_alpha_is_blind_to_the_names_of_the_categories(
    design: tuple[Grid, list[int]], data: st.DataObject
) -> None:
    grid, categories = design
    renamed = dict(zip(categories, data.draw(st.permutations(categories)), strict=True))
    swapped: Grid = [[None if code is None else renamed[code] for code in row] for row in grid]
    before, after = (alpha_value(each, categories, Scale.NOMINAL) for each in (grid, swapped))
    assert (before is None) == (after is None)
    assume(before is not None)
    assert after == pytest.approx(before, abs=1e-12)


@pytest.mark.parametrize(
    ("scale", "stretched"),
    [
        (Scale.ORDINAL, [0, 1, 50, 51, 999]),
        (Scale.INTERVAL, [7, 10, 13, 16, 19]),
        (Scale.RATIO, [0, 3, 6, 9, 12]),
    ],
)
def test_a_scale_ignores_what_it_does_not_measure(scale: Scale, stretched: list[int]) -> None:
    counts = counts_of_matrix(random_matrix(3, n_items=60, n_raters=3, n_categories=5))
    before, after = (
        krippendorff_alpha(c, scale) for c in (counts, replace(counts, categories=tuple(stretched)))
    )
    assert after.value == pytest.approx(before.value, abs=1e-12)


def test_items_with_unequal_numbers_of_raters_weigh_by_their_labels() -> None:
    # By hand: coincidences 2 of 5 labels disagree, 12 / 4 = 3 by chance, so 1 - 2 / 3.
    counts = counts_of_matrix(np.array([[2, 0], [1, 2]]))
    assert krippendorff_alpha(counts, Scale.NOMINAL).value == pytest.approx(1 / 3)
    # By hand: full agreement on the first item, one of three pairs on the second.
    assert percent_agreement(counts).value == pytest.approx((1 + 1 / 3) / 2)


@pytest.mark.parametrize("scale", Scale)
def test_labels_that_are_all_the_same_have_no_alpha(scale: Scale) -> None:
    counts = counts_of_matrix(np.array([[3, 0, 0]] * 80))
    estimate = krippendorff_alpha(counts, scale)
    assert (estimate.value, estimate.ci_low, estimate.ci_high) == (None, None, None)
    assert estimate.status is Status.NOT_ESTIMABLE
    assert "No variation" in estimate.reason
    assert percent_agreement(counts).value == 1


def test_variation_outside_the_overlap_does_not_count() -> None:
    counts = counts_of_matrix(np.array([[3, 0], [2, 0], [0, 1], [0, 1]]))
    assert krippendorff_alpha(counts, Scale.NOMINAL).status is Status.NOT_ESTIMABLE


@pytest.mark.parametrize("labels", [[], [("s1", "anna", 0), ("s2", "ben", 1)]])
def test_labels_without_overlap_have_no_agreement(labels: list[tuple[str, str, int]]) -> None:
    counts = tally_labels(labels, [0, 1])
    for estimate in (krippendorff_alpha(counts, Scale.ORDINAL), percent_agreement(counts)):
        assert estimate.value is None
        assert estimate.status is Status.NOT_ESTIMABLE
        assert "two raters" in estimate.reason


@pytest.mark.parametrize("scale", Scale)
def test_an_unused_scale_point_keeps_its_place(scale: Scale) -> None:
    grid: Grid = [[0, 1, 5, 5, 0, 1, 1], [0, 1, 5, 1, 0, 0, 1]]
    declared = list(range(6))
    assert counts_of_grid(grid, declared).matrix.shape == (7, 6)
    assert alpha_value(grid, declared, scale) == pytest.approx(alpha_of_package(grid, declared, scale))
    assert alpha_value(grid, declared, scale) == pytest.approx(alpha_value(grid, [0, 1, 5], scale))


def test_the_distance_over_unused_points_is_the_declared_one() -> None:
    grid: Grid = [[0, 1, 5, 5, 0, 1, 1], [0, 1, 5, 1, 0, 0, 1]]
    squeezed: Grid = [[2 if code == 5 else code for code in row] for row in grid]
    on_declared = alpha_value(grid, list(range(6)), Scale.INTERVAL)
    on_observed = alpha_value(squeezed, [0, 1, 2], Scale.INTERVAL)
    assert on_declared is not None
    assert on_observed is not None
    assert abs(on_declared - on_observed) > 0.05


@pytest.mark.parametrize(
    ("n_items", "status"),
    [(MIN_OVERLAP_ITEMS - 1, Status.COLLECTING), (MIN_OVERLAP_ITEMS, Status.OK)],
)
def test_under_fifty_overlap_items_a_figure_is_still_collecting(n_items: int, status: Status) -> None:
    overlap = random_matrix(4, n_items=n_items, n_raters=2, n_categories=3)
    single = np.array([[1, 0, 0]] * 30)
    estimate = krippendorff_alpha(counts_of_matrix(np.vstack([overlap, single])), Scale.ORDINAL)
    assert estimate.status is status
    assert estimate.value is not None
    assert (estimate.n_items, estimate.n_items_overlap) == (n_items + 30, n_items)


@pytest.mark.parametrize("scale", [Scale.INTERVAL, Scale.RATIO])
def test_words_have_no_distances(scale: Scale) -> None:
    labels = [("s1", "anna", "low"), ("s1", "ben", "high"), ("s2", "anna", "low"), ("s2", "ben", "low")]
    estimate = krippendorff_alpha(tally_labels(labels, ["low", "high"]), scale)
    assert (estimate.value, estimate.status) == (None, Status.NOT_APPLICABLE)
    assert "number" in estimate.reason


def test_a_ratio_scale_starts_at_zero() -> None:
    counts = replace(counts_of_matrix(np.array([[1, 1], [0, 2], [2, 0]])), categories=(-1, 1))
    estimate = krippendorff_alpha(counts, Scale.RATIO)
    assert (estimate.value, estimate.status) == (None, Status.NOT_APPLICABLE)
    assert krippendorff_alpha(counts, Scale.INTERVAL).value is not None


def test_a_figure_names_its_statistic_scale_and_what_it_rests_on() -> None:
    labels = [("s1", "anna", 0), ("s1", "ben", 1), ("s2", "anna", 1), ("s2", "ben", 1), ("s3", "cleo", 0)]
    counts = tally_labels(labels, [0, 1], {"s1": "c1", "s2": "c1", "s3": "c2"})
    estimate = krippendorff_alpha(counts, Scale.ORDINAL)
    assert (estimate.statistic, estimate.scale) == ("Krippendorff's alpha", "ordinal")
    assert (estimate.n_items, estimate.n_labels, estimate.n_raters) == (3, 5, 3)
    assert (estimate.n_items_overlap, estimate.n_clusters) == (2, 1)
