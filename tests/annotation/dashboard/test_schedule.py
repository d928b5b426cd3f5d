"""Plan against actual: the arithmetic, and a picture that stays in its frame."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from annotation.dashboard.schedule import PLOT_HEIGHT, PLOT_WIDTH, Schedule

MONDAY = date(2026, 3, 2)


def schedule(*, today: int, by_day: dict[int, int], due: int | None = 9, planned: int = 100) -> Schedule:
    """Return a schedule that starts on a Monday; days count from there."""
    return Schedule(
        starts_on=MONDAY,
        due_on=None if due is None else MONDAY + timedelta(days=due),
        today=MONDAY + timedelta(days=today),
        planned=planned,
        given_by_day={MONDAY + timedelta(days=day): count for day, count in by_day.items()},
    )


def test_ten_days_ask_ten_labels_a_day() -> None:
    third_day = schedule(today=2, by_day={0: 10, 1: 5, 2: 12})
    assert (third_day.planned_by_today, third_day.given, third_day.ahead) == (30, 27, -3)
    assert third_day.behind == 3
    assert third_day.left == 73
    assert third_day.needed_per_day == 10, "73 in the eight days left, today included"
    assert third_day.per_day_lately == 9
    assert not third_day.is_overdue


def test_the_last_week_counts_as_seven_days_also_those_without_labels() -> None:
    assert schedule(today=9, by_day={0: 50, 4: 14}).per_day_lately == 2


def test_after_the_due_date_nothing_is_asked_per_day() -> None:
    late = schedule(today=12, by_day={0: 60})
    assert (late.planned_by_today, late.needed_per_day, late.is_overdue) == (100, None, True)
    assert not schedule(today=12, by_day={0: 100}).is_overdue


def test_without_a_due_date_there_is_nothing_to_compare_with() -> None:
    open_ended = schedule(today=3, by_day={1: 7}, due=None)
    assert (open_ended.planned_by_today, open_ended.ahead, open_ended.needed_per_day) == (None, None, None)
    assert open_ended.plot.planned == ""
    assert open_ended.plot.last_day == open_ended.today


def test_the_lines_end_where_their_numbers_are() -> None:
    plot = schedule(today=4, by_day={0: 25, 4: 25}).plot
    assert plot.planned == "0.0,200.0 600.0,0.0"
    assert plot.given.split()[-1] == "300.0,100.0"
    assert plot.today_x == "300.0"
    assert len(plot.given.split()) == 6, "the start, and the end of each of five days"


@given(
    today=st.integers(0, 400),
    due=st.none() | st.integers(-5, 400),
    planned=st.integers(0, 12_000),
    by_day=st.dictionaries(st.integers(-30, 400), st.integers(1, 500), max_size=40),
)
def test_whatever_happened_the_picture_stays_in_its_frame(
    today: int, due: int | None, planned: int, by_day: dict[int, int]
) -> None:
    so_far = {day: count for day, count in by_day.items() if day <= today}
    found = schedule(today=today, due=due, planned=planned, by_day=so_far)
    plot = found.plot
    points = [tuple(map(float, point.split(","))) for point in f"{plot.planned} {plot.given}".split()]
    assert all(0 <= x <= PLOT_WIDTH and 0 <= y <= PLOT_HEIGHT for x, y in points)
    heights = [y for _, y in points[-len(plot.given.split()) :]]
    assert heights == sorted(heights, reverse=True), "labels given only grow"
    assert plot.first_day <= found.today <= plot.last_day
    if found.planned_by_today is not None:
        assert 0 <= found.planned_by_today <= planned
    assert found.left == max(0, planned - sum(so_far.values()))
