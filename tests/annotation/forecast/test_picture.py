"""The picture stays within its frame, whatever is foretold."""

from datetime import timedelta

from annotation.forecast.model import Interval, forecast
from annotation.forecast.picture import HEIGHT, WIDTH, bar_of, days_shown, fan_of
from tests.annotation.forecast.records import TODAY, campaign_of, steady


def points(words: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in (pair.split(",") for pair in words.split())]


def test_the_fan_opens_today_and_stays_in_its_frame() -> None:
    found = forecast(campaign_of(*(steady(str(number)) for number in range(3))))
    fan = fan_of(found, TODAY + timedelta(days=10))
    for x, y in points(fan.band) + points(fan.middle):
        assert 0 <= x <= WIDTH
        assert 0 <= y <= HEIGHT
    assert points(fan.middle)[0] == (0, 0)
    assert points(fan.middle)[-1][1] == HEIGHT
    assert 0 < float(fan.due_x) < WIDTH


def test_a_due_date_outside_is_not_drawn() -> None:
    found = forecast(campaign_of(steady()))
    assert fan_of(found, TODAY + timedelta(days=4000)).due_x == ""
    assert fan_of(found, TODAY - timedelta(days=1)).due_x == ""
    assert fan_of(found, None).due_x == ""


def test_a_bar_without_an_end_reaches_the_edge() -> None:
    bar = bar_of(Interval(50.0, None, None), 100.0)
    assert (bar.x, bar.width, bar.middle) == ("50.00%", "50.00%", "100.00%")


def test_bars_share_one_scale() -> None:
    found = forecast(campaign_of(steady()))
    assert found.days is not None
    assert found.days.high is not None
    assert days_shown([found]) > found.days.high
