"""A selection as a worker carries it out, from a real dataset to the campaign's samples, and how it ends."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.utils import timezone
from pytest_django import Settings

from annotation.intake.selection import take_in_selection
from annotation.models import Campaign, SampleSelection, SelectionRun
from annotation.selection import running
from annotation.selection.running import carry_out
from annotation.selection.services import resume_selection
from annotation.selection.watching import RowTeller
from datasets_app.models import RunState
from datasets_app.runs.workspace import WORKSPACE_LOCK
from datasets_app.selection.selecting import select_samples
from prometheus_site.accounts.models import User
from tests import servers
from tests.annotation.selection.making import COUNT, SEED, run_in, waiting_run
from tests.annotation.worlds import make_campaign
from tests.datasets_app.selection.making import verified_dataset

SIZES = {"suicidality": 30, "grief_complicated": 30, "": 60}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("workspace")
    verified_dataset(folder, SIZES)
    return folder


@pytest.fixture(autouse=True)
def installation(workspace: Path, settings: Settings) -> None:
    settings.PHASE1_WORKSPACE = workspace


@pytest.fixture
def campaign(lead: User) -> Campaign:
    return make_campaign(lead, [], samples=0)


def ended(run: SelectionRun) -> SelectionRun:
    carry_out(run.pk)
    run.refresh_from_db()
    return run


def ask_to_stop(lead: User) -> None:
    SelectionRun.objects.update(cancel_asked_at=timezone.now(), cancel_asked_by=lead)


@pytest.mark.django_db
def test_the_picks_become_the_campaigns_samples(lead: User, campaign: Campaign, workspace: Path) -> None:
    run = ended(waiting_run(campaign, lead))

    assert (run.state, run.problem, run.finished_at is None) == (RunState.DONE, "", False)
    assert (run.step, run.total) == ("take_in", COUNT)
    selection = SampleSelection.objects.get(campaign=campaign)
    assert (selection.made_by, selection.seed) == (lead, SEED)
    assert selection.dataset == str(workspace / "dataset")
    expected = select_samples(selection.dataset, COUNT, SEED)
    assert set(selection.picks.values_list("sample__number", "content_hash")) == {
        (pick.number, pick.content_hash) for pick in expected.picks
    }
    assert campaign.samples.count() == COUNT


@pytest.mark.django_db
def test_how_far_it_is_is_told(lead: User, campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("annotation.selection.watching.TELL_EVERY_SECONDS", 0.0)
    seen: list[tuple[str, bool]] = []
    tell = RowTeller.tell

    def look(teller: RowTeller, step: str, done: int, total: int) -> None:
        tell(teller, step, done, total)
        row = SelectionRun.objects.get()
        seen.append((row.step, (row.done, row.total) == (done, total)))

    monkeypatch.setattr(RowTeller, "tell", look)
    ended(waiting_run(campaign, lead))

    assert list(dict.fromkeys(step for step, _is_told in seen)) == ["read", "judge", "cover", "take_in"]
    assert all(is_told for _step, is_told in seen)


def installed(folder: Path, settings: Settings, workspace: Path, changes: dict[str, Any]) -> None:
    """Let the settings name a workspace with another manifest, and no shard."""
    manifest = json.loads((workspace / "dataset" / "manifest.json").read_text())
    (folder / "dataset").mkdir()
    (folder / "dataset" / "manifest.json").write_text(json.dumps(manifest | changes))
    settings.PHASE1_WORKSPACE = folder


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"gates": []}, "these gates do not hold: coverage"),
        ({"params": {"is_rehearsal": True}}, "is a rehearsal"),
        ({"splits": 5}, "does not keep the contract"),
        ({}, "train-00000"),
    ],
)
def test_a_dataset_that_may_not_be_picked_from_fails_with_a_sentence(
    changes: dict[str, Any],
    said: str,
    lead: User,
    campaign: Campaign,
    tmp_path: Path,
    settings: Settings,
    workspace: Path,
) -> None:
    installed(tmp_path, settings, workspace, changes)

    run = ended(waiting_run(campaign, lead))

    assert run.state == RunState.FAILED
    assert said in run.problem
    assert "Prometheus stopped" not in run.problem
    assert not campaign.samples.exists()


@pytest.mark.django_db
def test_without_a_dataset_it_says_what_to_do_and_runs_again(
    lead: User, campaign: Campaign, tmp_path: Path, settings: Settings, workspace: Path
) -> None:
    settings.PHASE1_WORKSPACE = tmp_path / "nothing"
    run = ended(waiting_run(campaign, lead))
    assert run.state == RunState.FAILED
    assert "This installation has no verified dataset. There is no manifest.json at" in run.problem
    assert "Let phase 1 run here" in run.problem

    settings.PHASE1_WORKSPACE = workspace
    resume_selection(run=run, user=lead)
    assert ended(run).state == RunState.DONE


@pytest.mark.django_db
def test_what_nobody_foresaw_is_named_by_its_kind_alone(
    lead: User, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fall(**_arguments: object) -> None:
        raise ZeroDivisionError("she said the kettle was warm")

    monkeypatch.setattr(running, "take_in_selection", fall)

    run = ended(waiting_run(campaign, lead))

    assert run.state == RunState.FAILED
    assert "ZeroDivisionError" in run.problem
    assert str(run.pk) in run.problem
    assert "kettle" not in run.problem


@pytest.mark.django_db
@pytest.mark.parametrize("at", ["read", "judge", "cover", "take_in"])
def test_a_cancel_stops_it_at_any_step_and_it_runs_again(
    at: str, lead: User, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell = RowTeller.tell

    def cancel_at(teller: RowTeller, step: str, done: int, total: int) -> None:
        if step == at:
            ask_to_stop(lead)
        tell(teller, step, done, total)

    monkeypatch.setattr(RowTeller, "tell", cancel_at)
    run = ended(waiting_run(campaign, lead))
    assert (run.state, campaign.samples.count()) == (RunState.CANCELLED, 0)
    monkeypatch.undo()

    resume_selection(run=run, user=lead)
    assert (ended(run).state, campaign.samples.count()) == (RunState.DONE, COUNT)


def test_a_cancel_while_the_picks_are_taken_in_leaves_none(
    committed_db: str, lead: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = make_campaign(lead, [], samples=0)

    def cancelled_meanwhile(**given: Any) -> SampleSelection:
        made = take_in_selection(**given)
        with servers.owner_connection(committed_db) as another:
            another.execute("UPDATE annotation_selectionrun SET cancel_asked_at = now()")
        return made

    monkeypatch.setattr(running, "take_in_selection", cancelled_meanwhile)
    run = ended(waiting_run(campaign, lead))

    assert run.state == RunState.CANCELLED
    assert not campaign.samples.exists()
    assert not SampleSelection.objects.exists()


@pytest.mark.django_db
def test_a_run_that_was_given_to_another_worker_takes_nothing_in(
    lead: User, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell = RowTeller.tell

    def take_away(teller: RowTeller, step: str, done: int, total: int) -> None:
        if step == "take_in":
            SelectionRun.objects.update(attempts=1)
        tell(teller, step, done, total)

    monkeypatch.setattr(RowTeller, "tell", take_away)
    run = ended(waiting_run(campaign, lead))

    assert (run.state, run.attempts, run.finished_at) == (RunState.RUNNING, 1, None)
    assert not campaign.samples.exists()


@pytest.mark.django_db
def test_a_selection_or_samples_that_came_meanwhile_are_never_added_to(
    lead: User, campaign: Campaign, workspace: Path
) -> None:
    run = waiting_run(campaign, lead)
    selected = select_samples(str(workspace / "dataset"), 10, 2)
    take_in_selection(selected=selected, campaign_slug=campaign.slug)

    ended(run)

    assert run.state == RunState.FAILED
    assert "has its selection already" in run.problem
    assert campaign.samples.count() == 10


@pytest.mark.django_db
def test_only_a_waiting_run_is_carried_out(lead: User) -> None:
    for state in (RunState.DONE, RunState.CANCELLED, RunState.RUNNING):
        campaign = make_campaign(lead, [], samples=0, slug=state)
        assert ended(run_in(state, campaign, lead)).state == state
        assert not campaign.samples.exists()


def test_it_waits_while_phase_1_is_in_the_workspace(committed_db: str, lead: User) -> None:
    run = waiting_run(make_campaign(lead, [], samples=0), lead)
    with servers.owner_connection(committed_db) as phase1:
        phase1.execute("SELECT pg_advisory_lock(%s, %s)", WORKSPACE_LOCK)
        assert ended(run).state == RunState.QUEUED
        phase1.execute("SELECT pg_advisory_unlock(%s, %s)", WORKSPACE_LOCK)
    assert ended(run).state == RunState.DONE


@pytest.mark.django_db
def test_a_database_that_is_away_for_a_while_stops_nothing(
    lead: User, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("annotation.selection.watching.TELL_EVERY_SECONDS", 0.0)
    monkeypatch.setattr(connection, "close", lambda: None)  # the test's own transaction
    failures = iter([False, True, True, *[False] * 10_000])
    has_told = RowTeller._has_told

    def fails_twice(teller: RowTeller, step: str, done: int, total: int) -> bool:
        if next(failures):
            raise OperationalError("the connection was lost")
        return has_told(teller, step, done, total)

    monkeypatch.setattr(RowTeller, "_has_told", fails_twice)
    assert ended(waiting_run(campaign, lead)).state == RunState.DONE
