"""The forecast: the weeks to come played through many times from everybody's own record. Pure.

In each play people have good and bad weeks, weeks off that may last, and may leave for good; what they had
left goes to the others by their declared hours, as the plan does it. Whoever is ready waits for the others.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from annotation.forecast.pace import HOUR, SHIFT_OF_HOURS, STAYS_OFF, WEEK, Array, Outlook, Person, outlook_of

PLAYS = 1000
MOST_PERSON_PLAYS = 200_000  # with very many people fewer plays are as telling
LEAST_PLAYS = 200
MOST_WEEKS = 156  # three years: what takes longer is told as never
TAIL = 0.1  # on either side of the 80 % interval
LEAST_DAYS = 14
LEAST_WORKED_DAYS, LEAST_LABELS = 6, 30  # of all people together
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class State:
    """A campaign as it stands: who is there, today, what it has cost so far, and what an hour costs.

    ``ready_not_before`` is the day on which the last silent repeat may be shown of those whose first reading
    is done; each of the ``unread_repeats`` may be shown ``repeat_after_days`` after a reading to come.
    """

    people: Sequence[Person]
    today: date
    spent: float | None = None
    per_hour: float | None = None
    ready_not_before: date | None = None
    unread_repeats: int = 0
    repeat_after_days: int = 0
    has_plan: bool = True
    seed: int = 1

    @property
    def left(self) -> int:
        return sum(person.left for person in self.people)


@dataclass(frozen=True)
class Interval:
    """An 80 % interval and its middle; a bound that is None lies beyond every day that was looked at."""

    low: float | None
    middle: float | None
    high: float | None

    @property
    def is_open(self) -> bool:
        return self.high is None


class Standing(StrEnum):
    """Whether there is a forecast, or why not."""

    READY = "ready"
    COLLECTING = "collecting"
    DONE = "done"
    NO_PLAN = "no_plan"
    NOBODY = "nobody"


@dataclass(frozen=True)
class Forecast:
    """When it will be done and what it will have cost; the cost None where no rate is known."""

    standing: Standing
    today: date
    left: int
    days: Interval | None = None
    hours: Interval | None = None
    cost: Interval | None = None
    by_week: Sequence[tuple[float, float, float]] = ()  # share of what is left done by the end of each week

    @property
    def soonest(self) -> date | None:
        return self._day(self.days.low if self.days else None)

    @property
    def likely(self) -> date | None:
        return self._day(self.days.middle if self.days else None)

    @property
    def latest(self) -> date | None:
        """The interval's last day; None where one in ten plays does not end."""
        return self._day(self.days.high if self.days else None)

    def _day(self, days: float | None) -> date | None:
        return None if days is None else self.today + timedelta(days=int(days))


def forecast(state: State, plays: int = PLAYS) -> Forecast:
    """Return the forecast, or why there is none yet."""
    standing = _standing(state)
    if standing is not Standing.READY:
        return Forecast(standing, state.today, state.left)
    here = [person for person in state.people if not person.has_gone]
    plays = min(plays, max(LEAST_PLAYS, MOST_PERSON_PLAYS // len(here)))
    played = _Play(outlook_of(state.people), here, np.random.default_rng(state.seed), plays)
    played.run()
    days = played.done_after
    if state.unread_repeats:
        last_first_readings = np.floor(days * (1 - min(1, state.unread_repeats / state.left)))
        days = np.maximum(days, last_first_readings + state.repeat_after_days)
    if state.ready_not_before is not None:
        days = np.maximum(days, (state.ready_not_before - state.today).days)
    cost = None
    if state.spent is not None and state.per_hour is not None:
        cost = _interval(state.spent + played.hours * state.per_hour, np.isfinite(days))
    return Forecast(
        standing,
        state.today,
        state.left,
        days=_interval(days, np.isfinite(days)),
        hours=_interval(played.hours, np.isfinite(days)),
        cost=cost,
        by_week=played.by_week,
    )


def _standing(state: State) -> Standing:
    here = [person for person in state.people if not person.has_gone]
    if not state.left:
        return Standing.DONE if state.has_plan else Standing.NO_PLAN
    if not here:
        return Standing.NOBODY
    worked = sum(sum(1 for seconds in person.seconds if seconds > 0) for person in state.people)
    longest = max(len(person.seconds) for person in state.people)
    labels = sum(sum(person.labels) for person in state.people)
    if longest < LEAST_DAYS or worked < LEAST_WORKED_DAYS or labels < LEAST_LABELS:
        return Standing.COLLECTING
    return Standing.READY


def _interval(values: Array, is_reached: Bools) -> Interval:
    """Return the interval of all plays; those that never end lie above every number."""
    ordered = np.sort(np.where(is_reached, values, np.inf))

    def at(share: float) -> float | None:
        value = ordered[min(len(ordered) - 1, int(share * len(ordered)))]
        return float(value) if np.isfinite(value) else None

    return Interval(at(TAIL), at(0.5), at(1 - TAIL))


class _Play:
    """Many plays of the same campaign side by side: arrays are [play, person]."""

    def __init__(
        self, outlook: Outlook, people: Sequence[Person], rng: np.random.Generator, plays: int
    ) -> None:
        self.rng, self.outlook, self.size = rng, outlook, (plays, len(people))
        declared = np.array([person.hours_per_week for person in people])
        self.declared = np.broadcast_to(declared, self.size)
        self.left = np.tile(np.array([person.left for person in people], dtype=np.float64), (plays, 1))
        self.mean_hours = _positive(rng, outlook.hours, outlook.hours_error, self.size)
        self.mean_hours *= np.exp(SHIFT_OF_HOURS * rng.standard_normal(self.size))
        self.seconds = outlook.seconds * np.exp(outlook.seconds_error * rng.standard_normal(self.size))
        gone, weeks = outlook.leaving
        self.rate = rng.gamma(gone, 1 / weeks, (plays, 1))
        self.is_gone = rng.random(self.size) < outlook.may_be_gone
        self.is_off = rng.random(self.size) < outlook.is_off
        self.done_after = np.full(plays, np.inf)
        self.hours = np.zeros(plays)
        self.by_week: list[tuple[float, float, float]] = []

    def run(self) -> None:
        """Play week after week until everybody is ready in all plays."""
        total = self.left[0].sum()
        for week in range(MOST_WEEKS):
            self._hand_over()
            labels = self._labels_of_week()
            is_ready = self._work(labels, week)
            done = 1 - self.left.sum(axis=1) / total
            low, middle, high = np.quantile(done, [TAIL, 0.5, 1 - TAIL])
            self.by_week.append((float(low), float(middle), float(high)))
            if is_ready.all():
                break
            self._turn_of_week()

    def _hand_over(self) -> None:
        """Give what those who left had to the others, by their declared hours; to nobody if all have left."""
        freed = np.where(self.is_gone, self.left, 0).sum(axis=1, keepdims=True)
        weights = np.where(self.is_gone, 0, self.declared)
        sums = weights.sum(axis=1, keepdims=True)
        has_heirs = sums > 0
        shares = np.divide(weights, sums, out=np.zeros(self.size), where=has_heirs)
        kept = np.where(self.is_gone & has_heirs, 0, self.left)
        self.left = kept + np.where(has_heirs, shares * freed, 0)

    def _labels_of_week(self) -> Array:
        spread = np.maximum(self.outlook.spread, 0.05)
        factor = self.rng.gamma(1 / spread**2, spread**2, self.size)
        hours = np.where(self.is_gone | self.is_off, 0, self.mean_hours * factor)
        result: Array = hours * HOUR / self.seconds
        return result

    def _work(self, labels: Array, week: int) -> Bools:
        """Take a week's labels off what is left, and note in which plays, and on which day, the last came."""
        need = self.left
        given = np.minimum(labels, need)
        self.hours += (given * self.seconds).sum(axis=1) / HOUR
        self.left = np.where(need - given < 0.5, 0, need - given)
        was_open = need.sum(axis=1) > 0
        is_ready: Bools = self.left.sum(axis=1) == 0
        ends_now = was_open & is_ready & np.isinf(self.done_after)
        part = np.divide(need, labels, out=np.zeros(self.size), where=(labels > 0) & (need > 0))
        days = self._day_of_part(np.minimum(part, 1)).max(axis=1)
        self.done_after = np.where(ends_now, WEEK * week + days, self.done_after)
        return is_ready

    def _day_of_part(self, part: Array) -> Array:
        """Return on which day of the week, 0 first, that part of its labels is given."""
        until = np.cumsum(self.outlook.weekdays, axis=1)
        result: Array = (part[:, :, None] > until[None, :, :] + 1e-9).sum(axis=2).astype(np.float64)
        return result

    def _turn_of_week(self) -> None:
        share = min(self.outlook.share_off, 0.5)
        begins_off = share * (1 - STAYS_OFF) / (1 - share)
        self.is_off = self.rng.random(self.size) < np.where(self.is_off, STAYS_OFF, begins_off)
        self.is_gone |= self.rng.random(self.size) < 1 - np.exp(-self.rate)


def _positive(rng: np.random.Generator, mean: Array, error: Array, size: tuple[int, int]) -> Array:
    """Return draws of a gamma distribution of this mean and standard error."""
    shape = (mean / np.maximum(error, 1e-9)) ** 2
    result: Array = rng.gamma(shape, mean / shape, size)
    return result


# --- Scenarios ---------------------------------------------------------------------------------------------
FEWER_HOURS = 0.8


@dataclass(frozen=True)
class Scenario:
    """A change, and the forecast that it makes; the state None where it cannot be had, for a reason."""

    name: str
    forecast: Forecast | None
    reason: str = ""


def one_more(state: State) -> State:
    """Return the campaign with one more clinician as the others are, what is left shared anew by hours."""
    here = [person for person in state.people if not person.has_gone]
    hours = sum(person.hours_per_week for person in here) / len(here)
    everybody = [*here, Person("one more", hours, (), (), 0)]
    total = sum(person.hours_per_week for person in everybody)
    shared = [replace(p, left=round(state.left * p.hours_per_week / total)) for p in everybody]
    gone = [person for person in state.people if person.has_gone]
    return replace(state, people=[*shared, *gone])


def fewer_hours(state: State) -> State:
    """Return the campaign with everybody at four fifths of their hours so far."""

    def less(person: Person) -> Person:
        seconds = tuple(FEWER_HOURS * each for each in person.seconds)
        labels = tuple(FEWER_HOURS * each for each in person.labels)
        return replace(
            person,
            hours_per_week=FEWER_HOURS * person.hours_per_week,
            seconds=seconds,
            labels=labels,  # type: ignore[arg-type]  # the pace stays: shares of labels are as good
        )

    return replace(state, people=[less(person) for person in state.people])


def less_overlap(state: State, spared: int) -> State:
    """Return the campaign with so many labels fewer to give, taken from everybody alike."""
    share = 1 - min(spared, state.left) / state.left
    people = [replace(person, left=round(share * person.left)) for person in state.people]
    return replace(state, people=people)


def scenarios(state: State, *, labels_per_sample: int, spared: int) -> list[Scenario]:
    """Return what one more clinician, fewer hours and one label less per sample would change."""
    if _standing(state) is not Standing.READY:
        return []

    def changed(name: str, change: Callable[[State], State]) -> Scenario:
        return Scenario(name, forecast(change(state)))

    found = [
        changed("One more clinician", one_more),
        changed("Everybody a fifth fewer hours", fewer_hours),
    ]
    name = f"{labels_per_sample - 1} labels per sample instead of {labels_per_sample}"
    if labels_per_sample < 3:
        reason = "Two labels per sample are the least with which agreement can be measured."
        found.append(Scenario("One label less per sample", None, reason))
    else:
        found.append(changed(name, lambda one: less_overlap(one, spared)))
    return found
