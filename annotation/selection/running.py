"""Carry out a selection in a worker: pick from the installation's dataset, then take the picks in, once."""

import logging
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Coalesce, Now

from annotation.intake.selection import (
    DatasetChangedError,
    RehearsalDatasetError,
    refuse_rehearsal,
    take_in_selection,
)
from annotation.models import SelectionRun, SelectionStep
from annotation.selection.services import SelectionRefusedError, refuse_campaign
from annotation.selection.watching import RowTeller, SelectionStoppedError, still_ours
from datasets_app.models import RunState
from datasets_app.runs.workspace import workspace_held
from datasets_app.selection.pool import DamagedDatasetError
from datasets_app.selection.selecting import GatesFailedError, select_samples
from datasets_app.storage import StorageError
from datasets_app.verify import NotADatasetError, read_dataset
from datasets_app.withdrawal import SourceWithdrawnError

logger = logging.getLogger(__name__)

DATASET = "dataset"  # the folder of the workspace that phase 1 compiles into
PROBLEM_CHARACTERS = 1000
REFUSALS = (
    *(SelectionRefusedError, GatesFailedError, DamagedDatasetError, RehearsalDatasetError),
    *(StorageError, DatasetChangedError, SourceWithdrawnError),
)


def carry_out(run_id: UUID) -> None:
    """Carry a waiting run to its end; do nothing when it is not waiting or the workspace is taken.

    Nothing else may be in the workspace meanwhile: a run of phase 1 would write the dataset anew.
    """
    with workspace_held() as is_ours:
        if not is_ours:
            return
        begun = SelectionRun.objects.filter(pk=run_id, state=RunState.QUEUED).update(
            state=RunState.RUNNING,
            started_at=Coalesce("started_at", Now()),
            heartbeat_at=Now(),
            step="",
            done=0,
            total=0,
        )
        if begun:
            _carry_out(SelectionRun.objects.select_related("campaign", "started_by").get(pk=run_id))


def _carry_out(run: SelectionRun) -> None:
    """Select and take in, and write down how it ended."""
    try:
        _select(run)
    except SelectionStoppedError:
        _end(run, RunState.CANCELLED, is_asked_for=True)
    except REFUSALS as error:
        _end(run, RunState.FAILED, str(error))
    except Exception as error:
        # Its message may quote a conversation: only its kind goes into the page, its places into the log.
        logger.exception("a selection stopped", extra={"selection_run": str(run.pk)})
        problem = (
            f"Prometheus stopped with {type(error).__name__}, and nothing was taken in. Run it again, and if "
            f"it stops again give an engineer the number of this run, {run.pk}."
        )
        _end(run, RunState.FAILED, problem)


def _select(run: SelectionRun) -> None:
    """Make the picks the campaign's samples and the run done, both or neither."""
    refuse_campaign(run.campaign)
    teller, address = RowTeller(run), str(settings.PHASE1_WORKSPACE / DATASET)
    _refuse_dataset(address)
    selected = select_samples(address, run.count, run.seed, teller.tell)
    teller.tell(SelectionStep.TAKE_IN, 0, selected.report.found)
    with transaction.atomic():
        take_in_selection(selected=selected, campaign_slug=run.campaign.slug, made_by=run.started_by)
        if not still_ours(run).update(state=RunState.DONE, finished_at=Now()):
            raise SelectionStoppedError  # cancelled while it took in: the picks go with the transaction
    logger.info("a selection has ended", extra={"selection_run": str(run.pk), "state": RunState.DONE})


def _refuse_dataset(address: str) -> None:
    """Raise SelectionRefusedError or RehearsalDatasetError where phase 1 has left nothing to label here."""
    try:
        manifest = read_dataset(address)
    except NotADatasetError as error:
        raise SelectionRefusedError(
            f"This installation has no verified dataset. {error} Let phase 1 run here (Data, Phase 1) until "
            "its gates hold, then run the selection again."
        ) from error
    refuse_rehearsal(manifest, address)


def _end(run: SelectionRun, state: RunState, problem: str = "", *, is_asked_for: bool = False) -> None:
    """Close the row unless it left this worker's hands meanwhile; a stop that nobody asked for is a loss."""
    row = SelectionRun.objects.filter(pk=run.pk, state=RunState.RUNNING, attempts=run.attempts)
    if is_asked_for:
        row = row.filter(cancel_asked_at__isnull=False)
    row.update(state=state, problem=problem[:PROBLEM_CHARACTERS], finished_at=Now())
    logger.info("a selection has ended", extra={"selection_run": str(run.pk), "state": state})
