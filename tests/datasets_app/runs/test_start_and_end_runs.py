"""What people do with runs: start, cancel, resume; one at a time, each written down."""

import logging
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from datasets_app.models import DatasetRun, RunState
from datasets_app.phase1.state import STEPS
from datasets_app.runs.services import (
    RunBusyError,
    RunStateError,
    cancel_run,
    resume_run,
    start_run,
)
from prometheus_site.accounts.models import User
from prometheus_site.audit.models import AccessEvent
from prometheus_site.celery import app
from tests.datasets_app.runs.making import run_in, waiting_run

pytestmark = pytest.mark.django_db


def deeds() -> list[tuple[str, str]]:
    found = AccessEvent.objects.filter(object_type="dataset_run").order_by("pk")
    return list(found.values_list("action", "object_id"))


def test_a_run_waits_with_its_steps_in_their_order(lead: User) -> None:
    run = start_run(steps=["verify", "compile"], seed=None, scale=2, user=lead)

    run.refresh_from_db()
    assert (run.state, run.steps, run.seed) == (RunState.QUEUED, ["compile", "verify"], None)
    assert run.is_rehearsal
    assert run.steps_in_words == "Compile, Verify"
    assert deeds() == [("created", str(run.pk))]


def test_there_is_one_run_at_a_time(lead: User, engineer: User) -> None:
    run = waiting_run(lead)
    with pytest.raises(RunBusyError, match="start this one when it has ended"):
        waiting_run(engineer)
    DatasetRun.objects.update(state=RunState.RUNNING)
    with pytest.raises(RunBusyError):
        waiting_run(engineer)

    DatasetRun.objects.update(state=RunState.DONE, finished_at=timezone.now())
    assert waiting_run(engineer).pk != run.pk


def test_a_waiting_run_is_cancelled_at_once(lead: User, engineer: User) -> None:
    run = waiting_run(lead)

    cancel_run(run=run, user=engineer)

    run.refresh_from_db()
    assert (run.state, run.cancel_asked_by) == (RunState.CANCELLED, engineer)
    assert run.finished_at is not None
    assert deeds() == [("created", str(run.pk)), ("changed", str(run.pk))]


def test_a_running_one_is_asked_to_stop_and_asked_twice_it_holds_once(lead: User, engineer: User) -> None:
    run = run_in(RunState.RUNNING, lead)
    first = cancel_run(run=run, user=engineer).cancel_asked_at

    cancel_run(run=run, user=lead)

    run.refresh_from_db()
    assert (run.state, run.cancel_asked_at, run.cancel_asked_by) == (RunState.RUNNING, first, engineer)
    assert len(deeds()) == 2


@pytest.mark.parametrize("state", [RunState.DONE, RunState.FAILED, RunState.CANCELLED])
def test_what_has_ended_cannot_be_cancelled(state: RunState, lead: User) -> None:
    run = run_in(state, lead)
    with pytest.raises(RunStateError, match="has ended"):
        cancel_run(run=run, user=lead)


@pytest.mark.parametrize("state", [RunState.FAILED, RunState.CANCELLED])
def test_a_run_goes_on_with_what_it_was(state: RunState, lead: User, engineer: User) -> None:
    run = run_in(state, lead, attempts=3, cancel_asked_at=timezone.now(), cancel_asked_by=lead)

    resume_run(run=run, user=engineer)

    run.refresh_from_db()
    assert (run.state, run.attempts, run.problem) == (RunState.QUEUED, 0, "")
    assert (run.cancel_asked_at, run.cancel_asked_by, run.finished_at) == (None, None, None)
    assert (run.steps, run.seed, run.started_by) == (list(STEPS), 7, lead)
    assert deeds()[-1] == ("changed", str(run.pk))


@pytest.mark.parametrize("state", [RunState.QUEUED, RunState.RUNNING, RunState.DONE])
def test_only_what_stopped_goes_on(state: RunState, lead: User) -> None:
    run = run_in(state, lead)
    with pytest.raises(RunStateError, match="start a new one"):
        resume_run(run=run, user=lead)


def test_nothing_goes_on_beside_another(lead: User) -> None:
    stopped = run_in(RunState.FAILED, lead)
    waiting_run(lead)
    with pytest.raises(RunBusyError):
        resume_run(run=stopped, user=lead)
    stopped.refresh_from_db()
    assert stopped.state == RunState.FAILED


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("datasetrun_state_is_known", {"state": "lost", "finished_at": timezone.now()}),
        ("datasetrun_failure_says_why", {"state": "failed", "finished_at": timezone.now()}),
        ("datasetrun_ends_with_a_time", {"state": "done"}),
        ("datasetrun_ends_with_a_time", {"finished_at": timezone.now()}),
        ("datasetrun_scale_is_positive", {"scale": 0}),
        ("datasetrun_has_steps", {"steps": []}),
    ],
)
def test_the_database_keeps_its_promises(rule: str, changes: dict[str, Any], lead: User) -> None:
    waiting_run(lead)
    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        DatasetRun.objects.update(**changes)


def test_a_broker_that_is_down_fails_nothing(
    lead: User,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(app.conf, "broker_url", "redis+socket:///nowhere/redis.sock")
    monkeypatch.setattr(app, "_pool", None)  # the pools remember the broker they were made for
    monkeypatch.setattr(app.amqp, "_producer_pool", None)
    with caplog.at_level(logging.WARNING), django_capture_on_commit_callbacks(execute=True):
        run = waiting_run(lead)

    run.refresh_from_db()
    assert run.state == RunState.QUEUED
    assert [record.message for record in caplog.records] == ["the broker does not answer"]
