"""Made-up records of people who work steadily, and campaigns of them."""

from datetime import date
from typing import Any

from annotation.forecast.model import State
from annotation.forecast.pace import Person

TODAY = date(2026, 11, 30)
A_LABEL = 50.0  # seconds


def steady(
    name: str = "steady", *, days: int = 56, left: int = 800, per_day: int = 40, **changes: Any
) -> Person:
    """Return somebody who works every day alike, at 50 seconds a label."""
    record = {
        "hours_per_week": 7 * per_day * A_LABEL / 3600,
        "seconds": (per_day * A_LABEL,) * days,
        "labels": (per_day,) * days,
        "left": left,
    }
    return Person(name, **record | changes)  # type: ignore[arg-type]


def campaign_of(*people: Person, **changes: Any) -> State:
    """Return a campaign that has cost 1,000 so far at 60 an hour."""
    return State(people, TODAY, **{"spent": 1000.0, "per_hour": 60.0} | changes)
