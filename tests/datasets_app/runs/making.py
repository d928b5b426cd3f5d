"""Runs in any state, and how a step stands."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from datasets_app.models import DatasetRun, RunState
from datasets_app.phase1.plan import STEPS
from datasets_app.phase1.state import StepState, StepStatus, to_builtins
from datasets_app.runs.services import start_run
from prometheus_site.accounts.models import User

BEGAN = datetime(2026, 11, 3, 9, 30, tzinfo=UTC)


def waiting_run(user: User, *steps: str, scale: int = 1) -> DatasetRun:
    return start_run(steps=steps or STEPS, seed=7, scale=scale, user=user)


def run_in(state: RunState, user: User, **changes: Any) -> DatasetRun:
    """Return a run that has come to this state."""
    run = waiting_run(user)
    fields: dict[str, Any] = {"state": state, "started_at": timezone.now(), "heartbeat_at": timezone.now()}
    if state not in (RunState.QUEUED, RunState.RUNNING):
        fields["finished_at"] = timezone.now()
    if state == RunState.FAILED:
        fields["problem"] = "Verify: leakage does not hold."
    DatasetRun.objects.filter(pk=run.pk).update(**(fields | changes))
    run.refresh_from_db()
    return run


def step(name: str, status: StepStatus, *, seconds: int = 10, **facts: Any) -> dict[str, Any]:
    """Return what is kept of a step that began then and has ended, if it has, so many seconds later."""
    has_ended = status in (StepStatus.DONE, StepStatus.FAILED)
    ended_at = BEGAN + timedelta(seconds=seconds) if has_ended else None
    return to_builtins(StepState(name, status, started_at=BEGAN, ended_at=ended_at, **facts))
