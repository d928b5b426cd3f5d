"""Campaigns and the people in them."""

import uuid
from typing import TYPE_CHECKING, ClassVar

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from annotation.models.scheme import GuidelineVersion, SchemeVersion

if TYPE_CHECKING:
    from prometheus_site.accounts.models import User


class CampaignState(models.TextChoices):
    DRAFT = "draft", "Draft"
    OPEN = "open", "Open"
    CLOSED = "closed", "Closed"


class CampaignQuerySet(models.QuerySet["Campaign"]):
    def visible_to(self, user: "User") -> "CampaignQuerySet":
        """Return the campaigns this person takes part in now."""
        return self.filter(members__user=user, members__left_at__isnull=True).distinct()


@pghistory.track()
class Campaign(models.Model):
    """A body of samples labelled under one scheme; human or simulated, never both."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=200)
    scheme = models.ForeignKey(SchemeVersion, on_delete=models.PROTECT, related_name="campaigns")
    guideline = models.ForeignKey(GuidelineVersion, on_delete=models.PROTECT, related_name="campaigns")
    is_simulated = models.BooleanField(default=False)
    state = models.CharField(max_length=8, choices=CampaignState.choices, default=CampaignState.DRAFT)
    labels_per_sample = models.PositiveSmallIntegerField(default=2)
    seed = models.PositiveBigIntegerField(default=1)
    agreement_target = models.DecimalField(max_digits=3, decimal_places=2, default=0.85)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now())

    objects: ClassVar[models.Manager["Campaign"]] = CampaignQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=CampaignState.values), name="campaign_state_is_known"
            ),
            models.CheckConstraint(
                condition=Q(labels_per_sample__gte=1), name="campaign_labels_per_sample_range"
            ),
            models.CheckConstraint(
                condition=Q(agreement_target__gt=0, agreement_target__lt=1), name="campaign_target_range"
            ),
            # Target of the composite foreign key that keeps a program's label out of a human campaign.
            models.UniqueConstraint(fields=["id", "is_simulated"], name="campaign_id_and_kind"),
        ]

    def __str__(self) -> str:
        return self.name


@pghistory.track()
class CampaignMember(models.Model):
    """A person takes part in a campaign, in the roles that the person holds on the site."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="members")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="memberships")
    joined_at = models.DateTimeField(db_default=Now())
    left_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "user"],
                condition=Q(left_at__isnull=True),
                name="campaignmember_one_live_per_person",
            )
        ]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.campaign_id}"
