"""One run of phase 1: step after step, each skipped where nothing changed, kept after each."""

from collections.abc import Collection
from pathlib import Path
from typing import Protocol

from datasets_app.phase1.plan import Plan
from datasets_app.phase1.state import StepState


class StoppedError(Exception):
    """Somebody asked the run to stop; what is done is kept, and the next run goes on."""


class Watcher(Protocol):
    """Who is told of a run and may stop it."""

    def changed(self, state: StepState) -> None:
        """Called at each change of a step, and at most a few times a second while it runs."""

    def should_stop(self) -> bool:
        """Whether the run is to stop."""


def run_phase1(plan: Plan, workspace: Path, watcher: Watcher, only: Collection[str] = ()) -> list[StepState]:
    """Run the steps in order, or only those named, whose inputs must be there; the states of all steps.

    A step that fails ends the run: its state has the sentence, the later ones wait. Raises StoppedError when
    the watcher said so, and PlanError where the plan cannot be run at all.
    """
    raise NotImplementedError
