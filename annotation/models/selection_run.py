"""Runs that select a campaign's samples in a worker: what was asked for, how far, and how it ended."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from annotation.models.campaign import Campaign
from datasets_app.models import RunState
from datasets_app.models.run import ACTIVE, RESUMABLE


class SelectionStep(models.TextChoices):
    """What a run does one after the other; the first three are what ``select_samples`` tells of."""

    READ = "read", "Reading the dataset"
    JUDGE = "judge", "Judging rarity and difficulty"
    COVER = "cover", "Picking what covers the strata"
    TAKE_IN = "take_in", "Taking the picks in"


class SelectionRun(models.Model):
    """One run for one campaign; the row is the queue of record. Figures only, never text."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="selection_runs")
    count = models.PositiveIntegerField()
    seed = models.PositiveBigIntegerField()
    state = models.CharField(max_length=9, choices=RunState.choices, default=RunState.QUEUED)
    step = models.CharField(max_length=7, choices=SelectionStep.choices, blank=True)
    done = models.PositiveIntegerField(default=0)  # of the step
    total = models.PositiveIntegerField(default=0)
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
            models.CheckConstraint(
                condition=Q(state__in=RunState.values), name="selectionrun_state_is_known"
            ),
            models.CheckConstraint(
                condition=Q(step__in=["", *SelectionStep.values]), name="selectionrun_step_is_known"
            ),
            models.UniqueConstraint(
                fields=["campaign"],
                condition=Q(state__in=["queued", "running"]),
                name="selectionrun_one_active",
            ),
            models.CheckConstraint(
                condition=~Q(state="failed") | ~Q(problem=""), name="selectionrun_failure_says_why"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["queued", "running"], finished_at__isnull=True)
                | (~Q(state__in=["queued", "running"]) & Q(finished_at__isnull=False)),
                name="selectionrun_ends_with_a_time",
            ),
            models.CheckConstraint(condition=Q(count__gte=1), name="selectionrun_count_is_positive"),
        ]
        indexes = [models.Index(fields=["state", "created_at"], name="selectionrun_queue")]

    def __str__(self) -> str:
        return f"selection run ({self.get_state_display().lower()})"

    @property
    def is_active(self) -> bool:
        return self.state in ACTIVE

    @property
    def is_resumable(self) -> bool:
        return self.state in RESUMABLE

    @property
    def step_number(self) -> int:
        return SelectionStep.values.index(self.step) + 1

    @property
    def percent(self) -> int | None:
        """How far the step is; nothing where it tells of its beginning alone."""
        return min(100, 100 * self.done // self.total) if self.done and self.total else None
