"""The known ways to a wrong agreement figure, each shut."""

import math

import numpy as np
import pytest
import sklearn.metrics
import statsmodels.stats.inter_rater as inter_rater
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.agreement.battery import Battery, figures_of_ratings
from annotation.agreement.counts import NO_LABEL, IntArray, Ratings
from annotation.agreement.distances import Scale, Weighting
from annotation.agreement.estimates import Estimate, Resampling, Status, figures
from annotation.agreement.pairs import pair_figures
from annotation.agreement.raters import figures_of_raters
from annotation.agreement.reliability import icc
from annotation.agreement.statistics import krippendorff_alpha
from tests.annotation.agreement.designs import Grid, grids, random_codes, ratings_of_codes, ratings_of_grid

FEW = Resampling(200)
COEFFICIENTS = (
    "krippendorff_alpha",
    "fleiss_kappa",
    "fleiss_kappa_of_complete_block",
    "panel_reliability",
    "icc_2_1",
    "icc_2_k",
)


def battery(ratings: Ratings, scale: Scale = Scale.ORDINAL) -> Battery:
    return figures_of_ratings(ratings, scale, at_least=(ratings.categories[-2],), resampling=FEW)


def every_estimate(found: Battery) -> list[Estimate]:
    single = [getattr(found, name) for name in (*COEFFICIENTS, "percent_agreement", "gwet_ac1", "gwet_ac2")]
    return [*single, *found.classes.values(), found.pairs.mean, *found.pairs.of_rater.values()]


def alpha_of(codes: IntArray, n_categories: int = 6) -> float:
    value = krippendorff_alpha(ratings_of_codes(codes, n_categories), Scale.ORDINAL, resamples=100).value
    assert value is not None
    return value


def test_unequal_numbers_of_raters_stop_no_figure() -> None:
    codes = random_codes(1, n_items=1000, n_raters=5, n_categories=6, share_missing=0.4)
    codes = codes[(codes != NO_LABEL).sum(axis=1) > 0]
    codes[0] = [1, 1, 2, 1, 1]
    with pytest.raises(AssertionError):
        inter_rater.fleiss_kappa(ratings_of_codes(codes, 6).counts.matrix)
    found = battery(ratings_of_codes(codes, 6))
    for estimate in every_estimate(found):
        assert estimate.status is Status.OK, estimate
        assert estimate.ci_low is not None
    assert "items with 5 labels" in found.fleiss_kappa_of_complete_block.reason


def test_a_figure_of_few_complete_items_is_collecting_however_many_overlap() -> None:
    codes = random_codes(5, n_items=100, n_raters=5, n_categories=4)
    codes[2:, 2:] = NO_LABEL
    found = battery(ratings_of_codes(codes, 4))
    for name in ("icc_2_1", "icc_2_k", "fleiss_kappa_of_complete_block"):
        estimate: Estimate = getattr(found, name)
        assert estimate.status is Status.COLLECTING, name
        assert estimate.reason.startswith("2 of 50 items that it can rest on."), name
    assert found.krippendorff_alpha.status is Status.OK
    assert found.icc_2_1.value is not None
    assert "resamples had no value" in found.icc_2_1.reason, "most draw fewer than two of the complete items"


def test_labels_that_are_all_the_same_are_never_a_perfect_kappa() -> None:
    found = battery(ratings_of_codes(np.zeros((80, 3), dtype=np.int64), 6))
    for name in COEFFICIENTS:
        estimate = getattr(found, name)
        assert (estimate.value, estimate.status) == (None, Status.NOT_ESTIMABLE), name
        assert "variation" in estimate.reason
    assert found.pairs.mean.value is None
    for estimate in (found.percent_agreement, found.gwet_ac1, found.classes["0"]):
        assert estimate.value == 1
        assert (estimate.ci_low, estimate.ci_high) == (None, None)
        assert "same value" in estimate.reason
    assert found.classes["4+"].value is None
    assert "label of this class" in found.classes["4+"].reason


def test_without_overlap_there_is_a_reason_and_no_number() -> None:
    found = battery(ratings_of_grid([[1, 2, None, None], [None, None, 3, 4]], [1, 2, 3, 4, 5]))
    for estimate in every_estimate(found):
        assert (estimate.value, estimate.ci_low) == (None, None)
        assert estimate.status is Status.NOT_ESTIMABLE
        assert "two raters" in estimate.reason
    assert found.pairs.of_pair == {}


def test_no_labels_at_all_are_no_overlap() -> None:
    found = battery(ratings_of_codes(np.empty((0, 0), dtype=np.int64), 6))
    assert {each.status for each in every_estimate(found)} <= {Status.NOT_ESTIMABLE, Status.NOT_APPLICABLE}


def test_one_rater_alone_agrees_with_nobody() -> None:
    found = battery(ratings_of_codes(np.arange(6).reshape(-1, 1), 6))
    assert {each.status for each in every_estimate(found)} <= {Status.NOT_ESTIMABLE, Status.NOT_APPLICABLE}


@pytest.mark.parametrize("weighting", [Weighting.LINEAR, Weighting.QUADRATIC])
def test_an_unused_scale_point_keeps_its_neighbours_apart(weighting: Weighting) -> None:
    grid: Grid = [
        [0, 1, 2, 5, 0, 1, 2, 5, 0, 1, 2, 5, 0, 5, 2],
        [0, 1, 2, 5, 1, 1, 0, 2, 0, 2, 2, 5, 0, 5, 5],
    ]
    ratings = ratings_of_grid(grid, list(range(6)))
    ours = pair_figures(ratings, Scale.ORDINAL, weighting).weighted_kappa[0, 1]
    declared = sklearn.metrics.cohen_kappa_score(*grid, weights=weighting.value, labels=list(range(6)))
    observed_only = sklearn.metrics.cohen_kappa_score(*grid, weights=weighting.value)
    assert ours == pytest.approx(declared, abs=1e-12)
    assert abs(ours - observed_only) > 0.005


def test_a_field_that_does_not_apply_is_no_agreement() -> None:
    """Half the items have no reply to judge; both raters say so, and that is not agreement on empathy."""
    rng = np.random.default_rng(2)
    asked = rng.integers(0, 3, size=(150, 2))
    not_asked = np.full((150, 2), NO_LABEL)
    as_missing = np.vstack([asked, not_asked]).astype(np.int64)
    as_a_code = np.where(as_missing == NO_LABEL, 3, as_missing)
    eligible = krippendorff_alpha(ratings_of_codes(asked, 4), Scale.NOMINAL, resamples=100)
    found = krippendorff_alpha(ratings_of_codes(as_missing, 4), Scale.NOMINAL, resamples=100)
    wrong = krippendorff_alpha(ratings_of_codes(as_a_code, 4), Scale.NOMINAL, resamples=100)
    assert found.value == eligible.value
    assert (found.n_items, found.n_items_overlap) == (300, 150)
    assert found.value is not None
    assert wrong.value is not None
    assert wrong.value > found.value + 0.3


def test_adaptive_third_labels_would_ruin_the_figure_and_are_kept_out() -> None:
    """A third label only where two differ: as complete cases they are nothing but disagreement."""
    codes = random_codes(3, n_items=2000, n_raters=3, n_categories=6)
    planned = codes[:, :2]
    differ = planned[:, 0] != planned[:, 1]
    assert alpha_of(codes) == pytest.approx(alpha_of(planned), abs=0.03)
    complete_cases = codes[differ]
    assert alpha_of(complete_cases) < alpha_of(planned) - 0.1
    third_kept = np.column_stack([planned, np.where(differ, codes[:, 2], NO_LABEL)])
    assert abs(alpha_of(third_kept) - alpha_of(planned)) > 0.005


def test_copied_labels_lift_the_figure_until_they_are_left_out() -> None:
    codes = random_codes(4, n_items=1500, n_raters=3, n_categories=6)
    is_copied = np.random.default_rng(5).random(1500) < 0.3
    copied = codes.copy()
    copied[is_copied, 1] = copied[is_copied, 0]
    without = copied.copy()
    without[is_copied, 1] = NO_LABEL
    assert alpha_of(copied) > alpha_of(codes) + 0.01
    assert alpha_of(without) == pytest.approx(alpha_of(codes), abs=0.01)


def test_items_of_one_conversation_are_no_independent_evidence() -> None:
    codes = np.repeat(random_codes(6, n_items=60, n_raters=3, n_categories=5), 4, axis=0)
    conversations = np.repeat(np.arange(60), 4)
    alone = battery(ratings_of_codes(codes, 5))
    together = battery(ratings_of_codes(codes, 5, clusters=conversations))
    for one, other in zip(every_estimate(alone), every_estimate(together), strict=True):
        assert one.value == pytest.approx(other.value, abs=1e-12)
        if None not in (one.ci_low, one.ci_high, other.ci_low, other.ci_high):
            assert one.ci_high - one.ci_low < 0.75 * (other.ci_high - other.ci_low)  # type: ignore[operator]


def test_categories_are_declared_and_not_taken_from_the_data() -> None:
    grid: Grid = [[0, 0, 3, 3, 0, 3], [0, 3, 3, 3, 0, 0]]
    table, seen = inter_rater.aggregate_raters(np.array(grid).T)
    assert table.shape[1] == len(seen) == 2
    squeezed: Grid = [[0 if code == 0 else 1 for code in row] for row in grid]
    of_two = battery(ratings_of_grid(squeezed, [0, 1]))
    of_six = battery(ratings_of_grid(grid, list(range(6))))
    assert list(of_six.classes) == ["0", "1", "2", "3", "4", "5", "4+"]
    assert of_six.gwet_ac1.value != pytest.approx(of_two.gwet_ac1.value, abs=0.05)


def test_a_steady_shift_of_everybody_but_one_is_seen_though_alpha_hardly_is() -> None:
    codes = np.clip(random_codes(7, n_items=400, n_raters=3, n_categories=12), 0, 10)
    shifted = codes.copy()
    shifted[:, 2] += 1
    assert alpha_of(codes, 12) - alpha_of(shifted, 12) < 0.15


@settings(max_examples=150, deadline=None)
@given(design=grids(), scale=st.sampled_from(Scale))
def test_every_figure_is_whole_or_explained(design: tuple[Grid, list[int]], scale: Scale) -> None:
    ratings = ratings_of_grid(*design)
    of_raters = figures_of_raters(ratings, scale, resampling=FEW)
    for estimate in [
        *every_estimate(battery(ratings, scale)),
        *(each.leave_one_out for each in of_raters.values()),
        *(each.signed_bias for each in of_raters.values()),
        *(share for each in of_raters.values() for share in each.marginals),
    ]:
        numbers = [estimate.value, estimate.ci_low, estimate.ci_high]
        assert all(number is None or math.isfinite(number) for number in numbers), estimate
        assert (estimate.ci_low is None) == (estimate.ci_high is None)
        has_value = estimate.status in (Status.OK, Status.COLLECTING)
        assert (estimate.value is not None) == has_value
        if estimate.ci_low is None or estimate.ci_high is None:
            assert estimate.reason
        else:
            assert estimate.ci_low <= estimate.ci_high
        assert estimate.statistic


def test_counts_do_not_say_who_said_what() -> None:
    ratings = ratings_of_codes(random_codes(8, n_items=60, n_raters=3, n_categories=4), 4)
    single, _ = icc(ratings, Scale.ORDINAL)
    (estimate,) = figures(ratings.counts, {"": single}, FEW)[""]
    assert (estimate.value, estimate.status) == (None, Status.NOT_APPLICABLE)
    assert "which rater" in estimate.reason
