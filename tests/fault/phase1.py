"""A run of phase 1 in a process that says a line at every change, so that it can be killed at one."""

import sys
from dataclasses import replace
from pathlib import Path

from datasets_app.phase1 import step
from datasets_app.phase1.plan import load_plan
from datasets_app.phase1.running import run_phase1
from datasets_app.phase1.state import StepState


class Telling:
    """Says every state."""

    def changed(self, state: StepState) -> None:
        print(state.name, state.status, state.done, flush=True)

    def should_stop(self) -> bool:
        return False


if __name__ == "__main__":
    folder, workspace = map(Path, sys.argv[1:3])
    step.SECONDS_BETWEEN_REPORTS = 0
    plan = load_plan(
        folder / "plan.yaml",
        sources=folder / "sources",
        target=str(workspace.with_name(f"{workspace.name}-to")),
    )
    states = run_phase1(replace(plan, processes=int(sys.argv[3])), workspace, Telling())
    sys.exit(any(state.status not in ("done", "unchanged") for state in states))
