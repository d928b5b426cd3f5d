"""What each pair of categories, rater, group and clause contributes adds up to 1 - alpha."""

import numpy as np
import pytest

from annotation.agreement.counts import FloatArray
from annotation.agreement.disagreements import Material
from annotation.agreement.distances import Scale
from annotation.agreement.estimates import Resampling
from annotation.agreement.shortfall import NO_CLAUSE, Contribution, shortfall, versions_of_items
from annotation.agreement.statistics import krippendorff_alpha
from tests.annotation.agreement.designs import random_codes, ratings_of_codes, ratings_of_grid

FEW = Resampling(100)


def total(parts: list[Contribution], *, of_share: bool = False) -> float:
    return sum((each.share if of_share else each.part).value or 0 for each in parts)


@pytest.mark.parametrize("scale", list(Scale))
@pytest.mark.parametrize("is_weighted", [False, True])
@pytest.mark.parametrize("share_missing", [0.0, 0.4])
def test_every_way_adds_up_to_one_less_alpha(scale: Scale, is_weighted: bool, share_missing: float) -> None:
    codes = random_codes(5, n_items=90, n_raters=4, n_categories=5, share_missing=share_missing)
    clusters = np.arange(90) // 2
    ratings = ratings_of_codes(codes, 5, clusters=clusters)
    weights: FloatArray | None = np.linspace(0.5, 3, 90) if is_weighted else None
    material = Material(
        ratings,
        scale,
        groupings={"theme": tuple(f"t{item % 7}" for item in range(90)), "version": ("1",) * 90},
        clauses_of={0: ("C1",), 1: ("C1", "C2"), 3: ("C4",)},
        weights=weights,
        resampling=FEW,
    )
    found = shortfall(material)
    whole = krippendorff_alpha(ratings, scale, resamples=100, weights=weights).value
    assert whole is not None
    assert found.alpha.value == pytest.approx(whole, abs=1e-12)
    assert found.beyond_target == pytest.approx(0.85 - whole)
    ways = [
        list(found.category_pairs.values()),
        [each.contribution for each in found.raters.values()],
        list(found.groups["theme"].values()),
        list(found.groups["version"].values()),
        list(found.clauses.values()),
    ]
    for parts in ways:
        assert total(parts) == pytest.approx(1 - whole, abs=1e-12)
        assert total(parts, of_share=True) == pytest.approx(1, abs=1e-12)


def test_the_parts_are_those_of_a_sum_by_hand() -> None:
    # Five items, two raters: one disagreement 0-1 and one 1-2; labels 0: 3, 1: 4, 2: 3.
    ratings = ratings_of_grid([[0, 0, 1, 1, 2], [0, 1, 1, 2, 2]], [0, 1, 2])
    found = shortfall(Material(ratings, Scale.NOMINAL, clauses_of={0: ("C1",)}, resampling=FEW))
    expected = (3 * 4 + 3 * 3 + 4 * 3) / 9
    assert found.category_pairs[0, 1].part.value == pytest.approx(1 / expected)
    assert found.category_pairs[1, 2].share.value == pytest.approx(0.5)
    assert (0, 2) not in found.category_pairs
    assert found.raters["r0"].contribution.share.value == pytest.approx(0.5)
    assert found.clauses["C1"].share.value == pytest.approx(0.5)
    assert found.clauses[NO_CLAUSE].share.value == pytest.approx(0.5)


def test_a_clause_that_defines_both_levels_has_all_of_their_disagreement() -> None:
    ratings = ratings_of_grid([[2, 3, 2, 3], [3, 2, 2, 3]], [0, 1, 2, 3])
    clauses_of = {2: ("C3", "C4"), 3: ("C4", "C5")}
    found = shortfall(Material(ratings, Scale.ORDINAL, clauses_of=clauses_of, resampling=FEW))
    assert {name: each.share.value for name, each in found.clauses.items() if each.share.value} == {
        "C4": pytest.approx(1)
    }


def test_the_largest_part_stands_first_and_has_an_interval() -> None:
    codes = random_codes(2, n_items=300, n_raters=3, n_categories=3)
    codes[:, 1] = np.where(codes[:, 1] == 0, 1, codes[:, 1])
    found = shortfall(Material(ratings_of_codes(codes, 3), Scale.NOMINAL, resampling=FEW))
    shares = [each.share for each in found.category_pairs.values()]
    assert next(iter(found.category_pairs)) == (0, 1)
    assert next(iter(found.raters)) == "r1"
    assert shares[0].ci_low is not None
    assert shares[0].ci_high is not None
    assert shares[0].ci_low < (shares[0].value or 0) < shares[0].ci_high
    assert found.raters["r1"].leave_one_out.ci_low is not None


@pytest.mark.parametrize(
    ("grid", "scale", "words"),
    [
        ([[0, 1, 2]], Scale.NOMINAL, "two raters"),
        ([[0, 1, None], [None, None, 2]], Scale.ORDINAL, "two raters"),
        ([[1, 1, 1], [1, 1, 1]], Scale.ORDINAL, "No variation"),
    ],
)
def test_undefined_labels_give_a_reason(grid: list[list[int | None]], scale: Scale, words: str) -> None:
    found = shortfall(Material(ratings_of_grid(grid, [0, 1, 2]), scale, resampling=FEW))
    assert found.alpha.value is None
    assert words in found.reason


def test_full_agreement_falls_short_of_nothing() -> None:
    found = shortfall(
        Material(ratings_of_grid([[0, 1, 2], [0, 1, 2]], [0, 1, 2]), Scale.ORDINAL, resampling=FEW)
    )
    assert found.alpha.value == pytest.approx(1)
    assert found.category_pairs == {}
    assert all(each.contribution.part.value == 0 for each in found.raters.values())


def test_a_division_that_leaves_items_out_is_refused() -> None:
    ratings = ratings_of_grid([[0, 1], [1, 1]], [0, 1])
    with pytest.raises(ValueError, match="1 entries for 2 items"):
        Material(ratings, Scale.NOMINAL, groupings={"theme": ("grief",)})


def test_an_item_has_the_version_of_its_labels() -> None:
    assert versions_of_items([["1.0", "1.0"], ["1.0", "1.1"], []]) == (
        "1.0",
        "several versions",
        "no version",
    )
