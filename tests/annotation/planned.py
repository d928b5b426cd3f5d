"""Campaigns of a declared design with some samples estimated severe, and looks at somebody's queue."""

from collections.abc import Collection, Sequence
from typing import Any

from django.db.models.functions import Now

from annotation.assignment.planning import revise_plan
from annotation.campaigns.services import create_campaign
from annotation.labelling.services import record_label
from annotation.models import (
    Assignment,
    AssignmentState,
    Campaign,
    CampaignState,
    Label,
    Sample,
)
from prometheus_site.accounts.models import User
from tests.annotation.worlds import join, make_conversations, qualify, submission


def make_planned_campaign(
    lead: User,
    annotators: Sequence[User],
    *,
    samples: int,
    severe: Collection[int] = (),
    slug: str = "planned",
    labels_per_sample: int = 2,
    **design: Any,
) -> Campaign:
    """Return an open campaign whose numbered samples are windows of one conversation, its plan made.

    ``severe`` holds the numbers of the samples estimated severe; ``design`` fields of the campaign.
    """
    campaign = create_campaign(
        name=f"Campaign {slug}", slug=slug, created_by=lead, labels_per_sample=labels_per_sample
    )
    [conversation] = make_conversations(1, source_name=f"source of {slug}", turns=2 * samples)
    Sample.objects.bulk_create(
        Sample(
            campaign=campaign,
            conversation=conversation,
            number=number,
            window_start=2 * (number - 1),
            window_stop=2 * number,
            has_client_turn=True,
            has_assistant_turn=True,
            is_estimated_severe=number in severe,
        )
        for number in range(1, samples + 1)
    )
    qualify(campaign, lead)  # who may label as well, in some tests
    for annotator in annotators:
        join(campaign, annotator)
    for name, value in design.items():
        setattr(campaign, name, value)
    campaign.state = CampaignState.OPEN
    campaign.save()
    revise_plan(campaign=campaign, because="made up")
    return campaign


def queue_of(campaign: Campaign, annotator: User) -> list[Assignment]:
    """Return the slots that wait for the person, in order."""
    own = Assignment.objects.filter(campaign=campaign, annotator=annotator, state=AssignmentState.WAITING)
    return list(own.select_related("sample").order_by("position"))


def give(campaign: Campaign, slot: Assignment, **changes: object) -> Label:
    """Open the slot's text and store a label of it, through the service; the sitting goes on."""
    Assignment.objects.filter(pk=slot.pk, opened_at=None).update(opened_at=Now())
    given = submission(campaign, **changes)
    return record_label(annotator=slot.annotator, assignment=slot, submission=given).label
