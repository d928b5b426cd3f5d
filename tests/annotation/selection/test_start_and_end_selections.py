"""What leads do with selection runs: start, cancel, run again; one per campaign, each written down."""

import logging
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from annotation.models import Campaign, SampleSelection, SelectionRun
from annotation.selection.services import (
    SelectionRefusedError,
    cancel_selection,
    resume_selection,
    start_selection,
)
from datasets_app.models import RunState
from prometheus_site.accounts.models import User
from prometheus_site.audit.models import AccessEvent
from prometheus_site.celery import app
from tests.annotation.selection.making import COUNT, SEED, run_in, waiting_run
from tests.annotation.worlds import make_campaign

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign(lead: User) -> Campaign:
    return make_campaign(lead, [], samples=0)


def deeds() -> list[tuple[str, str]]:
    found = AccessEvent.objects.filter(object_type="selection_run").order_by("pk")
    return list(found.values_list("action", "object_id"))


def test_a_run_waits_with_what_was_asked_for(lead: User, campaign: Campaign) -> None:
    run = start_selection(campaign=campaign, count=5_000, seed=3, user=lead)

    run.refresh_from_db()
    assert (run.state, run.count, run.seed, run.started_by) == (RunState.QUEUED, 5_000, 3, lead)
    assert deeds() == [("created", str(run.pk))]


def test_a_campaign_has_one_active_run_and_another_campaign_its_own(lead: User, campaign: Campaign) -> None:
    waiting_run(campaign, lead)
    with pytest.raises(SelectionRefusedError, match="selected for this campaign already"):
        waiting_run(campaign, lead)
    SelectionRun.objects.update(state=RunState.RUNNING)
    with pytest.raises(SelectionRefusedError, match="wait for its end"):
        waiting_run(campaign, lead)

    waiting_run(make_campaign(lead, [], samples=0, slug="another"), lead)
    SelectionRun.objects.update(state=RunState.CANCELLED, finished_at=timezone.now())
    waiting_run(campaign, lead)


def test_a_campaign_that_can_take_none_is_refused(lead: User, campaign: Campaign) -> None:
    with_samples = make_campaign(lead, [], samples=1, slug="with-samples")
    simulated = make_campaign(lead, [], samples=0, slug="simulated", is_simulated=True)
    for refused, said in ((with_samples, "samples of an import"), (simulated, "is simulated")):
        with pytest.raises(SelectionRefusedError, match=said):
            waiting_run(refused, lead)

    stopped = run_in(RunState.FAILED, campaign, lead)
    SampleSelection.objects.create(campaign=campaign, dataset="x", build_id="x", seed=1, report={})
    for deed in (lambda: waiting_run(campaign, lead), lambda: resume_selection(run=stopped, user=lead)):
        with pytest.raises(SelectionRefusedError, match="has its selection already"):
            deed()


def test_a_waiting_run_is_cancelled_at_once(lead: User, campaign: Campaign) -> None:
    run = waiting_run(campaign, lead)

    cancel_selection(run=run, user=lead)

    run.refresh_from_db()
    assert (run.state, run.cancel_asked_by, run.finished_at is None) == (RunState.CANCELLED, lead, False)
    assert deeds() == [("created", str(run.pk)), ("changed", str(run.pk))]


def test_a_running_one_is_asked_to_stop_and_asked_twice_it_holds_once(
    lead: User, engineer: User, campaign: Campaign
) -> None:
    run = run_in(RunState.RUNNING, campaign, lead)
    first = cancel_selection(run=run, user=lead).cancel_asked_at

    cancel_selection(run=run, user=engineer)

    run.refresh_from_db()
    assert (run.state, run.cancel_asked_at, run.cancel_asked_by) == (RunState.RUNNING, first, lead)
    assert len(deeds()) == 2


@pytest.mark.parametrize("state", [RunState.DONE, RunState.FAILED, RunState.CANCELLED])
def test_what_has_ended_cannot_be_cancelled(state: RunState, lead: User, campaign: Campaign) -> None:
    run = run_in(state, campaign, lead)
    with pytest.raises(SelectionRefusedError, match="has ended"):
        cancel_selection(run=run, user=lead)


@pytest.mark.parametrize("state", [RunState.FAILED, RunState.CANCELLED])
def test_a_run_begins_again_as_it_was(state: RunState, lead: User, campaign: Campaign) -> None:
    asked = {"attempts": 3, "cancel_asked_at": timezone.now(), "cancel_asked_by": lead}
    run = run_in(state, campaign, lead, **asked)

    resume_selection(run=run, user=lead)

    run.refresh_from_db()
    assert (run.state, run.attempts, run.problem) == (RunState.QUEUED, 0, "")
    assert (run.cancel_asked_at, run.cancel_asked_by, run.finished_at) == (None, None, None)
    assert (run.count, run.seed, run.started_by) == (COUNT, SEED, lead)
    assert deeds()[-1] == ("changed", str(run.pk))


@pytest.mark.parametrize("state", [RunState.QUEUED, RunState.RUNNING, RunState.DONE])
def test_only_what_stopped_runs_again(state: RunState, lead: User, campaign: Campaign) -> None:
    run = run_in(state, campaign, lead)
    with pytest.raises(SelectionRefusedError, match="Only a selection that failed or was cancelled"):
        resume_selection(run=run, user=lead)


def test_nothing_runs_again_beside_another(lead: User, campaign: Campaign) -> None:
    stopped = run_in(RunState.FAILED, campaign, lead)
    waiting_run(campaign, lead)
    with pytest.raises(SelectionRefusedError, match="already"):
        resume_selection(run=stopped, user=lead)
    stopped.refresh_from_db()
    assert stopped.state == RunState.FAILED


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("selectionrun_state_is_known", {"state": "lost", "finished_at": timezone.now()}),
        ("selectionrun_step_is_known", {"step": "rest"}),
        ("selectionrun_failure_says_why", {"state": "failed", "finished_at": timezone.now()}),
        ("selectionrun_ends_with_a_time", {"state": "done"}),
        ("selectionrun_ends_with_a_time", {"finished_at": timezone.now()}),
        ("selectionrun_count_is_positive", {"count": 0}),
    ],
)
def test_the_database_keeps_its_promises(
    rule: str, changes: dict[str, Any], lead: User, campaign: Campaign
) -> None:
    waiting_run(campaign, lead)
    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        SelectionRun.objects.update(**changes)


def test_a_broker_that_is_down_fails_nothing(
    lead: User,
    campaign: Campaign,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(app.conf, "broker_url", "redis+socket:///nowhere/redis.sock")
    monkeypatch.setattr(app, "_pool", None)  # the pools remember the broker they were made for
    monkeypatch.setattr(app.amqp, "_producer_pool", None)
    with caplog.at_level(logging.WARNING), django_capture_on_commit_callbacks(execute=True):
        run = waiting_run(campaign, lead)

    run.refresh_from_db()
    assert run.state == RunState.QUEUED
    assert [record.message for record in caplog.records] == ["the broker does not answer"]
