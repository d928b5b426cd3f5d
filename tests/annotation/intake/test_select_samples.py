"""The command select_samples: files without a database, and a campaign in one transaction."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from annotation.campaigns.services import create_campaign
from annotation.intake.selection import DatasetChangedError, RehearsalDatasetError, take_in_selection
from annotation.intake.services import AlreadySelectedError, MixedSamplesError, take_in_waiting_imports
from annotation.models import Campaign, Sample, SamplePick, SampleSelection
from datasets_app.importing import keeping
from datasets_app.models import Conversation, ImportJob, Source
from datasets_app.selection.policy import UNNAMED
from datasets_app.selection.selecting import Selected, select_samples
from datasets_app.texts import read_turns
from datasets_app.withdrawal import SourceWithdrawnError, withdraw_source
from prometheus_site.accounts.models import User
from tests.datasets_app.selection.making import SAID, verified_dataset

PROJECT = Path(__file__).resolve().parents[3]
SIZES = {"suicidality": 40, "grief_complicated": 40, "": 60}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("dataset")
    verified_dataset(folder, SIZES)
    return str(folder / "dataset")


@pytest.fixture
def campaign(lead: User) -> Campaign:
    return create_campaign(name="Selected", slug="selected", created_by=lead)


@pytest.fixture(scope="module")
def selected(dataset: str) -> Selected:
    return select_samples(dataset, 40, 1)


def run(folder: Path, *order: str) -> subprocess.CompletedProcess[str]:
    """Run the command where any use of a database would fail."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "DATABASE_URL": "postgres://nobody:nothing@127.0.0.1:1/nothing",
    }
    return subprocess.run(
        [sys.executable, str(PROJECT / "manage.py"), "select_samples", *order],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_picks_are_written_without_a_database(dataset: str, tmp_path: Path) -> None:
    done = run(tmp_path, f"{dataset}/manifest.json", "--count", "40", "--seed", "1", "--out", "picks")
    assert (done.returncode, done.stderr) == (0, "")
    assert "40 picks in picks/picks.jsonl" in done.stdout
    assert "short: There is none of 23 categories: homicidal_client, " in done.stdout
    lines = (tmp_path / "picks" / "picks.jsonl").read_text().splitlines()
    assert len({json.loads(line)["group"] for line in lines}) == 40
    assert json.loads((tmp_path / "picks" / "report.json").read_text())["found"] == 40


@pytest.mark.parametrize(
    ("order", "code", "said"),
    [
        (["absent", "--seed", "1", "--out", "x"], 2, "There is no manifest.json at absent"),
        (["DATASET", "--seed", "1", "--out", "x", "--count", "0"], 2, "--count is at least 1"),
        (["DATASET", "--seed", "-1", "--out", "x"], 2, "--seed is from 0"),
        (["DATASET", "--out", "x"], 2, "--seed"),
        (["UNTRIED", "--seed", "1", "--out", "x"], 1, "these gates do not hold: coverage"),
    ],
)
def test_what_cannot_be_done_is_said(
    dataset: str, tmp_path: Path, order: list[str], code: int, said: str
) -> None:
    manifest = json.loads((Path(dataset) / "manifest.json").read_text())
    (tmp_path / "untried").mkdir()
    (tmp_path / "untried" / "manifest.json").write_text(json.dumps({**manifest, "gates": []}))
    names = {"DATASET": dataset, "UNTRIED": "untried"}
    done = run(tmp_path, *(names.get(word, word) for word in order))
    assert done.returncode == code
    assert said in done.stderr
    assert not (tmp_path / "x").exists()


def test_the_command_fills_a_campaign(dataset: str, campaign: Campaign, tmp_path: Path) -> None:
    order: dict[str, Any] = {"count": 40, "seed": 1, "out": tmp_path / "out", "campaign": "selected"}
    call_command("select_samples", dataset, **order)
    assert campaign.samples.count() == 40
    with pytest.raises(CommandError, match="has its selection already"):
        call_command("select_samples", dataset, **order)
    with pytest.raises(CommandError, match="no campaign “nowhere”"):
        call_command("select_samples", dataset, **{**order, "campaign": "nowhere"})
    assert Sample.objects.count() == 40


def test_a_rehearsal_is_picked_from_for_no_campaign(
    dataset: str, campaign: Campaign, selected: Selected, tmp_path: Path
) -> None:
    rehearsed = tmp_path / "dataset"
    shutil.copytree(dataset, rehearsed)
    manifest = json.loads((rehearsed / "manifest.json").read_text())
    manifest["params"]["is_rehearsal"] = True
    (rehearsed / "manifest.json").write_text(json.dumps(manifest))
    order: dict[str, Any] = {"count": 40, "seed": 1, "out": tmp_path / "out"}

    with pytest.raises(CommandError, match="is a rehearsal, with more made-up dialogues") as refused:
        call_command("select_samples", str(rehearsed), **order, campaign="selected")
    assert refused.value.returncode == 2
    assert not (tmp_path / "out").exists()
    with pytest.raises(RehearsalDatasetError):  # also where the picks came about in another way
        take_in_selection(selected=replace(selected, address=str(rehearsed)), campaign_slug="selected")
    assert not SampleSelection.objects.exists()

    call_command("select_samples", str(rehearsed), **order)
    assert (tmp_path / "out" / "picks.jsonl").exists()


def test_who_selects_is_kept_with_the_selection(
    dataset: str, campaign: Campaign, lead: User, tmp_path: Path
) -> None:
    order: dict[str, Any] = {"count": 40, "seed": 1, "out": tmp_path / "out", "campaign": "selected"}
    with pytest.raises(CommandError, match="Nobody has the code C-000000"):
        call_command("select_samples", dataset, **order, by="C-000000")
    assert not (tmp_path / "out").exists()
    call_command("select_samples", dataset, **order, by=lead.code)
    assert campaign.selection.made_by == lead
    assert {job.created_by for job in ImportJob.objects.all()} == {lead}


def test_each_pick_is_a_sample_of_its_own_text_and_weight(selected: Selected, campaign: Campaign) -> None:
    selection = take_in_selection(selected=selected, campaign_slug="selected")
    picks = selection.picks.select_related("sample__conversation__text__data_key")
    assert {pick.sample.number for pick in picks} == set(range(1, 41))
    told = {pick.number: pick for pick in selected.picks}
    for pick in picks:
        sample = pick.sample
        assert pick.content_hash == told[sample.number].content_hash
        assert sample.sampling_weight == pytest.approx(1 / pick.inclusion_probability)
        assert sample.is_estimated_severe == told[sample.number].is_estimated_severe
        assert (sample.has_client_turn, sample.has_assistant_turn) == (True, True)
        client = read_turns(sample.conversation)[0].content
        if pick.category == "suicidality":
            assert client.startswith(SAID["suicidality"])
            assert sample.conversation.topic == "suicidality"
        elif pick.category == UNNAMED:
            assert sample.conversation.topic == ""
    assert sum(pick.sample.sampling_weight for pick in picks) == pytest.approx(selected.report.pool.clusters)


def test_a_campaign_has_one_selection(selected: Selected, campaign: Campaign) -> None:
    take_in_selection(selected=selected, campaign_slug="selected")
    with pytest.raises(AlreadySelectedError):
        take_in_selection(selected=selected, campaign_slug="selected")


def test_a_campaign_holds_a_selection_or_imports_and_never_both(
    selected: Selected, campaign: Campaign, lead: User, tmp_path: Path
) -> None:
    talks = tmp_path / "talks.jsonl"
    talks.write_text('{"messages": [{"role": "user", "content": "I slept badly."}]}\n')
    create_campaign(name="Imported", slug="imported", created_by=lead)
    call_command("import_conversations", str(talks), campaign="imported", license="CC0")
    with pytest.raises(MixedSamplesError, match=r"“imported” has samples of an import.* make another"):
        take_in_selection(selected=selected, campaign_slug="imported")
    take_in_selection(selected=selected, campaign_slug="selected")
    with pytest.raises(CommandError, match=r"“selected” has a selection.* into another campaign"):
        call_command("import_conversations", str(talks), campaign="selected")
    assert (Sample.objects.count(), ImportJob.objects.exclude(format="dataset").count()) == (41, 1)


def test_the_same_text_is_stored_once_for_two_campaigns(
    selected: Selected, campaign: Campaign, lead: User
) -> None:
    create_campaign(name="Second", slug="second", created_by=lead)
    for slug in ("selected", "second"):
        take_in_selection(selected=selected, campaign_slug=slug)
    assert (Sample.objects.count(), Conversation.objects.count()) == (80, 40)


def test_the_sweep_of_imports_leaves_picks_alone(selected: Selected, campaign: Campaign) -> None:
    take_in_selection(selected=selected, campaign_slug="selected")
    assert take_in_waiting_imports() == 0
    assert Sample.objects.count() == 40


def test_it_is_all_or_nothing(
    selected: Selected, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    class DiskFullError(Exception):
        pass

    def fail(*args: object) -> None:
        raise DiskFullError

    monkeypatch.setattr(keeping, "_kept", fail)
    with pytest.raises(DiskFullError):
        take_in_selection(selected=selected, campaign_slug="selected")
    for model in (SampleSelection, Sample, SamplePick, Conversation, Source):
        assert not model.objects.exists()


def test_a_withdrawn_source_is_not_taken_in_again(selected: Selected, campaign: Campaign, lead: User) -> None:
    take_in_selection(selected=selected, campaign_slug="selected")
    withdraw_source(name="professional_therapeutic/talks.jsonl (unknown)", because="asked to")
    create_campaign(name="Second", slug="second", created_by=lead)
    with pytest.raises(SourceWithdrawnError, match="was withdrawn: compile the dataset anew without it"):
        take_in_selection(selected=selected, campaign_slug="second")
    assert Sample.objects.count() == 40


def test_another_build_at_the_address_is_noticed(
    selected: Selected, campaign: Campaign, tmp_path: Path
) -> None:
    verified_dataset(tmp_path, {"": 50})
    moved = Selected(str(tmp_path / "dataset"), selected.picks, selected.report)
    with pytest.raises(DatasetChangedError):
        take_in_selection(selected=moved, campaign_slug="selected")
