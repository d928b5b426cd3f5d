"""Windows: complete, within limits, few, even, and preferably begun by the client."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets_app.sources.records import Turn
from datasets_app.sources.windows import Window, windows

ROLES = st.sampled_from(["system", "user", "assistant"])
TURNS = st.lists(st.builds(lambda role, n: Turn(role, "word " * n), ROLES, st.integers(0, 30)), max_size=60)
LIMITS = {"max_turns": st.integers(1, 14), "max_words": st.integers(1, 120)}


def words(turns: list[Turn], start: int, stop: int) -> int:
    return sum(len(turn.content.split()) for turn in turns[start:stop])


def fits(turns: list[Turn], start: int, stop: int, max_turns: int, max_words: int) -> bool:
    if not 1 <= stop - start <= max_turns:
        return False
    return stop - start == 1 or words(turns, start, stop) <= max_words


@given(turns=TURNS, **LIMITS)
def test_every_turn_is_in_one_window_within_the_limits(
    turns: list[Turn], max_turns: int, max_words: int
) -> None:
    found = windows(turns, max_turns, max_words)
    assert [index for window in found for index in range(window.start, window.stop)] == list(
        range(len(turns))
    )
    assert all(fits(turns, window.start, window.stop, max_turns, max_words) for window in found)
    assert windows(tuple(turns), max_turns, max_words) == found


@given(turns=TURNS, **LIMITS)
def test_no_fewer_windows_are_possible(turns: list[Turn], max_turns: int, max_words: int) -> None:
    start = fewest = 0
    while start < len(turns):
        stop = start + 1
        while stop < len(turns) and fits(turns, start, stop + 1, max_turns, max_words):
            stop += 1
        start, fewest = stop, fewest + 1
    assert len(windows(turns, max_turns, max_words)) == fewest


@given(turns=TURNS, **LIMITS)
def test_a_boundary_moves_one_turn_for_the_client(turns: list[Turn], max_turns: int, max_words: int) -> None:
    for before, after in pairwise(windows(turns, max_turns, max_words)):
        for step in (-1, 1):
            middle = after.start + step
            if not (
                before.start < middle < after.stop
                and fits(turns, before.start, middle, max_turns, max_words)
                and fits(turns, middle, after.stop, max_turns, max_words)
            ):
                continue
            gap_after_move = abs((middle - before.start) - (after.stop - middle))
            gap = abs((after.start - before.start) - (after.stop - after.start))
            if turns[after.start].role != "user" and turns[middle].role == "user":
                assert gap_after_move > gap >= 2
            if turns[after.start].role == turns[middle].role:
                assert gap_after_move >= gap


@given(count=st.integers(1, 200), max_turns=st.integers(1, 14))
def test_equal_turns_give_even_windows(count: int, max_turns: int) -> None:
    sizes = [w.stop - w.start for w in windows([Turn("user", "Hi")] * count, max_turns)]
    assert max(sizes) - min(sizes) <= 1


def test_a_conversation_of_thirteen_turns_leaves_no_tail_and_begins_with_the_client() -> None:
    turns = [Turn("assistant" if index % 2 == 0 else "user", "Hi") for index in range(13)]
    assert windows(turns) == [Window(0, 7), Window(7, 13)]
    turns = [Turn("user" if index % 2 == 0 else "assistant", "Hi") for index in range(13)]
    assert windows(turns) == [Window(0, 6), Window(6, 13)]


@pytest.mark.parametrize(("client_at", "boundary"), [(8, 8), (7, 7), (9, 9), (6, 8), (10, 8)])
def test_a_boundary_moves_no_further_than_one_turn(client_at: int, boundary: int) -> None:
    turns = [Turn("user" if index in {0, client_at} else "assistant", "Hi") for index in range(16)]
    assert windows(turns) == [Window(0, boundary), Window(boundary, 16)]


def test_a_turn_beyond_the_limit_stands_alone() -> None:
    turns = [Turn("user", "Hi"), Turn("assistant", "word " * 901), Turn("user", "Hm")]
    assert windows(turns) == [Window(0, 1), Window(1, 2), Window(2, 3)]


def test_characters_count_where_a_script_has_no_spaces() -> None:
    turns = [Turn("user", "我睡不好" * 200), Turn("assistant", "多久了" * 100)]
    assert len(windows(turns)) == 2


def test_nothing_gives_no_windows_and_no_room_is_an_error() -> None:
    assert windows([]) == []
    with pytest.raises(ValueError, match="at least one turn"):
        windows([Turn("user", "Hi")], max_turns=0)
