"""A step as a line: how far, how fast and how long still while it runs, what it came to when it has ended."""

from datetime import UTC, datetime, timedelta

from datasets_app.phase1.in_words import line_of
from datasets_app.phase1.state import StepState, StepStatus

BEGUN = datetime(2026, 1, 1, tzinfo=UTC)
NOW = BEGUN + timedelta(seconds=10)


def test_a_running_step_says_rate_and_what_is_left() -> None:
    state = StepState("edge_cases", StepStatus.RUNNING, BEGUN, done=400, total=10_000, unit="dialogues")
    assert line_of(state, NOW) == "edge_cases      running; 400 of 10,000 dialogues; 40.0/s; 4 min 0 s left"


def test_what_nobody_can_know_is_not_said() -> None:
    assert line_of(StepState("compile", StepStatus.RUNNING, BEGUN, unit="chunks"), NOW) == (
        "compile         running; 0 chunks"
    )
    counted = StepState("compile", StepStatus.RUNNING, BEGUN, done=5, unit="chunks")
    assert line_of(counted, NOW) == "compile         running; 5 chunks; 0.5/s"
    assert line_of(StepState("verify"), NOW) == "verify          waiting"


def test_a_step_that_ended_says_counts_gates_and_its_problem() -> None:
    state = StepState(
        "verify",
        StepStatus.FAILED,
        BEGUN,
        NOW,
        done=5,
        total=5,
        unit="records",
        counts={"records": 5_000},
        gates=(("hash", "met"), ("pii", "not met")),
        problem="These gates do not hold: pii.",
    )
    assert line_of(state, NOW) == (
        "verify          failed; records 5,000; 1 of 2 gates hold; These gates do not hold: pii."
    )
