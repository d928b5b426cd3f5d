"""What people do with runs of phase 1, and how a lost one comes back into the queue."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction

from datasets_app.models import DatasetRun, RunState
from datasets_app.phase1.state import STEPS
from datasets_app.runs import lifecycle
from datasets_app.tasks import run_dataset
from prometheus_site.audit.models import Action
from prometheus_site.core.nudges import nudge

if TYPE_CHECKING:
    from prometheus_site.accounts.models import User

LOST = (
    f"The worker of this run was stopped {lifecycle.MAX_ATTEMPTS} times before its end; what it made is "
    "kept. See that the worker has memory and disk enough, then run it again from where it stopped."
)


class RunBusyError(Exception):
    """Another run is waiting or running."""

    def __init__(self) -> None:
        super().__init__("Another run is waiting or running: start this one when it has ended, or cancel it.")


class RunStateError(Exception):
    """The run is past the point where this could be done."""


@transaction.atomic
def start_run(*, steps: Iterable[str], seed: int | None, scale: int, user: "User") -> DatasetRun:
    """Queue a run of these steps, in their order whatever the order given. Raises RunBusyError."""
    asked = set(steps)
    try:
        with transaction.atomic():
            run = DatasetRun.objects.create(
                steps=[step for step in STEPS if step in asked],
                seed=seed,
                scale=scale,
                started_by=user,
            )
    except IntegrityError as error:  # datasetrun_one_active
        raise RunBusyError from error
    lifecycle.record(run, Action.CREATED, user)
    _nudge_when_committed(run)
    return run


@transaction.atomic
def cancel_run(*, run: DatasetRun, user: "User") -> DatasetRun:
    """End a waiting run; ask a running one to stop where nothing is half done. Asked twice, it holds once.

    Raises RunStateError when the run has ended.
    """
    held = DatasetRun.objects.select_for_update().get(pk=run.pk)
    if not held.is_active:
        raise RunStateError("This run has ended: there is nothing to cancel.")
    lifecycle.cancel(held, user)
    return held


@transaction.atomic
def resume_run(*, run: DatasetRun, user: "User") -> None:
    """Queue a failed or cancelled run again; what it made is kept, and it goes on from there.

    Raises RunStateError, or RunBusyError while another run is active.
    """
    try:
        is_resumed = lifecycle.queue_again(run, user)
    except IntegrityError as error:  # datasetrun_one_active
        raise RunBusyError from error
    if not is_resumed:
        raise RunStateError("Only a run that failed or was cancelled can go on: start a new one.")
    _nudge_when_committed(run)


def requeue_lost_runs() -> int:
    """Put a run whose worker died back into the queue and nudge one that waits; return how many were lost.

    For the sweeper. A run that was lost three times fails with a sentence.
    """
    lost = lifecycle.requeue_lost(DatasetRun, LOST)
    for run_id in DatasetRun.objects.filter(state=RunState.QUEUED).values_list("pk", flat=True):
        nudge(run_dataset, str(run_id))
    return lost


def _nudge_when_committed(run: DatasetRun) -> None:
    transaction.on_commit(lambda: nudge(run_dataset, str(run.pk)))
