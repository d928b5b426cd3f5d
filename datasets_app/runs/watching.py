"""What a run tells its row while it goes on, and what the row tells the run."""

import logging
import time
from typing import Any

from django.db import Error, connection
from django.db.models.functions import Now

from datasets_app.models import DatasetRun, RunState
from datasets_app.phase1.state import StepState, to_builtins
from datasets_app.runs.workspace import hold_workspace

logger = logging.getLogger(__name__)

TELL_EVERY_SECONDS = 1.0


class RowWatcher:
    """Writes the steps' states into the row, one UPDATE a second at most, and looks there for a cancel.

    A database that does not answer stops nothing: the run goes on, and tells when it can again. With a lost
    connection the hold on the workspace is lost too, and taken again; meanwhile the heartbeat keeps the run
    from being taken for lost. A run that is not in this worker's hands any more stops.
    """

    def __init__(self, run: DatasetRun) -> None:
        self._run = run
        self._states: dict[str, dict[str, Any]] = {}
        self._due = 0.0
        self._is_holding = True
        self._must_stop = False

    def changed(self, state: StepState) -> None:
        before = self._states.get(state.name, {})
        self._states[state.name] = to_builtins(state)
        self._tell(is_urgent=before.get("status") != str(state.status))

    def should_stop(self) -> bool:
        self._tell(is_urgent=False)
        return self._must_stop

    def states(self) -> list[dict[str, Any]]:
        """Return what was told of each step, in the order of the steps."""
        return list(self._states.values())

    def _tell(self, *, is_urgent: bool) -> None:
        now = time.monotonic()
        if now < self._due and not is_urgent:
            return
        self._due = now + TELL_EVERY_SECONDS
        try:
            self._must_stop = not self._is_ours() or self._is_cancelled()
        except Error:
            logger.warning("a run cannot reach its row", extra={"dataset_run": str(self._run.pk)})
            connection.close()
            self._is_holding = False

    def _is_ours(self) -> bool:
        """Write the states with a heartbeat; False when the row is not in this worker's hands any more."""
        if not self._is_holding:
            self._is_holding = hold_workspace()
        row = DatasetRun.objects.filter(pk=self._run.pk, state=RunState.RUNNING, attempts=self._run.attempts)
        return row.update(step_states=self.states(), heartbeat_at=Now()) == 1

    def _is_cancelled(self) -> bool:
        return DatasetRun.objects.filter(pk=self._run.pk, cancel_asked_at__isnull=False).exists()
