"""What every run that a worker carries out for somebody keeps of how far it is and how it ended."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class RunState(models.TextChoices):
    QUEUED = "queued", "Waiting"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


ACTIVE = (RunState.QUEUED, RunState.RUNNING)
RESUMABLE = (RunState.FAILED, RunState.CANCELLED)


class WorkerRun(models.Model):
    """The row is the queue of record, and datasets_app.runs.lifecycle what it goes through."""

    kind: ClassVar[str]  # what an access event and the log call it

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    state = models.CharField(max_length=9, choices=RunState.choices, default=RunState.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)  # how often its worker was lost
    problem = models.CharField(max_length=1000, blank=True)
    heartbeat_at = models.DateTimeField(null=True)
    cancel_asked_at = models.DateTimeField(null=True)
    cancel_asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(condition=Q(state__in=RunState.values), name="%(class)s_state_is_known"),
            models.CheckConstraint(
                condition=~Q(state="failed") | ~Q(problem=""), name="%(class)s_failure_says_why"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["queued", "running"], finished_at__isnull=True)
                | (~Q(state__in=["queued", "running"]) & Q(finished_at__isnull=False)),
                name="%(class)s_ends_with_a_time",
            ),
        ]
        indexes = [models.Index(fields=["state", "created_at"], name="%(class)s_queue")]

    @property
    def is_active(self) -> bool:
        return self.state in ACTIVE

    @property
    def is_resumable(self) -> bool:
        return self.state in RESUMABLE
