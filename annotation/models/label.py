"""Labels: what a clinician said, once, under which guideline, for ever."""

import uuid
from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q

from annotation.models.assignment import Assignment, Purpose
from annotation.models.campaign import Campaign
from annotation.models.sample import Sample
from annotation.models.scheme import GuidelineVersion, SchemeVersion
from prometheus_site.core.append_only import (
    AppendOnlyModel,
    AppendOnlyQuerySet,
    append_only_triggers,
)
from prometheus_site.core.models import SealedText

if TYPE_CHECKING:
    from prometheus_site.accounts.models import User


class LabelQuerySet(AppendOnlyQuerySet):
    def own(self, user: "User") -> "LabelQuerySet":
        """Return the labels this person gave, in campaigns the person takes part in now."""
        return self.filter(
            annotator=user, campaign__members__user=user, campaign__members__left_at__isnull=True
        )

    def current(self) -> "LabelQuerySet":
        """Return what stands now: labels that no correction supersedes."""
        newer = self.model._default_manager.filter(supersedes=OuterRef("pk"))
        return self.filter(~Exists(newer))

    def first_given(self) -> "LabelQuerySet":
        """Return labels as they were first given, corrections left out."""
        return self.filter(supersedes__isnull=True)

    def counting_for_agreement(self) -> "LabelQuerySet":
        """Return blind first labels of planned overlap: the only ones an agreement figure may use."""
        return self.first_given().filter(assignment__purpose__in=[Purpose.OVERLAP, Purpose.ANCHOR])


class Label(AppendOnlyModel):
    """One clinician's answers to one sample. A correction is a new label that supersedes it, for a reason."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="labels")
    assignment = models.ForeignKey(Assignment, on_delete=models.PROTECT, related_name="labels")
    sample = models.ForeignKey(Sample, on_delete=models.PROTECT, related_name="labels")
    annotator = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="labels")
    scheme = models.ForeignKey(SchemeVersion, on_delete=models.PROTECT, related_name="+")
    guideline = models.ForeignKey(GuidelineVersion, on_delete=models.PROTECT, related_name="+")
    answers = models.JSONField()
    note = models.OneToOneField(SealedText, on_delete=models.PROTECT, null=True, related_name="+")
    active_seconds = models.PositiveIntegerField(null=True)
    is_simulated = models.BooleanField(default=False)
    idempotency_key = models.UUIDField()
    request_digest = models.CharField(max_length=64)
    supersedes = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, related_name="superseded_by"
    )
    reason = models.OneToOneField(SealedText, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()

    objects: ClassVar[LabelQuerySet] = LabelQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        triggers = append_only_triggers()
        constraints = [
            models.UniqueConstraint(fields=["annotator", "idempotency_key"], name="label_one_per_key"),
            models.UniqueConstraint(
                fields=["assignment"],
                condition=Q(supersedes__isnull=True),
                name="label_one_first_per_assignment",
            ),
            models.CheckConstraint(
                condition=Q(supersedes__isnull=True, reason__isnull=True)
                | Q(supersedes__isnull=False, reason__isnull=False),
                name="label_correction_has_reason",
            ),
        ]
        indexes = [
            models.Index(fields=["campaign", "created_at"], name="label_campaign_created"),
            models.Index(fields=["annotator", "created_at"], name="label_annotator_created"),
        ]

    def __str__(self) -> str:
        return f"label {self.id}"
