"""Who tried and completed which training module."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from prometheus_site.core.append_only import AppendOnlyModel, append_only_triggers


class ModuleAttempt(AppendOnlyModel):
    """A person answered a module's questions; all of them right completes the module."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    learner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="module_attempts"
    )
    module = models.SlugField(max_length=40)
    sha256 = models.CharField(max_length=64)  # of the module as it was read
    questions = models.PositiveSmallIntegerField()
    right = models.PositiveSmallIntegerField()
    answered_at = models.DateTimeField(db_default=Now())

    class Meta:
        triggers = append_only_triggers()
        constraints = [
            models.CheckConstraint(
                condition=Q(questions__gte=1, right__lte=F("questions")), name="moduleattempt_right_range"
            )
        ]
        indexes = [models.Index(fields=["learner", "module"], name="moduleattempt_learner")]

    def __str__(self) -> str:
        return f"{self.learner_id} at {self.module}"
