"""The eight gates: all hold for a sound dataset, and each fails for what is planted against it."""

import copy
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import orjson
import pytest

from datasets_app.compile import kernel, probe, shard_check
from datasets_app.compile.contract import Manifest, Record, schema_of
from datasets_app.compile.runner import Inline, runner_for
from datasets_app.verify import NotADatasetError, failed, read_dataset, verify_dataset

from .making import compiled, config_of, dialogue, edited, write_dialogues, write_lines
from .planting import Planted, everywhere, reworded

GATES = ["coverage", "leakage", "distribution", "pii", "provenance", "hash", "split", "statistics"]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset of 600 conversations, some of them held out, that passes."""
    folder = tmp_path_factory.mktemp("sound")
    talks = write_dialogues(folder / "talks.jsonl", [*map(dialogue, range(400)), dialogue(7)])
    held = write_lines(
        folder / "held.jsonl",
        [{"session": str(number % 50), "messages": dialogue(1000 + number)} for number in range(200)],
    )
    config = config_of(folder, "holdouts: [{family: sarcasm, share_of_sessions: 0.2}]")
    compiled(folder / "out", [(talks, "professional_therapeutic"), (held, "sarcasm")], config=config)
    return folder / "out"


@pytest.fixture
def planted(sound: Path, tmp_path: Path) -> Planted:
    return Planted(sound, tmp_path / "planted")


def test_a_sound_dataset_passes_here_and_in_other_processes(planted: Planted) -> None:
    address = str(planted.folder)
    manifest = read_dataset(address)
    with runner_for(2) as runner:
        gates = verify_dataset(address, manifest, runner)
    assert [gate.gate for gate in gates] == GATES
    assert [finding for gate in gates for finding in gate.findings] == []
    planted.save()
    assert planted.failing() == []


def test_a_compiled_dataset_keeps_the_shipped_schemas(planted: Planted) -> None:
    manifests, records = (jsonschema.Draft202012Validator(schema_of(kind)) for kind in (Manifest, Record))
    told = list(everywhere(planted.records))
    assert told
    assert list(manifests.iter_errors(planted.manifest)) == []
    assert [error for record in told for error in records.iter_errors(record)] == []
    assert list(records.iter_errors({key: told[0][key] for key in told[0] if key != "metadata"})) != []


def test_an_empty_required_family_fails_coverage(planted: Planted) -> None:
    for split, records in planted.records.items():
        planted.records[split] = [one for one in records if one["metadata"]["source_family"] == "sarcasm"]
    planted.save()
    assert "coverage" in planted.failing()


def test_a_family_nobody_knows_fails_coverage(planted: Planted) -> None:
    planted.records["train"][0]["metadata"]["source_family"] = "gossip"
    planted.save()
    assert "coverage" in planted.failing()


def _share(name: str) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    def plant(one: dict[str, Any], other: dict[str, Any]) -> None:
        one["metadata"][name] = other["metadata"][name] = one["metadata"].get(name, "seed 1")

    return plant


def _share_the_opening(one: dict[str, Any], other: dict[str, Any]) -> None:
    reworded(other, lambda messages: messages[0].update(one["messages"][0]))


def _share_most_of_the_words(one: dict[str, Any], other: dict[str, Any]) -> None:
    said = [message["content"] for message in one["messages"][1:5]]
    reworded(other, lambda messages: [messages[at + 1].update(content=text) for at, text in enumerate(said)])


def _nearly_repeat(one: dict[str, Any], other: dict[str, Any]) -> None:
    reworded(other, lambda messages: messages.__setitem__(slice(None), edited(one["messages"], 0.04)))


@pytest.mark.parametrize("pair", [("train", "test"), ("train", "val"), ("val", "test")])
@pytest.mark.parametrize(
    "plant",
    [
        _share("group"),
        _share("session"),
        _share("scenario"),
        _share_the_opening,
        _share_most_of_the_words,
        _nearly_repeat,
    ],
    ids=["a cluster", "a session", "a scenario", "an opening prompt", "13-grams", "a near duplicate"],
)
def test_what_two_splits_share_fails_leakage(
    planted: Planted, pair: tuple[str, str], plant: Callable[[dict[str, Any], dict[str, Any]], None]
) -> None:
    one, other = (
        next(r for r in planted.records[split] if r["metadata"]["source_family"] != "sarcasm")
        for split in pair
    )
    plant(one, other)
    planted.save()
    assert planted.failing() == ["leakage"]


def test_records_are_compared_and_numbered_however_few_are_looked_at_at_once(
    planted: Planted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shard_check, "RECORDS_AT_ONCE", 7)
    assert planted.failing() == []
    one, other = planted.records["train"][20], planted.records["test"][-1]
    _nearly_repeat(one, other)
    _share_most_of_the_words(planted.records["train"][100], planted.records["val"][-1])
    planted.records["train"][30]["messages"][0]["content"] += " indeed"
    planted.save()
    address = str(planted.folder)
    gates = {gate.gate: gate.findings for gate in verify_dataset(address, read_dataset(address), Inline())}
    assert [gate for gate, findings in gates.items() if findings] == ["leakage", "hash"]
    assert len([found for found in gates["leakage"] if "half of their 13-grams" in found]) == 2
    assert len([found for found in gates["leakage"] if "near duplicate of a record of test-" in found]) == 1
    assert all("train-00000: record 31 has another" in found for found in gates["hash"])


def test_many_repeats_in_two_splits_are_found_and_few_of_them_compared(
    planted: Planted, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = []
    jaccards = kernel.jaccards

    def counted(shingles: Any, ends: Any, left: Any, right: Any) -> Any:
        compared.append(len(left))
        return jaccards(shingles, ends, left, right)

    monkeypatch.setattr(kernel, "jaccards", counted)
    one = planted.records["train"][0]
    for split, count in (("train", 200), ("test", 100)):
        planted.records[split] += [copy.deepcopy(one) for _ in range(count)]
    planted.save()
    address = str(planted.folder)
    gates = {gate.gate: gate.findings for gate in verify_dataset(address, read_dataset(address), Inline())}
    assert [found for found in gates["leakage"] if "near duplicate of a record of test-" in found]
    assert 0 < compared[0] <= 201 * probe.MATES


@pytest.mark.parametrize("splits", [("val",), ("val", "test"), ("train", "val", "test")])
def test_shards_without_a_single_sound_line_fail_provenance(planted: Planted, splits: tuple[str]) -> None:
    for split in splits:
        path = planted.path(planted.shards(split)[0])
        path.write_bytes(b"{}\n" * len(planted.records[split]))
    failing = planted.failing()
    assert {"provenance", "hash", "statistics"} <= set(failing)


def test_the_name_of_a_shard_leads_nowhere(
    planted: Planted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    before = sorted(tmp_path.rglob("*"))
    for split in ("val", "test"):
        for kind in ("shards", "parquet_shards"):
            planted.shards(split, kind)[0]["shard_id"] = "../../elsewhere"
    planted.save_manifest()
    assert planted.failing() == []
    assert sorted(tmp_path.rglob("*")) == before


def test_other_shares_than_ninety_five_and_five_fail_distribution(planted: Planted) -> None:
    moved = planted.records["train"][:60]
    del planted.records["train"][:60]
    for record in moved:
        record["metadata"]["split"] = "val"
    planted.records["val"] += moved
    planted.save()
    assert "distribution" in planted.failing()


def test_what_is_made_up_and_not_in_train_fails_split(planted: Planted) -> None:
    planted.records["val"][0]["metadata"]["source_family"] = "edge_case_synthetic"
    planted.save()
    assert "split" in planted.failing()


@pytest.mark.parametrize("said", ["Write to a@b.example.", "My name is Anna.", "Ring 555-123-4567."])
def test_what_was_not_scrubbed_fails_pii(planted: Planted, said: str) -> None:
    reworded(planted.records["val"][0], lambda messages: messages[0].update(content=said))
    planted.save()
    assert planted.failing() == ["pii"]


def test_a_record_without_its_provenance_fails_provenance(planted: Planted) -> None:
    planted.records["train"][3]["metadata"]["provenance"]["processing_steps"].remove("deidentify")
    planted.save()
    assert planted.failing() == ["provenance"]


@pytest.mark.parametrize("torn", [b"\xff", b"[" * 100_000, b"{}", b""])
def test_a_line_that_is_no_record_is_named_and_fails_provenance(planted: Planted, torn: bytes) -> None:
    path = planted.path(planted.shards("train")[0])
    lines = path.read_bytes().splitlines()
    path.write_bytes(b"\n".join([*lines[:9], torn, *lines[10:]]) + b"\n")
    address = str(planted.folder)
    gates = {gate.gate: gate for gate in verify_dataset(address, read_dataset(address), Inline())}
    assert not gates["provenance"].holds
    assert "train-00000: line 10 is not a record of the contract" in gates["provenance"].findings[0]


@pytest.mark.parametrize("torn", [b"\xff", b"{", b"[" * 100_000, b"[]", b""])
def test_a_manifest_that_is_none_is_no_dataset(planted: Planted, torn: bytes) -> None:
    (planted.folder / "manifest.json").write_bytes(torn)
    with pytest.raises(NotADatasetError, match="does not keep the contract"):
        read_dataset(str(planted.folder))


def test_a_record_without_a_field_fails_provenance(planted: Planted) -> None:
    del planted.records["train"][3]["metadata"]["provenance"]["original_key"]
    planted.save()
    assert "provenance" in planted.failing()


def test_a_source_that_is_no_input_fails_provenance(planted: Planted) -> None:
    planted.records["train"][3]["metadata"]["source"] = "elsewhere.jsonl"
    planted.save()
    assert planted.failing() == ["provenance"]


def test_a_list_of_what_was_left_out_that_is_missing_or_changed_fails_provenance(planted: Planted) -> None:
    path = planted.folder / planted.manifest["provenance"]["uri"]
    path.write_bytes(path.read_bytes().replace(b"exact", b"other"))
    assert planted.failing() == ["provenance"]
    path.unlink()
    assert planted.failing() == ["provenance"]


@pytest.mark.parametrize("kind", ["shards", "parquet_shards"])
def test_one_changed_byte_fails_hash(planted: Planted, kind: str) -> None:
    path = planted.path(planted.shards("test", kind)[0])
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert "hash" in planted.failing()


def test_a_wrong_content_hash_fails_hash(planted: Planted) -> None:
    planted.records["train"][0]["messages"][0]["content"] += " indeed"
    planted.save()
    assert planted.failing() == ["hash"]


def test_parquet_that_holds_something_else_fails_hash(planted: Planted) -> None:
    val, test = (planted.shards(split, "parquet_shards")[0] for split in ("val", "test"))
    planted.path(val).write_bytes(planted.path(test).read_bytes())
    val.update({name: test[name] for name in ("size_bytes", "sha256")})
    planted.save_manifest()
    assert planted.failing() == ["hash"]


@pytest.mark.parametrize("kind", ["shards", "parquet_shards"])
def test_a_missing_shard_fails_every_gate(planted: Planted, kind: str) -> None:
    planted.path(planted.shards("val", kind)[0]).unlink()
    assert planted.failing() == GATES


def test_a_held_out_record_outside_test_fails_split(planted: Planted) -> None:
    held = next(r for r in planted.records["test"] if r["metadata"]["source_family"] == "sarcasm")
    session = held["metadata"]["session"]
    moved = [r for r in planted.records["test"] if r["metadata"]["session"] == session]
    planted.records["test"] = [r for r in planted.records["test"] if r["metadata"]["session"] != session]
    for record in moved:
        record["metadata"]["split"] = "train"
    planted.records["train"] += moved
    planted.save()
    assert "split" in planted.failing()


def test_a_record_marked_for_another_split_fails_split(planted: Planted) -> None:
    planted.records["train"][0]["metadata"]["split"] = "val"
    planted.save()
    assert planted.failing() == ["split"]


def test_the_holdout_is_checked_by_fields_every_record_must_have(planted: Planted) -> None:
    """A holdout that hung on a field which an earlier stage had dropped used to pass."""
    del planted.records["train"][0]["metadata"]["session"]
    planted.save()
    assert "provenance" in planted.failing()


@pytest.mark.parametrize(
    "tell",
    [
        lambda manifest: manifest.update(total_conversations=1),
        lambda manifest: manifest.update(total_tokens_approx=1),
        lambda manifest: manifest["source_families"]["sarcasm"].update(conversations=1),
        lambda manifest: manifest["source_families"]["priority"].update(shortfall=0),
        lambda manifest: manifest["source_families"].pop("professional_therapeutic"),
        lambda manifest: manifest["source_families"].update(gossip=manifest["source_families"]["cptsd"]),
        lambda manifest: manifest["splits"]["val"].update(conversations=1),
        lambda manifest: manifest["counters"]["sources"]["talks.jsonl"].update(near_duplicates=9),
        lambda manifest: manifest["counters"]["sources"].clear(),
        lambda manifest: manifest["inputs"][0].update(rows=9),
        lambda manifest: manifest["alarms"].append("talks.jsonl: too much; look at it."),
    ],
)
def test_figures_that_do_not_fit_the_records_fail_statistics(
    planted: Planted, tell: Callable[[dict[str, Any]], object]
) -> None:
    tell(planted.manifest)
    planted.save_manifest()
    assert planted.failing() == ["statistics"]


def test_a_repeated_record_fails_statistics(planted: Planted) -> None:
    planted.records["train"].append(planted.records["train"][0])
    planted.save()
    assert "statistics" in planted.failing()


def test_parameters_that_are_missing_fail_every_gate(planted: Planted) -> None:
    del planted.manifest["params"]["holdouts"]
    planted.save_manifest()
    assert planted.failing() == GATES


def test_gates_that_were_not_tried_do_not_hold() -> None:
    assert failed([]) == GATES


def test_findings_hold_no_text(planted: Planted) -> None:
    record = planted.records["train"][0]
    record["messages"][0] = {"role": "SECRETROLE", "content": "My name is Secretname."}
    reworded(
        planted.records["train"][1], lambda messages: messages[0].update(content="My name is Secretname.")
    )
    planted.save()
    address = str(planted.folder)
    gates = verify_dataset(address, read_dataset(address), Inline())
    told = orjson.dumps([gate.findings for gate in gates]).decode()
    assert "pii" in failed(gates)
    assert "secret" not in told.lower()
