"""Dangerous disagreement: what counts as such, the cases it opened, and how they were answered."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from annotation.models.campaign import Campaign
from annotation.models.label import Label
from annotation.models.sample import Sample
from prometheus_site.core.append_only import AppendOnlyModel, append_only_triggers
from prometheus_site.core.models import SealedText


class CostMatrix(AppendOnlyModel):
    """One version of a campaign's matrix: the hours until a senior answers, for every two levels."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="cost_matrices")
    number = models.PositiveIntegerField()
    hours = models.JSONField()  # {"0-3": 72, ...}, without the ordinary pairs
    because = models.CharField(max_length=200, blank=True)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    made_at = models.DateTimeField(db_default=Now())

    class Meta:
        triggers = append_only_triggers()
        constraints = [
            models.UniqueConstraint(fields=["campaign", "number"], name="costmatrix_one_per_number")
        ]

    def __str__(self) -> str:
        return f"cost matrix {self.number} of {self.campaign_id}"


class DangerCase(AppendOnlyModel):
    """Two labels of a sample that are dangerous beside each other; open until it has an answer."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="danger_cases")
    sample = models.ForeignKey(Sample, on_delete=models.PROTECT, related_name="danger_cases")
    lower = models.ForeignKey(Label, on_delete=models.PROTECT, related_name="+")
    higher = models.ForeignKey(Label, on_delete=models.PROTECT, related_name="+")
    matrix = models.ForeignKey(CostMatrix, on_delete=models.PROTECT, null=True, related_name="+")
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField()

    class Meta:
        triggers = append_only_triggers()
        constraints = [
            models.UniqueConstraint(fields=["lower", "higher"], name="dangercase_one_per_two_labels"),
            models.CheckConstraint(condition=Q(due_at__gt=F("opened_at")), name="dangercase_clock_runs"),
            models.CheckConstraint(condition=~Q(lower=F("higher")), name="dangercase_has_two_labels"),
        ]
        indexes = [models.Index(fields=["campaign", "due_at"], name="dangercase_campaign_due")]

    def __str__(self) -> str:
        return f"case {self.id}"

    @property
    def is_overdue(self) -> bool:
        """Whether its time has passed; asked of cases without an answer."""
        return self.due_at < timezone.now()


class DangerAnswer(AppendOnlyModel):
    """A senior's answer to a case: the level in the senior's own judgement, and why."""

    case = models.OneToOneField(DangerCase, on_delete=models.PROTECT, primary_key=True, related_name="answer")
    level = models.PositiveSmallIntegerField(null=True)  # empty: the text cannot be rated
    reason = models.OneToOneField(SealedText, on_delete=models.PROTECT, related_name="+")
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    answered_at = models.DateTimeField(db_default=Now())

    class Meta:
        triggers = append_only_triggers()
        constraints = [
            models.CheckConstraint(
                condition=Q(level__isnull=True) | Q(level__lte=5), name="dangeranswer_level_range"
            )
        ]

    def __str__(self) -> str:
        return f"answer to {self.case_id}"
