"""More labels until the bound clears, and the ceiling that consistency sets."""

import numpy as np
import pytest

from annotation.agreement.counts import IntArray, Ratings
from annotation.agreement.disagreements import Material
from annotation.agreement.distances import Scale
from annotation.agreement.estimates import Resampling, Status
from annotation.agreement.needed import ceiling, labels_needed
from annotation.agreement.statistics import krippendorff_alpha
from tests.annotation.agreement.designs import random_codes, ratings_of_codes, ratings_of_grid

FEW = Resampling(200)


def twice(first: IntArray, again: IntArray) -> Ratings:
    return ratings_of_codes(np.column_stack([first, again]), 6)


def with_slips(rng: np.random.Generator, codes: IntArray, share: float) -> IntArray:
    slipped: IntArray = np.where(rng.random(len(codes)) < share, rng.integers(0, 6, len(codes)), codes)
    return slipped


def test_the_ceiling_is_the_mean_of_the_roots_of_the_products() -> None:
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 6, 200)
    shares = {"anna": 0.1, "ben": 0.3, "carl": 0.6}
    repeats = {name: twice(truth, with_slips(rng, truth, share)) for name, share in shares.items()}
    found = ceiling(repeats, Scale.ORDINAL, resampling=FEW)
    a, b, c = (found.reliability[name] for name in shares)
    assert found.alpha.value is not None
    assert found.alpha.value == pytest.approx((np.sqrt(a * b) + np.sqrt(a * c) + np.sqrt(b * c)) / 3)
    assert a > b > c
    assert found.alpha.ci_low is not None
    assert found.alpha.ci_high is not None
    assert found.alpha.ci_low < found.alpha.value < found.alpha.ci_high
    assert found.is_below_target
    assert found.n_repeats == {"anna": 200, "ben": 200, "carl": 200}


@pytest.mark.parametrize("scale", [Scale.ORDINAL, Scale.NOMINAL])
def test_clinicians_who_mean_the_same_reach_the_ceiling_and_others_stay_below(scale: Scale) -> None:
    rng = np.random.default_rng(2)
    truth = rng.integers(0, 6, 4000)
    shares = [0.1, 0.2, 0.3]
    labels = np.column_stack([with_slips(rng, truth, share) for share in shares])
    repeats = {
        str(place): twice(labels[:, place], with_slips(rng, truth, share))
        for place, share in enumerate(shares)
    }
    limit = ceiling(repeats, scale, resampling=FEW).alpha.value
    assert limit is not None
    alike = krippendorff_alpha(ratings_of_codes(labels, 6), scale, resamples=100).value
    assert alike == pytest.approx(limit, abs=0.02)
    habit = with_slips(rng, truth, 0.3)
    again = [with_slips(rng, habit, shares[2]) for _ in range(2)]
    repeats["2"] = twice(*again)
    unlike = krippendorff_alpha(
        ratings_of_codes(np.column_stack([labels[:, :2], again[0]]), 6), scale, resamples=100
    ).value
    limit = ceiling(repeats, scale, resampling=FEW).alpha.value
    assert unlike is not None
    assert limit is not None
    assert unlike < limit - 0.03


def test_a_ceiling_that_clears_the_target_is_not_below_it() -> None:
    truth = np.random.default_rng(3).integers(0, 6, 100)
    again = truth.copy()
    again[:3] = (again[:3] + 1) % 6
    found = ceiling({"anna": twice(truth, again), "ben": twice(truth, again)}, Scale.ORDINAL, resampling=FEW)
    assert not found.is_below_target


@pytest.mark.parametrize("n_repeats", [0, 19])
def test_too_few_repeats_give_a_reason(n_repeats: int) -> None:
    truth = np.random.default_rng(3).integers(0, 6, 100)
    repeats = {"anna": twice(truth, truth), "ben": twice(truth[:n_repeats], truth[:n_repeats])}
    found = ceiling(repeats, Scale.ORDINAL, resampling=FEW)
    assert found.alpha.value is None
    assert "two raters with 20 varied repeats" in found.alpha.reason
    assert ceiling({}, Scale.ORDINAL).alpha.value is None


def test_repeats_of_one_answer_say_nothing() -> None:
    same = np.zeros(50, dtype=np.int64)
    found = ceiling({"anna": twice(same, same), "ben": twice(same, same)}, Scale.NOMINAL, resampling=FEW)
    assert found.alpha.value is None


def test_more_labels_are_needed_the_nearer_the_figure_lies_to_the_target() -> None:
    ratings = ratings_of_codes(random_codes(4, n_items=300, n_raters=3, n_categories=8), 8)
    material = Material(ratings, Scale.ORDINAL, resampling=FEW)
    value = krippendorff_alpha(ratings, Scale.ORDINAL, resamples=100).value
    assert value is not None
    near, far = labels_needed(material, value - 0.005), labels_needed(material, value - 0.02)
    assert near.n_items_needed is not None
    assert far.n_items is not None
    assert near.n_items is not None
    assert near.n_items > far.n_items
    assert near.n_labels_needed == 3 * near.n_items_needed


def test_labels_without_overlap_say_nothing_of_how_many_are_needed() -> None:
    alone = ratings_of_grid([[0, 1, 2]], [0, 1, 2])
    found = labels_needed(Material(alone, Scale.ORDINAL, resampling=FEW))
    assert found.n_labels_needed is None
    assert found.status is Status.NOT_ESTIMABLE
    assert "two raters" in found.reason
