"""Sittings: the stretches of time a clinician works in one go."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from annotation.models.campaign import Campaign


class Sitting(models.Model):
    """From the first sample a clinician takes until the clinician leaves or stays away."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="sittings")
    annotator = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="sittings")
    started_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "annotator"],
                condition=Q(ended_at__isnull=True),
                name="sitting_one_live_per_person",
            ),
        ]
        indexes = [
            models.Index(
                fields=["last_seen_at"], condition=Q(ended_at__isnull=True), name="sitting_live_last_seen"
            ),
            models.Index(fields=["annotator", "started_at"], name="sitting_annotator_started"),
        ]

    def __str__(self) -> str:
        return f"sitting of {self.annotator_id}"
