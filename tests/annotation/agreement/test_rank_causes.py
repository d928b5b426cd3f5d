"""A planted cause of disagreement is ranked first among simulated clinicians."""

from functools import cache

import numpy as np
import pytest

from annotation.agreement.causes import Cause, CauseKind, causes
from annotation.agreement.counts import IntArray, Ratings
from annotation.agreement.disagreements import Material
from annotation.agreement.distances import Scale
from annotation.agreement.estimates import Resampling
from tests.annotation.agreement.designs import ratings_of_codes, ratings_of_grid
from tests.annotation.agreement.rehearsed import (
    CODES,
    CRISIS,
    MODALITY,
    NAMES,
    campaign,
    ratings_of,
    with_a_swap,
    with_two_codes_as_one,
)

FEW = Resampling(100)
SEEDS = range(1, 11)
N_ITEMS = 250
PAIRS = (("cbt", "supportive"), ("cbt", "person_centred"), ("person_centred", "supportive"))


@cache
def without_a_plant(seed: int) -> dict[str, IntArray]:
    return campaign(seed, N_ITEMS)


def first_of(codes: IntArray, key: str) -> Cause:
    scale = Scale.ORDINAL if key == CRISIS else Scale.NOMINAL
    return causes(Material(ratings_of(codes, key), scale, resampling=FEW)).ranked[0]


def codes_of_seed(seed: int) -> tuple[str, str, int, int]:
    first, second = PAIRS[seed % len(PAIRS)]
    return first, second, CODES[MODALITY].index(first), CODES[MODALITY].index(second)


def test_two_codes_that_one_clinician_swaps_come_first() -> None:
    found, planted = [], []
    for seed in SEEDS:
        first, second, one, other = codes_of_seed(seed)
        codes = with_a_swap(without_a_plant(seed)[MODALITY], seed % 5, one, other)
        cause = first_of(codes, MODALITY)
        found.append((cause.kind, cause.of))
        planted.append((CauseKind.SWAPPED_CODES, (NAMES[seed % 5], first, second)))
    assert sum(a == b for a, b in zip(found, planted, strict=True)) >= 9


def test_two_codes_that_nobody_tells_apart_come_first() -> None:
    found, planted = [], []
    for seed in SEEDS:
        first, second, one, other = codes_of_seed(seed)
        codes = with_two_codes_as_one(without_a_plant(seed)[MODALITY], one, other, seed)
        cause = first_of(codes, MODALITY)
        found.append((cause.kind, cause.of))
        planted.append((CauseKind.CONFUSED_CODES, (first, second)))
    assert sum(a == b for a, b in zip(found, planted, strict=True)) >= 9


def test_levels_that_nobody_tells_apart_come_first_and_not_the_wider_pair_they_turn_into() -> None:
    found = []
    for seed in SEEDS:
        codes = with_two_codes_as_one(without_a_plant(seed)[CRISIS], 1, 2, seed)
        cause = first_of(codes, CRISIS)
        found.append((cause.kind, cause.of))
    assert found.count((CauseKind.CONFUSED_CODES, ("1", "2"))) >= 9


def test_two_clinicians_who_read_higher_come_first() -> None:
    found, planted = [], []
    for seed in SEEDS:
        members = tuple(sorted((seed % 5, (seed + 1 + seed // 5) % 5)))
        biases = [0.5 if rater in members else 0.0 for rater in range(5)]
        cause = first_of(campaign(seed, N_ITEMS, biases)[CRISIS], CRISIS)
        found.append((cause.kind, cause.of))
        planted.append((CauseKind.TWO_CLINICIANS, tuple(NAMES[member] for member in members)))
    assert sum(a == b for a, b in zip(found, planted, strict=True)) >= 9


def test_without_a_plant_nobody_is_said_to_swap_and_no_two_to_lean() -> None:
    for seed in SEEDS:
        for key, scale in ((CRISIS, Scale.ORDINAL), (MODALITY, Scale.NOMINAL)):
            ratings = ratings_of(without_a_plant(seed)[key], key)
            kinds = {cause.kind for cause in causes(Material(ratings, scale, resampling=FEW)).ranked}
            assert not kinds & {CauseKind.SWAPPED_CODES, CauseKind.TWO_CLINICIANS}


def noisy(seed: int, n_items: int = 400, n_categories: int = 4) -> tuple[IntArray, np.random.Generator]:
    """Five raters who give any answer at all to one item in twelve."""
    rng = np.random.default_rng(seed)
    codes = np.repeat(rng.integers(0, n_categories, n_items)[:, np.newaxis], 5, axis=1)
    is_slip = rng.random(codes.shape) < 1 / 12
    return np.where(is_slip, rng.integers(0, n_categories, codes.shape), codes), rng


def test_one_clinician_who_guesses_comes_first_alone() -> None:
    codes, rng = noisy(1)
    codes[:, 3] = np.where(rng.random(400) < 0.3, rng.integers(0, 4, 400), codes[:, 3])
    ranked = causes(Material(ratings_of_codes(codes, 4), Scale.ORDINAL, resampling=FEW)).ranked
    assert (ranked[0].kind, ranked[0].of) == (CauseKind.CLINICIAN, ("r3",))
    assert ranked[0].gain.is_above_zero


def test_what_one_clinician_does_to_two_codes_is_not_put_down_to_the_codes() -> None:
    codes, _ = noisy(6)
    codes[:, 4] = with_two_codes_as_one(codes, 1, 2, 6)[:, 4]
    ranked = causes(Material(ratings_of_codes(codes, 4), Scale.NOMINAL, resampling=FEW)).ranked
    assert (ranked[0].kind, ranked[0].of) == (CauseKind.CLINICIAN, ("r4",))
    of_codes = [cause for cause in ranked if cause.kind is CauseKind.CONFUSED_CODES]
    assert all((cause.gain.value or 0) < (ranked[0].gain.value or 0) / 3 for cause in of_codes)


def test_a_theme_in_which_all_disagree_more_comes_first_whatever_codes_it_holds() -> None:
    codes, rng = noisy(2)
    themes = tuple("grief" if item % 5 == 0 else f"other {item % 5}" for item in range(400))
    is_hard = np.array([theme == "grief" for theme in themes])[:, np.newaxis] & (rng.random((400, 5)) < 0.4)
    codes = np.where(is_hard, rng.integers(0, 4, codes.shape), codes)
    material = Material(
        ratings_of_codes(codes, 4), Scale.NOMINAL, groupings={"theme": themes}, resampling=FEW
    )
    first = causes(material).ranked[0]
    assert (first.kind, first.of) == (CauseKind.GROUP, ("theme", "grief"))
    assert first.words.startswith("Theme grief")


def test_the_clause_and_the_share_stand_in_the_words() -> None:
    codes, _ = noisy(3)
    planted = with_two_codes_as_one(codes, 2, 3, 1)
    clauses_of = {2: ("C3", "C4"), 3: ("C4",)}
    material = Material(ratings_of_codes(planted, 4), Scale.ORDINAL, clauses_of=clauses_of, resampling=FEW)
    first = causes(material).ranked[0]
    assert first.clauses == ("C4",)
    assert first.words.startswith("Levels 2 and 3 are confused: ")
    assert f"{first.share:.0%}".replace("%", " %") + " of all disagreement" in first.words
    assert first.words.endswith("; clause C4.")


def test_codes_are_called_what_the_reader_knows_them_by() -> None:
    codes, _ = noisy(3)
    called = {2: "Talk", 3: "Act"}
    planted = Material(
        ratings_of_codes(with_two_codes_as_one(codes, 2, 3, 1), 4),
        Scale.NOMINAL,
        called=called,
        resampling=FEW,
    )
    assert causes(planted).ranked[0].headline == "Codes Talk and Act are confused"


def test_a_clinician_a_level_higher_swaps_nothing() -> None:
    codes, _ = noisy(4, n_categories=3)
    codes[:, 2] += 1
    kinds = [
        cause.kind
        for cause in causes(Material(ratings_of_codes(codes, 4), Scale.ORDINAL, resampling=FEW)).ranked
    ]
    assert kinds[0] is CauseKind.CLINICIAN
    assert CauseKind.SWAPPED_CODES not in kinds


def test_two_clinicians_cannot_be_told_apart() -> None:
    codes, _ = noisy(5)
    found = causes(Material(ratings_of_codes(codes[:, :2], 4), Scale.NOMINAL, resampling=FEW))
    assert "two clinicians" in found.reason
    assert all(cause.kind is CauseKind.CONFUSED_CODES for cause in found.ranked)


@pytest.mark.parametrize(
    "ratings",
    [
        ratings_of_grid([[0, 1, 2]], [0, 1, 2]),
        ratings_of_grid([[0, None], [None, 1]], [0, 1, 2]),
        ratings_of_grid([[1, 1], [1, 1], [1, 1]], [0, 1, 2]),
    ],
)
def test_undefined_labels_give_a_reason_and_no_causes(ratings: Ratings) -> None:
    found = causes(Material(ratings, Scale.ORDINAL, resampling=FEW))
    assert found.ranked == ()
    assert found.reason
