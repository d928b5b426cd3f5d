"""What is dangerous beside what, and what a matrix may change of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.dangerous.policy import (
    HOURS_TO_CHOOSE,
    LEVELS,
    default_hours,
    faults,
    is_dangerous,
    most_dangerous,
    pairs,
)


def test_what_is_dangerous_level_by_level() -> None:
    """Severe is 3 or more, act now 4 or more."""
    assert {pair for pair in pairs() if is_dangerous(*pair)} == {
        *((low, high) for low in (0, 1, 2, 3) for high in (4, 5)),  # one says act now
        (0, 3),
        (1, 3),  # two levels apart, one of them severe
    }


@pytest.mark.parametrize(
    ("levels", "found"),
    [
        ([0, 0, 0], None),
        ([2, 3], None),
        ([4, 5], None),
        ([0, 2], None),
        ([1, 3], ((1, 3), 72)),
        ([3, 4], ((3, 4), 24)),
        ([0, 3, 5], ((0, 5), 24)),
        ([0], None),
        ([], None),
    ],
)
def test_the_most_urgent_pair_stands_for_the_case(
    levels: list[int], found: tuple[tuple[int, int], int] | None
) -> None:
    assert most_dangerous(levels, default_hours()) == found


@given(st.lists(st.sampled_from(list(LEVELS))))
def test_a_case_opens_exactly_where_two_are_dangerous(levels: list[int]) -> None:
    expected = any(is_dangerous(low, high) for low in levels for high in levels if low < high)
    assert (most_dangerous(levels, default_hours()) is not None) is expected


@given(st.dictionaries(st.sampled_from(list(pairs())), st.sampled_from(HOURS_TO_CHOOSE)))
def test_no_matrix_makes_danger_ordinary_unnoticed(changes: dict[tuple[int, int], int]) -> None:
    hours = default_hours() | changes
    assert faults(hours) == [pair for pair in pairs() if is_dangerous(*pair) and hours[pair] == 0]
