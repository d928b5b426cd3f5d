"""The forecast follows everybody's own record, and says nothing before it can."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.forecast.model import (
    Forecast,
    Interval,
    Standing,
    fewer_hours,
    forecast,
    less_overlap,
    one_more,
    scenarios,
)
from annotation.forecast.pace import Person, outlook_of
from tests.annotation.forecast.records import A_LABEL, TODAY, campaign_of, steady


def days_of(found: Forecast) -> tuple[float, float, float]:
    interval = found.days
    assert interval is not None
    assert interval.low is not None
    assert interval.middle is not None
    assert interval.high is not None
    return interval.low, interval.middle, interval.high


def test_steady_people_are_done_about_when_their_own_pace_says() -> None:
    found = forecast(campaign_of(steady()))
    low, middle, high = days_of(found)
    assert low <= 20 <= high  # 800 labels at 40 a day
    assert low < middle < high
    assert found.soonest == TODAY + timedelta(days=int(low))


def test_the_cost_is_what_was_spent_and_the_rest_at_the_own_pace() -> None:
    found = forecast(campaign_of(*(steady(str(number)) for number in range(4))))
    rest = 4 * 800 * A_LABEL / 3600 * 60
    assert found.cost is not None
    assert found.cost.low is not None
    assert found.cost.high is not None
    assert found.cost.low < 1000 + rest < found.cost.high
    assert found.cost.low > 1000 + 0.8 * rest


def test_without_a_rate_there_is_a_day_and_no_cost() -> None:
    found = forecast(campaign_of(steady(), per_hour=None))
    assert found.days is not None
    assert found.cost is None


def test_the_same_campaign_gets_the_same_forecast() -> None:
    state = campaign_of(steady("a"), steady("b", per_day=20))
    assert forecast(state) == forecast(state)


@pytest.mark.parametrize(
    ("people", "standing"),
    [
        ([steady(days=13)], Standing.COLLECTING),
        ([steady(seconds=(0.0,) * 56)], Standing.COLLECTING),  # no time was measured
        ([steady(per_day=0, seconds=(60.0,) * 56)], Standing.COLLECTING),
        ([steady(labels=(0,) * 55 + (29,))], Standing.COLLECTING),
        ([steady(left=0)], Standing.DONE),
        ([], Standing.DONE),
        ([steady(has_gone=True)], Standing.NOBODY),
    ],
)
def test_there_is_no_number_before_there_can_be(people: list[Person], standing: Standing) -> None:
    found = forecast(campaign_of(*people))
    assert (found.standing, found.days, found.cost) == (standing, None, None)


def test_who_worked_at_weekends_only_is_done_at_a_weekend() -> None:
    """Today is a Monday; the record ends on a Sunday."""
    week = (0.0,) * 5 + (3.5 * 40 * A_LABEL,) * 2
    labels = (0,) * 5 + (140,) * 2
    found = forecast(campaign_of(steady(seconds=week * 20, labels=labels * 20, left=400)))
    _, middle, _ = days_of(found)
    assert (TODAY + timedelta(days=int(middle))).weekday() in (5, 6)


def test_who_was_silent_for_weeks_may_have_gone() -> None:
    worked, silent = (40 * A_LABEL,) * 28, (0.0,) * 28
    records = [steady("a"), steady("b", seconds=worked + silent, labels=(40,) * 28 + (0,) * 28)]
    chances = outlook_of(records).may_be_gone
    assert chances[0] == 0
    assert chances[1] > 0.5


def test_a_short_record_leans_on_what_was_declared_and_a_long_one_on_itself() -> None:
    def hours(days: int) -> float:
        return float(outlook_of([steady(days=days, per_day=10, hours_per_week=10.0)]).hours[0])

    own = 70 * A_LABEL / 3600
    assert own < hours(140) < hours(21) < hours(7) < 10


def test_who_learns_is_expected_to_go_on_a_little() -> None:
    slow, fast = 100.0, 60.0
    learner = steady(seconds=(40 * slow,) * 28 + (40 * fast,) * 28)
    assert outlook_of([learner]).seconds[0] < outlook_of([steady(seconds=(40 * 76.0,) * 56)]).seconds[0]


def test_a_repeat_that_rests_keeps_the_campaign_open() -> None:
    rests = TODAY + timedelta(days=90)
    found = forecast(campaign_of(steady(left=40), ready_not_before=rests))
    assert found.soonest == found.likely == rests


def test_a_repeat_whose_first_reading_is_to_come_rests_after_it() -> None:
    state = campaign_of(steady(left=1), steady("other", left=799), repeat_after_days=7)
    first_readings = days_of(forecast(state))
    with_repeats = days_of(forecast(replace(state, unread_repeats=1)))
    for before, after in zip(first_readings, with_repeats, strict=True):
        assert before + 6 <= after <= before + 7
    only_repeats = replace(campaign_of(steady(left=4)), unread_repeats=4, repeat_after_days=7)
    assert forecast(only_repeats).soonest == TODAY + timedelta(days=7)


def test_what_was_never_planned_is_not_done() -> None:
    found = forecast(campaign_of(steady(left=0), has_plan=False))
    assert (found.standing, found.days) == (Standing.NO_PLAN, None)


def test_where_nobody_works_any_more_there_is_no_end() -> None:
    gone_silent = steady(seconds=(40 * A_LABEL,) * 20 + (0.0,) * 400, labels=(40,) * 20 + (0,) * 400)
    found = forecast(campaign_of(gone_silent))
    assert found.days is not None
    assert found.days.is_open
    assert found.latest is None


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.tuples(st.integers(14, 90), st.integers(1, 60), st.integers(0, 900)), min_size=1, max_size=6)
)
def test_more_left_never_takes_less_time(rows: list[tuple[int, int, int]]) -> None:
    people = [
        steady(str(at), days=days, per_day=labels, left=left) for at, (days, labels, left) in enumerate(rows)
    ]
    fewer = forecast(campaign_of(*people), plays=100)
    more = forecast(campaign_of(*(replace(one, left=2 * one.left) for one in people)), plays=100)
    if fewer.days is not None and more.days is not None:
        for bound in ("low", "middle", "high"):
            first, later = (getattr(each, bound) for each in (fewer.days, more.days))
            assert later is None or (first is not None and first <= later)


def test_scenarios_move_the_day_the_right_way() -> None:
    state = campaign_of(*(steady(str(number)) for number in range(4)))
    as_it_is = days_of(forecast(state))[1]
    assert days_of(forecast(one_more(state)))[1] < as_it_is
    assert days_of(forecast(fewer_hours(state)))[1] > as_it_is
    assert days_of(forecast(less_overlap(state, 1600)))[1] < as_it_is
    assert one_more(state).left == pytest.approx(state.left, abs=5)


def test_two_labels_per_sample_are_not_made_one() -> None:
    state = campaign_of(*(steady(str(number)) for number in range(4)))
    *others, less = scenarios(state, labels_per_sample=2, spared=1000)
    assert less.forecast is None
    assert "least" in less.reason
    assert all(one.forecast is not None for one in others)
    assert scenarios(state, labels_per_sample=3, spared=1000)[-1].name == "2 labels per sample instead of 3"


def test_a_campaign_that_collects_has_no_scenarios() -> None:
    assert scenarios(campaign_of(steady(days=3)), labels_per_sample=3, spared=0) == []


def test_an_interval_without_an_upper_bound_is_open() -> None:
    assert Interval(1.0, 2.0, None).is_open
    assert not Interval(1.0, 2.0, 3.0).is_open
