"""Read what the forecast starts from: records, what is left, cost so far; and what the plan promised."""

import uuid
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import ceil, isfinite
from zoneinfo import ZoneInfo

from django.db.models import Count, Max, Q, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone

from annotation.assignment.feasibility import Clinician, Proposal, check_feasibility
from annotation.assignment.planning import STANDING_STATES, plannable_members
from annotation.assignment.policy import Design, Purpose
from annotation.forecast.model import State
from annotation.forecast.pace import Person
from annotation.models import (
    OPEN_STATES,
    Assignment,
    AssignmentState,
    Campaign,
    CampaignMember,
    PlanRevision,
)
from annotation.pay.money import Rate, rate_on
from annotation.pay.selectors import paid_so_far, rates_of, worked_in, zone_of
from annotation.pay.spans import by_day, length, midnight

ByDay = Mapping[uuid.UUID, Mapping[date, float]]


@dataclass(frozen=True)
class Promise:
    """The day that the first plan said, and the day on which the last label came, if it has come."""

    made_on: date
    done_on: date | None  # None: the plan could never have been done
    reached_on: date | None

    @property
    def days_late(self) -> int | None:
        """How many days later than promised it was done; negative when it was earlier."""
        if self.done_on is None or self.reached_on is None:
            return None
        return (self.reached_on - self.done_on).days


def state_of(campaign: Campaign) -> State:
    """Return the campaign as it stands this morning, in its own time zone."""
    zone = zone_of(campaign)
    today = timezone.localdate(timezone=zone)
    here = {member.user_id: member for member in plannable_members(campaign)}
    gone = campaign.members.filter(left_at__isnull=False).exclude(user__in=here).select_related("user")
    members = [*here.values(), *{member.user_id: member for member in gone}.values()]
    seconds = _seconds(campaign, [member.user_id for member in members], zone, today)
    labels = _labels(campaign, zone, today)
    left = _left(campaign)
    people = [
        _person(
            member,
            seconds.get(member.user_id, {}),
            labels.get(member.user_id, {}),
            today,
            since=timezone.localdate(max(member.joined_at, campaign.created_at), timezone=zone),
            left=left.get(member.user_id, 0),
            is_here=is_here,
        )
        for member in members
        if (is_here := member.user_id in here) or labels.get(member.user_id)
    ]
    _, spent = paid_so_far(campaign)
    return State(
        people=people,
        today=today,
        spent=None if spent is None else float(spent),
        per_hour=_per_hour(campaign, today),
        ready_not_before=_ready_not_before(campaign, zone),
        unread_repeats=_resting(campaign).filter(rests_until__isnull=True).count(),
        repeat_after_days=campaign.repeat_after_days,
        has_plan=campaign.assignments.exists(),
        seed=campaign.seed % 2**32,
    )


def _person(
    member: CampaignMember,
    seconds: Mapping[date, float],
    labels: Mapping[date, float],
    today: date,
    *,
    since: date,
    left: int,
    is_here: bool,
) -> Person:
    """Return a record from the first day of work on, else since that day; of one who has gone until then."""
    worked = [*seconds, *labels]
    last = today if is_here or not worked else max(worked) + timedelta(days=1)
    first = min(worked, default=since)
    days = [first + timedelta(days=number) for number in range(max(0, (last - first).days))]
    return Person(
        name=member.user.code,
        hours_per_week=member.hours_per_week,
        seconds=[seconds.get(day, 0.0) for day in days],
        labels=[int(labels.get(day, 0)) for day in days],
        left=left,
        has_gone=not is_here,
    )


def _seconds(campaign: Campaign, people: list[uuid.UUID], zone: ZoneInfo, today: date) -> ByDay:
    found: dict[uuid.UUID, dict[date, float]] = {}
    bounds = campaign.created_at, midnight(today, zone)
    for person, worked in worked_in(campaign, people, bounds).items():
        days: dict[date, float] = defaultdict(float)
        for day, span in by_day(worked.all, zone):
            days[day] += length([span]).total_seconds()
        found[person] = days
    return found


def _labels(campaign: Campaign, zone: ZoneInfo, today: date) -> ByDay:
    given = campaign.labels.filter(
        reason__isnull=True, undo__isnull=True, created_at__lt=midnight(today, zone)
    )
    rows = given.order_by().values_list("annotator", TruncDate("created_at", tzinfo=zone))
    found: dict[uuid.UUID, dict[date, float]] = defaultdict(dict)
    for person, day, count in rows.annotate(n=Count("pk")):
        found[person][day] = count
    return found


def _left(campaign: Campaign) -> dict[uuid.UUID, int]:
    open_slots = campaign.assignments.filter(
        state__in=OPEN_STATES, sample__conversation__source__withdrawn_at=None
    )
    return dict(open_slots.order_by().values_list("annotator").annotate(n=Count("pk")))


def _per_hour(campaign: Campaign, today: date) -> float | None:
    rates = [Rate(rate.role, rate.per_hour, rate.valid_from) for rate in rates_of(campaign)]
    per_hour = rate_on(rates, "annotator", today)
    return None if per_hour is None else float(per_hour)


def _ready_not_before(campaign: Campaign, zone: ZoneInfo) -> date | None:
    latest: datetime | None = _resting(campaign).aggregate(at=Max("rests_until"))["at"]
    return latest.astimezone(zone).date() if latest else None


def _resting(campaign: Campaign) -> QuerySet[Assignment]:
    """Return the silent repeats that are not due; how long they rest is known once the label locks."""
    resting: QuerySet[Assignment] = campaign.assignments.filter(
        state=AssignmentState.RESTING, sample__conversation__source__withdrawn_at=None
    )
    return resting


def spared_by_one_less(campaign: Campaign) -> int:
    """Return how many open slots could go if every overlap sample needed one label less."""
    standing = Q(assignments__state__in=STANDING_STATES, assignments__repeat_number=0)
    samples = campaign.samples.filter(design_role=Purpose.OVERLAP).annotate(
        standing=Count("assignments", filter=standing),
        open=Count("assignments", filter=standing & Q(assignments__state__in=OPEN_STATES)),
    )
    return samples.filter(standing__gte=campaign.labels_per_sample, open__gt=0).count()


def promise_of(campaign: Campaign) -> Promise | None:
    """Return what the first plan promised, by the check that was made of it then; None without a plan."""
    first = campaign.plan_revisions.order_by("number").first()
    if first is None:
        return None
    made_on = timezone.localdate(first.made_at, timezone=zone_of(campaign))
    days = check_feasibility(_proposal_of(campaign, first)).days
    done_on = made_on + timedelta(days=ceil(days)) if isfinite(days) else None
    return Promise(made_on, done_on, _reached_on(campaign))


def _proposal_of(campaign: Campaign, revision: PlanRevision) -> Proposal:
    """Return what was planned then: its design and declared hours, and the samples there were."""
    there = campaign.samples.filter(created_at__lte=revision.made_at).exclude(design_role="")
    roles = dict(there.order_by().values_list("design_role").annotate(n=Count("pk")))
    severe = there.filter(is_estimated_severe=True).count()
    declared = {key: value for key, value in revision.design.items() if key in Design.__dataclass_fields__}
    total = sum(roles.values())
    return Proposal(
        samples={Purpose(role): count for role, count in roles.items()},
        severe_share=severe / total if total else 0.0,
        design=Design(**declared),
        clinicians=[Clinician(hours) for hours in revision.capacity.values()],
        seconds_per_label=campaign.expected_seconds_per_label,
        repeat_after_days=campaign.repeat_after_days,
    )


def _reached_on(campaign: Campaign) -> date | None:
    if _left(campaign):
        return None
    latest: datetime | None = campaign.labels.filter(reason__isnull=True).aggregate(at=Max("created_at"))[
        "at"
    ]
    return timezone.localdate(latest, timezone=zone_of(campaign)) if latest else None
