"""What leads do with runs that select samples, and how a lost one comes back into the queue."""

from django.db import IntegrityError, transaction

from annotation.intake.services import AlreadySelectedError, MixedSamplesError, refuse_selection
from annotation.models import Campaign, SelectionRun
from annotation.tasks import select_for_campaign
from datasets_app.models import RunState
from datasets_app.runs import lifecycle
from prometheus_site.accounts.models import User
from prometheus_site.audit.models import Action
from prometheus_site.core.nudges import nudge

LOST = (
    f"The worker of this selection was stopped {lifecycle.MAX_ATTEMPTS} times before its end, and nothing "
    "was taken in. See that the worker has memory enough, then run it again."
)


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
    lifecycle.record(run, Action.CREATED, user)
    _nudge_when_committed(run)
    return run


@transaction.atomic
def cancel_selection(*, run: SelectionRun, user: User) -> SelectionRun:
    """End a waiting run; ask a running one to stop before it takes anything in. Asked twice, it holds once.

    Raises SelectionRefusedError when the run has ended.
    """
    held = SelectionRun.objects.select_for_update().get(pk=run.pk)
    if not held.is_active:
        raise SelectionRefusedError("This selection has ended: there is nothing to cancel.")
    lifecycle.cancel(held, user)
    return held


@transaction.atomic
def resume_selection(*, run: SelectionRun, user: User) -> None:
    """Queue a failed or cancelled run again, with its count and seed. Raises SelectionRefusedError."""
    refuse_campaign(run.campaign)
    try:
        is_resumed = lifecycle.queue_again(run, user)
    except IntegrityError as error:  # selectionrun_one_active
        raise _busy() from error
    if not is_resumed:
        raise SelectionRefusedError("Only a selection that failed or was cancelled can run again.")
    _nudge_when_committed(run)


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
    lost = lifecycle.requeue_lost(SelectionRun, LOST)
    waiting = SelectionRun.objects.filter(state=RunState.QUEUED).order_by("created_at")
    for run_id in waiting.values_list("pk", flat=True):
        nudge(select_for_campaign, str(run_id))
    return lost


def _busy() -> SelectionRefusedError:
    return SelectionRefusedError(
        "Samples are being selected for this campaign already: wait for its end, or cancel it."
    )


def _nudge_when_committed(run: SelectionRun) -> None:
    transaction.on_commit(lambda: nudge(select_for_campaign, str(run.pk)))
