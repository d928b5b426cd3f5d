"""A real Celery worker carries a run out, stops it when asked, and is killed: the dataset is the same."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.utils import timezone
from pytest_django import Settings

from datasets_app.models import DatasetRun, RunState
from datasets_app.phase1.state import STEPS
from datasets_app.runs.lifecycle import HEARTBEAT_STALE_SECONDS
from datasets_app.runs.services import cancel_run, requeue_lost_runs, resume_run
from datasets_app.runs.workspace import is_workspace_free
from prometheus_site.accounts.models import User
from prometheus_site.celery import app
from tests.datasets_app.runs.making import waiting_run
from tests.datasets_app.runs.planning import Installation, installed
from tests.datasets_app.runs.working import wait_until, worker_of

pytestmark = pytest.mark.fault

RECORDS = 12_000


@pytest.fixture
def installation(committed_db: str, tmp_path: Path, settings: Settings) -> Iterator[Installation]:
    app.control.purge()
    yield installed(tmp_path, settings, RECORDS)
    app.control.purge()


def wait_for_state(run: DatasetRun, state: RunState) -> None:
    def has_come() -> bool:
        run.refresh_from_db()
        assert run.state == state or run.is_active, run.problem
        return run.state == state

    wait_until(has_come, state)


def statuses(run: DatasetRun) -> dict[str, str]:
    return {state["name"]: state["status"] for state in run.step_states}


def wait_for_step(run: DatasetRun, name: str) -> None:
    def is_running() -> bool:
        run.refresh_from_db()
        assert run.is_active, run.problem or f"it came to its end, and {name} was not seen running"
        return statuses(run).get(name) == "running"

    wait_until(is_running, name)


def dataset_of(installation: Installation) -> dict[str, Any]:
    """Return what must be the same whatever happened: the build and the hash of each shard."""
    manifest = orjson.loads((installation.published / "manifest.json").read_bytes())
    hashes = [shard["sha256"] for split in manifest["splits"].values() for shard in split["shards"]]
    return {"build": manifest["build_id"], "shards": hashes}


def test_a_worker_cancels_resumes_and_is_killed_to_the_same_dataset(
    committed_db: str, installation: Installation, lead: User
) -> None:
    run = waiting_run(lead)
    with worker_of(committed_db, installation.environment()):
        wait_for_step(run, "compile")
        cancel_run(run=run, user=lead)
        wait_for_state(run, RunState.CANCELLED)
        assert "stopped" in statuses(run).values()
        assert not installation.published.exists()

        resume_run(run=run, user=lead)
        wait_for_step(run, "compile")
    assert DatasetRun.objects.get().state == RunState.RUNNING
    wait_until(is_workspace_free, "the server to notice that the worker is gone")

    assert requeue_lost_runs() == 0, "it has given a sign of life a moment ago"
    DatasetRun.objects.update(heartbeat_at=timezone.now() - timedelta(seconds=HEARTBEAT_STALE_SECONDS + 1))
    assert requeue_lost_runs() == 1
    with worker_of(committed_db, installation.environment()):
        wait_for_state(run, RunState.DONE)
    assert run.attempts == 1
    assert list(statuses(run)) == list(STEPS)
    stopped = dataset_of(installation)

    (installation.workspace).rename(installation.folder / "stopped")
    (installation.published).rename(installation.folder / "published before")
    whole = waiting_run(lead)
    with worker_of(committed_db, installation.environment()):
        wait_for_state(whole, RunState.DONE)
    assert set(statuses(whole).values()) == {"done"}
    assert dataset_of(installation) == stopped
