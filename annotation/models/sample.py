"""Samples: the unit a clinician labels, a whole conversation or a recorded window of a longer one."""

import uuid
from typing import TYPE_CHECKING, ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from annotation.models.campaign import Campaign
from datasets_app.models import Conversation

if TYPE_CHECKING:
    from prometheus_site.accounts.models import User


class DesignRole(models.TextChoices):
    """Who labels a sample: everybody (training, calibration, anchor) or a balanced pair (overlap)."""

    TRAINING = "training", "Training"
    CALIBRATION = "calibration", "Calibration"
    ANCHOR = "anchor", "Anchor"
    OVERLAP = "overlap", "Overlap"


class SampleQuerySet(models.QuerySet["Sample"]):
    def visible_to(self, user: "User") -> "SampleQuerySet":
        """Return the samples whose campaign this person takes part in now."""
        return self.filter(campaign__members__user=user, campaign__members__left_at__isnull=True).distinct()


class Sample(models.Model):
    """Turns ``window_start`` up to, not including, ``window_stop`` of one conversation."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="samples")
    # Windows of one conversation share it, and so count as one cluster in every interval.
    conversation = models.ForeignKey(Conversation, on_delete=models.PROTECT, related_name="samples")
    window_start = models.PositiveIntegerField()
    window_stop = models.PositiveIntegerField()
    number = models.PositiveIntegerField()  # the name people use: "sample 12"
    has_client_turn = models.BooleanField()
    has_assistant_turn = models.BooleanField()
    is_estimated_severe = models.BooleanField(default=False)
    # The sample's part in the design: empty until the first plan is made, then for ever the same.
    design_role = models.CharField(max_length=12, choices=DesignRole.choices, blank=True, db_default="")
    sampling_weight = models.FloatField(default=1.0)  # inverse inclusion probability
    created_at = models.DateTimeField(db_default=Now())

    objects: ClassVar[models.Manager["Sample"]] = SampleQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "conversation", "window_start"], name="sample_one_per_window"
            ),
            models.UniqueConstraint(fields=["campaign", "number"], name="sample_one_per_number"),
            models.CheckConstraint(
                condition=Q(window_stop__gt=F("window_start")), name="sample_window_has_turns"
            ),
            models.CheckConstraint(
                condition=Q(design_role__in=["", *DesignRole.values]), name="sample_design_role_is_known"
            ),
            models.CheckConstraint(condition=Q(sampling_weight__gt=0), name="sample_weight_is_positive"),
        ]

    def __str__(self) -> str:
        return f"sample {self.number}"
