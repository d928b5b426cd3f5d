"""A rehearsal: the synthesis scaled up, every record and description marked, never in the dataset's place."""

from pathlib import Path

import msgspec
import orjson
import pytest

from datasets_app.compile.contract import Manifest
from datasets_app.phase1.plan import Plan, load_plan
from datasets_app.phase1.report import report_of
from tests.datasets_app.compile.making import records_in

from .making import EDGE_CASES, manifest_in, run, small_plan, statuses, write_plan, write_sources


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rehearsal")
    write_sources(folder / "sources")
    states = run(plan_of(folder), folder / "workspace")
    assert set(statuses(states).values()) == {"done"}, states
    return folder


def plan_of(folder: Path) -> Plan:
    path = write_plan(folder / "plan.yaml", edge_cases=EDGE_CASES, nightmares="nightmares: {seeds: 0}")
    return load_plan(path, sources=folder / "sources", scale=2)


def test_the_synthesis_is_scaled_in_files_of_seeds_of_their_own(rehearsed: Path) -> None:
    files = sorted((rehearsed / "workspace" / "edge_cases").glob("*.jsonl"))
    assert [path.name for path in files] == ["edge_cases-01.jsonl", "edge_cases-02.jsonl"]
    assert [len(path.read_bytes().splitlines()) for path in files] == [160, 160]
    assert files[0].read_bytes() != files[1].read_bytes()
    report = report_of(rehearsed / "workspace")
    assert report is not None
    assert {figure.verdict for figure in report.diversity} == {"met"}
    assert report.reference == "no source fits the pattern of the reference"


def test_everything_says_that_it_is_a_rehearsal(rehearsed: Path) -> None:
    workspace = rehearsed / "workspace"
    manifest = manifest_in(workspace)
    assert manifest["params"]["is_rehearsal"] is True
    dataset = workspace / "dataset"
    records = records_in(dataset, msgspec.convert(manifest, Manifest))
    assert records
    assert all("rehearsal" in record["metadata"]["flags"] for record in records)
    for folder in (workspace, rehearsed / "published" / "rehearsal" / "builds" / manifest["build_id"]):
        card = (folder / "README.md").read_text()
        assert "# Prometheus foundation data, a rehearsal" in card
        assert "- rehearsal" in card
        assert "This is a rehearsal" in (folder / "croissant.json").read_text()
    report = report_of(workspace)
    assert report is not None
    assert report.is_rehearsal
    assert report.conversations < report.wanted


def test_a_rehearsal_does_not_take_the_place_of_the_dataset(tmp_path: Path) -> None:
    write_sources(tmp_path / "sources")
    run(small_plan(tmp_path), tmp_path / "real")
    pointer = (tmp_path / "published" / "manifest.json").read_bytes()
    plan = load_plan(
        tmp_path / "plan.yaml",
        sources=tmp_path / "sources",
        target=str(tmp_path / "published"),
        scale=2,
    )
    states = run(plan, tmp_path / "rehearsal")
    assert states["publish"].status == "failed"
    assert (
        "holds a dataset that is no rehearsal: publish the rehearsal somewhere else"
        in states["publish"].problem
    )
    assert (tmp_path / "published" / "manifest.json").read_bytes() == pointer
    assert orjson.loads(pointer)["params"]["is_rehearsal"] is False
