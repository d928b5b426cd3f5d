"""Runs in any state, and how a step stands."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from django.urls import reverse
from django.utils import timezone

from datasets_app.models import DatasetRun, RunState
from datasets_app.phase1.report import FamilyLine, Figure, Gate, Removal, Report, SourceLine
from datasets_app.phase1.state import STEPS, StepState, StepStatus, to_builtins
from datasets_app.runs.services import start_run
from prometheus_site.accounts.models import User

BEGAN = datetime(2026, 11, 3, 9, 30, tzinfo=UTC)


def waiting_run(user: User, *steps: str, scale: int = 1) -> DatasetRun:
    return start_run(steps=steps or STEPS, seed=7, scale=scale, user=user)


def run_in(state: RunState, user: User, **changes: Any) -> DatasetRun:
    """Return a run that has come to this state."""
    run = waiting_run(user)
    fields: dict[str, Any] = {"state": state, "started_at": timezone.now(), "heartbeat_at": timezone.now()}
    if state not in (RunState.QUEUED, RunState.RUNNING):
        fields["finished_at"] = timezone.now()
    if state == RunState.FAILED:
        fields["problem"] = "Verify: leakage does not hold."
    DatasetRun.objects.filter(pk=run.pk).update(**(fields | changes))
    run.refresh_from_db()
    return run


def step(name: str, status: StepStatus, *, seconds: int = 10, **facts: Any) -> dict[str, Any]:
    """Return what is kept of a step that began then and has ended, if it has, so many seconds later."""
    has_ended = status in (StepStatus.DONE, StepStatus.FAILED)
    ended_at = BEGAN + timedelta(seconds=seconds) if has_ended else None
    return to_builtins(StepState(name, status, started_at=BEGAN, ended_at=ended_at, **facts))


def report() -> Report:
    """Return a report in which something is short, left out, repeated and alarming."""
    return Report(
        build_id="3f" * 32,
        generated_at="2026-11-03T09:31:00Z",
        is_rehearsal=False,
        conversations=15_210,
        wanted=60_000,
        short=44_790,
        families=(
            FamilyLine("edge_case_synthetic", 10_000, 9_980, 20, True),
            FamilyLine("professional_therapeutic", 5_000, 5_230, 0, False),
            FamilyLine("video_transcripts", 45_000, 0, 45_000, False),
        ),
        lengths=(("2 to 3", 5_000), ("4 to 7", 10_000), ("8 and more", 210)),
        removals=(
            Removal("talks.jsonl", "near_duplicate", 120),
            Removal("talks.jsonl", "not_an_object", 3),
            Removal("edge_cases/edge_cases-01.jsonl", "near_duplicate", 20),
        ),
        sources=(
            SourceLine("talks.jsonl", "professional_therapeutic", "unknown", 5_353, 5_230),
            SourceLine(
                "edge_cases/edge_cases-01.jsonl", "edge_case_synthetic", "synthetic-project", 10_000, 9_980
            ),
        ),
        diversity=(
            Figure("self-BLEU-4", 59.1, 22.4, "at most 60", "met"),
            Figure("distinct-3", 0.11, None, "at least 0.02", "met"),
            Figure("pairs_at_half", 0.061, 0.0, "at most 0.05", "not met"),
        ),
        reference="196 dialogues of esconv.json",
        gates=(
            Gate("coverage", True, ()),
            Gate("leakage", False, ("3 records of talks.jsonl stand in two splits.",)),
        ),
        alarms=("talks.jsonl: 23 % of its records were removed.",),
        published_at="s3://pixel-data/final_dataset",
        changes=("talks.jsonl is new: 5,230 conversations.",),
    )


def furnish_runs(user: User) -> dict[str, str]:
    """Leave a done, a failed and a running run that no worker takes up; return the address of each."""
    done = [step(name, StepStatus.DONE, done=1_200, unit="records", counts={"kept": 1_180}) for name in STEPS]
    failed = step("verify", StepStatus.FAILED, gates=(("coverage", "met"), ("leakage", "not met")))
    going = step("compile", StepStatus.RUNNING, done=30, total=60, unit="chunks", inputs=("talks.jsonl",))
    common: dict[str, Any] = {"steps": list(STEPS), "seed": 20260101, "started_by": user, "started_at": BEGAN}
    ended = common | {"finished_at": timezone.now(), "target": "s3://pixel-data/final_dataset"}
    runs = {
        "done run": DatasetRun(
            state=RunState.DONE, step_states=done, report=msgspec.to_builtins(report()), scale=6, **ended
        ),
        "failed run": DatasetRun(
            state=RunState.FAILED, step_states=[*done[:5], failed], problem="Verify: leakage.", **ended
        ),
        # Its next sign of life is a day away: the sweeper leaves it alone.
        "running run": DatasetRun(
            state=RunState.RUNNING,
            step_states=[*done[:4], going],
            heartbeat_at=timezone.now() + timedelta(days=1),
            **common,
        ),
    }
    DatasetRun.objects.bulk_create(runs.values())
    return {name: reverse("runs:run", args=[run.pk]) for name, run in runs.items()}
