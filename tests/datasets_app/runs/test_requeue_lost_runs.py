"""A run whose worker died comes back; one that is only silent does not."""

from datetime import timedelta

import pytest
from django.utils import timezone

from datasets_app.models import DatasetRun, RunState
from datasets_app.runs import lifecycle
from datasets_app.runs.services import requeue_lost_runs
from datasets_app.runs.workspace import WORKSPACE_LOCK
from prometheus_site.accounts.models import User
from tests import servers
from tests.datasets_app.runs.making import run_in, waiting_run

LONG_AGO = timedelta(seconds=lifecycle.HEARTBEAT_STALE_SECONDS + 1)


def silent(user: User) -> DatasetRun:
    return run_in(RunState.RUNNING, user, heartbeat_at=timezone.now() - LONG_AGO)


@pytest.mark.django_db
def test_a_silent_run_without_a_worker_is_requeued(lead: User) -> None:
    run = silent(lead)

    assert requeue_lost_runs() == 1

    run.refresh_from_db()
    assert (run.state, run.attempts) == (RunState.QUEUED, 1)


@pytest.mark.django_db
def test_a_run_that_gave_a_sign_of_life_is_left_alone(lead: User) -> None:
    run_in(RunState.RUNNING, lead)
    assert requeue_lost_runs() == 0


def test_a_silent_worker_that_still_holds_the_workspace_is_not_lost(committed_db: str, lead: User) -> None:
    run = silent(lead)
    with servers.owner_connection(committed_db) as worker:
        worker.execute("SELECT pg_advisory_lock(%s, %s)", WORKSPACE_LOCK)
        assert requeue_lost_runs() == 0
        worker.execute("SELECT pg_advisory_unlock(%s, %s)", WORKSPACE_LOCK)
        assert requeue_lost_runs() == 1
    run.refresh_from_db()
    assert run.state == RunState.QUEUED


@pytest.mark.django_db
def test_the_third_loss_fails_with_a_sentence(lead: User) -> None:
    run = silent(lead)
    states = []
    for _ in range(3):
        DatasetRun.objects.update(state=RunState.RUNNING)
        requeue_lost_runs()
        run.refresh_from_db()
        states.append((run.state, run.attempts))

    assert states == [("queued", 1), ("queued", 2), ("failed", 3)]
    assert "stopped 3 times" in run.problem
    assert run.finished_at is not None


@pytest.mark.django_db
def test_a_lost_run_that_was_to_be_cancelled_is(lead: User) -> None:
    run = silent(lead)
    DatasetRun.objects.update(cancel_asked_at=timezone.now(), cancel_asked_by=lead)

    requeue_lost_runs()

    run.refresh_from_db()
    assert (run.state, run.finished_at is None) == (RunState.CANCELLED, False)


@pytest.mark.django_db
def test_what_waits_is_told_again_and_what_ended_stays(lead: User) -> None:
    ended = run_in(RunState.DONE, lead)
    waiting = waiting_run(lead)

    assert requeue_lost_runs() == 0

    assert set(DatasetRun.objects.values_list("pk", "state")) == {(ended.pk, "done"), (waiting.pk, "queued")}
