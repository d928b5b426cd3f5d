"""Only a bound beyond the target decides, and how many more items would bring one there."""

from dataclasses import replace

import numpy as np
import pytest

from annotation.agreement.bootstrap import TAIL_SHARE
from annotation.agreement.checkpoints import Verdict, verdict_of
from annotation.agreement.distances import Scale
from annotation.agreement.sample_size import items_to_clear, items_to_narrow
from annotation.agreement.statistics import Estimate, Status, krippendorff_alpha
from tests.annotation.agreement.designs import counts_of_matrix, random_matrix


def estimate_of(low: float | None, value: float | None, high: float | None, n_items: int = 200) -> Estimate:
    matrix = random_matrix(1, n_items=60, n_raters=2, n_categories=3)
    blank = krippendorff_alpha(counts_of_matrix(matrix), Scale.ORDINAL, resamples=100)
    return replace(blank, ci_low=low, value=value, ci_high=high, n_items_overlap=n_items)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.86, 0.9, Verdict.MET),
        (0.85, 0.9, Verdict.UNDECIDED),
        (0.8, 0.9, Verdict.UNDECIDED),
        (0.8, 0.85, Verdict.UNDECIDED),
        (0.7, 0.84, Verdict.NOT_MET),
        (None, None, Verdict.UNDECIDED),
    ],
)
def test_only_a_bound_beyond_the_target_decides(
    low: float | None, high: float | None, verdict: Verdict
) -> None:
    assert verdict_of(estimate_of(low, 0.85, high)) is verdict


def test_more_items_at_the_present_figure_clear_the_bound_as_reckoned() -> None:
    matrix = random_matrix(4, n_items=400, n_raters=3, n_categories=6)
    now = krippendorff_alpha(counts_of_matrix(matrix), Scale.ORDINAL, resamples=4000)
    assert now.value is not None
    target = now.value - 0.012
    assert now.ci_low is not None
    assert now.ci_low < target
    wanted = items_to_clear(now, target, labels_per_item=3)
    assert wanted.n_items is not None
    assert wanted.n_items_needed == wanted.n_items - 400
    assert wanted.n_labels_needed == 3 * wanted.n_items_needed
    copies = np.tile(matrix, (-(-wanted.n_items // 400), 1))
    later = krippendorff_alpha(counts_of_matrix(copies), Scale.ORDINAL, resamples=4000)
    assert later.ci_low is not None
    assert later.ci_low > target - 0.002
    assert wanted.n_items > 450


def test_a_figure_below_the_target_needs_items_for_its_upper_bound() -> None:
    wanted = items_to_clear(estimate_of(0.78, 0.82, 0.855), 0.85, labels_per_item=2)
    assert wanted.n_items is not None
    assert wanted.n_items > 200
    assert wanted.n_items_low is not None
    assert wanted.n_items_low < wanted.n_items
    assert wanted.n_items_high is None
    assert "far bound" in wanted.reason


def test_a_cleared_bound_needs_nothing_more() -> None:
    wanted = items_to_clear(estimate_of(0.88, 0.9, 0.92), 0.85, labels_per_item=2)
    assert (wanted.n_items_needed, wanted.n_labels_needed) == (0, 0)


def test_a_stricter_look_needs_more_items() -> None:
    some = estimate_of(0.84, 0.87, 0.9)
    plain = items_to_clear(some, 0.85, labels_per_item=2)
    strict = items_to_clear(some, 0.85, labels_per_item=2, tail=TAIL_SHARE / 4)
    assert plain.n_items is not None
    assert strict.n_items is not None
    assert strict.n_items > 1.4 * plain.n_items


@pytest.mark.parametrize(
    ("low", "value", "high"),
    [(None, None, None), (None, 0.9, None), (0.8, 0.85, 0.9), (0.9, 0.95, 1.0)],
)
def test_what_cannot_be_reckoned_is_said(low: float | None, value: float | None, high: float | None) -> None:
    wanted = items_to_clear(estimate_of(low, value, high), 0.85, labels_per_item=2)
    assert wanted.n_items is None
    assert wanted.status is Status.NOT_ESTIMABLE
    assert wanted.reason


def test_half_the_width_takes_four_times_the_items() -> None:
    wanted = items_to_narrow(estimate_of(0.8, 0.85, 0.88, n_items=150), 0.02, labels_per_item=2)
    assert wanted.n_items == 600
    assert wanted.n_labels_needed == 900
    with pytest.raises(ValueError, match="above zero"):
        items_to_narrow(estimate_of(0.8, 0.85, 0.88), 0, labels_per_item=2)
