"""A what-if gives alpha of the changed labels, on the same resamples, and says that it is exploratory."""

from dataclasses import replace

import numpy as np
import pytest

from annotation.agreement.counts import NO_LABEL, Ratings
from annotation.agreement.disagreements import Material
from annotation.agreement.distances import Scale
from annotation.agreement.estimates import Resampling
from annotation.agreement.statistics import krippendorff_alpha
from annotation.agreement.what_if import (
    WhatIf,
    clarify_clauses,
    merge_codes,
    right_swaps,
    set_aside,
    set_aside_first,
    without_first,
)
from tests.annotation.agreement.designs import random_codes, ratings_of_codes, ratings_of_grid

FEW = Resampling(100)
CODES = random_codes(7, n_items=300, n_raters=4, n_categories=5, share_missing=0.2)
RATINGS = ratings_of_codes(CODES, 5)
MATERIAL = Material(RATINGS, Scale.ORDINAL, resampling=FEW)


def alpha_of(ratings: Ratings, scale: Scale = Scale.ORDINAL) -> float:
    value = krippendorff_alpha(ratings, scale, resamples=100).value
    assert value is not None
    return value


def check(found: WhatIf, expected: float) -> None:
    assert found.alpha.value == pytest.approx(expected, abs=1e-12)
    assert found.gain.value == pytest.approx(expected - alpha_of(RATINGS), abs=1e-12)
    assert found.gain.ci_low is not None
    assert found.gain.ci_high is not None
    assert found.gain.ci_low < expected - alpha_of(RATINGS) < found.gain.ci_high
    assert found.caution.startswith("Exploratory")
    assert f"{expected:.3f}" in found.words


def test_merged_codes_are_one_category() -> None:
    found = merge_codes(MATERIAL, [(1, 2)])[0]
    codes = np.where(CODES == 2, 1, CODES)
    codes = np.where(codes > 2, codes - 1, codes)
    check(found, alpha_of(ratings_of_codes(codes, 4)))


def test_a_clinician_set_aside_is_gone() -> None:
    for rater, found in enumerate(set_aside(MATERIAL)):
        check(found, alpha_of(ratings_of_codes(np.delete(CODES, rater, axis=1), 5)))
        assert found.of == (f"r{rater}",)


def test_the_first_labels_are_those_given_first() -> None:
    order = np.where(CODES == NO_LABEL, np.nan, -np.arange(300.0)[:, np.newaxis])
    found = set_aside_first(MATERIAL, order, 50)[1]
    given = np.flatnonzero(CODES[:, 1] != NO_LABEL)[-50:]
    codes = CODES.copy()
    codes[given, 1] = NO_LABEL
    check(found, alpha_of(ratings_of_codes(codes, 5)))
    assert (without_first(RATINGS, "r1", order, 10**6)[:, 1] == NO_LABEL).all()


def test_a_swap_counted_the_right_way_gives_back_what_it_cost() -> None:
    planted = CODES.copy()
    own = CODES[:, 2]
    planted[:, 2] = np.where(own == 0, 1, np.where(own == 1, 0, own))
    material = Material(ratings_of_codes(planted, 5), Scale.NOMINAL, resampling=FEW)
    found = right_swaps(material, [("r2", 0, 1)])[0]
    assert found.alpha.value == pytest.approx(alpha_of(RATINGS, Scale.NOMINAL), abs=1e-12)
    assert found.gain.is_above_zero


def test_a_clarified_clause_resolves_the_confusion_that_was_planted() -> None:
    rng = np.random.default_rng(4)
    codes = np.repeat(rng.integers(0, 4, 600)[:, np.newaxis], 4, axis=1)
    is_slip = rng.random(codes.shape) < 0.05
    clear = np.where(is_slip, rng.integers(0, 4, codes.shape), codes)
    is_vague = (clear >= 2) & (rng.random(codes.shape) < 0.3)
    vague = np.where(is_vague, 5 - clear, clear)
    material = Material(
        ratings_of_codes(vague, 4),
        Scale.NOMINAL,
        clauses_of={0: ("C1",), 1: ("C1",), 2: ("C4",), 3: ("C4",)},
        resampling=FEW,
    )
    found = {each.of[0]: each for each in clarify_clauses(material)}
    before = alpha_of(ratings_of_codes(clear, 4), Scale.NOMINAL)
    assert found["C4"].alpha.value == pytest.approx(before, abs=0.02)
    assert found["C4"].gain.is_above_zero
    assert not found["C1"].gain.is_above_zero
    assert "C4" in found["C4"].words


def test_without_clauses_there_is_nothing_to_clarify() -> None:
    assert clarify_clauses(MATERIAL) == []


def test_setting_aside_one_of_two_leaves_no_alpha_but_a_reason() -> None:
    pair = ratings_of_codes(random_codes(1, n_items=60, n_raters=2, n_categories=3), 3)
    found = set_aside(Material(pair, Scale.NOMINAL, resampling=FEW))
    assert [each.alpha.value for each in found] == [None, None]
    assert all("could not be reckoned" in each.words for each in found)


def test_undefined_labels_give_a_reason() -> None:
    alone = Material(ratings_of_grid([[0, 1, 2]], [0, 1, 2]), Scale.ORDINAL, resampling=FEW)
    found = merge_codes(alone, [(0, 1)])[0]
    assert found.alpha.value is None
    assert "two raters" in found.alpha.reason
    assert clarify_clauses(replace(alone, clauses_of={0: ("C1",)})) == []
