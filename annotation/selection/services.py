"""What leads do with runs that select samples, and how a lost one comes back into the queue."""

import logging
from datetime import timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from annotation.intake.services import AlreadySelectedError, MixedSamplesError, refuse_selection
from annotation.models import Campaign, SelectionRun
from annotation.tasks import select_for_campaign
from datasets_app.models import RunState
from datasets_app.models.run import RESUMABLE
from datasets_app.runs.workspace import is_workspace_free
from prometheus_site.accounts.models import User
from prometheus_site.audit.models import Action
from prometheus_site.audit.services import record_access

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 3
HEARTBEAT_STALE_SECONDS = 60
RUN = "selection_run"  # what an access event calls it


class SelectionRefusedError(Exception):
    """The campaign can take no selection, or the run is past the point where this could be done."""


@transaction.atomic
def start_selection(*, campaign: Campaign, count: int, seed: int, user: User) -> SelectionRun:
    """Queue a run that selects so many samples for the campaign. Raises SelectionRefusedError."""
    refuse_campaign(campaign)
    try:
        with transaction.atomic():
            run = SelectionRun.objects.create(campaign=campaign, count=count, seed=seed, started_by=user)
    except IntegrityError as error:  # selectionrun_one_active
        raise _busy() from error
    record_access(actor=user, action=Action.CREATED, obj_type=RUN, obj_id=str(run.pk))
    transaction.on_commit(lambda: _nudge(run.pk))
    return run


@transaction.atomic
def cancel_selection(*, run: SelectionRun, user: User) -> SelectionRun:
    """End a waiting run; ask a running one to stop before it takes anything in. Asked twice, it holds once.

    Raises SelectionRefusedError when the run has ended.
    """
    held = SelectionRun.objects.select_for_update().get(pk=run.pk)
    if not held.is_active:
        raise SelectionRefusedError("This selection has ended: there is nothing to cancel.")
    if held.cancel_asked_at is None:
        held.cancel_asked_at, held.cancel_asked_by = timezone.now(), user
        if held.state == RunState.QUEUED:
            held.state, held.finished_at = RunState.CANCELLED, held.cancel_asked_at
        held.save(update_fields=["state", "finished_at", "cancel_asked_at", "cancel_asked_by"])
        record_access(actor=user, action=Action.CHANGED, obj_type=RUN, obj_id=str(run.pk))
    return held


@transaction.atomic
def resume_selection(*, run: SelectionRun, user: User) -> None:
    """Queue a failed or cancelled run again, with its count and seed. Raises SelectionRefusedError."""
    refuse_campaign(run.campaign)
    try:
        with transaction.atomic():
            resumed = SelectionRun.objects.filter(pk=run.pk, state__in=RESUMABLE).update(
                state=RunState.QUEUED,
                attempts=0,
                problem="",
                heartbeat_at=None,
                cancel_asked_at=None,
                cancel_asked_by=None,
                finished_at=None,
            )
    except IntegrityError as error:  # selectionrun_one_active
        raise _busy() from error
    if not resumed:
        raise SelectionRefusedError("Only a selection that failed or was cancelled can run again.")
    record_access(actor=user, action=Action.CHANGED, obj_type=RUN, obj_id=str(run.pk))
    transaction.on_commit(lambda: _nudge(run.pk))


def refuse_campaign(campaign: Campaign) -> None:
    """Raise SelectionRefusedError where no selection can be taken in."""
    if campaign.is_simulated:
        raise SelectionRefusedError(
            f"The campaign “{campaign.slug}” is simulated, and no selection goes into it: make another "
            "campaign."
        )
    try:
        refuse_selection(campaign.slug)
    except (AlreadySelectedError, MixedSamplesError) as error:
        raise SelectionRefusedError(str(error)) from error


def requeue_lost_selections() -> int:
    """Put a run whose worker died back into the queue and nudge those that wait; return how many were lost.

    For the sweeper. A run that was lost three times fails with a sentence.
    """
    silent_since = timezone.now() - timedelta(seconds=HEARTBEAT_STALE_SECONDS)
    silent = SelectionRun.objects.filter(state=RunState.RUNNING, heartbeat_at__lt=silent_since)
    lost = sum(_is_requeued(run_id) for run_id in silent.values_list("pk", flat=True))
    waiting = SelectionRun.objects.filter(state=RunState.QUEUED).order_by("created_at")
    for run_id in waiting.values_list("pk", flat=True):
        _nudge(run_id)
    return lost


@transaction.atomic
def _is_requeued(run_id: UUID) -> bool:
    """A silent worker that still holds the workspace is busy with something long, and not lost."""
    if not is_workspace_free():
        return False
    run = SelectionRun.objects.select_for_update().filter(pk=run_id, state=RunState.RUNNING).first()
    if run is None:
        return False
    run.attempts += 1
    if run.cancel_asked_at is not None:
        run.state, run.finished_at = RunState.CANCELLED, timezone.now()
    elif run.attempts >= MAX_ATTEMPTS:
        run.state, run.finished_at = RunState.FAILED, timezone.now()
        run.problem = (
            f"The worker of this selection was stopped {MAX_ATTEMPTS} times before its end, and nothing was "
            "taken in. See that the worker has memory enough, then run it again."
        )
    else:
        run.state = RunState.QUEUED
    run.save(update_fields=["state", "attempts", "problem", "finished_at"])
    logger.warning("a selection lost its worker", extra={"selection_run": str(run.pk), "state": run.state})
    return True


def _busy() -> SelectionRefusedError:
    return SelectionRefusedError(
        "Samples are being selected for this campaign already: wait for its end, or cancel it."
    )


def _nudge(run_id: UUID) -> None:
    """Tell the workers; when the broker does not answer, the sweeper tells them later."""
    try:
        select_for_campaign.apply_async((str(run_id),), retry=False)
    except OperationalError:
        logger.warning("the broker does not answer", extra={"selection_run": str(run_id)})
