"""Campaigns and the people in them."""

import uuid
from typing import TYPE_CHECKING, ClassVar

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now

from annotation.models.scheme import GuidelineVersion, SchemeVersion
from prometheus_site.core.append_only import AppendOnlyModel, append_only_triggers

if TYPE_CHECKING:
    from prometheus_site.accounts.models import User


class CampaignState(models.TextChoices):
    DRAFT = "draft", "Draft"
    OPEN = "open", "Open"
    CLOSED = "closed", "Closed"


class CampaignQuerySet(models.QuerySet["Campaign"]):
    def visible_to(self, user: "User") -> "CampaignQuerySet":
        """Return the campaigns this person takes part in now."""
        present = CampaignMember.objects.filter(campaign=OuterRef("pk"), user=user, left_at__isnull=True)
        return self.filter(Exists(present))


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
    # The declared design: how many samples everybody labels, and what is asked twice of one person.
    training_samples = models.PositiveIntegerField(default=0, db_default=0)
    calibration_samples = models.PositiveIntegerField(default=0, db_default=0)
    anchor_samples = models.PositiveIntegerField(default=0, db_default=0)
    # The share of overlap samples, those estimated severe left out, that get one label only.
    single_label_percent = models.FloatField(default=0.0, db_default=0.0)
    repeat_percent = models.FloatField(default=4.0, db_default=4.0)
    repeat_after_days = models.PositiveSmallIntegerField(default=7, db_default=7)
    due_on = models.DateField(null=True)
    expected_seconds_per_label = models.PositiveSmallIntegerField(default=45, db_default=45)
    seed = models.PositiveBigIntegerField(default=1)
    # Whether samples go to qualified clinicians only. What was set up before there was a gate has none.
    requires_qualification = models.BooleanField(default=False, db_default=False)
    # Agreement with the settled calibration answers, per dimension, from which a lead calls it passed.
    calibration_threshold = models.FloatField(default=0.7, db_default=0.7)
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
                condition=Q(repeat_percent__gte=0, repeat_percent__lte=20), name="campaign_repeat_range"
            ),
            models.CheckConstraint(
                condition=Q(single_label_percent__gte=0, single_label_percent__lte=100),
                name="campaign_single_label_range",
            ),
            models.CheckConstraint(
                condition=Q(expected_seconds_per_label__gte=1), name="campaign_expected_seconds_range"
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
    paused_at = models.DateTimeField(null=True)
    hours_per_week = models.FloatField(default=10, db_default=10)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(hours_per_week__gt=0, hours_per_week__lte=60), name="campaignmember_hours_range"
            ),
            models.UniqueConstraint(
                fields=["campaign", "user"],
                condition=Q(left_at__isnull=True),
                name="campaignmember_one_live_per_person",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.campaign_id}"


class LabelsOpened(AppendOnlyModel):
    """A person has seen labels that others gave in this campaign: no label of that person is blind again."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="labels_opened")
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField(db_default=Now())

    class Meta:
        triggers = append_only_triggers()
        constraints = [
            models.UniqueConstraint(fields=["campaign", "reader"], name="labelsopened_once_per_person")
        ]

    def __str__(self) -> str:
        return f"{self.reader_id} opened labels of {self.campaign_id}"
