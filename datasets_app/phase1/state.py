"""How far each step of a run is, kept in the workspace."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec

from datasets_app.compile.store import read_json
from datasets_app.generators.writing import writing

StepName = str
STEPS: tuple[str, ...] = (
    "edge_cases",
    "nightmare_seeds",
    "nightmares",
    "long_sessions",
    "compile",
    "verify",
    "publish",
    "describe",
)
MET, NOT_MET = "met", "not met"  # of a gate
STATE_FILE = "phase1.json"
STATE_VERSION = 1


class StepStatus(StrEnum):
    """What became of a step in the run that was last."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    UNCHANGED = "unchanged"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class StepState:
    """One step: how much of it is done, from what and into what, and why it failed.

    Times are aware; outputs are paths relative to the workspace; gates are names with their verdicts.
    """

    name: StepName
    status: StepStatus = StepStatus.WAITING
    started_at: datetime | None = None
    ended_at: datetime | None = None
    done: int = 0
    total: int | None = None
    unit: str = ""
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)
    gates: tuple[tuple[str, str], ...] = ()
    problem: str = ""

    def rate(self, now: datetime) -> float | None:
        """Units per second so far, or None where nothing can be said."""
        if self.started_at is None or not self.done:
            return None
        seconds = ((self.ended_at or now) - self.started_at).total_seconds()
        return self.done / seconds if seconds > 0 else None

    def seconds_left(self, now: datetime) -> float | None:
        """How long the rest takes at this rate, or None where nothing can be said."""
        rate = self.rate(now)
        if self.status is not StepStatus.RUNNING or self.total is None or rate is None:
            return None
        return max(self.total - self.done, 0) / rate


@dataclass(frozen=True, slots=True)
class Kept:
    """What is known of a step that was done: what it was made from, and the SHA-256 of each output."""

    fingerprint: str
    outputs: dict[str, str]
    state: StepState


@dataclass(frozen=True, slots=True)
class Ledger:
    """The file of the workspace: the state of each step, and what is kept of those that were done."""

    states: dict[StepName, StepState]
    kept: dict[StepName, Kept]


def to_builtins(state: StepState) -> dict[str, Any]:
    """The state as JSON can hold it."""
    found: dict[str, Any] = msgspec.to_builtins(state)
    return found


def from_builtins(value: Mapping[str, Any]) -> StepState:
    """The state out of JSON. Raises msgspec.ValidationError."""
    return msgspec.convert(value, StepState)


def read_states(workspace: Path) -> list[StepState]:
    """The state of every step in order; of what is not kept or cannot be read, that it waits."""
    states = read_ledger(workspace).states
    return [states.get(name, StepState(name)) for name in STEPS]


def read_ledger(workspace: Path) -> Ledger:
    """What is kept in the workspace; nothing where there is no file or a broken one."""
    try:
        raw = read_json(workspace / STATE_FILE)
        if raw["version"] != STATE_VERSION:
            return Ledger({}, {})
        return msgspec.convert(raw["ledger"], Ledger)
    except (OSError, ValueError, KeyError, TypeError):
        return Ledger({}, {})


def write_ledger(workspace: Path, ledger: Ledger) -> None:
    """Keep the ledger, whole or not at all."""
    with writing(workspace / STATE_FILE) as write:  # which keeps the order of counts
        write({"version": STATE_VERSION, "ledger": msgspec.to_builtins(ledger)})
