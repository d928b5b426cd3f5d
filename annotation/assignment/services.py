"""Write the plan and hand out its slots under a lease."""

import uuid
from datetime import timedelta

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from annotation.assignment.policy import Plan, slots_to_add
from annotation.models import Assignment, AssignmentState, Campaign, CampaignState
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role

LEASE_MINUTES = 30
STANDING = (AssignmentState.WAITING, AssignmentState.LEASED, AssignmentState.LABELLED)


class CampaignNotOpenError(Exception):
    """The campaign takes no labels now."""


def extend_plan(*, campaign: Campaign) -> int:
    """Add the slots that the campaign's samples and annotators call for now; return how many.

    Idempotent: called after samples arrive and after somebody joins or leaves.
    """
    with transaction.atomic():
        Campaign.objects.select_for_update().get(pk=campaign.pk)  # two planners would both add the same slots
        slots = slots_to_add(_plan_of(campaign))
        highest = campaign.assignments.values_list("annotator").annotate(Max("position"))
        last_position = dict(highest)
        Assignment.objects.bulk_create(
            [
                Assignment(
                    campaign=campaign,
                    sample_id=slot.sample,
                    annotator_id=slot.annotator,
                    position=last_position.get(slot.annotator, 0) + slot.place,
                )
                for slot in slots
            ],
            batch_size=2000,
        )
    return len(slots)


def _plan_of(campaign: Campaign) -> Plan:
    members = campaign.members.filter(
        left_at__isnull=True,
        user__is_active=True,
        user__role_grants__role=Role.ANNOTATOR,
        user__role_grants__revoked_at__isnull=True,
    )
    return Plan(
        samples=list(
            campaign.samples.filter(conversation__source__withdrawn_at__isnull=True)
            .order_by("number")
            .values_list("id", flat=True)
        ),
        annotators=list(members.values_list("user_id", flat=True)),
        labels_per_sample=campaign.labels_per_sample,
        seed=campaign.seed,
        standing=list(
            campaign.assignments.filter(state__in=STANDING, repeat_number=0)
            .order_by("sample__number", "annotator_id")
            .values_list("sample_id", "annotator_id")
        ),
    )


def withdraw_waiting(*, campaign: Campaign, annotator: User) -> int:
    """Take back the slots somebody has not labelled, when that person leaves; return how many."""
    unlabelled = (AssignmentState.WAITING, AssignmentState.LEASED)
    return Assignment.objects.filter(campaign=campaign, annotator=annotator, state__in=unlabelled).update(
        state=AssignmentState.WITHDRAWN, lease_id=None, leased_until=None
    )


def assign_next(*, campaign: Campaign, annotator: User) -> Assignment | None:
    """Lease the next sample of the person's queue; the one already on screen first; None at the end.

    Raises CampaignNotOpenError when the campaign takes no labels.
    """
    if campaign.state != CampaignState.OPEN:
        raise CampaignNotOpenError(f"{campaign.name} takes no labels now. Ask the lead when it opens.")
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
