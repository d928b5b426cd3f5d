"""Who must not see a campaign's labels because samples still wait for that person, and who has seen them."""

import uuid
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from annotation.models import OPEN_STATES, Assignment, Campaign, CampaignState, Label, LabelsOpened, Sample
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role
from prometheus_site.audit.models import Action
from prometheus_site.audit.services import record_access

# What an access event names when somebody opened the labels that others gave, not the object itself.
CAMPAIGN_LABELS, SAMPLE_LABELS = "campaign_labels", "sample_labels"


def campaigns_blind_to(user: User) -> QuerySet[Assignment, Any]:
    """Return the ids of campaigns where this person still has samples to label.

    Only blind labels count, so what others answered there stays closed to the person.
    """
    own = Assignment.objects.visible_to(user).readable().filter(state__in=OPEN_STATES)
    return (own if user.has_role(Role.ANNOTATOR) else own.none()).values("campaign")


def is_blind_in(user: User, campaign: Campaign) -> bool:
    """Whether the labels of this campaign are closed to the person."""
    return campaigns_blind_to(user).filter(campaign=campaign).exists()


def may_yet_label(user: User, campaign: Campaign) -> bool:
    """Whether the person may still be given samples here: what is said of single ones stays closed, too."""
    is_open = campaign.state != CampaignState.CLOSED and user.has_role(Role.ANNOTATOR)
    return is_open and user.pk not in has_read_labels(campaign)


def has_read_labels(campaign: Campaign) -> set[uuid.UUID]:
    """Return the ids of people who opened labels that others gave in this campaign, of any sample.

    A label that such a person gives there would not be blind.
    """
    return set(campaign.labels_opened.values_list("reader_id", flat=True))


def record_campaign_labels_read(*, reader: User, campaign: Campaign) -> None:
    """Write down, once, that this person opened labels of the campaign; nothing while others gave none."""
    if reader.pk not in has_read_labels(campaign) and _others_gave(reader, campaign=campaign):
        _record(reader, campaign, Action.LISTED, CAMPAIGN_LABELS, campaign.pk)


def record_sample_labels_read(*, reader: User, sample: Sample) -> None:
    """Write down that this person opened the labels of the sample; nothing while others gave none."""
    if _others_gave(reader, sample=sample):
        _record(reader, sample.campaign, Action.VIEWED, SAMPLE_LABELS, sample.pk)


def _record(reader: User, campaign: Campaign, action: Action, what: str, obj_id: uuid.UUID) -> None:
    with transaction.atomic():
        record_access(actor=reader, action=action, obj_type=what, obj_id=str(obj_id))
        LabelsOpened.objects.bulk_create(
            [LabelsOpened(campaign=campaign, reader=reader)], ignore_conflicts=True
        )


def _others_gave(reader: User, **about: Campaign | Sample) -> bool:
    return Label.objects.filter(**about).exclude(annotator=reader).exists()
