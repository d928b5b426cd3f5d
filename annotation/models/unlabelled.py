"""What a clinician does with a sample beside labelling it: pass it, flag it, leave it half done."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from annotation.models.assignment import Assignment
from prometheus_site.core.append_only import AppendOnlyModel, append_only_triggers
from prometheus_site.core.models import DataKey, SealedText


class Pass(models.Model):
    """A clinician does not want to label this sample; nobody asks why. Never shown to a lead by person."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    assignment = models.ForeignKey(Assignment, on_delete=models.PROTECT, related_name="passes")
    idempotency_key = models.UUIDField(unique=True)
    created_at = models.DateTimeField(db_default=Now())
    taken_back_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["assignment"],
                condition=Q(taken_back_at__isnull=True),
                name="pass_one_live_per_assignment",
            )
        ]

    def __str__(self) -> str:
        return f"pass of {self.assignment_id}"


class FlagKind(models.TextChoices):
    UNREADABLE = "unreadable", "Cannot be read: broken, cut off or not in this language"
    NAMES_SOMEBODY = "names_somebody", "Names or describes a person who could be recognised"
    MORE_SEVERE = "more_severe", "More severe than it was announced"
    OTHER = "other", "Something else is wrong"


class SampleFlag(AppendOnlyModel):
    """A clinician says that something is wrong with a sample itself; the lead looks at it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    assignment = models.ForeignKey(Assignment, on_delete=models.PROTECT, related_name="flags")
    annotator = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=16, choices=FlagKind.choices)
    words = models.OneToOneField(SealedText, on_delete=models.PROTECT, null=True, related_name="+")
    idempotency_key = models.UUIDField(unique=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        triggers = append_only_triggers()
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=FlagKind.values), name="sampleflag_kind_is_known")
        ]

    def __str__(self) -> str:
        return f"{self.kind} flag of {self.assignment_id}"


class Draft(models.Model):
    """Answers and a note that are not saved as a label yet, encrypted; gone when the label is stored."""

    assignment = models.OneToOneField(
        Assignment, on_delete=models.PROTECT, primary_key=True, related_name="draft"
    )
    data_key = models.ForeignKey(DataKey, on_delete=models.PROTECT, related_name="+")
    sealed = models.BinaryField()
    updated_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"draft of {self.assignment_id}"
