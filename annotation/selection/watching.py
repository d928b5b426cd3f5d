"""What a selection tells its row while it goes on, and what the row tells the selection."""

import logging
import time

from django.db import Error, connection
from django.db.models import QuerySet
from django.db.models.functions import Now

from annotation.models import SelectionRun
from datasets_app.models import RunState
from datasets_app.runs.workspace import hold_workspace

logger = logging.getLogger(__name__)

TELL_EVERY_SECONDS = 1.0


class SelectionStoppedError(Exception):
    """The run is to stop: somebody cancelled it, or it is not in this worker's hands any more."""


class RowTeller:
    """Writes how far the run is into its row, one UPDATE a second at most, and looks there for a cancel.

    As with a run of phase 1, a database that does not answer stops nothing: it is told when it can be again.
    """

    def __init__(self, run: SelectionRun) -> None:
        self._run = run
        self._step = ""
        self._due = 0.0
        self._is_holding = True

    def tell(self, step: str, done: int, total: int) -> None:
        """Tell how far the step is, at once where it is a new one. Raises SelectionStoppedError."""
        now = time.monotonic()
        if now < self._due and step == self._step:
            return
        self._step, self._due = step, now + TELL_EVERY_SECONDS
        try:
            must_stop = not self._has_told(step, done, total)
        except Error:
            logger.warning("a selection cannot reach its row", extra={"selection_run": str(self._run.pk)})
            connection.close()
            self._is_holding = False
        else:
            if must_stop:
                raise SelectionStoppedError

    def _has_told(self, step: str, done: int, total: int) -> bool:
        """Write it with a heartbeat; False where the row is cancelled or in another's hands."""
        if not self._is_holding:
            self._is_holding = hold_workspace()
        row = still_ours(self._run)
        return row.update(step=step, done=done, total=total, heartbeat_at=Now()) == 1


def still_ours(run: SelectionRun) -> QuerySet[SelectionRun]:
    """Return the run's row, while this worker has it in hand and nobody has cancelled it."""
    return SelectionRun.objects.filter(
        pk=run.pk, state=RunState.RUNNING, attempts=run.attempts, cancel_asked_at__isnull=True
    )
