"""Runs of phase 1, from raw sources to a published dataset: which steps, how far, and how it ended."""

from django.db import models
from django.db.models import Q, Value

from datasets_app.models.worker_run import WorkerRun
from datasets_app.phase1.state import STEPS
from datasets_app.runs.steps import step_title


class DatasetRun(WorkerRun):
    """One run over the installation's workspace. Figures only, never text."""

    kind = "dataset_run"

    steps = models.JSONField()  # names of datasets_app.phase1.plan.STEPS, in their order
    seed = models.PositiveBigIntegerField(null=True)  # none: the plan's own, written here once it is read
    scale = models.PositiveSmallIntegerField(default=1)  # above 1 the synthesis is scaled up: a rehearsal
    target = models.CharField(max_length=500, blank=True)  # where it publishes, written by the worker
    step_states = models.JSONField(default=list)  # datasets_app.phase1.state.StepState, in the steps' order
    report = models.JSONField(null=True)  # datasets_app.phase1.report.Report, as it was when the run ended

    class Meta(WorkerRun.Meta):
        constraints = [
            *WorkerRun.Meta.constraints,
            models.UniqueConstraint(
                Value(1), condition=Q(state__in=["queued", "running"]), name="datasetrun_one_active"
            ),
            models.CheckConstraint(condition=Q(scale__gte=1), name="datasetrun_scale_is_positive"),
            models.CheckConstraint(condition=~Q(steps=[]), name="datasetrun_has_steps"),
        ]

    def __str__(self) -> str:
        return f"run of phase 1 ({self.get_state_display().lower()})"

    @property
    def steps_in_words(self) -> str:
        return "All steps" if self.steps == list(STEPS) else ", ".join(map(step_title, self.steps))

    @property
    def is_rehearsal(self) -> bool:
        return self.scale > 1
