"""What each person's past says of the weeks to come: hours, pace, holidays, leaving, with shrinkage. Pure.

Means are drawn towards what was declared, spreads towards the group's, rates towards a weak prior, each the
less the more the person's own record says. Hours and pace are those measured, pauses and repeats included.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

WEEK = 7
HOUR = 3600.0
KEPT_OF_DECLARED = 0.8  # the share of declared hours that is worked, before anybody has a record
# Each prior counts as much as so many weeks (or labels) of a record.
PRIOR_WEEKS_OF_MEAN = 2.0
PRIOR_WEEKS_OF_SHARE = 4.0
PRIOR_WEEKS_OF_SPREAD, PRIOR_SPREAD = 8.0, 0.5
PRIOR_WEEKS_OFF, PRIOR_SHARE_OFF = 10.0, 0.06
PRIOR_WEEKS_OF_LEAVING, PRIOR_LEAVING = 25.0, 0.02
PRIOR_LABELS = 60.0
# What lasts: a week off is followed by another one so often; hours and pace shift for good by so much.
STAYS_OFF = 0.45
SHIFT_OF_HOURS, SHIFT_OF_PACE = 0.3, 0.09
LEARNING_GOES_ON = 0.5  # of the trend between the last two thirds of a record
MOST_LEARNING = 0.25


@dataclass(frozen=True)
class Person:
    """One clinician's record by day, from the first one on until yesterday, and what is still to be labelled.

    Who has gone stays in the list with nothing left: it says how often people go.
    """

    name: str
    hours_per_week: float
    seconds: Sequence[float]
    labels: Sequence[int]
    left: int
    has_gone: bool = False

    @property
    def weeks(self) -> Array:
        """Return the hours of each whole week of the record, counted back from yesterday."""
        days = np.asarray(self.seconds, dtype=np.float64) / HOUR
        whole = len(days) // WEEK * WEEK
        result: Array = days[len(days) - whole :].reshape(-1, WEEK).sum(axis=1)
        return result

    @property
    def silent_days(self) -> int:
        """Return for how many days until yesterday nothing was worked."""
        worked = np.flatnonzero(np.asarray(self.seconds) > 0)
        return len(self.seconds) - (int(worked[-1]) + 1 if len(worked) else 0)


@dataclass(frozen=True)
class Outlook:
    """What the simulation draws from, one entry per person still here unless it is the group's.

    ``hours`` of a worked week with its standard error, ``spread`` of such weeks (relative), ``seconds`` per
    label, ``weekdays`` [person, day] shares of a week from today on, ``may_be_gone`` and ``is_off`` chances.
    """

    hours: Array
    hours_error: Array
    spread: Array
    seconds: Array
    seconds_error: Array
    weekdays: Array
    may_be_gone: Array
    is_off: Array
    share_off: float
    leaving: tuple[float, float]  # of a gamma distribution: so many left in so many weeks


def outlook_of(people: Sequence[Person]) -> Outlook:
    """Return what the records say."""
    here = [person for person in people if not person.has_gone]
    weeks = [person.weeks for person in people]
    share_off = _share_off(weeks)
    worked = [each[each > 0] for each in weeks]
    hours, counts = _hours(people, worked)
    spread = _spreads(worked)
    leaving = _leaving(people, weeks)
    is_here = np.array([not person.has_gone for person in people], dtype=bool)
    silent = np.array([person.silent_days for person in here], dtype=np.float64)
    seconds, seconds_error = _paces(people)
    return Outlook(
        hours=hours[is_here],
        hours_error=(hours * spread / np.sqrt(counts + PRIOR_WEEKS_OF_MEAN))[is_here],
        spread=spread[is_here],
        seconds=seconds[is_here],
        seconds_error=seconds_error[is_here],
        weekdays=np.array([_weekdays(person) for person in here]).reshape(-1, WEEK),
        may_be_gone=_chance_of_being_gone(silent, share_off, leaving[0] / leaving[1]),
        is_off=np.where(silent >= WEEK, STAYS_OFF, 0.0),
        share_off=share_off,
        leaving=leaving,
    )


def _share_off(weeks: Sequence[Array]) -> float:
    """Return the share of weeks in which somebody who is here works nothing."""
    # Weeks at the end without work may be of one who has gone.
    inner = [np.trim_zeros(each, "b") for each in weeks]
    off = sum(int((each == 0).sum()) for each in inner)
    of = sum(len(each) for each in inner)
    return (off + PRIOR_WEEKS_OFF * PRIOR_SHARE_OFF) / (of + PRIOR_WEEKS_OFF)


def _hours(people: Sequence[Person], worked: Sequence[Array]) -> tuple[Array, Array]:
    """Return each one's hours of a worked week, and of how many weeks that is known."""
    declared = np.array([person.hours_per_week for person in people])
    counts = np.array([len(each) for each in worked], dtype=np.float64)
    sums = np.array([each.sum() for each in worked])
    typical = declared.mean() * PRIOR_WEEKS_OF_SHARE
    kept = (sums.sum() + KEPT_OF_DECLARED * typical) / ((counts * declared).sum() + typical)
    prior = kept * declared
    return (sums + PRIOR_WEEKS_OF_MEAN * prior) / (counts + PRIOR_WEEKS_OF_MEAN), counts


def _spreads(worked: Sequence[Array]) -> Array:
    """Return the relative spread of each one's worked weeks, drawn towards the group's."""
    squares, freedom = np.zeros(len(worked)), np.zeros(len(worked))
    for number, each in enumerate(worked):
        if len(each) > 1:
            squares[number] = ((each / each.mean() - 1) ** 2).sum()
            freedom[number] = len(each) - 1
    known = PRIOR_WEEKS_OF_SPREAD
    of_group = (squares.sum() + known * PRIOR_SPREAD**2) / (freedom.sum() + known)
    result: Array = np.sqrt((squares + known * of_group) / (freedom + known))
    return result


def _leaving(people: Sequence[Person], weeks: Sequence[Array]) -> tuple[float, float]:
    gone = sum(person.has_gone for person in people)
    at_risk = sum(len(each) for each in weeks)
    return gone + PRIOR_WEEKS_OF_LEAVING * PRIOR_LEAVING, at_risk + PRIOR_WEEKS_OF_LEAVING


def _chance_of_being_gone(silent: Array, share_off: float, rate: float) -> Array:
    """Return the chance that one who is silent has left without a word (Bayes: a leave or weeks off)."""
    weeks = silent / WEEK
    stays = share_off * STAYS_OFF ** np.maximum(weeks - 1, 0)
    gone = rate * np.maximum(weeks, 1)
    return np.where(weeks >= 1, gone / (gone + stays), 0.0)


def _paces(people: Sequence[Person]) -> tuple[Array, Array]:
    """Return each one's seconds per label in the weeks to come, and the relative error of that."""
    latest, trends, counts = (np.array(each) for each in zip(*map(_pace, people), strict=True))
    known = counts > 0
    of_group = float(np.average(latest[known], weights=counts[known])) if known.any() else np.nan
    seconds = (counts * np.where(known, latest, 0) + PRIOR_LABELS * of_group) / (counts + PRIOR_LABELS)
    trend = np.clip(trends, -MOST_LEARNING, MOST_LEARNING / 2) * counts / (counts + PRIOR_LABELS)
    error = np.sqrt(SHIFT_OF_PACE**2 + 0.35**2 / (counts / 10 + 1) + (trend / 4) ** 2)
    return seconds * np.exp(LEARNING_GOES_ON * trend), error


def _pace(person: Person) -> tuple[float, float, float]:
    """Return seconds per label in the latest third, the log ratio to the third before, and its labels."""
    labels = np.asarray(person.labels, dtype=np.float64)
    seconds = np.asarray(person.seconds, dtype=np.float64)
    done = np.cumsum(labels)
    if not len(labels) or done[-1] == 0:
        return 0.0, 0.0, 0.0
    parts = np.minimum((3 * (done - labels) / done[-1]).astype(int), 2)
    thirds = [(seconds[parts == part].sum(), labels[parts == part].sum()) for part in (1, 2)]
    before, last = (spent / given if given else 0.0 for spent, given in thirds)
    if not last:
        return float(seconds.sum() / done[-1]), 0.0, float(done[-1])
    return last, float(np.log(last / before)) if before else 0.0, float(thirds[1][1])


def _weekdays(person: Person) -> Array:
    """Return the share of a week's work on each of the seven days from today on."""
    by_day = np.full(WEEK, 1.0 / WEEK)
    record = np.asarray(person.seconds, dtype=np.float64)
    if record.sum():
        days = (np.arange(len(record)) - len(record)) % WEEK  # 0 is today's day of the week
        shares = np.bincount(days, weights=record, minlength=WEEK) / record.sum()
        weeks = len(record) / WEEK
        by_day = (weeks * shares + by_day) / (weeks + 1)
    return by_day
