"""The record contract: its two hashes, its schemas, and what they refuse."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets_app.compile import contract
from datasets_app.compile.contract import Manifest, Record, schema_of
from datasets_app.compile.digests import content_hash, digest_of, legacy_content_hash
from datasets_app.sources.records import Turn

SCHEMAS = Path(contract.__file__).parent / "schemas"
TURNS = st.lists(
    st.builds(Turn, st.sampled_from(["user", "assistant"]), st.text(max_size=12)), min_size=1, max_size=5
)


def a_record() -> dict[str, Any]:
    return {
        "messages": [{"role": "user", "content": "Hello."}, {"role": "assistant", "content": "Welcome."}],
        "metadata": {
            "source_family": "priority",
            "source_key": "7",
            "content_hash": "sha256:" + "0" * 64,
            "legacy_content_hash": "sha256:" + "1" * 64,
            "pii_status": "none_detected",
            "license_tag": "CC0",
            "phase": "stage1_foundation",
            "source": "talks.jsonl",
            "session": "talks.jsonl/7",
            "provenance": {
                "original_key": "7",
                "processing_pipeline": "compile 1",
                "processing_steps": ["read"],
                "dedup_status": "unique",
            },
            "group": "2" * 64,
            "split": "train",
        },
    }


def test_swapped_roles_are_another_conversation_but_not_to_the_legacy_hash() -> None:
    turns = [Turn("user", "I am fine"), Turn("assistant", "How are you")]
    swapped = [Turn("assistant", "I am fine"), Turn("user", "How are you")]
    assert content_hash(turns) != content_hash(swapped)
    assert legacy_content_hash(turns) == legacy_content_hash(swapped)


def test_turns_in_another_order_are_another_conversation_but_not_to_the_legacy_hash() -> None:
    turns = [Turn("user", "b"), Turn("user", "A")]
    assert content_hash(turns) != content_hash(turns[::-1])
    assert legacy_content_hash(turns) == legacy_content_hash(turns[::-1])


def test_the_legacy_hash_is_the_one_others_have() -> None:
    turns = [Turn("user", "Zeta"), Turn("assistant", "alpha")]
    of_alpha_zeta = "sha256:248d1945fe0f3241700aa391775c95d85f5dd9b2d400b679559dba086099ce01"
    assert legacy_content_hash(turns) == of_alpha_zeta


@given(turns=TURNS)
def test_the_fast_way_to_the_content_hash_gives_the_bytes_of_the_slow_one(turns: list[Turn]) -> None:
    import hashlib

    slow = json.dumps([[turn.role, turn.content] for turn in turns], ensure_ascii=True, separators=(",", ":"))
    assert content_hash(turns) == "sha256:" + hashlib.sha256(slow.encode("ascii")).hexdigest()


def test_a_digest_does_not_hang_on_the_order_of_keys() -> None:
    assert digest_of({"a": 1, "b": [2]}) == digest_of({"b": [2], "a": 1}) != digest_of({"a": 1, "b": [3]})


@pytest.mark.parametrize(("part", "name"), [(Record, "record"), (Manifest, "manifest")])
def test_the_shipped_schema_is_that_of_the_code(part: Any, name: str) -> None:
    shipped = orjson.loads((SCHEMAS / f"{name}.schema.json").read_bytes())
    jsonschema.Draft202012Validator.check_schema(shipped)
    assert shipped == schema_of(part)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda record: record["metadata"].pop("license_tag"),
        lambda record: record["metadata"].update(license_tag=""),
        lambda record: record["metadata"].update(content_hash="sha1:1"),
        lambda record: record["metadata"].update(split="dev"),
        lambda record: record["metadata"].update(surprise=1),
        lambda record: record["metadata"]["provenance"].pop("original_key"),
        lambda record: record["metadata"]["provenance"].update(processing_steps=[]),
        lambda record: record["messages"][0].update(role="therapist"),
        lambda record: record["messages"][0].update(content=""),
        lambda record: record.update(messages=[]),
    ],
)
def test_schema_and_code_refuse_the_same_records(spoil: Any) -> None:
    record = a_record()
    jsonschema.validate(record, schema_of(Record))
    msgspec.json.decode(orjson.dumps(record), type=Record)
    spoil(record)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(record, schema_of(Record))
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(orjson.dumps(record), type=Record)
