"""A whole campaign under the limits of care, on a clock that is moved: sittings, days, own hours and pace.

Everything goes through the queue and the services as on the site; only the time is not real. What was kept
is read back from the stored rows at the end.
"""

from __future__ import annotations

import heapq
import random
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import time_machine
from django.db.models import Avg
from django.utils import timezone

from annotation.assignment.planning import replan_where_needed
from annotation.assignment.queue import release_expired_leases
from annotation.assignment.repeats import wake_repeats
from annotation.assignment.sittings import end_idle
from annotation.forecast.model import Forecast, Standing, forecast
from annotation.forecast.selectors import Promise, promise_of, state_of
from annotation.models import OPEN_STATES, Campaign, Label, Sitting
from annotation.rehearsal.annotator import Annotator
from annotation.rehearsal.services import Script, annotators_of, labels_given, pair_overlaps, set_up
from annotation.wellbeing.policy import BREAK_AFTER_MINUTES
from annotation.wellbeing.services import set_limits
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role
from tests import people
from tests.annotation.wellbeing.rules_kept import Record, records_of

BREAK_MINUTES = 12
WAITS_AT_MOST = timedelta(hours=2)
SWEEP_EVERY = timedelta(hours=1)
ASKED_AT = (1 / 4, 1 / 2, 3 / 4)
LONGEST_DAYS = 400
WHOLE = Script(training=50, calibration=100, anchors=500, repeat_after_days=7, slug="under-care")
Row = dict[str, str | float | int | None]


@dataclass(frozen=True)
class Habit:
    """When one person works: all declared the same hours, and each keeps to them in a way of one's own."""

    weekdays: tuple[int, ...]  # Monday is 0
    begins_at: int  # hour of the person's own day
    minutes_a_day: int  # as intended, give or take; the site may stop earlier
    pace: float  # of the time that a reading takes
    skips: float  # share of working days that fall out
    time_zone: str = "UTC"


# Ten hours a week, as all have declared, less what falls out and what the site does not allow.
HABITS = (
    Habit((0, 1, 2, 3, 4), 8, 130, 1.0, 0.1),  # would go beyond two hours
    Habit((0, 1, 2, 4, 5), 18, 120, 0.8, 0.15, "Europe/Rome"),
    Habit((0, 2, 4, 5, 6), 9, 120, 1.1, 0.1, "America/New_York"),
    Habit((0, 1, 2, 3, 4, 5, 6), 22, 86, 1.2, 0.1, "Pacific/Apia"),  # over midnight
    Habit((1, 2, 3, 4, 5, 6), 13, 100, 0.9, 0.2, "Asia/Kolkata"),
)


@dataclass
class Played:
    """How a campaign went, and what was foretold of its end on the way."""

    campaign: Campaign
    promise: Promise
    foretold: list[tuple[float, Forecast]]
    records: list[Record]
    labels: int
    breaks: int
    stops: dict[str, int]

    @property
    def broken(self) -> list[str]:
        return [f"{one.code}: {told}" for one in self.records for told in one.broken]


@dataclass
class Life:
    """One person's weeks: yields the moments at which something is done, until the campaign is over."""

    annotator: Annotator
    habit: Habit
    chance: random.Random
    breaks: int = 0
    stops: dict[str, int] = field(default_factory=dict)
    _sat_down_at: datetime = field(default_factory=timezone.now)
    _gone_before: int = 0

    def moments(self, first_day: date) -> Iterator[datetime]:
        for number in range(LONGEST_DAYS):
            day = first_day + timedelta(days=number)
            if day.weekday() in self.habit.weekdays and self.chance.random() >= self.habit.skips:
                minutes = self.habit.minutes_a_day * self.chance.uniform(0.8, 1.2)
                yield from self._day(day, timedelta(minutes=minutes))

    def _day(self, day: date, intended: timedelta) -> Iterator[datetime]:
        begins = datetime(day.year, day.month, day.day, self.habit.begins_at, tzinfo=self._zone)
        again: datetime | None = begins + timedelta(minutes=self.chance.randrange(60))
        worked = timedelta()
        while again is not None and worked < intended:
            yield again
            self._sat_down_at, self._gone_before = timezone.now(), self.annotator.counts["vanished"]
            left = intended - worked
            for seconds in self.annotator.sit(partial(self._is_sitting_over, left)):
                yield timezone.now() + timedelta(seconds=max(1.0, seconds))
            worked += timezone.now() - self._sat_down_at
            again = self._stands_up()

    def _is_sitting_over(self, left: timedelta) -> bool:
        """Whether to stop now, between two samples: tired, gone without a word, or a break is proposed."""
        sat = timezone.now() - self._sat_down_at
        has_vanished = self.annotator.counts["vanished"] > self._gone_before
        return has_vanished or sat >= min(left, timedelta(minutes=BREAK_AFTER_MINUTES))

    def _stands_up(self) -> datetime | None:
        """Leave, and return when to come again today: None where nothing more is expected."""
        now, pause = timezone.now(), self.annotator.pause
        if self.annotator.counts["vanished"] > self._gone_before:
            return now + timedelta(minutes=45)  # a closed laptop says nothing
        self.annotator.leave()
        again = now + timedelta(minutes=BREAK_MINUTES)
        if now - self._sat_down_at >= timedelta(minutes=BREAK_AFTER_MINUTES):
            self.breaks += 1
            return again
        if pause is None:
            return again if now > self._sat_down_at else None
        self.stops[pause["reason"]] = self.stops.get(pause["reason"], 0) + 1
        until = datetime.fromisoformat(pause["until"])
        return max(again, until) if until - now < WAITS_AT_MOST else None

    @property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.habit.time_zone)


def play(script: Script, *, lead: User) -> Played:
    """Play the campaign from its accepted plan to its last label."""
    campaign = set_up(script, lead=lead, say=lambda told: None)
    lives = []
    for number, annotator in enumerate(annotators_of(campaign, script).values()):
        habit = HABITS[number % len(HABITS)]
        person = User.objects.get(email=annotator.clinician.name)
        set_limits(user=person, limits={"time_zone": habit.time_zone})  # the limits are those of the site
        annotator.temperament = replace(annotator.temperament, time_scale=habit.pace)
        lives.append(Life(annotator, habit, random.Random(f"{script.seed} {number}")))  # noqa: S311
    foretold = _live(campaign, lives)
    promise = promise_of(campaign)
    if promise is None:
        raise RuntimeError("The campaign was opened without a plan.")
    stops: dict[str, int] = {}
    for life in lives:
        for reason, count in life.stops.items():
            stops[reason] = stops.get(reason, 0) + count
    return Played(
        campaign=campaign,
        promise=promise,
        foretold=foretold,
        records=records_of(campaign),
        labels=labels_given(campaign),
        breaks=sum(life.breaks for life in lives),
        stops=stops,
    )


def _live(campaign: Campaign, lives: list[Life]) -> list[tuple[float, Forecast]]:
    """Let everybody live until nothing is left, the sweeper among them; return what was foretold."""
    planned = campaign.assignments.filter(state__in=OPEN_STATES).count()
    asked, foretold = list(ASKED_AT), []
    with time_machine.travel(timezone.now(), tick=False) as clock:
        tomorrow = timezone.now().date() + timedelta(days=1)
        own = [life.moments(tomorrow) for life in lives]
        agenda = [(next(moments), number) for number, moments in enumerate(own)]
        heapq.heapify(agenda)
        swept_at = today = timezone.now()
        while agenda:
            at, number = heapq.heappop(agenda)
            if at - swept_at >= SWEEP_EVERY:
                clock.move_to(at)
                swept_at = at
                _sweep()
                if asked and at.date() > today.date() and labels_given(campaign) >= asked[0] * planned:
                    foretold.append((asked.pop(0), forecast(state_of(campaign))))
                if not campaign.assignments.filter(state__in=OPEN_STATES).exists():
                    break
                today = at
            clock.move_to(max(at, timezone.now()))
            following = next(own[number], None)
            if following is not None:
                heapq.heappush(agenda, (following, number))
        clock.shift(timedelta(hours=1))
        _sweep()
    return foretold


def _sweep() -> None:
    release_expired_leases()
    end_idle()
    replan_where_needed()
    wake_repeats()


def run(script: Script = WHOLE) -> list[Row]:
    """Return what was promised, foretold, kept and reached in one campaign of 5 people and 5,000 samples."""
    began = time.perf_counter()
    played = play(script, lead=people.make("care-lead", Role.LEAD))
    took = time.perf_counter() - began
    return [*_told(played), {"what": "runs; seconds in all", "found": f"1; {took:.0f}", "wanted": "480"}]


def _told(played: Played) -> Iterator[Row]:
    overlaps, records = pair_overlaps(played.campaign).values(), played.records
    promise = played.promise
    mean = sum(overlaps) / len(overlaps)
    sittings = Sitting.objects.filter(campaign=played.campaign).count()

    def most(name: str) -> float:
        return max(float(getattr(one, name)) for one in records)

    yield {"what": "labels that stand", "found": played.labels}
    yield {"what": "limits broken, two severe in sequence included", "found": len(played.broken), "wanted": 0}
    yield {"what": "most severe texts in a sitting", "found": int(most("severe_of_sitting")), "wanted": "10"}
    yield {"what": "most severe texts in a day", "found": int(most("severe_of_day")), "wanted": "25"}
    yield {
        "what": "most dose in a sitting and in a day, unannounced texts included",
        "found": f"{most('dose_of_sitting'):.0f} and {most('dose_of_day'):.0f}",
    }
    yield {
        "what": "most minutes in a day",
        "found": round(most("minutes_of_day"), 1),
        "wanted": "120 and what was on the screen",
    }
    taken = Label.objects.current().filter(campaign=played.campaign).aggregate(seconds=Avg("active_seconds"))
    yield {
        "what": "seconds a label takes, and as the plan has them",
        "found": f"{taken['seconds']:.1f}, {played.campaign.expected_seconds_per_label}",
    }
    yield {"what": "sittings; breaks taken when proposed", "found": f"{sittings}; {played.breaks}"}
    stops = ", ".join(f"{reason} {count}" for reason, count in sorted(played.stops.items()))
    yield {"what": "sittings ended by what came no more", "found": stops}
    yield {
        "what": "samples shared by a pair, least to most, 10 pairs",
        "found": f"{min(overlaps)} to {max(overlaps)}, within {_off(overlaps, mean):.1%} of {mean:.0f}",
        "wanted": "10 %",
    }
    yield {"what": "accepted plan: done after days", "found": _days(promise, promise.done_on)}
    for share, told in played.foretold:
        yield {
            "what": f"forecast at {share:.0%} of the labels, 80 %: done after days",
            "found": _foretold(promise, told),
        }
    rest = played.campaign.repeat_after_days
    yield {
        "what": f"reached after days, the {rest} days that the last silent repeats rest included",
        "found": _days(promise, promise.reached_on),
    }


def _off(counts: Iterable[int], mean: float) -> float:
    return max(abs(count - mean) for count in counts) / mean


def _days(promise: Promise, day: date | None) -> str:
    return "never" if day is None else str((day - promise.made_on).days)


def _foretold(promise: Promise, told: Forecast) -> str:
    if told.standing is not Standing.READY:
        return str(told.standing)
    days = [_days(promise, day) for day in (told.soonest, told.likely, told.latest)]
    return f"{days[1]} ({days[0]} to {days[2]})"
