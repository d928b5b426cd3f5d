"""The target is decided at declared looks only, with the error split among them."""

from dataclasses import replace

import numpy as np
import pytest

from annotation.agreement.bootstrap import TAIL_SHARE
from annotation.agreement.checkpoints import (
    Checkpoint,
    Verdict,
    checkpoints,
    declared_looks,
    first_rows,
    standing_verdict,
    verdict_of,
)
from annotation.agreement.distances import Scale
from annotation.agreement.sample_size import items_to_clear, items_to_narrow
from annotation.agreement.statistics import Estimate, Status, alpha, krippendorff_alpha
from tests.annotation.agreement.designs import counts_of_matrix, random_matrix


def estimate_of(low: float | None, value: float | None, high: float | None, n_items: int = 200) -> Estimate:
    matrix = random_matrix(1, n_items=60, n_raters=2, n_categories=3)
    blank = krippendorff_alpha(counts_of_matrix(matrix), Scale.ORDINAL, resamples=100)
    return replace(blank, ci_low=low, value=value, ci_high=high, n_items_overlap=n_items)


@pytest.mark.parametrize(
    ("n_planned", "sizes"),
    [
        (5000, [200, 500, 1000, 5000]),
        (1000, [200, 500, 1000]),
        (700, [200, 500, 700]),
        (120, [120]),
    ],
)
def test_the_looks_are_those_before_the_end_and_the_end(n_planned: int, sizes: list[int]) -> None:
    looks = declared_looks(n_planned)
    assert [look.n_overlap_items for look in looks] == sizes
    assert sum(look.tail for look in looks) == pytest.approx(TAIL_SHARE)


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


def test_a_look_counts_overlap_items_in_their_order_and_waits_for_them() -> None:
    overlap = random_matrix(2, n_items=600, n_raters=3, n_categories=4)
    lone = np.eye(4, dtype=np.int64)[np.zeros(600, dtype=np.int64)]
    matrix = np.stack([overlap, lone], axis=1).reshape(-1, 4)
    counts = counts_of_matrix(matrix)
    looks = declared_looks(5000)
    reached = checkpoints(counts, alpha(Scale.ORDINAL, counts.categories), looks)
    assert [each.look for each in reached] == list(looks[:2])
    assert [each.estimate.n_items_overlap for each in reached] == [200, 500]
    so_far = krippendorff_alpha(counts_of_matrix(overlap[:200]), Scale.ORDINAL)
    assert reached[0].estimate.value == pytest.approx(so_far.value, abs=1e-12)
    assert reached[0].estimate.ci_low is not None
    assert so_far.ci_low is not None
    assert reached[0].estimate.ci_low < so_far.ci_low


def test_later_labels_change_no_earlier_look() -> None:
    counts = counts_of_matrix(random_matrix(3, n_items=1200, n_raters=2, n_categories=5))
    statistic = alpha(Scale.ORDINAL, counts.categories)
    early = checkpoints(first_rows(counts, 600), statistic, declared_looks(1200))
    late = checkpoints(counts, statistic, declared_looks(1200))
    assert [each.estimate.value for each in late[:2]] == [each.estimate.value for each in early]
    assert late[:2] == early
    assert len(late) == 4


def test_a_campaign_that_ended_early_has_its_last_look_at_what_there_is() -> None:
    counts = counts_of_matrix(random_matrix(3, n_items=450, n_raters=2, n_categories=5))
    statistic, looks = alpha(Scale.ORDINAL, counts.categories), declared_looks(1200)
    running = checkpoints(counts, statistic, looks)
    ended = checkpoints(counts, statistic, looks, has_ended=True)
    assert [each.look.n_overlap_items for each in running] == [200]
    assert [each.look.n_overlap_items for each in ended] == [200, 450]
    assert ended[-1].look.tail == looks[-1].tail
    assert ended[0] == running[0]


def test_the_first_look_that_decides_stands() -> None:
    looks = declared_looks(5000)
    some = estimate_of(0.8, 0.85, 0.9)
    verdicts = [Verdict.UNDECIDED, Verdict.NOT_MET, Verdict.MET]
    reached = [Checkpoint(look, some, verdict) for look, verdict in zip(looks, verdicts, strict=False)]
    assert standing_verdict(reached) is Verdict.NOT_MET
    assert standing_verdict(reached[:1]) is Verdict.UNDECIDED
    assert standing_verdict([]) is Verdict.UNDECIDED


def test_with_design_weights_the_weighted_figure_decides() -> None:
    good, bad = np.array([[2, 0], [0, 2]] * 400), np.array([[2, 0], [1, 1]] * 400)
    matrix = np.vstack([good, bad])[np.random.default_rng(1).permutation(1600)]
    is_bad = (matrix == 1).all(axis=1)
    counts = counts_of_matrix(matrix)
    statistic = alpha(Scale.NOMINAL, counts.categories)
    weights = np.where(is_bad, 0.01, 1.0)
    plain = checkpoints(counts, statistic, declared_looks(1600))
    weighted = checkpoints(counts, statistic, declared_looks(1600), weights=weights)
    assert standing_verdict(plain) is Verdict.NOT_MET
    assert standing_verdict(weighted) is Verdict.MET
    assert "design-weighted" in weighted[0].estimate.statistic


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
