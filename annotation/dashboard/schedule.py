"""Plan against actual: how many labels should be there by each day, how many are, and the plot of both."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate
from math import ceil
from typing import ClassVar

PLOT_WIDTH, PLOT_HEIGHT = 600, 200
LATELY_DAYS = 7


@dataclass(frozen=True)
class Plot:
    """Both lines as points of an SVG of PLOT_WIDTH by PLOT_HEIGHT, and where today ends in it."""

    planned: str
    given: str
    today_x: str
    first_day: date
    last_day: date
    most: int
    width: ClassVar[int] = PLOT_WIDTH
    height: ClassVar[int] = PLOT_HEIGHT


@dataclass(frozen=True)
class Schedule:
    """A campaign's labels by day. Without a due date there is nothing to compare with.

    ``given_by_day`` counts labels as first given; ``planned`` is every slot that is labelled or open.
    """

    starts_on: date
    due_on: date | None
    today: date
    planned: int
    given_by_day: Mapping[date, int]

    @property
    def given(self) -> int:
        return sum(self.given_by_day.values())

    @property
    def left(self) -> int:
        return max(0, self.planned - self.given)

    @property
    def planned_by_today(self) -> int | None:
        """How many labels the plan has by the end of today, spread evenly over its days."""
        return None if self.due_on is None else round(self._planned_by(self.today))

    @property
    def ahead(self) -> int | None:
        """How many more labels are there than planned by today; negative when it is fewer."""
        return None if self.planned_by_today is None else self.given - self.planned_by_today

    @property
    def behind(self) -> int:
        """How many labels are missing to the plan of today."""
        return max(0, -(self.ahead or 0))

    @property
    def is_overdue(self) -> bool:
        return self.due_on is not None and self.today > self.due_on and self.left > 0

    @property
    def needed_per_day(self) -> int | None:
        """How many labels a day would still reach the due date, today included; None after it."""
        if self.due_on is None or self.today > self.due_on:
            return None
        return ceil(self.left / ((self.due_on - self.today).days + 1))

    @property
    def per_day_lately(self) -> float:
        """How many labels a day were given in the last seven days, today included."""
        days = min(LATELY_DAYS, (self.today - self._first_day).days + 1)
        recent = (self.today - timedelta(days=back) for back in range(days))
        return sum(self.given_by_day.get(day, 0) for day in recent) / days

    @property
    def plot(self) -> Plot:
        """Return the picture: a point at the end of each day."""
        first, last = self._first_day, max(self.due_on or self.today, self.today)
        span = (last - first).days + 1
        most = max(self.planned, self.given, 1)

        def point(days: float, labels: float) -> str:
            return f"{days / span * PLOT_WIDTH:.1f},{PLOT_HEIGHT - labels / most * PLOT_HEIGHT:.1f}"

        planned = []
        if self.due_on is not None:
            begins, ends = (self.starts_on - first).days, (self._ends_on - first).days + 1
            planned = [point(begins, 0), point(ends, self.planned)]
        today = (self.today - first).days + 1
        return Plot(
            planned=" ".join(planned),
            given=" ".join(point(*each) for each in enumerate(self._running_total(first, today))),
            today_x=f"{today / span * PLOT_WIDTH:.1f}",
            first_day=first,
            last_day=last,
            most=most,
        )

    @property
    def _first_day(self) -> date:
        return min([self.starts_on, *self.given_by_day, self.today])

    @property
    def _ends_on(self) -> date:
        return max(self.due_on or self.today, self.starts_on)

    def _planned_by(self, day: date) -> float:
        days = (self._ends_on - self.starts_on).days + 1
        return self.planned * min(1.0, max(0.0, ((day - self.starts_on).days + 1) / days))

    def _running_total(self, first: date, days: int) -> Sequence[int]:
        by_day = (self.given_by_day.get(first + timedelta(days=number), 0) for number in range(days))
        return [0, *accumulate(by_day)]
