"""What is pieced together from records of train is left out of val and test, and the leakage gate holds."""

from pathlib import Path

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets_app.compile import compiling, lookups
from datasets_app.compile.compiling import Given, Request, compile_dataset
from datasets_app.compile.config import load_config
from datasets_app.compile.contract import Manifest
from datasets_app.compile.reducing import Decisions
from datasets_app.compile.runner import Inline, Runner
from datasets_app.verify import failed, verify_local

from .making import Messages, compiled, config_of, dialogue, write_dialogues

COUNT, PIECED = 400, 80
VALUES = st.lists(st.integers(0, 2**64 - 1), max_size=200)


def pieced(number: int) -> Messages:
    """A beginning of its own, and then a turn each of five other dialogues."""
    others = [dialogue((5 * number + turn) % COUNT)[turn] for turn in range(1, 6)]
    return [dialogue(10_000 + number)[0], *others]


def compiled_with_gates(tmp_path: Path, runner: Runner) -> Manifest:
    talks = [*map(dialogue, range(COUNT)), *map(pieced, range(PIECED))]
    source = write_dialogues(tmp_path / "talks.jsonl", talks)
    request = Request((Given(source, "professional_therapeutic"),), load_config(), tmp_path / "out", 1, False)
    return compile_dataset(request, runner, verify_local, lambda step, done: None)


def test_what_shares_half_of_its_text_is_left_out_and_named(tmp_path: Path) -> None:
    manifest = compiled_with_gates(tmp_path, Inline())
    assert failed(manifest.gates) == []
    left_out = (tmp_path / "out" / manifest.provenance.uri).read_bytes().splitlines()
    rows = [line["row"] for line in map(orjson.loads, left_out) if line["outcome"] == "shares_text"]
    assert rows
    assert all(row > COUNT for row in rows)
    assert manifest.counters.total.decontaminated == len(rows)
    assert manifest.total_conversations == COUNT + PIECED - len(rows)
    assert not list((tmp_path / "out" / ".work").glob("overlaps"))


def test_without_that_step_the_gate_catches_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def all_of_them(decisions: Decisions, *rest: object) -> Decisions:
        return decisions

    monkeypatch.setattr(compiling, "without_overlaps", all_of_them)
    assert failed(compiled_with_gates(tmp_path, Inline()).gates) == ["leakage"]


@settings(deadline=None)  # the first call compiles
@given(VALUES, VALUES, st.integers(0, 200))
def test_the_sieve_lets_every_one_of_its_values_pass(
    inside: list[int], others: list[int], expected: int
) -> None:
    own, other = np.array(inside, dtype=np.uint64), np.array(others, dtype=np.uint64)
    sieve = lookups.sieve_for(expected)
    lookups.let_pass(sieve, own)
    assert lookups.passing(sieve, own).tolist() == inside
    assert set(lookups.passing(sieve, other).tolist()) >= set(inside) & set(others)


def test_the_sieve_holds_nearly_everything_else_back() -> None:
    chance = np.random.default_rng(3)
    own, other = (chance.integers(0, 2**64, size=20_000, dtype=np.uint64) for _ in range(2))
    sieve = lookups.sieve_for(len(own))
    lookups.let_pass(sieve, own)
    assert len(lookups.passing(sieve, other)) < 0.01 * len(other)


def test_what_is_made_up_is_for_train_alone_and_skews_no_share(tmp_path: Path) -> None:
    """It shares its sentences with more of its kind, and would be left out of val and test for that."""
    real = write_dialogues(tmp_path / "real.jsonl", map(dialogue, range(COUNT)))
    told = [*map(pieced, range(PIECED)), *(dialogue(20_000 + number) for number in range(2 * COUNT))]
    made_up = write_dialogues(tmp_path / "told.jsonl", told)
    given = (Given(made_up, "edge_case_synthetic"), Given(real, "professional_therapeutic"))
    request = Request(given, load_config(), tmp_path / "out", 1, False)
    manifest = compile_dataset(request, Inline(), verify_local, lambda step, done: None)
    assert failed(manifest.gates) == []
    families = manifest.source_families
    assert families["edge_case_synthetic"].splits == {"train": len(told), "val": 0, "test": 0}
    assert min(families["professional_therapeutic"].splits.values()) > 0


def test_what_is_made_up_and_bound_to_what_is_held_out_is_left_out(tmp_path: Path) -> None:
    real = write_dialogues(tmp_path / "real.jsonl", map(dialogue, range(COUNT)))
    quote = [dialogue(0)[0], *dialogue(30_000)[1:]]  # the opening of a record that is held out
    told = write_dialogues(tmp_path / "told.jsonl", [quote, dialogue(30_001)])
    config = config_of(tmp_path, "holdouts: [{family: professional_therapeutic, sessions: [real.jsonl/s0]}]")
    given = [(real, "professional_therapeutic"), (told, "edge_case_synthetic")]
    manifest = compiled(tmp_path / "out", given, config=config)
    counts = manifest.counters.sources["told.jsonl"]
    assert (counts.kept, counts.decontaminated) == (1, 1)
    assert manifest.source_families["edge_case_synthetic"].splits["test"] == 0
