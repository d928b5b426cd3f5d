"""Small plans and sources for runs of phase 1, and watchers that look on."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from datasets_app.phase1.plan import Plan, load_plan
from datasets_app.phase1.running import run_phase1
from datasets_app.phase1.state import StepState
from tests.datasets_app.compile.making import dialogue, write_dialogues

SEED = 11  # of this and the next one the few edge cases below meet every gate
LONG_TURNS = 22
SMALL = f"""
seed: {SEED}
region: gb
edge_cases: {{count: 0}}
nightmares: {{seeds: 20}}
sources:
  - pattern: "talks/*.jsonl"
    family: professional_therapeutic
    license: cc-by-4.0
    has_long_sessions: true
  - {{pattern: "more/*.jsonl", family: addiction, license: cc0-1.0}}
target: published
processes: 1
"""
# As few as meet every gate of the edge cases.
EDGE_CASES = (
    "edge_cases: {count: 160, categories: [sexual_trauma_disclosure, stalking_harassment, "
    "substance_abuse_crisis, suicidality, therapist_boundaries, therapy_resistance, trauma_flashback, "
    "severe_dissociation]}"
)


class Watching:
    """Keeps every state it is told, and stops the run when `stop_when` says so of one."""

    def __init__(self, stop_when: Callable[[StepState], bool] = lambda state: False) -> None:
        self.states: list[StepState] = []
        self._stop_when = stop_when

    def changed(self, state: StepState) -> None:
        self.states.append(state)

    def should_stop(self) -> bool:
        return bool(self.states) and self._stop_when(self.states[-1])


def write_sources(folder: Path) -> Path:
    """Short sessions, more long ones than short ones in a file of their own, and those of another family."""
    for name in ("talks", "more"):
        (folder / name).mkdir(parents=True)
    write_dialogues(folder / "talks" / "short.jsonl", [dialogue(number) for number in range(200)])
    long = [dialogue(1000 + number, turns=LONG_TURNS) for number in range(40)]
    write_dialogues(folder / "talks" / "long.jsonl", [*long, *map(dialogue, range(2000, 2020))])
    write_dialogues(folder / "more" / "drink.jsonl", [dialogue(3000 + number) for number in range(60)])
    (folder / "README.md").write_text("What these are.")
    return folder


def write_plan(path: Path, text: str = SMALL, **changes: str) -> Path:
    """A plan whose lines that begin with a key of `changes` are replaced."""
    lines = [
        next((line for key, line in changes.items() if old.startswith(f"{key}:")), old)
        for old in text.splitlines()
    ]
    path.write_text("\n".join(lines))
    return path


def small_plan(folder: Path, *, scale: int = 1, **changes: str) -> Plan:
    """The small plan for the sources in `folder`/sources."""
    return load_plan(write_plan(folder / "plan.yaml", **changes), sources=folder / "sources", scale=scale)


def run(plan: Plan, workspace: Path, only: tuple[str, ...] = ()) -> dict[str, StepState]:
    """Run it, and the state of each step."""
    return {state.name: state for state in run_phase1(plan, workspace, Watching(), only)}


def statuses(states: dict[str, StepState]) -> dict[str, str]:
    """The status of each step."""
    return {name: state.status.value for name, state in states.items()}


def manifest_in(workspace: Path) -> dict[str, Any]:
    """The manifest as JSON."""
    found: dict[str, Any] = orjson.loads((workspace / "dataset" / "manifest.json").read_bytes())
    return found


def hashes_in(workspace: Path) -> tuple[str, list[str]]:
    """What two runs must have in common: the build's id and the hashes of its shards."""
    manifest = manifest_in(workspace)
    splits = manifest["splits"].values()
    shards = [shard["sha256"] for split in splits for shard in (*split["shards"], *split["parquet_shards"])]
    return manifest["build_id"], shards
