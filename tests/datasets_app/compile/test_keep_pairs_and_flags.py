"""What goes with a conversation: the other half of a pair, and what must not be forgotten about it."""

import gzip
import json
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from .making import Messages, compiled, config_of, dialogue, records_in, write_lines
from .planting import Planted

LABELS = {"user": "Human", "assistant": "Assistant"}


def written(messages: Messages) -> str:
    return "".join(f"\n\n{LABELS[one['role']]}: {one['content']}" for one in messages)


def pair(number: int, rejected: str = "") -> dict[str, str]:
    """A pair of a made-up dialogue and the same with another last reply."""
    chosen = dialogue(number, turns=4)
    reply = {"role": "assistant", "content": rejected or dialogue(1000 + number)[0]["content"]}
    return {"chosen": written(chosen), "rejected": written([*chosen[:-1], reply])}


def compiled_records(tmp_path: Path, *pairs: dict[str, str], config: str = "") -> list[dict[str, Any]]:
    path = write_lines(tmp_path / "pairs.jsonl", pairs)
    laid = config_of(tmp_path, config or "sources: {}")
    manifest = compiled(tmp_path / "out", [(path, "dpo_preference")], config=laid)
    return records_in(tmp_path / "out", manifest)


def test_the_rejected_reply_goes_with_the_chosen_dialogue(tmp_path: Path) -> None:
    (record,) = compiled_records(tmp_path, pair(1))
    assert record["messages"] == dialogue(1, turns=4)
    assert record["metadata"]["rejected_reply"] == dialogue(1001)[0]["content"]
    (table,) = (tmp_path / "out").glob("builds/*/*.parquet")
    packed = pq.read_table(table).to_pylist()[0]
    assert packed["metadata"]["rejected_reply"] == dialogue(1001)[0]["content"]


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_a_shard_that_is_compiled_again_keeps_its_pairs(tmp_path: Path, kind: str) -> None:
    (before,) = compiled_records(tmp_path, pair(1))
    (shard,) = (tmp_path / "out").glob(f"builds/*/train-*.{kind}")
    manifest = compiled(tmp_path / "again", [(shard, "dpo_preference")])
    (after,) = records_in(tmp_path / "again", manifest)
    assert after["messages"] == before["messages"]
    assert after["metadata"]["rejected_reply"] == before["metadata"]["rejected_reply"]


def test_compressed_pairs_and_pairs_cut_between_lines_give_the_same_records(tmp_path: Path) -> None:
    plain = write_lines(tmp_path / "a.jsonl", [pair(1), {"chosen": "x"}, pair(2)])
    packed = tmp_path / "b.jsonl.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    rejected: list[list[tuple[str, str]]] = []
    for path in (plain, packed):
        manifest = compiled(tmp_path / path.suffix, [(path, "dpo_preference")])
        assert manifest.counters.total.rejected == {"unknown_speaker": 1}
        found = records_in(tmp_path / path.suffix, manifest)
        rejected.append([(r["metadata"]["source_key"], r["metadata"]["rejected_reply"]) for r in found])
    assert rejected[0] == rejected[1]


def test_the_rejected_reply_is_de_identified_as_well(tmp_path: Path) -> None:
    (record,) = compiled_records(tmp_path, pair(1, "Write to ann@example.org about it."))
    assert "example.org" not in record["metadata"]["rejected_reply"]
    assert record["metadata"]["pii_status"] == "scrubbed"


def test_a_protected_prompt_is_found_in_a_rejected_reply(tmp_path: Path) -> None:
    gold = dialogue(900)[0]["content"]
    write_lines(tmp_path / "gold.jsonl", [{"messages": [{"role": "user", "content": gold}]}])
    (record,) = compiled_records(tmp_path, pair(1, gold), pair(2), config="protected: [gold.jsonl]")
    assert record["metadata"]["source_key"] == "2"


def test_a_rejected_reply_that_was_not_scrubbed_fails_pii(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "pairs.jsonl", [pair(number) for number in range(60)])
    compiled(tmp_path / "out", [(path, "dpo_preference")])
    planted = Planted(tmp_path / "out", tmp_path / "planted")
    assert "pii" not in planted.failing()
    planted.records["train"][0]["metadata"]["rejected_reply"] = "Write to ann@example.org."
    planted.save()
    assert "pii" in planted.failing()


@pytest.mark.parametrize("kind", ["lines", "parquet"])
def test_flags_of_a_source_are_kept(tmp_path: Path, kind: str) -> None:
    metadata = {"source_key": "a", "flags": ["restricted", "content_warning"]}
    record = {"messages": dialogue(1), "metadata": metadata}
    path = tmp_path / f"talks.{kind}"
    if kind == "lines":
        path.write_bytes(orjson.dumps(record))
    else:
        pq.write_table(pa.Table.from_pylist([record]), path)
    for family, flags in (("priority", []), ("edge_case_synthetic", ["synthetic"])):
        manifest = compiled(tmp_path / family, [(path, family)])
        (found,) = records_in(tmp_path / family, manifest)
        assert found["metadata"]["flags"] == sorted([*metadata["flags"], *flags])


def test_support_that_failed_says_so(tmp_path: Path) -> None:
    failed = {
        "problem_type": "job crisis",
        "emotion_type": "sadness",
        "survey_score": {"seeker": {"initial_emotion_intensity": "3", "final_emotion_intensity": "4"}},
        "dialog": [
            {"speaker": "seeker" if one["role"] == "user" else "supporter", "content": one["content"]}
            for one in dialogue(1)
        ],
    }
    path = tmp_path / "ESConv.json"
    path.write_text(json.dumps([failed]))
    manifest = compiled(tmp_path / "out", [(path, "mental_health_datasets")])
    (found,) = records_in(tmp_path / "out", manifest)
    assert found["metadata"]["flags"] == ["failed_support"]
