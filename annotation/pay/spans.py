"""Stretches of time: joined, cut and counted, so that no second counts twice. Pure."""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

Span = tuple[datetime, datetime]

REACH = timedelta(minutes=30)  # how far back a heartbeat or a saved label may claim time
ESTIMATE = timedelta(minutes=5)  # the most that counts of a sample whose time nobody measured
NOTHING = timedelta()


@dataclass(frozen=True, order=True)
class Month:
    """A calendar month, by its first day."""

    first: date

    @classmethod
    def of(cls, moment: datetime, zone: tzinfo) -> "Month":
        """Return the month in which this moment falls there."""
        return cls(moment.astimezone(zone).date().replace(day=1))

    @property
    def next(self) -> "Month":
        return Month((self.first + timedelta(days=32)).replace(day=1))

    @property
    def previous(self) -> "Month":
        return Month((self.first - timedelta(days=1)).replace(day=1))

    def span(self, zone: tzinfo) -> Span:
        """Return when it begins and when the next one does."""
        return midnight(self.first, zone), midnight(self.next.first, zone)


@dataclass(frozen=True)
class Reading:
    """A sample from when it was shown until its label was saved; active seconds where the page measured."""

    shown_at: datetime
    saved_at: datetime
    active_seconds: int | None

    @property
    def window(self) -> Span:
        return max(self.shown_at, self.saved_at - REACH), self.saved_at

    @property
    def claims(self) -> timedelta:
        return ESTIMATE if self.active_seconds is None else timedelta(seconds=self.active_seconds)


def midnight(day: date, zone: tzinfo) -> datetime:
    """Return the moment at which this day begins there, in UTC: there a difference is time that passed."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def united(spans: Iterable[Span]) -> list[Span]:
    """Return the same time in spans that neither touch nor overlap, in order."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if end <= start:
            continue
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def within(spans: Iterable[Span], bounds: Span) -> list[Span]:
    """Return what of the spans lies in the bounds."""
    cut = ((max(start, bounds[0]), min(end, bounds[1])) for start, end in spans)
    return [(start, end) for start, end in cut if start < end]


def length(spans: Iterable[Span]) -> timedelta:
    """Return how long the spans are together. Spans that overlap count twice: unite them first."""
    return sum((end - start for start, end in spans), NOTHING)


def by_day(spans: Iterable[Span], zone: tzinfo) -> Iterator[tuple[date, Span]]:
    """Yield the spans cut at every midnight there, each with its day. A day may have 23 or 25 hours."""
    for start, end in spans:
        while start < end:
            day = start.astimezone(zone).date()
            stop = min(end, midnight(day + timedelta(days=1), zone))
            yield day, (start, stop)
            start = stop


def free_before(end: datetime, start: datetime, taken: Sequence[Span]) -> Iterator[Span]:
    """Yield the gaps between the taken spans of a window, the latest first."""
    for busy in reversed(taken):
        if busy[0] >= end:
            continue
        if busy[1] <= start:
            break
        if busy[1] < end:
            yield max(busy[1], start), end
        end = busy[0]
    if start < end:
        yield start, end


def counted_readings(readings: Sequence[Reading]) -> list[list[Span]]:
    """Return what counts of each reading, in their order: the latest free time before the label was saved.

    A reading claims its active seconds, or an estimate where nobody measured; it never gets more than its
    window has, nor a second that another reading has got. Readings are those that no heartbeat covers.
    """
    counted: list[list[Span]] = [[] for _ in readings]
    taken: list[Span] = []
    for at in sorted(range(len(readings)), key=lambda each: readings[each].saved_at):
        start, end = readings[at].window
        left = readings[at].claims
        first = max(0, bisect_left(taken, (start,)) - 1)
        for free in list(free_before(end, start, taken[first:])):
            piece = max(free[0], free[1] - left), free[1]
            if piece[0] < piece[1]:
                counted[at].append(piece)
                left -= piece[1] - piece[0]
        for piece in counted[at]:
            insort(taken, piece)
    return counted
