"""What people do with runs of phase 1, and how a lost one comes back into the queue."""

import logging
from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from datasets_app.models import DatasetRun, RunState
from datasets_app.models.run import RESUMABLE
from datasets_app.phase1.state import STEPS
from datasets_app.runs.workspace import is_workspace_free
from datasets_app.tasks import run_dataset
from prometheus_site.audit.models import Action
from prometheus_site.audit.services import record_access

if TYPE_CHECKING:
    from prometheus_site.accounts.models import User

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 3
HEARTBEAT_STALE_SECONDS = 60


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
    record_access(actor=user, action=Action.CREATED, obj_type="dataset_run", obj_id=str(run.pk))
    transaction.on_commit(lambda: _nudge(run.pk))
    return run


@transaction.atomic
def cancel_run(*, run: DatasetRun, user: "User") -> DatasetRun:
    """End a waiting run; ask a running one to stop where nothing is half done. Asked twice, it holds once.

    Raises RunStateError when the run has ended.
    """
    held = DatasetRun.objects.select_for_update().get(pk=run.pk)
    if not held.is_active:
        raise RunStateError("This run has ended: there is nothing to cancel.")
    if held.cancel_asked_at is None:
        held.cancel_asked_at, held.cancel_asked_by = timezone.now(), user
        if held.state == RunState.QUEUED:
            held.state, held.finished_at = RunState.CANCELLED, held.cancel_asked_at
        held.save(update_fields=["state", "finished_at", "cancel_asked_at", "cancel_asked_by"])
        record_access(actor=user, action=Action.CHANGED, obj_type="dataset_run", obj_id=str(run.pk))
    return held


@transaction.atomic
def resume_run(*, run: DatasetRun, user: "User") -> None:
    """Queue a failed or cancelled run again; what it made is kept, and it goes on from there.

    Raises RunStateError, or RunBusyError while another run is active.
    """
    try:
        with transaction.atomic():
            resumed = DatasetRun.objects.filter(pk=run.pk, state__in=RESUMABLE).update(
                state=RunState.QUEUED,
                attempts=0,
                problem="",
                heartbeat_at=None,
                cancel_asked_at=None,
                cancel_asked_by=None,
                finished_at=None,
            )
    except IntegrityError as error:  # datasetrun_one_active
        raise RunBusyError from error
    if not resumed:
        raise RunStateError("Only a run that failed or was cancelled can go on: start a new one.")
    record_access(actor=user, action=Action.CHANGED, obj_type="dataset_run", obj_id=str(run.pk))
    transaction.on_commit(lambda: _nudge(run.pk))


def requeue_lost_runs() -> int:
    """Put a run whose worker died back into the queue and nudge one that waits; return how many were lost.

    For the sweeper. A run that was lost three times fails with a sentence.
    """
    silent_since = timezone.now() - timedelta(seconds=HEARTBEAT_STALE_SECONDS)
    silent = DatasetRun.objects.filter(state=RunState.RUNNING, heartbeat_at__lt=silent_since)
    lost = sum(_requeue_if_lost(run_id) for run_id in silent.values_list("pk", flat=True))
    for run_id in DatasetRun.objects.filter(state=RunState.QUEUED).values_list("pk", flat=True):
        _nudge(run_id)
    return lost


@transaction.atomic
def _requeue_if_lost(run_id: UUID) -> bool:
    """A silent worker that still holds the workspace is busy with something long, and not lost."""
    if not is_workspace_free():
        return False
    run = DatasetRun.objects.select_for_update().filter(pk=run_id, state=RunState.RUNNING).first()
    if run is None:
        return False
    run.attempts += 1
    if run.cancel_asked_at is not None:
        run.state, run.finished_at = RunState.CANCELLED, timezone.now()
    elif run.attempts >= MAX_ATTEMPTS:
        run.state, run.finished_at = RunState.FAILED, timezone.now()
        run.problem = (
            f"The worker of this run was stopped {MAX_ATTEMPTS} times before its end; what it made is kept. "
            "See that the worker has memory and disk enough, then run it again from where it stopped."
        )
    else:
        run.state = RunState.QUEUED
    run.save(update_fields=["state", "attempts", "problem", "finished_at"])
    logger.warning("a run lost its worker", extra={"dataset_run": str(run.pk), "state": run.state})
    return True


def _nudge(run_id: UUID) -> None:
    """Tell the workers; when the broker does not answer, the sweeper tells them later."""
    try:
        run_dataset.apply_async((str(run_id),), retry=False)
    except OperationalError:
        logger.warning("the broker does not answer", extra={"dataset_run": str(run_id)})
