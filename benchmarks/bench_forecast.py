"""How often the forecast's 80 % interval holds the day on which a campaign was really done.

The campaigns are made day by day from another picture of the world than the forecast's: moods that drift,
holidays of one and of all, motivation that fades, people who learn, who work at weekends only, and who go
without a word: `python -m benchmarks.bench_forecast --campaigns 200`.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from annotation.forecast.model import PLAYS, Bools, Forecast, State, forecast
from annotation.forecast.pace import Array, Person

CAMPAIGNS = 200
ASKED_AT = (1 / 3, 1 / 2)
LONGEST_DAYS = 1500
Row = dict[str, str | float | int | None]
# Chance of working on each day, Monday first, by habit.
HABITS = np.array(
    [
        [0.6, 0.6, 0.6, 0.6, 0.5, 0.1, 0.1],
        [0.05, 0.05, 0.05, 0.05, 0.2, 0.85, 0.85],
        [0.0, 0.8, 0.0, 0.8, 0.0, 0.3, 0.0],
        [0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4],
    ]
)
HABIT_SHARES = (0.4, 0.2, 0.2, 0.2)


@dataclass(frozen=True, slots=True)
class Clinician:
    """How one person really works; days are of the campaign."""

    declared: float  # hours a week
    hours_a_day: float  # on a day that is worked, before mood
    habit: Array
    base_seconds: float
    learns: float  # how much longer the first labels take
    learns_within: float  # labels
    fades: float  # of motivation, over a hundred days
    leaves_on: int
    holidays: tuple[tuple[int, int], ...]


@dataclass(slots=True)
class Campaign:
    """A campaign as it went: seconds and labels [day, person], what was left, and when it was done."""

    people: list[Clinician]
    seconds: Array
    labels: Array
    left: Array  # [day, person] in the morning
    known_gone_on: list[int]
    planned: int

    @property
    def done_on(self) -> int:
        """The day of the last label."""
        return int(np.flatnonzero(self.labels.sum(axis=1))[-1])

    def morning_after(self, share: float) -> int:
        """The day in whose morning that share of all labels was there."""
        return int(np.searchsorted(self.labels.sum(axis=1).cumsum(), share * self.planned)) + 1

    def state(self, today: int) -> State:
        """What the site would know in that morning."""
        people = [
            Person(
                name=f"person {number}",
                hours_per_week=one.declared,
                seconds=tuple(self.seconds[:today, number]),
                labels=tuple(int(given) for given in self.labels[:today, number]),
                left=int(self.left[today, number]),
                has_gone=self.known_gone_on[number] <= today,
            )
            for number, one in enumerate(self.people)
        ]
        return State(people, date(2026, 1, 5), spent=0.0, per_hour=1.0)

    def hours_after(self, today: int) -> float:
        return float(self.seconds[today:].sum() / 3600)


def clinicians(rng: np.random.Generator, weeks: float) -> list[Clinician]:
    """People for a campaign that is planned for so many weeks."""
    made = []
    span = int(weeks * 7)
    for _ in range(int(rng.integers(4, 9))):
        declared = float(rng.uniform(4, 14))
        habit = HABITS[rng.choice(len(HABITS), p=HABIT_SHARES)] * rng.uniform(0.85, 1.1)
        keeps = rng.beta(8, 2.5)  # most work less than they said
        holidays = []
        if rng.random() < 0.45:
            begins = int(rng.integers(0, 2 * span))
            holidays.append((begins, begins + int(rng.integers(5, 17))))
        leaves = rng.random() < 0.15
        made.append(
            Clinician(
                declared=declared,
                hours_a_day=declared * keeps / habit.sum(),
                habit=habit,
                base_seconds=float(rng.lognormal(np.log(50), 0.3)),
                learns=float(rng.uniform(0, 1)),
                learns_within=float(rng.uniform(50, 250)),
                fades=float(rng.uniform(-0.1, 0.3)),
                leaves_on=int(rng.uniform(0.1, 1.6) * span) if leaves else LONGEST_DAYS,
                holidays=tuple(holidays),
            )
        )
    return made


def simulate(seed: int) -> Campaign:
    """Live through one campaign day by day."""
    rng = np.random.default_rng(seed)
    weeks = rng.uniform(8, 20)
    people = clinicians(rng, weeks)
    n = len(people)
    declared = np.array([one.declared for one in people])
    # The lead plans with the pace of the first days and the hours that people said.
    left = np.round(declared * 3600 / 60 * weeks * rng.uniform(0.6, 1.0))
    planned = int(left.sum())
    all_rest = int(rng.integers(0, 7 * 30)) if rng.random() < 0.35 else LONGEST_DAYS
    rests_for = int(rng.integers(4, 11))
    known = [one.leaves_on + int(rng.integers(3, 15)) for one in people]
    mood, done = np.zeros(n), np.zeros(n)
    seconds, labels, mornings = [], [], []
    for day in range(LONGEST_DAYS):
        left = _hand_over(left, declared, np.array(known) == day, np.array(known) <= day)
        mornings.append(left.copy())
        if not left.any():
            break
        if day % 7 == 0:
            mood = 0.6 * mood + 0.35 * rng.standard_normal(n)
        is_rest = all_rest <= day < all_rest + rests_for
        hours = np.array([_hours(one, rng, day, mood[at], is_rest=is_rest) for at, one in enumerate(people)])
        pace = np.array([_pace(one, done[at]) for at, one in enumerate(people)])
        given = np.minimum(np.floor(hours * 3600 / pace), left)
        spent = given * pace * rng.lognormal(0, 0.08, n)
        seconds.append(spent)
        labels.append(given)
        done, left = done + given, left - given
    return Campaign(people, np.array(seconds), np.array(labels), np.array(mornings), known, planned)


def _hand_over(left: Array, declared: Array, leaves_now: Bools, has_left: Bools) -> Array:
    """The plan gives what a person had left to the others, once it is known that the person has gone."""
    if not leaves_now.any() or has_left.all():
        return left
    freed = left[leaves_now].sum()
    weights = np.where(has_left, 0, declared)
    shares = np.floor(freed * weights / weights.sum())
    shares[int(np.argmax(weights))] += freed - shares.sum()
    result: Array = np.where(leaves_now, 0, left) + shares
    return result


def _hours(one: Clinician, rng: np.random.Generator, day: int, mood: float, *, is_rest: bool) -> float:
    is_away = day >= one.leaves_on or any(first <= day < last for first, last in one.holidays)
    if is_away or rng.random() > one.habit[day % 7] or (is_rest and rng.random() < 0.85):
        return 0.0
    fading = max(0.3, 1 - one.fades * day / 100)
    return float(one.hours_a_day * fading * np.exp(mood) * rng.gamma(5, 1 / 5))


def _pace(one: Clinician, done: float) -> float:
    return float(one.base_seconds * (1 + one.learns * np.exp(-done / one.learns_within)))


@dataclass(frozen=True, slots=True)
class Asked:
    """What was foretold at a share of a campaign, and what came."""

    share: float
    told: Forecast
    days: int
    hours: float

    @property
    def holds_day(self) -> bool:
        found = self.told.days
        return found is not None and _holds(found.low, self.days, found.high)

    @property
    def holds_hours(self) -> bool:
        found = self.told.hours
        return found is not None and _holds(found.low, self.hours, found.high)


def _holds(low: float | None, true: float, high: float | None) -> bool:
    return low is not None and low <= true and (high is None or true <= high)


def ask(campaigns: int, plays: int = PLAYS, first_seed: int = 1) -> Iterator[Asked]:
    """Ask the forecast at a third and at half of each campaign."""
    for seed in range(first_seed, first_seed + campaigns):
        campaign = simulate(seed)
        for share in ASKED_AT:
            today = campaign.morning_after(share)
            told = forecast(campaign.state(today), plays)
            yield Asked(share, told, campaign.done_on - today, campaign.hours_after(today))


def coverage(asked: Sequence[Asked]) -> float:
    """The share of forecasts whose interval holds the day."""
    return sum(one.holds_day for one in asked) / len(asked)


def run(campaigns: int = CAMPAIGNS) -> list[Row]:
    """A row for each share of a campaign at which the forecast was asked."""
    began = time.perf_counter()
    everything = list(ask(campaigns))
    took = (time.perf_counter() - began) / len(everything)
    return [_row([one for one in everything if one.share == share], share, took) for share in ASKED_AT]


def _row(asked: list[Asked], share: float, took: float) -> Row:
    ready = [one for one in asked if one.told.days is not None]
    early = sum(1 for one in ready if one.told.days and one.days < (one.told.days.low or 0))
    widths = [one.told.days.high - one.told.days.low for one in ready if _is_closed(one)]  # type: ignore[union-attr,operator]
    misses = [abs(one.told.days.middle - one.days) / max(one.days, 1) for one in ready if _is_closed(one)]  # type: ignore[union-attr,operator]
    return {
        "asked at": f"{share:.0%} of the labels",
        "campaigns": len(asked),
        "interval holds the day": f"{coverage(ready):.1%}",
        "done before it": f"{early / len(ready):.1%}",
        "interval holds the hours": f"{sum(one.holds_hours for one in ready) / len(ready):.1%}",
        "days to go, median": float(np.median([one.days for one in ready])),
        "interval's width in days, median": float(np.median(widths)),
        "middle's relative error, median": float(np.median(misses)),
        "still collecting": len(asked) - len(ready),
        "no upper end": sum(not _is_closed(one) for one in ready),
        "seconds a forecast, simulation included": took,
    }


def _is_closed(one: Asked) -> bool:
    days = one.told.days
    return days is not None and days.low is not None and days.high is not None


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--campaigns", type=int, default=CAMPAIGNS)
    for row in run(parser.parse_args().campaigns):
        print(row)
