"""Carry out a run in a worker: one at a time over the installation's workspace, from wherever it stopped."""

import dataclasses
import logging
from typing import Any
from uuid import UUID

import msgspec
from django.conf import settings
from django.db.models.functions import Coalesce, Now

from datasets_app.models import DatasetRun, RunState
from datasets_app.phase1.plan import REHEARSALS, PlanError, load_plan
from datasets_app.phase1.report import report_of
from datasets_app.phase1.running import StoppedError, run_phase1
from datasets_app.phase1.state import MET, STEPS, StepState, StepStatus, to_builtins
from datasets_app.runs.steps import step_title
from datasets_app.runs.watching import RowWatcher
from datasets_app.runs.workspace import workspace_held

logger = logging.getLogger(__name__)

PROBLEM_CHARACTERS = 1000
ENDED = (StepStatus.DONE, StepStatus.UNCHANGED)
WORKER_PROCESSES = 1  # Celery's own processes are daemons, which may have no children


def carry_out(run_id: UUID) -> None:
    """Carry a waiting run to its end; do nothing when it is not waiting or another worker is at one."""
    with workspace_held() as is_ours:
        if not is_ours:
            return
        begun = DatasetRun.objects.filter(pk=run_id, state=RunState.QUEUED).update(
            state=RunState.RUNNING,
            started_at=Coalesce("started_at", Now()),
            heartbeat_at=Now(),
            step_states=[],  # a step that was stopped before waits again
        )
        if begun:
            _carry_out(DatasetRun.objects.get(pk=run_id))


def _carry_out(run: DatasetRun) -> None:
    """Run the steps and write down how it ended."""
    watcher = RowWatcher(run)
    try:
        states = _run_steps(run, watcher)
    except StoppedError:
        _end(run, RunState.CANCELLED, watcher.states(), is_asked_for=True)
    except PlanError as error:
        _end(run, RunState.FAILED, watcher.states(), str(error))
    except Exception as error:
        # Its message may quote a source: only its kind goes into the page, its places into the log.
        logger.exception("a run stopped", extra={"dataset_run": str(run.pk)})
        problem = (
            f"Prometheus stopped with {type(error).__name__}; what was made is kept. Run it again from where "
            f"it stopped, and if it stops again give an engineer the number of this run, {run.pk}."
        )
        _end(run, RunState.FAILED, watcher.states(), problem)
    else:
        asked = [state for state in states if state.name in run.steps]
        problem = _problem_of(asked)
        kept = [to_builtins(state) for state in asked]
        _end(run, RunState.FAILED if problem else RunState.DONE, kept, problem)


def _problem_of(states: list[StepState]) -> str:
    """Say which step did not come to a good end, and why; nothing where all did."""
    for state in states:
        unmet = [name for name, verdict in state.gates if verdict != MET]
        if state.problem:
            return f"{step_title(state.name)}: {state.problem}"
        if unmet:
            return f"{step_title(state.name)}: these gates do not hold: {', '.join(unmet)}."
        if state.status not in ENDED:
            return f"{step_title(state.name)}: it was not done; run it again from where it stopped."
    return ""


def _run_steps(run: DatasetRun, watcher: RowWatcher) -> list[StepState]:
    plan = load_plan(
        settings.PHASE1_PLAN,
        seed=run.seed,
        sources=settings.PHASE1_SOURCES,
        target=_set_target(is_rehearsal=run.is_rehearsal),
        scale=run.scale,
    )
    DatasetRun.objects.filter(pk=run.pk).update(seed=plan.seed, target=plan.target)
    plan = dataclasses.replace(plan, processes=WORKER_PROCESSES)
    is_whole = run.steps == list(STEPS)
    return run_phase1(plan, settings.PHASE1_WORKSPACE, watcher, () if is_whole else run.steps)


def _set_target(*, is_rehearsal: bool) -> str | None:
    """Return the address that the settings name, which no rehearsal takes; None leaves it to the plan."""
    if not settings.PHASE1_TARGET:
        return None
    return f"{settings.PHASE1_TARGET.rstrip('/')}/{REHEARSALS}" if is_rehearsal else settings.PHASE1_TARGET


def _end(
    run: DatasetRun,
    state: RunState,
    steps: list[dict[str, Any]],
    problem: str = "",
    *,
    is_asked_for: bool = False,
) -> None:
    """Close the row unless it left this worker's hands meanwhile; a stop that nobody asked for is a loss."""
    row = DatasetRun.objects.filter(pk=run.pk, state=RunState.RUNNING, attempts=run.attempts)
    if is_asked_for:
        row = row.filter(cancel_asked_at__isnull=False)
    row.update(
        state=state,
        step_states=steps,
        report=_report_after(steps),
        problem=problem[:PROBLEM_CHARACTERS],
        finished_at=Now(),
    )
    logger.info("a run has ended", extra={"dataset_run": str(run.pk), "state": state})


def _report_after(steps: list[dict[str, Any]]) -> Any:
    """Return the dataset's figures where this run has described it; those of an older run are not its own."""
    if not any(step["name"] == "describe" and step["status"] in ENDED for step in steps):
        return None
    return msgspec.to_builtins(report_of(settings.PHASE1_WORKSPACE))
