"""What clinicians are asked and by which guideline: versions that never change once written."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from prometheus_site.core.append_only import AppendOnlyModel, append_only_triggers


class SchemeVersion(AppendOnlyModel):
    """One version of a scheme: dimensions, scales, categories, conditions, as data."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.SlugField(max_length=60)
    version = models.CharField(max_length=20)
    title = models.CharField(max_length=200)
    definition = models.JSONField()
    digest = models.CharField(max_length=64)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        triggers = append_only_triggers()
        constraints = [
            models.UniqueConstraint(fields=["key", "version"], name="schemeversion_one_per_version")
        ]

    def __str__(self) -> str:
        return f"{self.title} {self.version}"


class GuidelineVersion(AppendOnlyModel):
    """One version of the guideline that explains a scheme; every label names the one it was given under."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    scheme_key = models.SlugField(max_length=60)
    version = models.CharField(max_length=20)
    body = models.TextField()  # Markdown, ours: no therapy text
    digest = models.CharField(max_length=64)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        triggers = append_only_triggers()
        constraints = [
            models.UniqueConstraint(fields=["scheme_key", "version"], name="guidelineversion_one_per_version")
        ]

    def __str__(self) -> str:
        return f"Guideline {self.version}"
