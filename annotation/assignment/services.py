"""Write the plan and hand out its slots under a lease."""

import uuid
from datetime import timedelta

from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils import timezone

from annotation.assignment.policy import Plan, Slot, slots_to_add
from annotation.blindness import has_read_labels
from annotation.models import Assignment, AssignmentState, Campaign, CampaignState
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role

LEASE_MINUTES = 30
BATCH_SIZE = 2000
OPEN = (AssignmentState.WAITING, AssignmentState.LEASED)
STANDING = (*OPEN, AssignmentState.LABELLED)


class CampaignNotOpenError(Exception):
    """The campaign takes no labels now."""


def extend_plan(*, campaign: Campaign) -> int:
    """Bring the plan up to the campaign's samples and people as they are now; return how many slots came.

    Open slots of people who may no longer label here are taken back first. Idempotent: called after samples
    arrive, after somebody joins or leaves, and by the sweeper.
    """
    with transaction.atomic():
        # Two planners would both add the same slots. NO KEY: saves refer to the campaign and must not wait.
        Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
        annotators = _annotators_of(campaign)
        _take_back(campaign.assignments.exclude(annotator__in=annotators))
        slots = slots_to_add(_plan_of(campaign, annotators))
        _write(campaign, slots)
    return len(slots)


def _annotators_of(campaign: Campaign) -> list[uuid.UUID]:
    """Return who may be given samples: annotators of the campaign's kind who have not read its labels."""
    members = campaign.members.filter(
        left_at__isnull=True,
        user__is_active=True,
        user__is_simulated=campaign.is_simulated,
        user__role_grants__role=Role.ANNOTATOR,
        user__role_grants__revoked_at__isnull=True,
    )
    return sorted(set(members.values_list("user_id", flat=True)) - has_read_labels(campaign))


def _plan_of(campaign: Campaign, annotators: list[uuid.UUID]) -> Plan:
    readable = campaign.samples.filter(conversation__source__withdrawn_at__isnull=True)
    standing = campaign.assignments.filter(state__in=STANDING, repeat_number=0)
    return Plan(
        samples=list(readable.order_by("number").values_list("id", flat=True)),
        annotators=annotators,
        labels_per_sample=campaign.labels_per_sample,
        seed=campaign.seed,
        standing=list(
            standing.order_by("sample__number", "annotator_id").values_list("sample_id", "annotator_id")
        ),
    )


def _write(campaign: Campaign, slots: list[Slot]) -> None:
    """Store the slots behind what stands; one that was taken back from the same person is opened again."""
    highest = campaign.assignments.values_list("annotator").annotate(Max("position"))
    last_position = dict(highest)
    withdrawn = campaign.assignments.filter(state=AssignmentState.WITHDRAWN, repeat_number=0)
    taken_back = {(one.sample_id, one.annotator_id): one for one in withdrawn}
    new: list[Assignment] = []
    reopened: list[Assignment] = []
    for slot in slots:
        position = last_position.get(slot.annotator, 0) + slot.place
        again = taken_back.get((slot.sample, slot.annotator))
        if again is None:
            new.append(
                Assignment(
                    campaign=campaign,
                    sample_id=slot.sample,
                    annotator_id=slot.annotator,
                    position=position,
                )
            )
        else:
            again.state, again.position = AssignmentState.WAITING, position
            reopened.append(again)
    Assignment.objects.bulk_create(new, batch_size=BATCH_SIZE)
    Assignment.objects.bulk_update(reopened, ["state", "position"], batch_size=BATCH_SIZE)


def _take_back(slots: QuerySet[Assignment]) -> int:
    return slots.filter(state__in=OPEN).update(
        state=AssignmentState.WITHDRAWN, lease_id=None, leased_until=None
    )


def take_back_from_departed() -> int:
    """Give the open slots of people who may no longer label to the others; return how many."""
    open_slots = Assignment.objects.filter(state__in=OPEN, campaign__state=CampaignState.OPEN)
    entitled = User.objects.filter(
        is_active=True, role_grants__role=Role.ANNOTATOR, role_grants__revoked_at__isnull=True
    )
    departed = open_slots.exclude(annotator__in=entitled)
    campaigns = list(Campaign.objects.filter(pk__in=departed.values("campaign")))
    count = departed.count()
    for campaign in campaigns:
        extend_plan(campaign=campaign)
    return count


def assign_next(*, campaign: Campaign, annotator: User) -> Assignment | None:
    """Lease the next sample of the person's queue; the one already on screen first; None at the end.

    Raises CampaignNotOpenError when the campaign takes no labels.
    """
    if campaign.state != CampaignState.OPEN:
        raise CampaignNotOpenError(f"{campaign.name} takes no labels now. Ask the lead when it opens.")
    if annotator.pk in has_read_labels(campaign):  # since the plan was made: a label would not be blind
        return None
    with transaction.atomic():
        queue = Assignment.objects.visible_to(annotator).readable().filter(campaign=campaign)
        ready = queue.filter(state__in=(AssignmentState.LEASED, AssignmentState.WAITING))
        # "leased" sorts before "waiting": what is on screen comes first. The queue is the person's own, so
        # only a second tab can wait for this row, and it then gets the same sample.
        found = ready.select_for_update(of=("self",)).order_by("state", "position").first()
        if found is None:
            return None
        now = timezone.now()
        found.state = AssignmentState.LEASED
        found.lease_id = found.lease_id or uuid.uuid4()
        found.leased_until = now + timedelta(minutes=LEASE_MINUTES)
        found.first_shown_at = found.first_shown_at or now
        found.save(update_fields=["state", "lease_id", "leased_until", "first_shown_at"])
        return found


def release_expired_leases() -> int:
    """Put samples that were left on a screen back into their queue; return how many."""
    return Assignment.objects.filter(state=AssignmentState.LEASED, leased_until__lt=timezone.now()).update(
        state=AssignmentState.WAITING, lease_id=None, leased_until=None
    )
