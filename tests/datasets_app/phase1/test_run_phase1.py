"""A run: every step in order, only what changed again, stops that lose nothing, and what a failure leaves."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from datasets_app.compile.runner import Inline
from datasets_app.phase1 import step as stepping
from datasets_app.phase1.plan import PlanError
from datasets_app.phase1.report import report_of
from datasets_app.phase1.running import StoppedError, run_phase1
from datasets_app.phase1.state import STEPS, StepState, StepStatus, from_builtins, read_states, to_builtins
from datasets_app.phase1.step import Progress, WatchedRunner
from tests.datasets_app.compile.making import dialogue, write_dialogues

from .making import Watching, hashes_in, manifest_in, run, small_plan, statuses, write_sources

DONE, UNCHANGED = StepStatus.DONE, StepStatus.UNCHANGED


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that is done; a test that changes it copies it first."""
    folder = tmp_path_factory.mktemp("phase1")
    write_sources(folder / "sources")
    states = run(small_plan(folder), folder / "workspace")
    assert set(statuses(states).values()) == {DONE}, states
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "copy")
    run(small_plan(tmp_path / "copy"), tmp_path / "copy" / "workspace", ("publish", "describe"))
    return tmp_path / "copy"


def test_all_is_there_and_every_gate_is_met(made: Path) -> None:
    states = read_states(made / "workspace")
    assert tuple(state.name for state in states) == STEPS
    assert {said for state in states for _gate, said in state.gates} == {"met"}
    assert (made / "published" / "manifest.json").read_bytes() == (
        made / "workspace" / "dataset" / "manifest.json"
    ).read_bytes()
    assert all((made / "workspace" / name).is_file() for state in states for name in state.outputs)
    families = manifest_in(made / "workspace")["source_families"]
    assert families["edge_case_generator"]["conversations"] == 20
    assert families["edge_case_resulting_chats"]["conversations"] == 20


def test_long_sessions_change_their_family_once_and_raise_no_alarm(made: Path) -> None:
    manifest = manifest_in(made / "workspace")
    counted = manifest["counters"]["sources"]["talks/long.jsonl"]
    assert (counted["kept"], counted["rejected"]) == (20, {"long_session_elsewhere": 40})
    assert manifest["source_families"]["long_running_therapy"]["conversations"] == 40
    assert manifest["counters"]["total"]["exact_duplicates"] == 0
    assert manifest["alarms"] == []


def test_the_report_says_what_is_short_and_what_was_left_out(made: Path) -> None:
    report = report_of(made / "workspace")
    assert report is not None
    assert (report.wanted, report.is_rehearsal, report.published_at) == (
        60_000,
        False,
        str(made / "published"),
    )
    families = {family.name: family for family in report.families}
    assert (families["addiction"].there, families["addiction"].short) == (60, 1_940)
    assert report.conversations == sum(family.there for family in report.families) == 360
    assert sum(count for _turns, count in report.lengths) == 360
    assert dict(report.lengths)["20 to 39"] >= 40
    assert [(one.source, one.count) for one in report.removals] == [("talks/long.jsonl", 40)]
    assert all(gate.holds for gate in report.gates)
    assert report_of(made) is None


def test_a_second_run_finds_everything_unchanged_and_writes_nothing(folder: Path) -> None:
    workspace = folder / "workspace"
    before = {path: path.stat().st_mtime_ns for path in workspace.rglob("*") if path.is_file()}
    states = run(small_plan(folder), workspace)
    assert set(statuses(states).values()) == {UNCHANGED}
    assert states["compile"].counts["kept"] == 360
    after = {path: path.stat().st_mtime_ns for path in workspace.rglob("*") if path.is_file()}
    assert {path.name for path in after if after[path] != before.get(path)} <= {"phase1.json", ".lock"}


def test_a_damaged_output_is_made_again_as_it_was(folder: Path) -> None:
    workspace = folder / "workspace"
    known = hashes_in(workspace)
    (shard,) = (workspace / "dataset").rglob("train-00000.jsonl")
    shard.write_bytes(shard.read_bytes()[:-100])
    states = run(small_plan(folder), workspace)
    assert statuses(states)["compile"] == DONE
    assert statuses(states)["long_sessions"] == UNCHANGED
    assert hashes_in(workspace) == known


def test_what_was_removed_from_the_target_is_published_again(folder: Path) -> None:
    (shard,) = (folder / "published").rglob("train-00000.parquet")
    shard.unlink()
    states = run(small_plan(folder), folder / "workspace")
    assert (statuses(states)["verify"], statuses(states)["publish"]) == (UNCHANGED, DONE)
    assert shard.is_file()


def test_a_withdrawn_source_is_named_and_only_what_it_touched_is_done_again(folder: Path) -> None:
    workspace = folder / "workspace"
    before = manifest_in(workspace)["build_id"]
    chunks = {path.name for path in (workspace / "dataset" / ".work" / "chunks").iterdir()}
    (folder / "sources" / "more" / "drink.jsonl").unlink()
    states = statuses(run(small_plan(folder), workspace))
    made = {name for name, status in states.items() if status == DONE}
    assert made == {"compile", "verify", "publish", "describe"}
    report = report_of(workspace)
    assert report is not None
    assert report.changes[0] == "Inputs removed: more/drink.jsonl."
    assert "60 records removed: addiction 60." in report.changes
    assert f"builds/{before}" in report.changes[-1]
    assert {path.name for path in (workspace / "dataset" / ".work" / "chunks").iterdir()} < chunks
    assert [path.name for path in (workspace / "dataset" / "builds").iterdir()] == [report.build_id]
    again = run(small_plan(folder), workspace)
    assert set(statuses(again).values()) == {UNCHANGED}


def test_a_new_source_leaves_what_is_made_up_alone(folder: Path) -> None:
    write_dialogues(folder / "sources" / "talks" / "new.jsonl", [dialogue(5000, turns=30), dialogue(5001)])
    states = statuses(run(small_plan(folder), folder / "workspace"))
    assert {name for name, status in states.items() if status == UNCHANGED} == {
        "edge_cases",
        "nightmare_seeds",
        "nightmares",
    }
    assert "Inputs added: talks/new.jsonl." in report_of(folder / "workspace").changes  # type: ignore[union-attr]


@pytest.mark.parametrize("at", [name for name in STEPS if name != "edge_cases"])
def test_stopped_in_any_step_it_goes_on_to_the_same_dataset(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    monkeypatch.setattr(stepping, "SECONDS_BETWEEN_REPORTS", 0)
    shutil.copytree(made / "sources", tmp_path / "sources")
    plan, workspace = small_plan(tmp_path), tmp_path / "workspace"
    watcher = Watching(lambda state: state.name == at and bool(state.inputs or at == "nightmare_seeds"))
    with pytest.raises(StoppedError, match=f"^{at} was stopped"):
        run_phase1(plan, workspace, watcher)
    stopped = {state.name: state.status for state in read_states(workspace)}
    assert stopped[at] == "stopped"
    later = STEPS[STEPS.index(at) + 1 :]
    assert {stopped[name] for name in later} <= {"waiting"}
    states = run(plan, workspace)
    assert {states[name].status for name in STEPS[1 : STEPS.index(at)]} <= {UNCHANGED}
    assert hashes_in(workspace) == hashes_in(made / "workspace")
    assert not list(workspace.rglob("*.part*"))


def test_a_step_that_fails_says_why_and_the_later_ones_wait(tmp_path: Path) -> None:
    write_sources(tmp_path / "sources")
    (tmp_path / "sources" / "more" / "drink.jsonl").write_text("{not json")
    states = run(small_plan(tmp_path), tmp_path / "workspace")
    assert states["compile"].status == StepStatus.FAILED
    assert states["compile"].problem.startswith("more/drink.jsonl")
    assert {states[name].status for name in ("verify", "publish", "describe")} == {StepStatus.WAITING}
    assert not (tmp_path / "published").exists()
    write_dialogues(tmp_path / "sources" / "more" / "drink.jsonl", [dialogue(3000)])
    again = statuses(run(small_plan(tmp_path), tmp_path / "workspace"))
    assert (again["nightmares"], again["describe"]) == (UNCHANGED, DONE)


def test_a_gate_that_does_not_hold_is_named_and_nothing_is_published(tmp_path: Path) -> None:
    write_sources(tmp_path / "sources")
    shutil.rmtree(tmp_path / "sources" / "talks")
    states = run(small_plan(tmp_path), tmp_path / "workspace")
    assert states["compile"].status == StepStatus.FAILED
    assert "coverage (the required family professional_therapeutic is empty)" in states["compile"].problem
    assert ("coverage", "not met") in states["compile"].gates
    assert not (tmp_path / "published").exists()


def test_single_steps_want_the_others_as_this_plan_makes_them(folder: Path) -> None:
    workspace = folder / "workspace"
    assert statuses(run(small_plan(folder), workspace, ("verify",)))["verify"] == UNCHANGED
    rehearsed = run(small_plan(folder, scale=2), workspace, ("compile",))
    assert rehearsed["compile"].status == StepStatus.FAILED
    assert rehearsed["compile"].problem == (
        "edge_cases is not there for this plan and these sources: run that step first."
    ) or rehearsed["compile"].problem.startswith("nightmare_seeds is not there")
    fresh = run(small_plan(folder), folder / "fresh", ("nightmares",))
    assert fresh["nightmares"].problem.startswith("nightmare_seeds is not there for this plan")


def test_two_runs_at_once_and_a_workspace_among_the_sources_are_refused(folder: Path) -> None:
    plan, workspace = small_plan(folder), folder / "workspace"
    refused: list[str] = []

    class Second(Watching):
        def changed(self, state: StepState) -> None:
            if not refused:
                with pytest.raises(PlanError, match="Another run is at work in") as caught:
                    run_phase1(plan, workspace, Watching())
                refused.append(str(caught.value))

    run_phase1(plan, workspace, Second())
    assert refused
    for inside in (folder / "sources" / "out", folder):
        with pytest.raises(PlanError, match="lie in one another"):
            run_phase1(plan, inside, Watching())
    with pytest.raises(PlanError, match="There is no step everything"):
        run_phase1(plan, workspace, Watching(), ["everything"])


def test_protected_prompts_are_taken_out(tmp_path: Path) -> None:
    write_sources(tmp_path / "sources")
    write_dialogues(tmp_path / "gold.jsonl", [dialogue(5)])
    plan = small_plan(tmp_path, processes="processes: 1\ndataset: {protected: [gold.jsonl]}")
    states = run(plan, tmp_path / "workspace")
    assert states["compile"].counts["decontaminated"] == 1
    write_dialogues(tmp_path / "gold.jsonl", [dialogue(5), dialogue(6)])
    again = run(plan, tmp_path / "workspace")
    assert (again["compile"].status, again["compile"].counts["decontaminated"]) == (DONE, 2)


def test_a_state_is_the_same_after_json_and_knows_its_rate() -> None:
    begun = datetime(2026, 1, 1, tzinfo=UTC)
    state = StepState("verify", StepStatus.RUNNING, begun, None, 20, 60, "shards", ("a",), (), {"b": 1})
    assert from_builtins(orjson.loads(orjson.dumps(to_builtins(state)))) == state
    now = begun + timedelta(seconds=10)
    assert (state.rate(now), state.seconds_left(now)) == (2.0, 20.0)
    assert StepState("verify").rate(now) is None
    assert StepState("verify").seconds_left(now) is None


def test_no_more_shards_are_done_than_there_are() -> None:
    """The gates call for more than the opening of shards, which comes afterwards."""
    progress = Progress(StepState("verify"), Watching())
    runner = WatchedRunner(Inline(), progress, 2, "shards")
    done = [progress.state.done for _ in runner.map(abs, [(1,), (2,), (3,)])]
    assert done == [1, 2, 2]


def test_a_broken_ledger_is_no_ledger(folder: Path) -> None:
    workspace = folder / "workspace"
    (workspace / "phase1.json").write_text("{")
    assert {state.status for state in read_states(workspace)} == {StepStatus.WAITING}
    known = hashes_in(workspace)
    run(small_plan(folder), workspace)
    assert hashes_in(workspace) == known
