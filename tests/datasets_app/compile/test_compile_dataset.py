"""One compile from sources to shards: what is kept, where it goes, and that it is the same every time."""

import gzip
import json
import re
from pathlib import Path

import orjson
import pyarrow.parquet as pq
import pytest

from datasets_app.compile import chunks
from datasets_app.compile.errors import CompileError, UnusableError
from datasets_app.compile.runner import runner_for

from .making import compiled, config_of, dialogue, hashes_of, records_in, write_dialogues, write_lines


@pytest.fixture
def talks(tmp_path: Path) -> Path:
    return write_dialogues(tmp_path / "talks.jsonl", [dialogue(number) for number in range(400)])


def test_two_runs_and_other_processes_give_the_same_bytes(
    tmp_path: Path, talks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "CHUNK_BYTES", 100_000)
    first = compiled(tmp_path / "one", [(talks, "priority")])
    again = compiled(tmp_path / "two", [(talks, "priority")])
    with runner_for(2) as runner:
        pooled = compiled(tmp_path / "three", [(talks, "priority")], runner=runner)
    assert first.build_id == again.build_id == pooled.build_id
    assert hashes_of(first) == hashes_of(again) == hashes_of(pooled)
    assert first.provenance.sha256 == pooled.provenance.sha256


def test_the_build_id_hangs_on_content_family_seed_and_parameters_alone(tmp_path: Path, talks: Path) -> None:
    moved = tmp_path / "elsewhere" / "talks.jsonl"
    moved.parent.mkdir()
    moved.write_bytes(talks.read_bytes())
    other = config_of(tmp_path, "near_duplicates: {threshold: 0.8}")
    given = [(talks, "priority")]
    ids = [
        compiled(tmp_path / "a", given).build_id,
        compiled(tmp_path / "b", [(moved, "priority")]).build_id,
        compiled(tmp_path / "c", [(talks, "cptsd")]).build_id,
        compiled(tmp_path / "d", given, seed=2).build_id,
        compiled(tmp_path / "e", given, config=other).build_id,
    ]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 4


def test_every_record_is_counted_once(tmp_path: Path) -> None:
    records: list[dict[str, object]] = [{"id": f"s{at}", "messages": dialogue(at)} for at in range(20)]
    records += [records[3], {"messages": dialogue(99)[:1]}, {"messages": 7}]
    path = write_lines(tmp_path / "talks.jsonl", records)
    path.write_bytes(path.read_bytes() + b'{"messages": [{"role": "us')
    counts = compiled(tmp_path / "out", [(path, "priority")]).counters.sources["talks.jsonl"]
    assert counts.records == 24
    assert counts.rejected == {"one_sided": 1, "wrong_type": 1, "broken_json": 1}
    assert (counts.exact_duplicates, counts.kept) == (1, 20)


def test_parquet_holds_what_json_lines_hold(tmp_path: Path, talks: Path) -> None:
    manifest = compiled(tmp_path / "out", [(talks, "priority")])
    for split in (manifest.splits.train, manifest.splits.val, manifest.splits.test):
        for lines, table in zip(split.shards, split.parquet_shards, strict=True):
            records = [
                orjson.loads(line) for line in (tmp_path / "out" / lines.path).read_bytes().splitlines()
            ]
            rows = pq.read_table(tmp_path / "out" / table.path).to_pylist()
            for row in rows:
                row["metadata"] = {
                    name: value for name, value in row["metadata"].items() if value is not None
                }
            assert rows == records


def test_records_of_a_session_and_of_a_scenario_stay_together(tmp_path: Path) -> None:
    records = [{"session": f"{number % 40}", "messages": dialogue(number)} for number in range(400)]
    scenarios = [
        {"scenario": f"seed {number % 40}", "messages": dialogue(1000 + number)} for number in range(400)
    ]
    prompt = [dialogue(5000 + number)[:1] for number in range(40)]
    prompted = [{"messages": [*prompt[number % 40], *dialogue(2000 + number)[1:]]} for number in range(400)]
    given = [
        (write_lines(tmp_path / f"{name}.jsonl", lines), "priority")
        for name, lines in (("sessions", records), ("scenarios", scenarios), ("prompts", prompted))
    ]
    found = records_in(tmp_path / "out", compiled(tmp_path / "out", given))
    assert len(found) == 1200
    splits_of: dict[tuple[str, str], set[str]] = {}
    for record in found:
        metadata = record["metadata"]
        shared = metadata["scenario"] if "scenario" in metadata else metadata["session"]
        shared = record["messages"][0]["content"] if metadata["source"] == "prompts.jsonl" else shared
        splits_of.setdefault((metadata["source"], shared), set()).add(metadata["split"])
    assert len(splits_of) == 120
    assert all(len(splits) == 1 for splits in splits_of.values())


def test_about_ninety_of_a_hundred_groups_are_for_training(tmp_path: Path) -> None:
    path = write_dialogues(tmp_path / "talks.jsonl", [dialogue(number, 2, 12) for number in range(4000)])
    splits = compiled(tmp_path / "out", [(path, "priority")], has_parquet=False).splits
    counts = [splits.train.conversations, splits.val.conversations, splits.test.conversations]
    assert counts == pytest.approx([3600, 200, 200], abs=60)


def test_what_is_held_out_goes_to_test_with_all_its_session(tmp_path: Path) -> None:
    config = config_of(
        tmp_path,
        "holdouts:\n"
        "  - {family: sarcasm, sources: [whole.jsonl], sessions: [some.jsonl/3], share_of_sessions: 0.2}\n",
    )
    whole = write_dialogues(tmp_path / "whole.jsonl", [dialogue(number) for number in range(20)])
    some = write_lines(
        tmp_path / "some.jsonl",
        [{"session": str(number % 100), "messages": dialogue(100 + number)} for number in range(300)],
    )
    free = write_dialogues(tmp_path / "free.jsonl", [dialogue(1000 + number) for number in range(300)])
    given = [(whole, "sarcasm"), (some, "sarcasm"), (free, "priority")]
    found = records_in(tmp_path / "out", compiled(tmp_path / "out", given, config=config))
    tests = {
        name: [r for r in found if r["metadata"]["source"] == name and r["metadata"]["split"] == "test"]
        for name in ("whole.jsonl", "some.jsonl", "free.jsonl")
    }
    assert len(tests["whole.jsonl"]) == 20
    assert {"some.jsonl/3"} < {record["metadata"]["session"] for record in tests["some.jsonl"]}
    assert 45 <= len(tests["some.jsonl"]) <= 120
    assert len(tests["free.jsonl"]) < 40


def test_protected_prompts_are_found_whole_in_part_and_when_short(tmp_path: Path) -> None:
    gold = [dialogue(900)[:2], [{"role": "user", "content": "One two three four five six seven eight"}]]
    write_lines(tmp_path / "gold.jsonl", [{"messages": messages} for messages in gold])
    config = config_of(tmp_path, "protected: [gold.jsonl]")
    words = gold[0][1]["content"].rstrip(".").split(" ")
    part = " ".join(words[5:18])
    dialogues = [dialogue(number) for number in range(30)]
    dialogues[3][1]["content"] += f" so {part} then"
    dialogues[7][2]["content"] = gold[0][0]["content"].upper()
    dialogues[9][0]["content"] = "ONE two three, four five six seven eight!"
    dialogues[11][0]["content"] = " ".join(words[5:17])  # twelve words are nobody's
    path = write_dialogues(tmp_path / "talks.jsonl", dialogues)
    manifest = compiled(tmp_path / "out", [(path, "priority")], config=config)
    left_out = (tmp_path / "out" / manifest.provenance.uri).read_text()
    assert re.findall(r'"row":(\d+)', left_out) == ["4", "8", "10"]
    assert manifest.counters.total.decontaminated == 3


def test_a_family_is_drawn_to_its_limit_by_the_seed(tmp_path: Path, talks: Path) -> None:
    config = config_of(tmp_path, "families:\n  priority: {target: 100, at_most: 150, phase: x}\n")

    def drawn(name: str, seed: int) -> set[str]:
        manifest = compiled(tmp_path / name, [(talks, "priority")], config=config, seed=seed)
        assert (manifest.counters.total.not_drawn, manifest.source_families["priority"].shortfall) == (250, 0)
        return {record["metadata"]["content_hash"] for record in records_in(tmp_path / name, manifest)}

    assert drawn("a", 1) == drawn("b", 1) != drawn("c", 2)


def test_a_short_family_is_said_to_be_short(tmp_path: Path, talks: Path) -> None:
    families = compiled(tmp_path / "out", [(talks, "sarcasm")]).source_families
    assert (families["sarcasm"].conversations, families["sarcasm"].shortfall) == (400, 600)
    assert (families["priority"].conversations, families["priority"].shortfall) == (0, 8000)


def test_alarms_for_too_much_removed_rejected_and_deidentified(tmp_path: Path) -> None:
    repeated = write_dialogues(tmp_path / "repeated.jsonl", [dialogue(number % 4) for number in range(10)])
    broken = write_lines(
        tmp_path / "broken.jsonl", [{"messages": dialogue(20)}, {"messages": 1}, {"messages": 1}]
    )
    named = [dialogue(30 + number) for number in range(10)]
    for messages in named[:3]:
        messages[0]["content"] += " My name is Anna."
    path = write_dialogues(tmp_path / "named.jsonl", named)
    given = [(repeated, "priority"), (broken, "priority"), (path, "priority")]
    alarms = compiled(tmp_path / "out", given).alarms
    assert [(alarm.split(":")[0], alarm.split(" were ")[1].split(",")[0]) for alarm in alarms] == [
        ("repeated.jsonl", "removed as duplicates or protected prompts"),
        ("broken.jsonl", "rejected"),
        ("named.jsonl", "changed by de-identification"),
    ]


def test_every_reader_can_be_compiled_from(tmp_path: Path) -> None:
    packed = tmp_path / "packed.jsonl.gz"
    packed.write_bytes(gzip.compress(orjson.dumps({"messages": dialogue(1)}) + b"\n"))
    table = tmp_path / "table.csv"
    said = [dialogue(2)[turn]["content"] for turn in range(2)]
    table.write_text(f"q,a\n{said[0]},{said[1]}\n")
    array = tmp_path / "array.json"
    array.write_text(json.dumps([{"messages": dialogue(3)}, {"messages": dialogue(4)}]))
    written = tmp_path / "written.txt"
    spoken = [dialogue(5)[turn]["content"] for turn in range(2)]
    written.write_text(f"Client: {spoken[0]}\nTherapist: {spoken[1]}\n")
    config = config_of(
        tmp_path, "sources: {table.csv: {columns: {prompt: q, response: a}, license: CC0-1.0}}"
    )
    given = [(path, "priority") for path in (packed, table, array, written)]
    found = records_in(tmp_path / "out", compiled(tmp_path / "out", given, config=config))
    assert sorted({record["metadata"]["source"] for record in found}) == [
        "array.json",
        "packed.jsonl.gz",
        "table.csv",
        "written.txt",
    ]
    assert {r["metadata"]["license_tag"] for r in found if r["metadata"]["source"] == "table.csv"} == {
        "CC0-1.0"
    }


def test_a_second_compile_uses_what_the_first_has_made(tmp_path: Path, talks: Path) -> None:
    more = write_dialogues(tmp_path / "more.jsonl", [dialogue(1), dialogue(5000)])
    compiled(tmp_path / "out", [(talks, "priority")])
    store = tmp_path / "out" / ".work" / "chunks"
    before = {path.name: path.stat().st_mtime_ns for path in store.iterdir()}
    manifest = compiled(tmp_path / "out", [(talks, "priority"), (more, "priority")])
    after = {path.name: path.stat().st_mtime_ns for path in store.iterdir()}
    assert before.items() < after.items()
    assert manifest.counters.sources["more.jsonl"].exact_duplicates == 1
    without = compiled(tmp_path / "out", [(talks, "priority")])
    assert {path.name for path in store.iterdir()} == set(before)
    assert without.total_conversations == 400


def test_what_makes_no_sense_is_refused_before_anything_is_read(tmp_path: Path, talks: Path) -> None:
    (tmp_path / "empty").mkdir()
    copy = tmp_path / "empty.d" / "talks.jsonl"
    copy.parent.mkdir()
    copy.write_bytes(talks.read_bytes())
    for given, sentence in [
        ([(talks, "nobody")], "no family"),
        ([(tmp_path / "nothing", "priority")], "no source at"),
        ([(tmp_path / "empty", "priority")], "holds no files"),
        ([(talks, "priority"), (copy, "priority")], "Two sources are called talks.jsonl"),
    ]:
        with pytest.raises(UnusableError, match=sentence):
            compiled(tmp_path / "out", given)
    config = config_of(tmp_path, "sources: {absent.csv: {license: CC0}}")
    with pytest.raises(UnusableError, match=r"were not given: absent\.csv"):
        compiled(tmp_path / "out", [(talks, "priority")], config=config)
    assert not (tmp_path / "out" / "manifest.json").exists()


def test_a_dataset_without_a_single_conversation_is_not_made(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "talks.jsonl", [{"messages": dialogue(1)[:1]}])
    with pytest.raises(CompileError, match="No source has a single"):
        compiled(tmp_path / "out", [(path, "priority")])
    assert not (tmp_path / "out" / "manifest.json").exists()


def test_nobody_else_can_open_what_is_written(tmp_path: Path, talks: Path) -> None:
    out = tmp_path / "new" / "out"
    compiled(out, [(talks, "priority")])
    modes = {path: path.stat().st_mode & 0o777 for path in (out, out / "builds", out / ".work")}
    assert set(modes.values()) == {0o700}
