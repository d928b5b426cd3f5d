"""Picks per stratum: floors hold, nothing gets more than there is, and all are given out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from datasets_app.compile.kernel import Integers
from datasets_app.selection.allocation import Allocation, Floors, Kinds, allocate, spread


def allocated(
    sizes: Integers, categories: Integers, is_severe: NDArray[np.bool_], floors: Floors, total: int
) -> Allocation:
    """Of crisis categories alone."""
    return allocate(sizes, Kinds(categories, np.ones(len(sizes), dtype=np.bool_), is_severe), floors, total)


@st.composite
def strata(draw: st.DrawFn) -> tuple[list[int], list[int], list[bool]]:
    count = draw(st.integers(1, 12))
    sizes = draw(st.lists(st.integers(1, 3_000), min_size=count, max_size=count))
    categories = draw(st.lists(st.integers(0, 4), min_size=count, max_size=count))
    severe = draw(st.lists(st.booleans(), min_size=count, max_size=count))
    return sizes, categories, severe


@given(strata(), st.integers(0, 4_000), st.integers(0, 300), st.integers(0, 300))
def test_floors_hold_where_there_is_room(
    made: tuple[list[int], list[int], list[bool]], total: int, category_floor: int, severe_floor: int
) -> None:
    sizes, categories, is_severe = (np.array(one) for one in made)
    floors = Floors(category_floor, severe_floor)
    found = allocated(sizes, categories, is_severe, floors, total)
    assert found.picks.sum() == min(total, sizes.sum())
    assert (found.picks <= sizes).all()
    for category in np.unique(categories):
        of_it = categories == category
        assert found.picks[of_it].sum() >= min(found.category_floor, sizes[of_it].sum())
    wanted_of_all = sum(min(category_floor, sizes[categories == one].sum()) for one in np.unique(categories))
    if wanted_of_all <= total:
        assert found.category_floor == category_floor
    if wanted_of_all + severe_floor <= total:
        assert found.picks[is_severe].sum() >= min(severe_floor, sizes[is_severe].sum())


def test_without_floors_it_goes_by_the_square_root() -> None:
    sizes = np.array([100, 400, 10_000])
    found = allocated(sizes, np.array([0, 1, 2]), np.zeros(3, dtype=np.bool_), Floors(0, 0), 130)
    assert found.picks.tolist() == [10, 20, 100]


def test_a_floor_for_which_there_is_no_room_is_lowered_for_all_alike() -> None:
    sizes = np.array([50, 50, 50, 3])
    found = allocated(sizes, np.arange(4), np.zeros(4, dtype=np.bool_), Floors(100, 0), 33)
    assert found.category_floor == 10
    assert found.picks.tolist() == [10, 10, 10, 3]


def test_the_severe_are_lifted_on_top_of_the_categories() -> None:
    sizes = np.array([900, 100])
    severe = np.array([False, True])
    found = allocated(sizes, np.array([0, 0]), severe, Floors(10, 60), 100)
    assert found.by_size.tolist() == found.with_categories.tolist() == [75, 25]
    assert found.picks.tolist() == [40, 60]


@pytest.mark.parametrize(("total", "expected"), [(0, [2, 1]), (3, [2, 1]), (5, [3, 2]), (99, [4, 6])])
def test_spreading_stays_between_its_bounds(total: int, expected: list[int]) -> None:
    shares = np.array([1.0, 1.0])
    assert spread(total, shares, np.array([2, 1]), np.array([4, 6])).tolist() == expected


def test_very_many_topics_sink_neither_the_floor_of_a_crisis_nor_that_of_the_severe() -> None:
    crises, topics = 25, 2_000
    sizes = np.array([200] * crises + [20] * topics + [400])
    categories = np.array([*range(crises + topics), crises])
    is_crisis = categories < crises
    is_severe = np.arange(len(sizes)) == len(sizes) - 1
    found = allocate(sizes, Kinds(categories, is_crisis, is_severe), Floors(100, 300), 4_500)
    assert (found.picks[is_crisis] >= 100).all()
    assert found.picks[-1] >= 300
    assert (found.category_floor, found.picks.sum()) == (100, 4_500)
    assert found.topic_floor == 0
    few = allocate(sizes, Kinds(categories, is_crisis, is_severe), Floors(100, 300), 6_900)
    assert (few.category_floor, few.topic_floor) == (100, 2)
    assert (few.picks[~is_crisis] >= 2).all()
