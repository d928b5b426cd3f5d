"""What the limits of care allow next."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.wellbeing.policy import (
    Exposure,
    Limits,
    Stop,
    dose_of,
    is_day_over,
    severe_room,
    stop_of,
)

limits = st.builds(
    Limits,
    minutes_per_day=st.integers(10, 120),
    severe_per_day=st.integers(0, 25),
    severe_per_sitting=st.integers(0, 10),
)
exposures = st.builds(
    Exposure,
    seconds_today=st.integers(0, 8000),
    dose_today=st.integers(0, 30),
    dose_of_sitting=st.integers(0, 15),
    handed=st.integers(0, 3),
)


@given(limits, exposures)
def test_what_may_come_never_leads_beyond_a_limit(allowed: Limits, read: Exposure) -> None:
    room = severe_room(allowed, read)
    if room > 0:
        assert read.dose_today + read.handed + room <= allowed.severe_per_day
        assert read.dose_of_sitting + read.handed + room <= allowed.severe_per_sitting
        assert stop_of(allowed, read) in (None, Stop.DAY_IS_OVER)
    else:
        assert stop_of(allowed, read) is not None


@given(limits, exposures)
def test_a_lower_limit_never_lets_more_come(allowed: Limits, read: Exposure) -> None:
    lower = Limits(
        allowed.minutes_per_day, max(0, allowed.severe_per_day - 1), max(0, allowed.severe_per_sitting - 1)
    )
    assert severe_room(lower, read) <= severe_room(allowed, read)


@pytest.mark.parametrize(("seconds", "is_over"), [(7199, False), (7200, True), (9000, True)])
def test_a_day_ends_after_its_minutes(seconds: int, is_over: bool) -> None:
    assert is_day_over(Limits(), Exposure(seconds_today=seconds)) is is_over


@pytest.mark.parametrize(
    ("estimated", "severe", "act_now", "dose"),
    [
        (False, False, False, 0),
        (True, False, False, 1),
        (False, True, False, 1),
        (True, True, False, 1),
        (False, True, True, 2),
        (True, True, True, 2),
    ],
)
def test_the_dose_of_a_text(estimated: bool, severe: bool, act_now: bool, dose: int) -> None:
    found = dose_of(is_estimated_severe=estimated, is_severe=severe, is_act_now=act_now)
    assert found == dose
