"""Only verified datasets are picked from, nothing for test is among the picks, and what is short is said."""

import hashlib
from pathlib import Path

import msgspec
import orjson
import pytest

from datasets_app.compile.contract import Manifest
from datasets_app.compile.store import write_json
from datasets_app.selection.outcome import PICKS, REPORT, write_selection
from datasets_app.selection.pool import DamagedDatasetError
from datasets_app.selection.selecting import GatesFailedError, select_samples
from tests.datasets_app.compile.making import WORDS, records_in
from tests.datasets_app.selection.making import SAID, verified_dataset

SIZES = {"suicidality": 60, "grief_complicated": 60, "": 180}
HOLDOUT = "holdouts: [{family: professional_therapeutic, share_of_sessions: 0.3}]"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("selection")


@pytest.fixture(scope="module")
def manifest(folder: Path) -> Manifest:
    return verified_dataset(folder, SIZES, HOLDOUT)


@pytest.fixture
def address(folder: Path, manifest: Manifest) -> str:
    return str(folder / "dataset")


def damaged(manifest: Manifest, folder: Path, **changes: object) -> str:
    """The address of a dataset with another manifest."""
    write_json(folder / "manifest.json", msgspec.to_builtins(msgspec.structs.replace(manifest, **changes)))
    return str(folder)


def test_nothing_that_is_held_out_is_ever_picked(address: str, folder: Path, manifest: Manifest) -> None:
    everything = records_in(folder / "dataset", manifest)
    for_test = {
        record["metadata"]["content_hash"] for record in everything if record["metadata"]["split"] == "test"
    }
    assert len(for_test) > 60
    selected = select_samples(address, 5_000, 1)
    picked = {pick.content_hash for pick in selected.picks}
    assert not picked & for_test
    assert len(picked) == selected.report.pool.clusters == len(everything) - len(for_test)
    assert selected.report.pool.for_test == len(for_test)


def test_it_tells_how_far_it_is(address: str, manifest: Manifest) -> None:
    told: list[tuple[str, int, int]] = []
    select_samples(address, 50, 1, lambda *far: told.append(far))

    conversations = manifest.splits.train.conversations + manifest.splits.val.conversations
    assert list(dict.fromkeys(step for step, _done, _total in told)) == ["read", "judge", "cover"]
    assert [far for far in told if far[0] == "read"][-1] == ("read", conversations, conversations)
    assert all(done <= total for _step, done, total in told)


def test_a_dataset_whose_gates_do_not_hold_is_refused(tmp_path: Path, manifest: Manifest) -> None:
    gates = [msgspec.structs.replace(gate, holds=gate.gate != "leakage") for gate in manifest.gates]
    with pytest.raises(GatesFailedError, match="do not hold: leakage"):
        select_samples(damaged(manifest, tmp_path, gates=gates), 10, 1)


def test_a_dataset_whose_gates_were_never_tried_is_refused(tmp_path: Path, manifest: Manifest) -> None:
    with pytest.raises(GatesFailedError, match="coverage, leakage"):
        select_samples(damaged(manifest, tmp_path, gates=[]), 10, 1)


def test_a_shard_that_changed_since_it_was_verified_is_refused(tmp_path: Path) -> None:
    made = verified_dataset(tmp_path, {"": 60})
    shard = tmp_path / "dataset" / made.splits.train.shards[0].path
    shard.write_bytes(shard.read_bytes().replace(b"ordinary", b"peculiar"))
    with pytest.raises(DamagedDatasetError, match="the SHA-256 is not the one in the manifest"):
        select_samples(str(tmp_path / "dataset"), 10, 1)


@pytest.mark.parametrize("torn", [b"{}", b"SECRET", b"\xff"])
def test_a_line_that_is_no_record_is_refused_and_not_quoted(tmp_path: Path, torn: bytes) -> None:
    made = verified_dataset(tmp_path, {"": 60})
    [shard] = made.splits.train.shards
    path = tmp_path / "dataset" / shard.path
    lines = path.read_bytes().splitlines()
    path.write_bytes(b"\n".join([*lines[:4], torn, *lines[5:]]))
    train = msgspec.structs.replace(
        made.splits.train,
        shards=[msgspec.structs.replace(shard, sha256=hashlib.sha256(path.read_bytes()).hexdigest())],
    )
    address = damaged(made, tmp_path / "dataset", splits=msgspec.structs.replace(made.splits, train=train))
    with pytest.raises(DamagedDatasetError, match=r"train-00000\.jsonl: line 5 is not a record") as refused:
        select_samples(address, 10, 1)
    assert "SECRET" not in str(refused.value)


def test_what_is_short_is_said(address: str) -> None:
    report = select_samples(address, 5_000, 1).report
    assert report.found < report.wanted
    assert f"5000 picks were wanted, and there are {report.found} clusters." in report.shortfalls
    [absent] = [sentence for sentence in report.shortfalls if sentence.startswith("There is none of 23")]
    assert "homicidal_client" in absent
    assert "suicidality" not in absent
    assert any(sentence.startswith("severe: ") for sentence in report.shortfalls)


def test_the_numbers_of_the_report_are_those_of_the_picks(address: str) -> None:
    selected = select_samples(address, 100, 4)
    report, picks = selected.report, selected.picks
    assert [pick.number for pick in picks] == list(range(1, 101))
    assert sum(report.reasons.values()) == report.found == sum(one.found for one in report.strata) == 100
    assert report.at_random.picks == report.reasons["random"] == 10
    assert report.at_random.rest == report.pool.clusters - 90
    assert report.severe.found == sum(pick.is_estimated_severe for pick in picks)
    assert {one.name: one.found for one in report.categories}["suicidality"] == sum(
        pick.category == "suicidality" for pick in picks
    )
    for scores in report.scores:
        assert sum(scores.frame) == report.pool.clusters
        assert sum(scores.picks) == 100
    weights = [1 / pick.inclusion_probability for pick in picks]
    assert sum(weights) == pytest.approx(report.pool.clusters)


def test_files_hold_no_text_and_are_whole(address: str, tmp_path: Path) -> None:
    selected = select_samples(address, 50, 1)
    out = tmp_path / "new" / "picks"
    write_selection(out, selected.picks, selected.report)
    assert sorted(path.name for path in out.iterdir()) == [PICKS, REPORT]
    written = (out / PICKS).read_text()
    assert len(written.splitlines()) == 50
    first = orjson.loads(written.splitlines()[0])
    assert set(first) >= {"reason", "scores", "inclusion_probability", "seed"}
    for said in SAID.values():
        assert said not in written


def test_of_a_long_session_one_window_is_picked_with_its_share_of_the_chance(tmp_path: Path) -> None:
    talk = [
        {"role": "assistant" if turn % 2 else "user", "content": f"{turn} {WORDS[turn]} {WORDS[-turn]}"}
        for turn in range(36)
    ]
    made = verified_dataset(tmp_path, {"": 120}, also=[{"id": "long", "messages": talk}])
    long = [record for record in records_in(tmp_path / "dataset", made) if len(record["messages"]) == 36]
    assert long[0]["metadata"]["split"] != "test"
    selected = select_samples(str(tmp_path / "dataset"), 5_000, 1)
    picks = [pick for pick in selected.picks if pick.content_hash == long[0]["metadata"]["content_hash"]]
    assert [pick.inclusion_probability for pick in picks] == [pytest.approx(1 / 3)]
    assert picks[0].window_stop - picks[0].window_start == 12
