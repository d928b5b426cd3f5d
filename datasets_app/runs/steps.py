"""The steps of a run in words: what each does, how far it is, how fast, and how long the rest takes. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Any

from datasets_app.phase1.state import MET, STEPS, StepState, StepStatus, from_builtins

TITLES = {
    "edge_cases": ("Edge cases", "makes dialogues of the 25 categories by grammar"),
    "nightmare_seeds": ("Clinical extremes: seeds", "draws seeds of the twenty extremes"),
    "nightmares": (
        "Clinical extremes: dialogues",
        "tells each seed as a dialogue, through safe-messaging gates",
    ),
    "long_sessions": ("Long sessions", "extracts sessions of 20 and more turns, whole"),
    "compile": ("Compile", "de-identifies, removes duplicates and protected prompts, splits, writes shards"),
    "verify": ("Verify", "opens every shard for the eight gates"),
    "publish": ("Publish", "carries the shards to the target, the manifest last"),
    "describe": ("Describe", "writes the report, the dataset card and Croissant metadata"),
}
ABBREVIATIONS = ("cot", "cptsd", "dpo", "pii")
MINUTE_SECONDS, HOUR_SECONDS = 60, 3600
CHIPS = {
    StepStatus.WAITING: "waiting",
    StepStatus.RUNNING: "running",
    StepStatus.DONE: "done",
    StepStatus.FAILED: "failed",
}


@dataclass(frozen=True)
class StepRow:
    """One step as the page shows it."""

    number: int
    title: str
    deed: str
    state: StepState
    rate: str
    left: str
    took: str

    @property
    def chip(self) -> str:
        """The name of a shared status chip, or the words of a plain one."""
        if self.state.status is StepStatus.UNCHANGED:
            return "Nothing changed"
        return CHIPS.get(self.state.status, "Stopped")

    @property
    def is_running(self) -> bool:
        return self.state.status is StepStatus.RUNNING

    @property
    def percent(self) -> int | None:
        if not self.state.total:
            return None
        return min(100, round(100 * self.state.done / self.state.total))

    @property
    def counts(self) -> list[tuple[str, int]]:
        return [(in_words(name), count) for name, count in self.state.counts.items()]

    @property
    def gates(self) -> list[tuple[str, str, bool]]:
        """Name, verdict, and whether it is a good one."""
        return [(in_words(name), verdict, verdict == MET) for name, verdict in self.state.gates]


def step_rows(names: Sequence[str], kept: Sequence[Mapping[str, Any]], now: datetime) -> list[StepRow]:
    """Return the named steps in their order, with what is kept of each; one without waits."""
    states = {state["name"]: from_builtins(state) for state in kept}
    return [
        _row(number, states.get(name, StepState(name)), now)
        for number, name in enumerate((step for step in STEPS if step in names), start=1)
    ]


def step_title(name: str) -> str:
    """Return the name of a step as people read it."""
    return TITLES[name][0]


def in_words(name: str) -> str:
    """Return a code as words."""
    words = [word.upper() if word in ABBREVIATIONS else word for word in name.split("_")]
    said = " ".join(words)
    return said[:1].upper() + said[1:]


def duration(seconds: float) -> str:
    """Return a length of time in the two units that matter."""
    whole = ceil(seconds)
    if whole < MINUTE_SECONDS:
        return f"{whole} s"
    if whole < HOUR_SECONDS:
        return f"{whole // MINUTE_SECONDS} min {whole % MINUTE_SECONDS} s"
    return f"{whole // HOUR_SECONDS} h {whole % HOUR_SECONDS // MINUTE_SECONDS} min"


def _row(number: int, state: StepState, now: datetime) -> StepRow:
    title, deed = TITLES[state.name]
    is_unchanged = state.status is StepStatus.UNCHANGED  # its times are those of the check
    rate, left = None if is_unchanged else state.rate(now), state.seconds_left(now)
    took = ""
    if state.started_at and state.ended_at:
        took = duration((state.ended_at - state.started_at).total_seconds())
    return StepRow(
        number=number,
        title=title,
        deed=deed,
        state=state,
        rate=f"{rate:,.0f} {state.unit or 'done'} a second" if rate and rate >= 1 else "",
        left=duration(left) if left is not None else "",
        took=took,
    )
