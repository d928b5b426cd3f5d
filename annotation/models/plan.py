"""The record of how a plan came to be: one row for every time it was made or changed."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from annotation.models.campaign import Campaign
from prometheus_site.core.append_only import AppendOnlyModel, append_only_triggers


class PlanRevision(AppendOnlyModel):
    """What the plan was made from, why, and what changed. The slots themselves are the assignments."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="plan_revisions")
    number = models.PositiveIntegerField()
    made_at = models.DateTimeField(db_default=Now())
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    because = models.CharField(max_length=60)
    design = models.JSONField()
    capacity = models.JSONField()  # declared hours a week by code of the person
    slots_added = models.PositiveIntegerField()
    slots_taken_back = models.PositiveIntegerField()
    labels_short = models.PositiveIntegerField()  # planned labels nobody is left to give
    passes_seen = models.PositiveIntegerField(db_default=0)  # of all passes ever: a newer one asks for a look

    class Meta:
        triggers = append_only_triggers()
        constraints = [
            models.UniqueConstraint(fields=["campaign", "number"], name="planrevision_one_per_number")
        ]

    def __str__(self) -> str:
        return f"plan {self.number} of {self.campaign_id}"
