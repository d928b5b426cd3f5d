"""A run from sources to a published dataset, as a worker carries it out, and every way it ends."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from datasets_app.models import DatasetRun, RunState
from datasets_app.phase1.state import STEPS
from datasets_app.runs.running import carry_out
from datasets_app.runs.services import resume_run
from datasets_app.runs.watching import RowWatcher
from prometheus_site.accounts.models import User
from tests.datasets_app.runs.making import run_in, waiting_run
from tests.datasets_app.runs.planning import Installation, installed

pytestmark = pytest.mark.django_db
SignedIn = Callable[[User], Client]


@pytest.fixture
def installation(tmp_path: Path, settings: Settings) -> Installation:
    return installed(tmp_path, settings)


def ended(run: DatasetRun) -> DatasetRun:
    carry_out(run.pk)
    run.refresh_from_db()
    return run


def statuses(run: DatasetRun) -> dict[str, str]:
    return {state["name"]: state["status"] for state in run.step_states}


def test_all_steps_are_done_and_shown(installation: Installation, lead: User, client_for: SignedIn) -> None:
    run = ended(waiting_run(lead))

    assert (run.state, run.problem) == (RunState.DONE, "")
    assert statuses(run) == dict.fromkeys(STEPS, "done")
    assert (run.seed, run.target) == (7, str(installation.published))
    assert (installation.published / "manifest.json").exists()
    page = client_for(lead).get(reverse("runs:run", args=[run.pk])).content.decode()
    assert "What came out" in page
    assert "Professional therapeutic" in page
    assert "Near duplicate" in page
    assert "talks.jsonl" in page


def test_the_second_time_nothing_has_changed(installation: Installation, lead: User) -> None:
    first = ended(waiting_run(lead))
    second = ended(waiting_run(lead))

    assert set(statuses(second).values()) == {"unchanged"}
    assert second.report == first.report


def test_single_steps_in_runs_of_their_own(installation: Installation, lead: User) -> None:
    for steps in (STEPS[:4], ("compile",), ("verify",), ("publish",)):
        run = ended(waiting_run(lead, *steps))
        assert (run.state, run.report) == (RunState.DONE, None)
        assert statuses(run) == dict.fromkeys(steps, "done")


def test_a_step_whose_inputs_are_not_there_says_what_to_do(installation: Installation, lead: User) -> None:
    run = ended(waiting_run(lead, "verify"))

    assert run.state == RunState.FAILED
    assert run.problem.startswith("Verify: compile is not there")
    assert run.finished_at is not None


def test_a_rehearsal_is_published_beside_the_dataset(
    installation: Installation, lead: User, settings: Settings
) -> None:
    settings.PHASE1_TARGET = f"{installation.published}/"

    run = ended(waiting_run(lead, scale=2))

    assert run.state == RunState.DONE
    assert run.target == str(installation.published / "rehearsal")
    assert run.report is not None
    assert run.report["is_rehearsal"]
    assert not (installation.published / "manifest.json").exists()


def test_a_plan_that_cannot_be_run_fails_with_its_sentence(installation: Installation, lead: User) -> None:
    installation.plan.write_text("sources: 5")
    run = ended(waiting_run(lead))
    assert run.state == RunState.FAILED
    assert "plan.yaml" in run.problem


def test_what_nobody_foresaw_is_named_by_its_kind_alone(
    installation: Installation, lead: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fall(*_arguments: object) -> None:
        raise ZeroDivisionError("she said the kettle was warm")

    monkeypatch.setattr("datasets_app.runs.running.run_phase1", fall)

    run = ended(waiting_run(lead))

    assert run.state == RunState.FAILED
    assert "ZeroDivisionError" in run.problem
    assert str(run.pk) in run.problem
    assert "kettle" not in run.problem


def test_a_cancel_stops_it_and_it_goes_on_from_there(
    installation: Installation, lead: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("datasets_app.runs.watching.TELL_EVERY_SECONDS", 0.0)
    run = waiting_run(lead)
    tell = RowWatcher.changed

    def cancel_at_compile(watcher: RowWatcher, state: object) -> None:
        if getattr(state, "name", "") == "compile":
            DatasetRun.objects.update(cancel_asked_at=timezone.now(), cancel_asked_by=lead)
        tell(watcher, state)  # type: ignore[arg-type]

    monkeypatch.setattr(RowWatcher, "changed", cancel_at_compile)
    assert ended(run).state == RunState.CANCELLED
    assert statuses(run)["compile"] == "stopped"
    assert run.report is None
    monkeypatch.undo()

    resume_run(run=run, user=lead)
    assert ended(run).state == RunState.DONE
    assert statuses(run)["long_sessions"] == "unchanged"
    assert statuses(run)["compile"] == "done"


def test_only_a_waiting_run_is_carried_out(installation: Installation, lead: User) -> None:
    for state in (RunState.DONE, RunState.CANCELLED, RunState.RUNNING):
        run = run_in(state, lead)
        assert ended(run).state == state
    assert not installation.workspace.exists()


def test_a_worker_whose_run_was_given_to_another_stops_and_writes_nothing(
    installation: Installation, lead: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("datasets_app.runs.watching.TELL_EVERY_SECONDS", 0.0)
    run = waiting_run(lead)
    tell = RowWatcher.changed

    def take_away(watcher: RowWatcher, state: object) -> None:
        tell(watcher, state)  # type: ignore[arg-type]
        DatasetRun.objects.update(attempts=1, step_states=[])

    monkeypatch.setattr(RowWatcher, "changed", take_away)
    ended(run)

    assert (run.state, run.attempts, run.step_states) == (RunState.RUNNING, 1, [])


def test_a_database_that_is_away_for_a_while_stops_nothing(
    installation: Installation, lead: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("datasets_app.runs.watching.TELL_EVERY_SECONDS", 0.0)
    monkeypatch.setattr(connection, "close", lambda: None)  # the test's own transaction
    failures = iter([False, True, True, *[False] * 10_000])
    is_cancelled = RowWatcher._is_cancelled

    def fails_twice(watcher: RowWatcher) -> bool:
        if next(failures):
            raise OperationalError("the connection was lost")
        return is_cancelled(watcher)

    monkeypatch.setattr(RowWatcher, "_is_cancelled", fails_twice)
    run = ended(waiting_run(lead))
    assert run.state == RunState.DONE
    assert set(statuses(run).values()) == {"done"}
