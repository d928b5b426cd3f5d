"""The pulse of a campaign: who works now, how deep the queues are, plan against actual, pairs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Aggregate, Count, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from annotation.dashboard.figures import Number, counts_by, number, slots_by_person
from annotation.dashboard.pairs import PairMatrix, matrix_of
from annotation.dashboard.schedule import Schedule
from annotation.dashboard.signs import WORKING_MINUTES
from annotation.labelling.presenter import worked
from annotation.labelling.standing import PACE_LABELS, PACE_NEEDS_LABELS
from annotation.models import Assignment, AssignmentState, Campaign, Label, PlanRevision, Sitting
from annotation.models.label import LabelQuerySet

TOTALS = ("planned", "labelled", "queued", "handed", "resting")


@dataclass(frozen=True)
class Working:
    """One person at work: since when, how much in this sitting and today, and how fast."""

    code: str
    started_at: datetime
    last_seen_at: datetime
    labels_in_sitting: int
    labels_today: Number
    time_today: str  # active time in words
    seconds_per_label: float | None  # median of the latest labels; None while there are too few


@dataclass(frozen=True)
class Plan:
    """How far the plan is: queues, labels against days, pairs. Read anew less often than who works."""

    totals: Mapping[str, Number]
    schedule: Schedule
    pairs: PairMatrix


def working_now(campaign: Campaign) -> list[Working]:
    """Return who was seen at work in the last minutes, by code. One query, however many they are."""
    now = timezone.localtime()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    sittings = _with_figures(Sitting.objects.filter(campaign=campaign, ended_at__isnull=True), midnight)
    seen = sittings.filter(last_seen_at__gte=now - timedelta(minutes=WORKING_MINUTES))
    return [
        _working(campaign, sitting, now.date())
        for sitting in seen.select_related("annotator").order_by("annotator__code")
    ]


def _with_figures(sittings: QuerySet[Sitting], midnight: datetime) -> QuerySet[Sitting]:
    own = Label.objects.filter(annotator=OuterRef("annotator"), campaign=OuterRef("campaign")).order_by()
    given, own_today = own.first_given(), own.filter(created_at__gte=midnight)
    timed = given.filter(active_seconds__isnull=False).order_by("-created_at")
    return sittings.annotate(
        in_sitting=_over_rows(Count("pk"), given.filter(sitting=OuterRef("pk"))),
        today=_over_rows(Count("pk"), own_today.first_given()),
        seconds_today=_over_rows(Sum("active_seconds"), own_today),
        latest_seconds=ArraySubquery(timed.values("active_seconds")[:PACE_LABELS]),
    )


def _over_rows(figure: Aggregate, labels: LabelQuerySet) -> Coalesce:
    found = labels.values("annotator").annotate(figure=figure).values("figure")
    return Coalesce(Subquery(found), 0)


def _working(campaign: Campaign, sitting: Sitting, today: date) -> Working:
    latest = sitting.latest_seconds  # type: ignore[attr-defined]
    given: int = sitting.today  # type: ignore[attr-defined]
    code = sitting.annotator.code
    return Working(
        code=code,
        started_at=sitting.started_at,
        last_seen_at=sitting.last_seen_at,
        labels_in_sitting=sitting.in_sitting,  # type: ignore[attr-defined]
        labels_today=number("given", campaign, given, person=code, day=today.isoformat()),
        time_today=worked(sitting.seconds_today),  # type: ignore[attr-defined]
        seconds_per_label=median(latest) if len(latest) >= PACE_NEEDS_LABELS else None,
    )


def plan_of(campaign: Campaign) -> Plan:
    """Return how far the plan is. Reads every slot of the campaign: not for every second."""
    by_person = slots_by_person(campaign)
    totals = {key: sum(by_person[key].values()) for key in TOTALS}
    schedule = _schedule(campaign, totals["planned"])
    totals["given"] = schedule.given
    return Plan(
        totals={key: number(key, campaign, value) for key, value in totals.items()},
        schedule=schedule,
        pairs=matrix_of(_pairs(campaign)),
    )


def _schedule(campaign: Campaign, planned: int) -> Schedule:
    first_plan = PlanRevision.objects.filter(campaign=campaign, number=1).first()
    return Schedule(
        starts_on=timezone.localdate(first_plan.made_at if first_plan else campaign.created_at),
        due_on=campaign.due_on,
        today=timezone.localdate(),
        planned=planned,
        given_by_day={
            date.fromisoformat(day): count for day, count in counts_by("day", "given", campaign).items()
        },
    )


def _pairs(campaign: Campaign) -> dict[frozenset[str], int]:
    """Return how many samples each two people have both labelled.

    Not those that both were given: that number falls when one of the two passes a sample.
    """
    is_other = Q(sample__assignments__annotator__gt=F("annotator"), sample__assignments__repeat_number=0)
    are_both = Q(state=AssignmentState.LABELLED, sample__assignments__state=AssignmentState.LABELLED)
    slots = Assignment.objects.filter(are_both, is_other, campaign=campaign, repeat_number=0)
    rows = slots.values_list("annotator__code", "sample__assignments__annotator__code")
    return {frozenset({one, other}): n for one, other, n in rows.annotate(n=Count("pk")).order_by()}
