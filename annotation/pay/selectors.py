"""Read hours and pay: what was worked, by whom and when, and what each month comes to."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import F, Min, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from annotation.models import (
    Activity,
    Campaign,
    Heartbeat,
    Label,
    PaidRole,
    Pass,
    PayCorrection,
    PayRate,
    PayStatement,
    PayTerms,
    Sitting,
)
from annotation.pay import money
from annotation.pay.money import FairPay, Line, Rate
from annotation.pay.spans import (
    NOTHING,
    REACH,
    Month,
    Reading,
    Span,
    by_day,
    counted_readings,
    length,
    midnight,
    united,
    within,
)
from prometheus_site.accounts.models import User

# One row per unbroken stretch instead of one per heartbeat; the stretches of one person never overlap.
STRETCHES = """
SELECT person_id, paid_as, activity, lower(stretch), upper(stretch)
FROM (
    SELECT person_id, paid_as, activity, unnest(range_agg(tstzrange(started_at, ended_at))) AS stretch
    FROM annotation_heartbeat
    WHERE campaign_id = %(campaign)s AND person_id = ANY(%(people)s)
      AND ended_at > %(start)s AND ended_at <= %(until)s
    GROUP BY person_id, paid_as, activity
) AS stretches
"""
# Labels and passes whose reading no heartbeat touches: of a browser without scripts, or of a program. Of all
# campaigns, as two of them cannot both have the same second. Nobody measures how long a passed one was read.
READINGS = """
SELECT reading.*
FROM (
    SELECT annotator_id, campaign_id, shown_at, created_at, active_seconds
    FROM annotation_label
    WHERE annotator_id = ANY(%(people)s) AND created_at > %(start)s AND created_at <= %(until)s
      AND shown_at IS NOT NULL AND reason_id IS NULL
    UNION ALL
    SELECT slot.annotator_id, slot.campaign_id, slot.first_shown_at, passed.created_at, NULL
    FROM annotation_pass AS passed JOIN annotation_assignment AS slot ON slot.id = passed.assignment_id
    WHERE slot.annotator_id = ANY(%(people)s) AND slot.first_shown_at IS NOT NULL
      AND passed.created_at > %(start)s AND passed.created_at <= %(until)s
) AS reading
WHERE NOT EXISTS (
    SELECT 1 FROM annotation_heartbeat AS beat
    WHERE beat.person_id = reading.annotator_id
      AND beat.ended_at > greatest(reading.shown_at, reading.created_at - %(reach)s)
      AND beat.ended_at <= reading.created_at + %(reach)s
      AND beat.started_at < reading.created_at AND beat.started_at < beat.ended_at
)
"""


@dataclass(frozen=True)
class Worked:
    """Time of one person that counts, in spans that do not overlap, by what it is paid as and was for."""

    spans: Mapping[tuple[str, str], Sequence[Span]]  # by (paid as, activity)

    @property
    def all(self) -> list[Span]:
        return united(span for spans in self.spans.values() for span in spans)

    def by_activity(self) -> list[tuple[str, timedelta]]:
        """Return the time of each activity there was, in words."""
        together: dict[str, timedelta] = defaultdict(timedelta)
        for (_, activity), spans in sorted(self.spans.items()):
            together[Activity(activity).label] += length(spans)
        return list(together.items())

    def by_role_and_day(self, zone: ZoneInfo) -> dict[tuple[str, date], timedelta]:
        together: dict[tuple[str, date], timedelta] = defaultdict(timedelta)
        for (role, _), spans in self.spans.items():
            for day, span in by_day(spans, zone):
                together[role, day] += length([span])
        return together


@dataclass(frozen=True)
class Sheet:
    """A person's month: time, what it comes to, corrections, and the statement once it is closed."""

    person: User
    month: Month
    worked: Worked
    lines: Sequence[Line]
    corrections: Sequence[PayCorrection]
    at_work: timedelta
    terms: PayTerms | None
    statement: PayStatement | None = None

    @property
    def time(self) -> timedelta:
        return sum((line.time for line in self.lines), NOTHING)

    @property
    def corrected_by(self) -> Decimal:
        return sum((one.amount for one in self.corrections), money.ZERO)

    @property
    def amount(self) -> Decimal | None:
        """What is due; None without terms and while a part of the time has no rate."""
        if self.statement is not None:
            return self.statement.amount
        return money.total(self.lines, [self.corrected_by]) if self.terms else None

    @property
    def fair(self) -> FairPay | None:
        floor = self.terms.floor_per_hour if self.terms else None
        return money.fair_pay(self.amount, self.time, self.at_work, floor)

    @property
    def is_empty(self) -> bool:
        return not (self.time or self.corrections or self.statement)


@dataclass(frozen=True)
class Day:
    """A day's time, and its share of the longest day in percent."""

    day: date
    time: timedelta
    share: int


def terms_of(campaign: Campaign) -> PayTerms | None:
    """Return the terms in force."""
    return campaign.pay_terms.order_by("-pk").first()


def zone_of(campaign: Campaign) -> ZoneInfo:
    """Return the time zone in which the campaign's days and months begin."""
    terms = terms_of(campaign)
    return ZoneInfo(terms.time_zone if terms else "UTC")


def rates_of(campaign: Campaign) -> QuerySet[PayRate]:
    """Return every rate ever set, in the order in which they were set."""
    return campaign.pay_rates.select_related("set_by").order_by("pk")


def last_closed(campaign: Campaign) -> Month | None:
    """Return the latest month that is closed."""
    first = campaign.pay_statements.order_by("-month").values_list("month", flat=True).first()
    return Month(first) if first else None


def first_open(campaign: Campaign) -> Month | None:
    """Return the earliest month with anything in it that is not closed yet."""
    zone, closed = zone_of(campaign), last_closed(campaign)
    since = closed.span(zone)[1] if closed else datetime.min.replace(tzinfo=UTC)
    found = [
        Heartbeat.objects.filter(campaign=campaign, ended_at__gt=since).aggregate(at=Min("ended_at"))["at"],
        Label.objects.filter(campaign=campaign, created_at__gt=since).aggregate(at=Min("created_at"))["at"],
        Pass.objects.filter(assignment__campaign=campaign, created_at__gt=since).aggregate(
            at=Min("created_at")
        )["at"],
        campaign.pay_corrections.filter(made_at__gte=since).aggregate(at=Min("made_at"))["at"],
    ]
    moments = [at for at in found if at is not None]
    if not moments:
        return None
    month = Month.of(max(min(moments) - REACH, since), zone)  # a claim may reach into the month before
    while month <= Month.of(timezone.now(), zone):
        if sheets_of(campaign, month):
            return month
        month = month.next
    return None


def sheets_of(campaign: Campaign, month: Month) -> list[Sheet]:
    """Return the sheets of everybody who has one in that month, by code."""
    once = User.objects.filter(memberships__campaign=campaign).distinct().order_by("code")
    return [sheet for sheet in _sheets(campaign, month, list(once)) if not sheet.is_empty]


def sheet_of(campaign: Campaign, person: User, month: Month) -> Sheet:
    """Return one person's sheet of a month."""
    [sheet] = _sheets(campaign, month, [person])
    return sheet


def _sheets(campaign: Campaign, month: Month, people: Sequence[User]) -> list[Sheet]:
    zone, terms = zone_of(campaign), terms_of(campaign)
    bounds = month.span(zone)
    ids = [person.pk for person in people]
    rates = [Rate(rate.role, rate.per_hour, rate.valid_from) for rate in rates_of(campaign)]
    statements = {one.person_id: one for one in campaign.pay_statements.filter(month=month.first)}
    corrections = _corrections(campaign, ids, bounds)
    worked = worked_in(campaign, ids, bounds)
    at_work = _at_work(campaign, worked, bounds)
    return [
        Sheet(
            person=person,
            month=month,
            worked=worked[person.pk],
            lines=_lines(statements.get(person.pk), worked[person.pk], rates, zone),
            corrections=corrections[person.pk],
            at_work=at_work[person.pk],
            terms=terms,
            statement=statements.get(person.pk),
        )
        for person in people
    ]


def _lines(
    statement: PayStatement | None, worked: Worked, rates: Sequence[Rate], zone: ZoneInfo
) -> list[Line]:
    """Return what was closed as it was closed, else what stands now."""
    if statement is None:
        return money.lines_of(worked.by_role_and_day(zone), rates)
    return [
        Line(kept["role"], Decimal(kept["per_hour"]), timedelta(microseconds=kept["microseconds"]))
        for kept in statement.lines
    ]


def _corrections(
    campaign: Campaign, people: Collection[uuid.UUID], bounds: Span
) -> dict[uuid.UUID, list[PayCorrection]]:
    made = campaign.pay_corrections.filter(
        person__in=people, made_at__gte=bounds[0], made_at__lt=bounds[1]
    ).select_related("person", "made_by", "reason__data_key")
    found: dict[uuid.UUID, list[PayCorrection]] = defaultdict(list)
    for one in made.order_by("pk"):
        found[one.person_id].append(one)
    return found


def worked_in(campaign: Campaign, people: Sequence[uuid.UUID], bounds: Span) -> dict[uuid.UUID, Worked]:
    """Return what counts of these people's time within the bounds. Two queries, however many they are."""
    found: dict[uuid.UUID, dict[tuple[str, str], list[Span]]] = {one: defaultdict(list) for one in people}
    named: dict[str, Any] = {
        "campaign": campaign.pk,
        "people": list(people),
        "start": bounds[0],
        "until": bounds[1] + REACH,
        "reach": REACH,
    }
    with connection.cursor() as cursor:
        cursor.execute(STRETCHES, named)
        for person, role, activity, start, end in cursor.fetchall():
            found[person][role, activity] += within([(start, end)], bounds)
        cursor.execute(READINGS, named)
        rows = cursor.fetchall()
    for person, spans in _reading_time(campaign, rows):
        found[person][PaidRole.ANNOTATOR, Activity.LABELLING] += within(spans, bounds)
    return {
        person: Worked({kind: united(each) for kind, each in spans.items() if each})
        for person, spans in found.items()
    }


def _reading_time(
    campaign: Campaign, rows: Iterable[tuple[uuid.UUID, uuid.UUID, datetime, datetime, int | None]]
) -> Iterable[tuple[uuid.UUID, list[Span]]]:
    of_person: dict[uuid.UUID, list[tuple[uuid.UUID, Reading]]] = defaultdict(list)
    for person, where, shown_at, saved_at, active_seconds in rows:
        of_person[person].append((where, Reading(shown_at, saved_at, active_seconds)))
    for person, readings in of_person.items():
        counted = counted_readings([reading for _, reading in readings])
        for (where, _), spans in zip(readings, counted, strict=True):
            if where == campaign.pk:
                yield person, spans


def _at_work(
    campaign: Campaign, worked: Mapping[uuid.UUID, Worked], bounds: Span
) -> dict[uuid.UUID, timedelta]:
    """Return how long each person was at it: whole sittings, pauses in them included, and what counts."""
    ends = Coalesce(F("ended_at"), F("last_seen_at"))
    sittings: dict[uuid.UUID, list[Span]] = defaultdict(list)
    rows = Sitting.objects.annotate(until=ends).filter(
        campaign=campaign, annotator__in=worked, started_at__lt=bounds[1], until__gt=bounds[0]
    )
    for person, start, end in rows.values_list("annotator", "started_at", "until"):
        sittings[person].append((start, end))
    return {
        person: length(united([*within(sittings[person], bounds), *time.all]))
        for person, time in worked.items()
    }


def days_of(sheet: Sheet, zone: ZoneInfo) -> list[Day]:
    """Return the days on which the person worked, the latest first."""
    together: dict[date, timedelta] = defaultdict(timedelta)
    for day, span in by_day(sheet.worked.all, zone):
        together[day] += length([span])
    longest = max(together.values(), default=NOTHING)
    return [
        Day(day, time, round(100 * (time / longest))) for day, time in sorted(together.items(), reverse=True)
    ]


def today_of(sheet: Sheet, zone: ZoneInfo) -> timedelta:
    """Return what counts of today."""
    today = timezone.localdate(timezone=zone)
    bounds = midnight(today, zone), midnight(today + timedelta(days=1), zone)
    return length(within(sheet.worked.all, bounds))


def statements_of(campaign: Campaign, person: User) -> QuerySet[PayStatement]:
    """Return the person's closed months, the latest first."""
    return campaign.pay_statements.filter(person=person).order_by("-month")


def paid_so_far(campaign: Campaign) -> tuple[timedelta, Decimal | None]:
    """Return the time that everybody worked until now and what it costs; None while a rate is missing."""
    ids = list(campaign.members.values_list("user", flat=True).distinct())
    zone = zone_of(campaign)
    worked = worked_in(campaign, ids, (campaign.created_at, timezone.now()))
    rates = [Rate(rate.role, rate.per_hour, rate.valid_from) for rate in rates_of(campaign)]
    lines = [line for one in worked.values() for line in money.lines_of(one.by_role_and_day(zone), rates)]
    corrections = campaign.pay_corrections.values_list("amount", flat=True)
    time = sum((line.time for line in lines), NOTHING)
    return time, money.total(lines, corrections) if rates else None
