"""What every run in the workspace goes through: cancelled, run again, and found again when lost."""

import logging
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from datasets_app.models import RunState, WorkerRun
from datasets_app.models.worker_run import RESUMABLE
from datasets_app.runs.workspace import is_workspace_free
from prometheus_site.audit.models import Action
from prometheus_site.audit.services import record_access

if TYPE_CHECKING:
    from prometheus_site.accounts.models import User

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 3
HEARTBEAT_STALE_SECONDS = 60


def record(run: WorkerRun, action: Action, user: "User") -> None:
    """Put into the audit what somebody did with the run."""
    record_access(actor=user, action=action, obj_type=run.kind, obj_id=str(run.pk))


def cancel(held: WorkerRun, user: "User") -> None:
    """End a waiting run, ask a running one to stop; asked twice, it holds once.

    ``held`` is active, and its row is locked.
    """
    if held.cancel_asked_at is not None:
        return
    held.cancel_asked_at, held.cancel_asked_by = timezone.now(), user
    if held.state == RunState.QUEUED:
        held.state, held.finished_at = RunState.CANCELLED, held.cancel_asked_at
    held.save(update_fields=["state", "finished_at", "cancel_asked_at", "cancel_asked_by"])
    record(held, Action.CHANGED, user)


def queue_again(run: WorkerRun, user: "User") -> bool:
    """Put a failed or cancelled run back into the queue; False where it is neither.

    Raises IntegrityError where another is active; our transaction goes on.
    """
    with transaction.atomic():
        rows = (
            type(run)
            ._default_manager.filter(pk=run.pk, state__in=RESUMABLE)
            .update(
                state=RunState.QUEUED,
                attempts=0,
                problem="",
                heartbeat_at=None,
                cancel_asked_at=None,
                cancel_asked_by=None,
                finished_at=None,
            )
        )
    if rows:
        record(run, Action.CHANGED, user)
    return rows == 1


def requeue_lost(model: type[WorkerRun], problem: str) -> int:
    """Put runs whose worker died back into the queue and return how many were lost; for the sweeper.

    One that was lost MAX_ATTEMPTS times fails with the problem.
    """
    silent_since = timezone.now() - timedelta(seconds=HEARTBEAT_STALE_SECONDS)
    silent = model._default_manager.filter(state=RunState.RUNNING, heartbeat_at__lt=silent_since)
    return sum(_is_requeued(model, run_id, problem) for run_id in silent.values_list("pk", flat=True))


@transaction.atomic
def _is_requeued(model: type[WorkerRun], run_id: UUID, problem: str) -> bool:
    """A silent worker that still holds the workspace is busy with something long, and not lost."""
    if not is_workspace_free():
        return False
    lost = model._default_manager.select_for_update().filter(pk=run_id, state=RunState.RUNNING)
    run = lost.first()
    if run is None:
        return False
    run.attempts += 1
    if run.cancel_asked_at is not None:
        run.state, run.finished_at = RunState.CANCELLED, timezone.now()
    elif run.attempts >= MAX_ATTEMPTS:
        run.state, run.finished_at, run.problem = RunState.FAILED, timezone.now(), problem
    else:
        run.state = RunState.QUEUED
    run.save(update_fields=["state", "attempts", "problem", "finished_at"])
    logger.warning("a run lost its worker", extra={run.kind: str(run.pk), "state": run.state})
    return True
