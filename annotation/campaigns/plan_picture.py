"""The plan as a picture: one bar per person over the days until done, in parts by purpose. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import ceil, inf, isfinite

from annotation.assignment.feasibility import Clinician, Limit
from annotation.assignment.policy import Purpose

IN_TURN = (Purpose.TRAINING, Purpose.CALIBRATION)  # before everything else, in this order
INTERLEAVED = (Purpose.ANCHOR, Purpose.OVERLAP, Purpose.REPEAT)  # mixed in the queue all the way
ROW_HEIGHT, BAR_TOP, BAR_HEIGHT = 88, 30, 44  # in pixels
LEAST_HEIGHT = 3.0  # of a part that is small beside the others
AXIS_HEIGHT = 34
MOST_TICKS = 5
EDGE = 0.93
STEPS_DAYS = (1, 2, 5, 7, 14, 28, 56, 91, 182, 364)


@dataclass(frozen=True)
class Work:
    """What one person still has to read: labels by purpose, and how many of them are estimated severe."""

    code: str
    name: str
    clinician: Clinician
    labels: Mapping[Purpose, int]
    severe: int
    seconds_per_label: float

    @property
    def total(self) -> int:
        return sum(self.labels.values())

    @property
    def hours(self) -> float:
        return self.total * self.seconds_per_label / 3600

    @property
    def days(self) -> float:
        """Return the calendar days until done at the declared hours and within the care limits."""
        return max(self._days_by_time, self._days_by_care)

    @property
    def limit(self) -> Limit:
        """Return what decides how long it takes."""
        is_by_care = self._days_by_care > self._days_by_time
        return Limit.SEVERE_READINGS if is_by_care else self.clinician.time_limit

    @property
    def _days_by_time(self) -> float:
        return self.total * self.seconds_per_label / self.clinician.seconds_per_day

    @property
    def _days_by_care(self) -> float:
        if not self.severe:
            return 0.0
        allowed = self.clinician.severe_readings_per_day
        return self.severe / allowed if allowed else inf


@dataclass(frozen=True)
class Block:
    """One rectangle: ``x`` and ``width`` in percent of the picture, ``y`` and ``height`` in pixels."""

    purpose: str
    x: str
    width: str
    y: float
    height: float


@dataclass(frozen=True)
class Row:
    """One person's bar. ``severe`` is a band over it whose height is the severe share of the labels."""

    work: Work
    text_y: int
    blocks: Sequence[Block]
    severe: Block | None


@dataclass(frozen=True)
class Tick:
    """A day on the axis; the words of one near the right edge stand left of it."""

    x: str
    day: int
    is_at_end: bool


@dataclass(frozen=True)
class Picture:
    """Everything the template draws; ``height`` in pixels, ``due_x`` where the due date falls."""

    rows: Sequence[Row]
    ticks: Sequence[Tick]
    height: int
    axis_y: int
    due_x: str


def picture_of(works: Sequence[Work], *, repeat_after_days: int, days_left: int | None) -> Picture:
    """Return the picture of what these people have to read, from today on.

    ``days_left`` until the due date widen the picture where the work ends before it.
    """
    ends = [work.days for work in works if isfinite(work.days)]
    span = max([*ends, float(days_left or 0), 1.0])
    axis_y = len(works) * ROW_HEIGHT
    return Picture(
        rows=[_row(work, number, span, repeat_after_days) for number, work in enumerate(works)],
        ticks=[Tick(_percent(day / span), day, day / span > EDGE) for day in _ticks(span)],
        height=axis_y + AXIS_HEIGHT,
        axis_y=axis_y,
        due_x="" if days_left is None else _percent(days_left / span),
    )


def _row(work: Work, number: int, span: float, repeat_after_days: int) -> Row:
    top = number * ROW_HEIGHT + BAR_TOP
    end = min(work.days, span)
    blocks = list(_blocks(work, top, end, span, repeat_after_days))
    share = work.severe / work.total if work.total else 0.0
    height = max(LEAST_HEIGHT, round(share * BAR_HEIGHT, 1))
    severe = Block("severe", "0%", _percent(end / span), top + BAR_HEIGHT - height, height)
    return Row(work, number * ROW_HEIGHT + 20, blocks, severe if work.severe else None)


def _blocks(work: Work, top: float, end: float, span: float, repeat_after_days: int) -> Iterator[Block]:
    if not work.total:
        return
    day = 0.0
    for purpose in IN_TURN:
        days = end * work.labels.get(purpose, 0) / work.total
        if days:
            yield Block(purpose, _percent(day / span), _percent(days / span), top, BAR_HEIGHT)
        day += days
    y = float(top)
    for purpose, height in _heights({one: work.labels.get(one, 0) for one in INTERLEAVED}).items():
        start = min(end, max(day, repeat_after_days)) if purpose is Purpose.REPEAT else day
        yield Block(purpose, _percent(start / span), _percent((end - start) / span), y, height)
        y += height


def _heights(labels: Mapping[Purpose, int]) -> dict[Purpose, float]:
    """Return the height of each part there is: its share of the bar, a small one made visible."""
    parts = {purpose: count for purpose, count in labels.items() if count}
    heights = {
        purpose: max(LEAST_HEIGHT, round(BAR_HEIGHT * count / sum(parts.values()), 1))
        for purpose, count in parts.items()
    }
    if heights:
        largest = max(heights, key=lambda one: heights[one])
        heights[largest] = round(BAR_HEIGHT - sum(heights.values()) + heights[largest], 1)
    return heights


def _ticks(span: float) -> list[int]:
    step = next((days for days in STEPS_DAYS if span / days <= MOST_TICKS), ceil(span / MOST_TICKS))
    return list(range(0, int(span) + 1, step))


def _percent(share: float) -> str:
    return f"{100 * min(1.0, share):.2f}%"


def expected_pairs(overlap: Mapping[str, float], pairs: float) -> dict[frozenset[str], int]:
    """Return about how many samples each two people will share, of so many, by the overlap each one reads."""
    weights = {
        frozenset((one, other)): overlap[one] * overlap[other] for one, other in combinations(overlap, 2)
    }
    total = sum(weights.values())
    return {pair: round(pairs * weight / total) if total else 0 for pair, weight in weights.items()}
