"""A real Celery worker is killed while it takes the picks in: nothing is half taken in, nothing twice."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from annotation.models import Campaign, SampleSelection, SelectionRun
from annotation.selection.services import requeue_lost_selections
from datasets_app.models import Conversation, RunState
from datasets_app.runs.lifecycle import HEARTBEAT_STALE_SECONDS
from datasets_app.runs.workspace import is_workspace_free
from prometheus_site.accounts.models import User
from prometheus_site.celery import app
from tests.annotation.selection.making import waiting_run
from tests.annotation.worlds import make_campaign
from tests.datasets_app.runs.working import wait_until, worker_of
from tests.datasets_app.selection.making import verified_dataset

pytestmark = pytest.mark.fault

SIZES = {"suicidality": 800, "grief_complicated": 800, "": 1_200}
COUNT = 2_000


@pytest.fixture
def environment(committed_db: str, tmp_path: Path) -> Iterator[dict[str, str]]:
    verified_dataset(tmp_path, SIZES)
    app.control.purge()
    yield {"PHASE1_WORKSPACE": str(tmp_path)}
    app.control.purge()


@pytest.fixture
def campaign(committed_db: str, lead: User) -> Campaign:
    return make_campaign(lead, [], samples=0)


def wait_for(run: SelectionRun, **facts: str) -> None:
    def has_come() -> bool:
        run.refresh_from_db()
        is_there = all(getattr(run, name) == value for name, value in facts.items())
        assert is_there or run.is_active, run.problem or f"it is {run.state} already"
        return is_there

    wait_until(has_come, str(facts))


def test_a_worker_killed_while_it_takes_in_is_replaced(
    committed_db: str, environment: dict[str, str], campaign: Campaign, lead: User
) -> None:
    run = waiting_run(campaign, lead, COUNT)
    with worker_of(committed_db, environment):
        wait_for(run, step="take_in")
    wait_until(is_workspace_free, "the server to notice that the worker is gone")
    run.refresh_from_db()
    assert run.state == RunState.RUNNING
    assert not campaign.samples.exists()
    assert not Conversation.objects.exists()

    assert requeue_lost_selections() == 0, "it has given a sign of life a moment ago"
    SelectionRun.objects.update(heartbeat_at=timezone.now() - timedelta(seconds=HEARTBEAT_STALE_SECONDS + 1))
    assert requeue_lost_selections() == 1
    with worker_of(committed_db, environment):
        wait_for(run, state=RunState.DONE)

    assert run.attempts == 1
    assert SampleSelection.objects.get().campaign == campaign
    assert campaign.samples.count() == Conversation.objects.count() == COUNT
