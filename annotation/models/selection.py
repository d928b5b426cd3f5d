"""Which samples were selected for a campaign, why, and with which chance."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from annotation.models.campaign import Campaign
from annotation.models.sample import Sample
from prometheus_site.core.append_only import AppendOnlyModel, append_only_triggers


class PickReason(models.TextChoices):
    """What a sample was picked for; the words of ``datasets_app.selection.documents.Reason``."""

    COVERAGE = "coverage", "Covers its stratum"
    CATEGORY_FLOOR = "category_floor", "Floor of its category"
    SEVERE_FLOOR = "severe_floor", "Floor of severe crisis"
    RANDOM = "random", "At random"


class SampleSelection(AppendOnlyModel):
    """One selection out of one verified dataset; a campaign has one, or chances could not be told."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    campaign = models.OneToOneField(Campaign, on_delete=models.PROTECT, related_name="selection")
    dataset = models.CharField(max_length=500)  # where it stood then
    build_id = models.CharField(max_length=64)
    seed = models.BigIntegerField()
    report = models.JSONField()  # datasets_app.selection.documents.Report
    made_at = models.DateTimeField(db_default=Now())
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        triggers = append_only_triggers()

    def __str__(self) -> str:
        return f"selection for {self.campaign_id}"


class SamplePick(AppendOnlyModel):
    """Why one sample was picked: programs' guesses about it, which are nobody's label."""

    sample = models.OneToOneField(Sample, on_delete=models.PROTECT, primary_key=True, related_name="pick")
    selection = models.ForeignKey(SampleSelection, on_delete=models.PROTECT, related_name="picks")
    reason = models.CharField(max_length=16, choices=PickReason.choices)
    category = models.CharField(max_length=60)
    difficulty = models.CharField(max_length=10)
    origin = models.CharField(max_length=60)
    scores = models.JSONField()
    inclusion_probability = models.FloatField()
    content_hash = models.CharField(max_length=71)

    class Meta:
        triggers = append_only_triggers()
        constraints = [
            models.CheckConstraint(
                condition=Q(reason__in=PickReason.values), name="samplepick_reason_is_known"
            ),
            models.CheckConstraint(
                condition=Q(inclusion_probability__gt=0, inclusion_probability__lte=1),
                name="samplepick_chance_is_one",
            ),
        ]
        indexes = [models.Index(fields=["selection", "reason"], name="samplepick_by_reason")]

    def __str__(self) -> str:
        return f"pick {self.sample_id}"
