"""No second counts twice, none is invented, and parts add up to the whole."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.pay.spans import (
    ESTIMATE,
    REACH,
    Month,
    Reading,
    Span,
    by_day,
    counted_readings,
    length,
    united,
    within,
)

NOON = datetime(2026, 3, 28, 12, tzinfo=UTC)
SECONDS = st.integers(0, 3 * 24 * 3600)
ZONES = st.sampled_from(["UTC", "Pacific/Tongatapu", "Pacific/Apia", "Europe/Berlin", "America/St_Johns"])


def at(seconds: int) -> datetime:
    return NOON + timedelta(seconds=seconds)


def covered(spans: Sequence[Span]) -> set[int]:
    """Return the seconds that whole-second spans cover, counted one by one."""
    return {
        second
        for start, end in spans
        for second in range(int((start - NOON).total_seconds()), int((end - NOON).total_seconds()))
    }


spans_ = st.lists(st.tuples(SECONDS, st.integers(0, 900)), max_size=12).map(
    lambda pairs: [(at(start), at(start + some)) for start, some in pairs]
)
readings_ = st.lists(
    st.builds(
        lambda shown, took, active: Reading(at(shown), at(shown + took), active),
        SECONDS,
        st.integers(-60, 4000),
        st.none() | st.integers(0, 5000),
    ),
    max_size=12,
)


@given(spans_)
def test_united_time_is_the_same_time_once(spans: list[Span]) -> None:
    joined = united(spans)
    assert covered(joined) == covered(spans)
    assert length(joined) == timedelta(seconds=len(covered(spans)))
    assert all(before[1] < after[0] for before, after in pairwise(joined))


@given(readings_)
def test_readings_never_share_a_second_nor_get_more_than_they_claim_or_had(readings: list[Reading]) -> None:
    counted = counted_readings(readings)
    everything = [span for spans in counted for span in spans]
    assert length(everything) == length(united(everything))
    for reading, spans in zip(readings, counted, strict=True):
        start, end = reading.window
        assert length(spans) <= min(reading.claims, REACH)
        assert within(spans, (start, end)) == spans


@given(readings_, SECONDS)
def test_two_periods_add_up_to_the_whole(readings: list[Reading], cut: int) -> None:
    """Each period asks only for what was saved in it or so soon after that it may reach back into it."""
    whole = [span for spans in counted_readings(readings) for span in spans]
    first, second = (at(-4000), at(cut)), (at(cut), at(4 * 24 * 3600))
    parts = 0
    for bounds in (first, second):
        asked = [one for one in readings if bounds[0] < one.saved_at <= bounds[1] + REACH]
        spans = [span for each in counted_readings(asked) for span in each]
        parts += length(within(spans, bounds)) // timedelta(seconds=1)
    assert parts == length(whole) // timedelta(seconds=1)


def test_a_lone_reading_counts_what_was_measured_or_an_estimate() -> None:
    measured = Reading(NOON, NOON + timedelta(minutes=9), 200)
    not_measured = Reading(at(4000), at(4000) + timedelta(minutes=9), None)
    short = Reading(at(9000), at(9020), 500)
    set_back = Reading(at(12000), at(11000), 60)
    counted = counted_readings([measured, not_measured, short, set_back])
    assert [length(spans) for spans in counted] == [
        timedelta(seconds=200),
        ESTIMATE,
        timedelta(seconds=20),
        timedelta(),
    ]


@given(spans_, ZONES)
def test_days_add_up_wherever_they_begin(spans: list[Span], name: str) -> None:
    zone, joined = ZoneInfo(name), united(spans)
    cut = list(by_day(joined, zone))
    assert length(span for _, span in cut) == length(joined)
    for day, (start, end) in cut:
        assert start.astimezone(zone).date() == day
        assert (end - timedelta(microseconds=1)).astimezone(zone).date() == day


@given(ZONES, st.dates(date(2020, 1, 1), date(2040, 1, 1)))
def test_months_leave_no_gap(name: str, day: date) -> None:
    zone, month = ZoneInfo(name), Month(day.replace(day=1))
    assert month.span(zone)[1] == month.next.span(zone)[0]
    assert month.next.previous == month
    assert Month.of(month.span(zone)[0], zone) == month


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25)])
def test_a_day_on_which_the_clocks_change_has_its_real_length(day: date, hours: int) -> None:
    zone = ZoneInfo("Europe/Berlin")
    around = datetime(day.year, day.month, day.day, 12, tzinfo=zone)
    spans = [((around - timedelta(days=2)).astimezone(UTC), (around + timedelta(days=2)).astimezone(UTC))]
    assert length(span for each, span in by_day(spans, zone) if each == day) == timedelta(hours=hours)


def test_thirteen_hours_ahead_the_month_begins_the_day_before() -> None:
    start, end = Month(date(2026, 11, 1)).span(ZoneInfo("Pacific/Tongatapu"))
    assert start == datetime(2026, 10, 31, 11, tzinfo=UTC)
    assert end == datetime(2026, 11, 30, 11, tzinfo=UTC)
