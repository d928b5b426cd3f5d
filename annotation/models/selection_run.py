"""Runs that select a campaign's samples in a worker: what was asked for, how far, and how it ended."""

from django.db import models
from django.db.models import Q

from annotation.models.campaign import Campaign
from datasets_app.models import WorkerRun


class SelectionStep(models.TextChoices):
    """What a run does one after the other; the first three are what ``select_samples`` tells of."""

    READ = "read", "Reading the dataset"
    JUDGE = "judge", "Judging rarity and difficulty"
    COVER = "cover", "Picking what covers the strata"
    TAKE_IN = "take_in", "Taking the picks in"


class SelectionRun(WorkerRun):
    """One run for one campaign. Figures only, never text."""

    kind = "selection_run"

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="selection_runs")
    count = models.PositiveIntegerField()
    seed = models.PositiveBigIntegerField()
    step = models.CharField(max_length=7, choices=SelectionStep.choices, blank=True)
    done = models.PositiveIntegerField(default=0)  # of the step
    total = models.PositiveIntegerField(default=0)

    class Meta(WorkerRun.Meta):
        constraints = [
            *WorkerRun.Meta.constraints,
            models.CheckConstraint(
                condition=Q(step__in=["", *SelectionStep.values]), name="selectionrun_step_is_known"
            ),
            models.UniqueConstraint(
                fields=["campaign"],
                condition=Q(state__in=["queued", "running"]),
                name="selectionrun_one_active",
            ),
            models.CheckConstraint(condition=Q(count__gte=1), name="selectionrun_count_is_positive"),
        ]

    def __str__(self) -> str:
        return f"selection run ({self.get_state_display().lower()})"

    @property
    def step_number(self) -> int:
        return SelectionStep.values.index(self.step) + 1

    @property
    def percent(self) -> int | None:
        """How far the step is; nothing where it tells of its beginning alone."""
        return min(100, 100 * self.done // self.total) if self.done and self.total else None
