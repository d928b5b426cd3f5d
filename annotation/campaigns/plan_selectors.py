"""Read what the plan page shows: the proposal, whether it fits, who reads what, pairs, and its history."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil, comb, inf, isfinite
from uuid import UUID

from django.db.models import Count, F, Q
from django.utils import timezone

from annotation.assignment.feasibility import Clinician, Feasibility, Limit, Part, Proposal, check_feasibility
from annotation.assignment.planning import STANDING_STATES, design_of, plannable_members
from annotation.assignment.policy import READ_BY_ALL, Design, Purpose
from annotation.campaigns.design import changes_in_words
from annotation.campaigns.plan_picture import (
    Picture,
    Work,
    expected_pairs,
    picture_of,
)
from annotation.dashboard.pairs import PEOPLE_SHOWN, PairMatrix, matrix_of
from annotation.models import OPEN_STATES, Assignment, AssignmentState, Campaign, CampaignMember, PlanRevision
from prometheus_site.accounts.roles import Role

REVISIONS_SHOWN = 20
PEOPLE_DRAWN = 40
DECIDED_BY = {
    Limit.HOURS: "hours a week",
    Limit.DAILY_LIMIT: "two hours a day",
    Limit.SEVERE_READINGS: "severe readings",
    Limit.REPEATS: "silent repeats that rest",
    Limit.CLINICIANS: "too few people",
}


@dataclass(frozen=True)
class Verdict:
    """A design against the people who can label now, for what is still to be labelled."""

    members: Sequence[CampaignMember]
    proposal: Proposal
    found: Feasibility

    @property
    def done_on(self) -> date | None:
        """Return the day on which the last person is done; None when it is never done."""
        if self.found.days == inf:
            return None
        return timezone.localdate() + timedelta(days=self.days_needed)

    @property
    def days_needed(self) -> int:
        """Return the whole days until the last person is done; call when there is such a day."""
        return ceil(self.found.days)

    @property
    def decided_by(self) -> str:
        """Say what decides how long it takes."""
        return DECIDED_BY[self.found.limit]

    @property
    def shared_short(self) -> int:
        """Return how many samples the shared parts of the design are short of."""
        declared = sum(self.proposal.design.samples_declared(role) for role in READ_BY_ALL)
        return max(0, declared - self.proposal.count(*READ_BY_ALL))


@dataclass(frozen=True)
class WorkRow:
    """One person's work in numbers; what the days left allow is None without a due date."""

    work: Work
    days_left: int | None

    @property
    def counts(self) -> list[int]:
        return [self.work.labels.get(purpose, 0) for purpose in Purpose]

    @property
    def days(self) -> str:
        return f"{self.work.days:.1f}" if isfinite(self.work.days) else "never"

    @property
    def seconds_allowed(self) -> int | None:
        """Return the seconds that each label may take to be done in time."""
        if self.days_left is None or not self.work.total:
            return None
        return int(self.days_left * self.work.clinician.seconds_per_day / self.work.total)

    @property
    def severe_allowed(self) -> int | None:
        """Return how many severe readings the care limits allow until the due date."""
        if self.days_left is None:
            return None
        return int(self.days_left * self.work.clinician.severe_readings_per_day)


@dataclass(frozen=True)
class Outlook:
    """Who reads what and when, and how often pairs meet: as planned, or as expected of a design."""

    works: Sequence[Work]
    rows: Sequence[WorkRow]
    picture: Picture  # of those who take longest, where there are many
    pairs: PairMatrix | None
    is_planned: bool

    @property
    def people_not_drawn(self) -> int:
        return max(0, len(self.works) - PEOPLE_DRAWN)


@dataclass(frozen=True)
class RevisionRow:
    """One plan of the campaign's history, with what changed since the one before."""

    revision: PlanRevision
    changes: Sequence[str]


def verdict_of(campaign: Campaign) -> Verdict:
    """Return whether the campaign's design fits; the campaign may carry a design that is not saved."""
    members = sorted(plannable_members(campaign), key=lambda one: one.user.code)
    days = None
    if campaign.due_on is not None:
        days = max(0, (campaign.due_on - timezone.localdate()).days)
    samples, severe_share = _samples_left(campaign, len(members))
    proposal = Proposal(
        samples=samples,
        severe_share=severe_share,
        design=design_of(campaign),
        clinicians=[Clinician(member.hours_per_week) for member in members],
        seconds_per_label=campaign.expected_seconds_per_label,
        days=days,
        repeat_after_days=campaign.repeat_after_days,
    )
    return Verdict(members, proposal, check_feasibility(proposal))


def _samples_left(campaign: Campaign, people: int) -> tuple[dict[Purpose, int], float]:
    """Return the samples by role whose labels are still to come, and the severe share of all.

    A sample with some of its labels counts for the part that is missing.
    """
    readable = campaign.samples.filter(conversation__source__withdrawn_at__isnull=True)
    rows = (
        readable.order_by()
        .values_list("design_role")
        .annotate(n=Count("pk"), severe=Count("pk", filter=Q(is_estimated_severe=True)))
    )
    counts, severe = Counter[str](), 0
    for role, n, n_severe in rows:
        counts[role] += n
        severe += n_severe
    total = counts.total()
    roles = _with_new_samples(design_of(campaign), counts)
    labelled = campaign.assignments.filter(state=AssignmentState.LABELLED, repeat_number=0).order_by()
    for role, n in labelled.values_list("purpose").annotate(n=Count("pk")):
        readers = campaign.labels_per_sample if role == Purpose.OVERLAP else people
        if role in roles and readers:
            roles[Purpose(role)] = max(0, roles[Purpose(role)] - round(n / readers))
    return roles, severe / total if total else 0.0


def _with_new_samples(design: Design, counts: Counter[str]) -> dict[Purpose, int]:
    """Return the samples by role once those without one have got it, as the policy gives them."""
    new = counts[""]
    roles: dict[Purpose, int] = {}
    for role in READ_BY_ALL:
        given = min(new, max(0, design.samples_declared(role) - counts[role]))
        roles[role] = counts[role] + given
        new -= given
    roles[Purpose.OVERLAP] = counts[Purpose.OVERLAP] + new
    return roles


def expected_outlook(campaign: Campaign, verdict: Verdict) -> Outlook:
    """Return what this design would give everybody to read."""
    works = [
        Work(
            member.user.code,
            member.user.display_name,
            clinician,
            _expected_labels(verdict.proposal, part),
            part.severe,
            verdict.proposal.seconds_per_label,
        )
        for member, clinician, part in zip(
            verdict.members, verdict.proposal.clinicians, verdict.found.parts, strict=True
        )
    ]
    overlap = {work.code: float(work.labels[Purpose.OVERLAP]) for work in works[:PEOPLE_SHOWN]}
    design, samples = verdict.proposal.design, verdict.proposal.count(Purpose.OVERLAP)
    single = samples * (1 - verdict.proposal.severe_share) * design.single_label_percent / 100
    shared = expected_pairs(overlap, (samples - single) * comb(design.labels_per_sample, 2))
    return _outlook(campaign, verdict, works, shared, is_planned=False)


def _expected_labels(proposal: Proposal, part: Part) -> dict[Purpose, int]:
    shared = {role: proposal.count(role) for role in READ_BY_ALL}
    rate = proposal.design.repeat_percent / 100
    overlap = round((part.labels - sum(shared.values()) - rate * shared[Purpose.ANCHOR]) / (1 + rate))
    repeats = part.labels - sum(shared.values()) - overlap
    return shared | {Purpose.OVERLAP: max(0, overlap), Purpose.REPEAT: max(0, repeats)}


def is_untouched_plan(campaign: Campaign) -> bool:
    """Whether there is a plan and nobody has begun: later, a person's part of it would tell of passes."""
    return campaign.plan_revisions.exists() and not campaign.sittings.exists()


def planned_outlook(campaign: Campaign, verdict: Verdict) -> Outlook:
    """Return what the stored plan still gives everybody to read, and all the pairs it made."""
    open_slots = (
        campaign.assignments.filter(state__in=OPEN_STATES, sample__conversation__source__withdrawn_at=None)
        .order_by()
        .values_list("annotator", "purpose")
        .annotate(n=Count("pk"), severe=Count("pk", filter=Q(sample__is_estimated_severe=True)))
    )
    labels: dict[UUID, Counter[Purpose]] = {member.user_id: Counter() for member in verdict.members}
    severe = Counter[UUID]()
    for annotator, purpose, n, n_severe in open_slots:
        if annotator in labels:
            labels[annotator][Purpose(purpose)] += n
            severe[annotator] += n_severe
    works = [
        Work(
            member.user.code,
            member.user.display_name,
            clinician,
            labels[member.user_id],
            severe[member.user_id],
            verdict.proposal.seconds_per_label,
        )
        for member, clinician in zip(verdict.members, verdict.proposal.clinicians, strict=True)
    ]
    return _outlook(campaign, verdict, works, _shared_overlap(campaign, len(works)), is_planned=True)


def _shared_overlap(campaign: Campaign, people: int) -> dict[frozenset[str], int]:
    """Return how many overlap samples each two people have, labelled or still to be."""
    if people > PEOPLE_SHOWN:
        return {}
    overlap = {"purpose": Purpose.OVERLAP, "repeat_number": 0, "state__in": STANDING_STATES}
    of_others = {f"sample__assignments__{name}": value for name, value in overlap.items()}
    pairs = (
        Assignment.objects.filter(campaign=campaign, **overlap)
        .filter(**of_others, sample__assignments__annotator__gt=F("annotator"))
        .order_by()
        .values_list("annotator__code", "sample__assignments__annotator__code")
        .annotate(n=Count("pk"))
    )
    return {frozenset((one, other)): n for one, other, n in pairs}


def _outlook(
    campaign: Campaign,
    verdict: Verdict,
    works: Sequence[Work],
    shared: dict[frozenset[str], int],
    *,
    is_planned: bool,
) -> Outlook:
    drawn = works
    if len(works) > PEOPLE_DRAWN:
        drawn = sorted(works, key=lambda one: one.days, reverse=True)[:PEOPLE_DRAWN]
    is_shown = 1 < len(works) <= PEOPLE_SHOWN
    days_left = verdict.proposal.days
    return Outlook(
        works=works,
        rows=[WorkRow(work, days_left) for work in works],
        picture=picture_of(drawn, repeat_after_days=campaign.repeat_after_days, days_left=days_left),
        pairs=matrix_of(shared) if is_shown else None,
        is_planned=is_planned,
    )


def labelling_members(campaign: Campaign) -> list[CampaignMember]:
    """Return the members who hold the annotator's role, by code: paused ones too."""
    members = campaign.members.filter(
        left_at__isnull=True,
        user__role_grants__role=Role.ANNOTATOR,
        user__role_grants__revoked_at__isnull=True,
    )
    return list(members.select_related("user").distinct().order_by("user__code"))


def revisions_of(campaign: Campaign) -> list[RevisionRow]:
    """Return the newest plans first, each with what changed since the one before."""
    newest = list(
        campaign.plan_revisions.select_related("made_by").order_by("-number")[: REVISIONS_SHOWN + 1]
    )
    return [
        RevisionRow(
            one,
            changes_in_words(before.design, one.design, before.capacity, one.capacity) if before else [],
        )
        for one, before in zip(newest, [*newest[1:], None], strict=False)
    ][:REVISIONS_SHOWN]
