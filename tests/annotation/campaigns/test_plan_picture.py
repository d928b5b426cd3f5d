"""The picture of a plan: parts in their order, as long as their work, within the frame."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.assignment.feasibility import Clinician, Limit
from annotation.assignment.policy import Purpose
from annotation.campaigns.plan_picture import BAR_HEIGHT, Picture, Work, expected_pairs, picture_of

SEVEN_HOURS = Clinician(hours_per_week=7)  # an hour a day


def work(severe: int = 0, seconds: float = 36, clinician: Clinician = SEVEN_HOURS, **labels: int) -> Work:
    return Work("A2", "Anna", clinician, {Purpose(name): n for name, n in labels.items()}, severe, seconds)


def percent(length: str) -> float:
    return float(length.removesuffix("%"))


def drawn(picture: Picture) -> dict[str, tuple[float, float, float]]:
    (row,) = picture.rows
    return {block.purpose: (percent(block.x), percent(block.width), block.height) for block in row.blocks}


def test_days_follow_the_declared_hours() -> None:
    one = work(overlap=1000)
    assert (one.hours, one.days, one.limit) == (10, 10, Limit.HOURS)


def test_the_daily_limit_caps_the_declared_hours() -> None:
    one = work(overlap=1000, clinician=Clinician(hours_per_week=60))
    assert (one.days, one.limit) == (5, Limit.DAILY_LIMIT)


def test_severe_readings_can_take_longer_than_the_hours() -> None:
    one = work(overlap=100, severe=100)
    assert one.limit == Limit.SEVERE_READINGS
    assert one.days == 100 / SEVEN_HOURS.severe_readings_per_day


def test_training_and_calibration_come_first_and_the_rest_is_mixed() -> None:
    picture = picture_of(
        [work(training=100, calibration=100, anchor=200, overlap=500, repeat=100)],
        repeat_after_days=5,
        days_left=None,
    )
    blocks = drawn(picture)
    assert blocks["training"] == pytest.approx((0, 10, BAR_HEIGHT))
    assert blocks["calibration"] == pytest.approx((10, 10, BAR_HEIGHT))
    assert blocks["anchor"][:2] == blocks["overlap"][:2] == (20, 80)
    assert blocks["repeat"][:2] == (50, 50)  # not before they are due
    heights = [blocks[name][2] for name in ("anchor", "overlap", "repeat")]
    assert heights == pytest.approx([BAR_HEIGHT * share for share in (0.25, 0.625, 0.125)], abs=0.1)


def test_a_small_part_can_still_be_seen() -> None:
    blocks = drawn(picture_of([work(overlap=1000, repeat=1)], repeat_after_days=1, days_left=None))
    assert (blocks["overlap"][2], blocks["repeat"][2]) == (BAR_HEIGHT - 3, 3)


def test_a_later_due_date_widens_the_picture() -> None:
    picture = picture_of([work(overlap=1000)], repeat_after_days=7, days_left=20)
    assert drawn(picture)["overlap"][1] == 50
    assert picture.due_x == "100.00%"


def test_the_due_date_stands_inside_work_that_takes_longer() -> None:
    picture = picture_of([work(overlap=1000)], repeat_after_days=7, days_left=4)
    assert picture.due_x == "40.00%"


def test_nobody_and_nothing_can_be_drawn() -> None:
    assert picture_of([], repeat_after_days=7, days_left=None).rows == []
    (row,) = picture_of([work()], repeat_after_days=7, days_left=None).rows
    assert (row.blocks, row.severe) == ([], None)


@given(
    st.lists(
        st.builds(
            lambda counts, severe, hours: work(
                severe=min(severe, sum(counts)),
                clinician=Clinician(hours),
                **dict(zip([purpose.value for purpose in Purpose], counts, strict=True)),
            ),
            st.tuples(*[st.integers(0, 5000)] * 5),
            st.integers(0, 5000),
            st.floats(0.25, 60),
        ),
        max_size=4,
    ),
    st.integers(1, 60),
    st.none() | st.integers(0, 400),
)
def test_nothing_stands_outside_the_frame(
    works: list[Work], repeat_after: int, days_left: int | None
) -> None:
    picture = picture_of(works, repeat_after_days=repeat_after, days_left=days_left)
    for row in picture.rows:
        for block in [*row.blocks, *([row.severe] if row.severe else [])]:
            assert 0 <= percent(block.x) <= percent(block.x) + percent(block.width) <= 100.02
            assert 0 <= block.y <= block.y + block.height <= picture.axis_y
    days = [tick.day for tick in picture.ticks]
    assert days[0] == 0
    assert len(days) <= 7
    assert all(one < next_one for one, next_one in pairwise(days))


def test_expected_pairs_are_balanced_by_what_each_one_reads() -> None:
    equal = expected_pairs(dict.fromkeys("ABCDE", 1740.0), 4350)
    assert set(equal.values()) == {435}
    unequal = expected_pairs({"A": 200, "B": 100, "C": 100}, 500)
    assert unequal == {frozenset("AB"): 200, frozenset("AC"): 200, frozenset("BC"): 100}
