"""Make the plan and change it when people or samples come and go: the pure policy's decisions, written."""

import random
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from django.db import connection, transaction
from django.db.models import Max, Q, QuerySet
from django.utils import timezone

from annotation.assignment.feasibility import Clinician
from annotation.assignment.ordering import OpenSlot, queue_order
from annotation.assignment.policy import (
    Design,
    Plan,
    PlannedSample,
    Purpose,
    Situation,
    Slot,
    StandingSlot,
    make_plan,
)
from annotation.models import (
    OPEN_STATES,
    Assignment,
    AssignmentState,
    Campaign,
    CampaignMember,
    CampaignState,
    Pass,
    PlanRevision,
    Sample,
    WithdrawnLabel,
)
from annotation.wellbeing.opt_outs import barred_by_topic
from datasets_app.models import Source
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role

BATCH_SIZE = 5000
AMONG_THE_NEXT = 50  # a silent repeat that is due stands somewhere among so many samples
POSITION_STEP = 16  # room between two places for a silent repeat that has become due
# One sentence for all of it: whose part changed, and by what, is nobody's business.
PEOPLE_CHANGED = "people passed, paused, left or chose topics"
STANDING_STATES = (*OPEN_STATES, AssignmentState.LABELLED)
T = TypeVar("T")
Key = tuple[uuid.UUID, uuid.UUID, int]  # (sample, annotator, repeat number)


def revise_plan(
    *,
    campaign: Campaign,
    because: str,
    made_by: User | None = None,
    is_recorded_unchanged: bool = False,
) -> PlanRevision | None:
    """Bring the plan up to the campaign's design, samples and people as they are now; None if it was.

    ``is_recorded_unchanged`` writes down that it was looked at though nothing had to move. Called after
    samples arrive, after somebody joins, leaves, pauses or passes, and by the sweeper. Idempotent; labelling
    goes on meanwhile.
    """
    with transaction.atomic():
        # Two planners would both add the same slots. NO KEY: saves refer to the campaign and must not wait.
        locked = Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
        passes_seen = _passes_in(locked)  # before the slots: one that comes between is looked at again
        hours = {member.user_id: member.hours_per_week for member in plannable_members(locked)}
        candidates = _candidates(locked)
        plan = make_plan(_situation_of(locked, hours, candidates))
        _write_roles(plan.roles)
        readings = _readings_to_add(locked, candidates)
        _take_back_readings(locked, candidates)
        has_changed = bool(plan.roles or plan.added or plan.withdrawn or readings)
        if not has_changed and not is_recorded_unchanged:
            return None
        _take_back(locked, plan.withdrawn, hours.keys())
        _add(locked, [*plan.added, *readings])
        _order_queues(locked, {slot.annotator for slot in readings})
        changed = {slot.annotator for slot in plan.added} | {slot.annotator for slot in plan.withdrawn}
        _order_queues(locked, changed & hours.keys())
        return _record(locked, plan, hours, because, made_by, passes_seen)


def replan_where_needed() -> int:
    """Look again at the plans that people who left, paused or passed have made uneven; return how many."""
    open_campaigns = Campaign.objects.filter(state=CampaignState.OPEN)
    uneven = [one for one in open_campaigns.order_by("created_at") if _is_uneven(one)]
    for one in uneven:
        # Recorded in any case: a pass that nobody can take over is not looked at again every minute.
        revise_plan(campaign=one, because=PEOPLE_CHANGED, is_recorded_unchanged=True)
    return len(uneven)


def design_of(campaign: Campaign) -> Design:
    """Return the design the lead declared."""
    return Design(
        training=campaign.training_samples,
        calibration=campaign.calibration_samples,
        anchors=campaign.anchor_samples,
        labels_per_sample=campaign.labels_per_sample,
        repeat_percent=campaign.repeat_percent,
        single_label_percent=campaign.single_label_percent,
        seed=campaign.seed,
    )


def plannable_members(campaign: Campaign) -> list[CampaignMember]:
    """Return who may be given samples: annotators of the campaign's kind who have not read its labels.

    Where the campaign requires a qualification, those who have it; a document to be signed first only holds
    up the handing out, and takes nobody out of the plan.
    """
    members = _labelling_members(campaign)
    if campaign.requires_qualification:
        qualified = campaign.admissions.filter(covers_all=True, valid_until__gt=timezone.now())
        members = members.filter(user__in=qualified.values("clinician"))
    return list(members.select_related("user").distinct())


def _labelling_members(campaign: Campaign) -> QuerySet[CampaignMember]:
    return campaign.members.filter(
        left_at__isnull=True,
        paused_at__isnull=True,
        user__is_active=True,
        user__is_simulated=campaign.is_simulated,
        user__role_grants__role=Role.ANNOTATOR,
        user__role_grants__revoked_at__isnull=True,
    ).exclude(user__in=campaign.labels_opened.values("reader"))


def _candidates(campaign: Campaign) -> dict[uuid.UUID, int]:
    """Return who is to label the calibration samples only, each with the number of that reading."""
    members = _labelling_members(campaign).values("user")
    asked = campaign.admissions.filter(covers_all=False, clinician__in=members)
    return dict(asked.values_list("clinician_id", "reading"))


def _slots_of_the_design(campaign: Campaign, candidates: Collection[uuid.UUID]) -> QuerySet[Assignment]:
    """Return the slots that the policy plans: not the calibration readings that candidates are asked for."""
    readings = Q(annotator__in=candidates) | Q(repeat_number__gt=0)
    return campaign.assignments.exclude(readings, purpose=Purpose.CALIBRATION)


def _readings_to_add(campaign: Campaign, candidates: Mapping[uuid.UUID, int]) -> list[Slot]:
    """Return the slots that candidates lack, so that each reads every calibration sample."""
    if not candidates:
        return []
    readable = campaign.samples.filter(
        design_role=Purpose.CALIBRATION, conversation__source__withdrawn_at__isnull=True
    )
    samples = sorted(readable.values_list("pk", flat=True))
    there = campaign.assignments.filter(annotator__in=candidates, sample__in=samples)
    standing = set(
        there.exclude(state=AssignmentState.WITHDRAWN).values_list("sample", "annotator", "repeat_number")
    )
    return [
        Slot(sample, person, Purpose.CALIBRATION, reading)
        for person, reading in sorted(candidates.items())
        for sample in samples
        if (sample, person, reading) not in standing
    ]


def _take_back_readings(campaign: Campaign, candidates: Collection[uuid.UUID]) -> None:
    """Take back unread slots of a repeated calibration from people who are not asked for it any more."""
    repeated = campaign.assignments.filter(
        purpose=Purpose.CALIBRATION,
        repeat_number__gt=0,
        state=AssignmentState.WAITING,
        first_shown_at__isnull=True,
    ).exclude(annotator__in=candidates)
    free = repeated.select_for_update(skip_locked=True).values_list("pk", flat=True)
    Assignment.objects.filter(pk__in=list(free)).update(state=AssignmentState.WITHDRAWN)


def _situation_of(
    campaign: Campaign, hours: Mapping[uuid.UUID, float], candidates: Collection[uuid.UUID]
) -> Situation:
    readable = campaign.samples.filter(conversation__source__withdrawn_at__isnull=True)
    samples = [
        PlannedSample(pk, is_severe, Purpose(role) if role else None)
        for pk, is_severe, role in readable.values_list("id", "is_estimated_severe", "design_role")
    ]
    texts = {sample.id for sample in samples}
    slots = _slots_of_the_design(campaign, candidates).filter(state__in=STANDING_STATES)
    # Nobody is given again what they passed, or what they labelled and withdrew.
    passed = campaign.assignments.filter(state=AssignmentState.PASSED)
    withdrawn = WithdrawnLabel.objects.filter(withdrawal__campaign=campaign)
    done_with = set(passed.values_list("sample_id", "annotator_id"))
    done_with |= set(withdrawn.values_list("label__sample_id", "label__annotator_id"))
    return Situation(
        design=design_of(campaign),
        samples=samples,
        annotators=list(hours),
        standing=[
            StandingSlot(
                sample,
                person,
                Purpose(purpose),
                repeat,
                is_open=_is_movable(person in hours and sample in texts, state, shown),
            )
            for sample, person, purpose, repeat, state, shown in slots.values_list(
                "sample_id", "annotator_id", "purpose", "repeat_number", "state", "first_shown_at"
            )
        ],
        barred=done_with | barred_by_topic(campaign, hours.keys()),
        # What each can do in a week, within the daily limit.
        capacity={person: Clinician(declared).capacity for person, declared in hours.items()},
    )


def _is_movable(can_be_labelled: bool, state: str, shown_at: datetime | None) -> bool:
    """Whether a change of the plan may take the slot away: never what a page holds or somebody has read."""
    if not can_be_labelled:  # the person may not, or the text is gone
        return state in OPEN_STATES
    return state in (AssignmentState.RESTING, AssignmentState.WAITING) and shown_at is None


def _write_roles(roles: Mapping[uuid.UUID, Purpose]) -> None:
    for role in {*roles.values()}:
        chosen = [sample for sample, given in roles.items() if given == role]
        for batch in _batches(chosen):
            Sample.objects.filter(pk__in=batch).update(design_role=role.value)


def _take_back(campaign: Campaign, slots: Sequence[StandingSlot], people: Collection[uuid.UUID]) -> None:
    """Take the slots back, but for what was handed out or shown while the plan was made.

    Nobody waits: a row that a save holds just now is left to the next look at the plan.
    """
    ids = _ids_of(campaign, [(slot.sample, slot.annotator, slot.repeat_number) for slot in slots])
    unread = Q(state__in=[AssignmentState.RESTING, AssignmentState.WAITING], first_shown_at__isnull=True)
    gone = ~Q(annotator__in=people) | Q(sample__conversation__source__withdrawn_at__isnull=False)
    for batch in _batches(list(ids.values())):
        movable = Assignment.objects.filter(unread | gone, pk__in=batch, state__in=OPEN_STATES)
        free = movable.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True)
        Assignment.objects.filter(pk__in=list(free)).update(
            state=AssignmentState.WITHDRAWN, lease_id=None, leased_until=None
        )


def _add(campaign: Campaign, slots: Sequence[Slot]) -> None:
    """Store the slots behind what stands; one that was taken back from the same person is opened again."""
    keys = [(slot.sample, slot.annotator, slot.repeat_number) for slot in slots]
    taken_back = _ids_of(campaign, keys)
    last = dict(campaign.assignments.order_by().values_list("annotator").annotate(Max("position")))
    new, reopened = [], defaultdict(list)
    for slot, key in zip(slots, keys, strict=True):
        rests = slot.purpose == Purpose.REPEAT
        state = AssignmentState.RESTING if rests else AssignmentState.WAITING
        if key in taken_back:
            reopened[state, slot.purpose].append(taken_back[key])
            continue
        last[slot.annotator] = last.get(slot.annotator, 0) + POSITION_STEP
        new.append(
            Assignment(
                campaign=campaign,
                sample_id=slot.sample,
                annotator_id=slot.annotator,
                purpose=slot.purpose.value,
                repeat_number=slot.repeat_number,
                position=last[slot.annotator],
                state=state,
            )
        )
    Assignment.objects.bulk_create(new, batch_size=BATCH_SIZE)
    for (state, purpose), ids in reopened.items():
        for batch in _batches(ids):
            # One that its reader labelled or passed at this moment is not taken back any more.
            still = Assignment.objects.filter(pk__in=batch, state=AssignmentState.WITHDRAWN)
            still.update(state=state, purpose=purpose.value, first_shown_at=None, screen_order=None)


def _ids_of(campaign: Campaign, keys: Sequence[Key]) -> dict[Key, uuid.UUID]:
    """Return the stored slots among these, by key."""
    wanted = set(keys)
    found: dict[Key, uuid.UUID] = {}
    for batch in _batches(sorted({sample for sample, _, _ in wanted})):
        rows = campaign.assignments.filter(sample__in=batch)
        for pk, *key in rows.values_list("pk", "sample_id", "annotator_id", "repeat_number"):
            if tuple(key) in wanted:
                found[tuple(key)] = pk  # type: ignore[index]
    return found


def _order_queues(campaign: Campaign, people: Iterable[uuid.UUID]) -> None:
    """Give the unread slots of these people new places behind everything that was placed before."""
    for person in sorted(people):
        own = campaign.assignments.filter(annotator=person)
        waiting = own.filter(state=AssignmentState.WAITING, first_shown_at__isnull=True)
        rows = list(
            waiting.values_list("pk", "sample_id", "purpose", "sample__is_estimated_severe", "repeat_number")
        )
        slots = [
            OpenSlot(sample, Purpose(purpose), is_severe, repeat)
            for _, sample, purpose, is_severe, repeat in rows
        ]
        ids = {(slot.sample, slot.repeat_number): row[0] for slot, row in zip(slots, rows, strict=True)}
        last_shown = own.filter(screen_order__isnull=False).order_by("-screen_order")
        was_severe = last_shown.values_list("sample__is_estimated_severe", flat=True).first()
        first_time = [slot for slot in slots if not slot.repeat_number]
        ordered = queue_order(
            first_time, annotator=person, seed=campaign.seed, was_last_severe=bool(was_severe)
        )
        awake = [slot for slot in slots if slot.repeat_number]
        for slot in awake:  # due already: they stay among the next, wherever the others go
            ordered.insert(random.randrange(min(len(ordered), AMONG_THE_NEXT) + 1), slot)  # noqa: S311
        top = own.aggregate(top=Max("position"))["top"] or 0
        _write_positions([ids[slot.sample, slot.repeat_number] for slot in ordered], top)


def _write_positions(ids: Sequence[uuid.UUID], top: int) -> None:
    with connection.cursor() as cursor:
        for start in range(0, len(ids), BATCH_SIZE):
            batch = list(ids[start : start + BATCH_SIZE])
            places = [top + POSITION_STEP * (start + n) for n in range(1, len(batch) + 1)]
            cursor.execute(
                "UPDATE annotation_assignment AS slot SET position = placed.position "
                "FROM unnest(%s::uuid[], %s::bigint[]) AS placed(id, position) "
                "WHERE slot.id = placed.id AND slot.id IN (SELECT id FROM annotation_assignment "
                "WHERE id = ANY(%s::uuid[]) AND state = 'waiting' AND first_shown_at IS NULL "
                "FOR UPDATE SKIP LOCKED)",  # what is handed out at this moment needs no new place
                [batch, places, batch],
            )


def _record(
    campaign: Campaign,
    plan: Plan,
    hours: Mapping[uuid.UUID, float],
    because: str,
    made_by: User | None,
    passes_seen: int,
) -> PlanRevision:
    design = design_of(campaign)
    codes = dict(User.objects.filter(pk__in=hours.keys()).values_list("pk", "code"))
    number = campaign.plan_revisions.aggregate(top=Max("number"))["top"] or 0
    made: PlanRevision = PlanRevision.objects.create(
        campaign=campaign,
        number=number + 1,
        made_by=made_by,
        because=because,
        design={**design.__dict__, "due_on": campaign.due_on and campaign.due_on.isoformat()},
        capacity={codes[person]: declared for person, declared in hours.items()},
        slots_added=len(plan.added),
        slots_taken_back=len(plan.withdrawn),
        labels_short=sum(plan.shortfall.values()),
        passes_seen=passes_seen,
    )
    return made


def _is_uneven(campaign: Campaign) -> bool:
    """Whether open slots have nobody or no text, or samples were passed since the last plan."""
    entitled = [member.user_id for member in plannable_members(campaign)]
    departed = campaign.members.exclude(user__in=entitled).values_list("user_id", flat=True)
    unread = _slots_of_the_design(campaign, _candidates(campaign)).filter(state__in=OPEN_STATES)
    # Asked every minute, so from the few who went and the few sources withdrawn, never from all slots.
    if unread.filter(annotator__in=list(departed)).exists():
        return True
    gone = list(Source.objects.filter(withdrawn_at__isnull=False).values_list("pk", flat=True))
    if gone and unread.filter(sample__conversation__source__in=gone).exists():
        return True
    newest = campaign.plan_revisions.order_by("-number").values_list("passes_seen", flat=True).first()
    if _passes_in(campaign) <= (newest or 0):
        return False
    return campaign.assignments.filter(state=AssignmentState.PASSED).exists()


def _passes_in(campaign: Campaign) -> int:
    # By number, not by time: a pass may have been on its way while the plan was made.
    return Pass.objects.filter(assignment__campaign=campaign).count()


def _batches(items: Sequence[T]) -> Iterable[Sequence[T]]:
    return (items[start : start + BATCH_SIZE] for start in range(0, len(items), BATCH_SIZE))
