"""The forecast as a picture: how the work that is left may shrink, and bars of days to compare. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import ClassVar

from annotation.forecast.model import Forecast, Interval
from annotation.forecast.pace import WEEK

WIDTH, HEIGHT = 600, 200
BEYOND = 1.15  # of the last bound, so that the picture does not end in it


@dataclass(frozen=True)
class Fan:
    """Labels still to come by day in an SVG of WIDTH by HEIGHT: the band of most plays and its middle."""

    band: str
    middle: str
    due_x: str
    first_day: date
    last_day: date
    width: ClassVar[int] = WIDTH
    height: ClassVar[int] = HEIGHT


@dataclass(frozen=True)
class Bar:
    """An interval and its middle as percentages of the widest one's end."""

    x: str
    width: str
    middle: str


def days_shown(forecasts: Sequence[Forecast]) -> float:
    """Return how many days the bars of these forecasts need."""
    ends = [bound for one in forecasts if one.days for bound in (one.days.middle, one.days.high) if bound]
    return max([*ends, 1.0]) * BEYOND


def fan_of(found: Forecast, due_on: date | None) -> Fan:
    """Return the picture of a forecast; ``due_on`` where it falls inside."""
    weeks = found.by_week
    days = max(WEEK, min(len(weeks) * WEEK, days_shown([found])))

    def points(bounds: Sequence[float]) -> list[str]:
        return [
            f"{min(WEEK * number, days) / days * WIDTH:.1f},{share * HEIGHT:.1f}"
            for number, share in enumerate(bounds)
            if WEEK * (number - 1) < days
        ]

    low, middle, high = ([0.0, *(week[at] for week in weeks)] for at in range(3))
    due_in = (due_on - found.today).days if due_on else -1
    return Fan(
        band=" ".join([*points(high), *reversed(points(low))]),
        middle=" ".join(points(middle)),
        due_x=f"{due_in / days * WIDTH:.1f}" if 0 <= due_in <= days else "",
        first_day=found.today,
        last_day=found.today + timedelta(days=round(days)),
    )


def bar_of(days: Interval, of_days: float) -> Bar:
    """Return the bar of an interval in a row of so many days; what has no end reaches the edge."""
    low = days.low if days.low is not None else of_days
    high = days.high if days.high is not None else of_days
    middle = days.middle if days.middle is not None else of_days
    return Bar(_percent(low / of_days), _percent(max(high - low, 0.5) / of_days), _percent(middle / of_days))


def _percent(share: float) -> str:
    return f"{100 * min(1.0, share):.2f}%"
