"""Runs of phase 1, from raw sources to a published dataset: which steps, how far, and how it ended."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import Now

from datasets_app.phase1.state import STEPS
from datasets_app.runs.steps import step_title


class RunState(models.TextChoices):
    QUEUED = "queued", "Waiting"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


ACTIVE = (RunState.QUEUED, RunState.RUNNING)
RESUMABLE = (RunState.FAILED, RunState.CANCELLED)


class DatasetRun(models.Model):
    """One run over the installation's workspace; the row is the queue of record. Figures only, never text."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    state = models.CharField(max_length=9, choices=RunState.choices, default=RunState.QUEUED)
    steps = models.JSONField()  # names of datasets_app.phase1.plan.STEPS, in their order
    seed = models.PositiveBigIntegerField(null=True)  # none: the plan's own, written here once it is read
    scale = models.PositiveSmallIntegerField(default=1)  # above 1 the synthesis is scaled up: a rehearsal
    target = models.CharField(max_length=500, blank=True)  # where it publishes, written by the worker
    step_states = models.JSONField(default=list)  # datasets_app.phase1.state.StepState, in the steps' order
    report = models.JSONField(null=True)  # datasets_app.phase1.report.Report, as it was when the run ended
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
        constraints = [
            models.CheckConstraint(condition=Q(state__in=RunState.values), name="datasetrun_state_is_known"),
            models.UniqueConstraint(
                Value(1), condition=Q(state__in=["queued", "running"]), name="datasetrun_one_active"
            ),
            models.CheckConstraint(
                condition=~Q(state="failed") | ~Q(problem=""), name="datasetrun_failure_says_why"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["queued", "running"], finished_at__isnull=True)
                | (~Q(state__in=["queued", "running"]) & Q(finished_at__isnull=False)),
                name="datasetrun_ends_with_a_time",
            ),
            models.CheckConstraint(condition=Q(scale__gte=1), name="datasetrun_scale_is_positive"),
            models.CheckConstraint(condition=~Q(steps=[]), name="datasetrun_has_steps"),
        ]
        indexes = [models.Index(fields=["state", "created_at"], name="datasetrun_queue")]

    def __str__(self) -> str:
        return f"run of phase 1 ({self.get_state_display().lower()})"

    @property
    def is_active(self) -> bool:
        return self.state in ACTIVE

    @property
    def is_resumable(self) -> bool:
        return self.state in RESUMABLE

    @property
    def steps_in_words(self) -> str:
        return "All steps" if self.steps == list(STEPS) else ", ".join(map(step_title, self.steps))

    @property
    def is_rehearsal(self) -> bool:
        return self.scale > 1
