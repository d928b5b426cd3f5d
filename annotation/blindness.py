"""Who must not see a campaign's labels because samples still wait for that person, and who has seen them."""

import uuid
from typing import Any

from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from annotation.models import Assignment, AssignmentState, Campaign, Label, Sample
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role
from prometheus_site.audit.models import AccessEvent, Action
from prometheus_site.audit.services import record_access

# What an access event names when somebody opened the labels that others gave, not the object itself.
CAMPAIGN_LABELS, SAMPLE_LABELS = "campaign_labels", "sample_labels"


def campaigns_blind_to(user: User) -> QuerySet[Assignment, Any]:
    """Return the ids of campaigns where this person still has samples to label.

    Only blind labels count, so what others answered there stays closed to the person.
    """
    unlabelled = [AssignmentState.WAITING, AssignmentState.LEASED]
    own = Assignment.objects.visible_to(user).readable().filter(state__in=unlabelled)
    return (own if user.has_role(Role.ANNOTATOR) else own.none()).values("campaign")


def is_blind_in(user: User, campaign: Campaign) -> bool:
    """Whether the labels of this campaign are closed to the person."""
    return campaigns_blind_to(user).filter(campaign=campaign).exists()


def has_read_labels(campaign: Campaign) -> set[uuid.UUID]:
    """Return the ids of people who opened labels that others gave in this campaign, of any sample.

    A label that such a person gives there would not be blind.
    """
    samples = campaign.samples.order_by().values_list(Cast("pk", TextField()))
    opened = AccessEvent.objects.filter(
        Q(object_type=CAMPAIGN_LABELS, object_id=str(campaign.pk))
        | Q(object_type=SAMPLE_LABELS, object_id__in=samples),
        actor__isnull=False,
    )
    return set(opened.values_list("actor_id", flat=True).distinct())


def record_campaign_labels_read(*, reader: User, campaign: Campaign) -> None:
    """Write down, once, that this person opened labels of the campaign; nothing while others gave none."""
    given = _given_by_others(reader).filter(campaign=campaign)
    if reader.pk not in has_read_labels(campaign) and given.exists():
        record_access(actor=reader, action=Action.LISTED, obj_type=CAMPAIGN_LABELS, obj_id=str(campaign.pk))


def record_sample_labels_read(*, reader: User, sample: Sample) -> None:
    """Write down that this person opened the labels of the sample; nothing while others gave none."""
    if _given_by_others(reader).filter(sample=sample).exists():
        record_access(actor=reader, action=Action.VIEWED, obj_type=SAMPLE_LABELS, obj_id=str(sample.pk))


def _given_by_others(reader: User) -> QuerySet[Label]:
    return Label.objects.exclude(annotator=reader)
