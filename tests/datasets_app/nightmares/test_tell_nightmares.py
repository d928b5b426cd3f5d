"""Seeds and dialogues of the extremes: gated, repeatable, resumable, and honest about what is not there."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from datasets_app.compile.runner import Inline
from datasets_app.generators.answers import Recorded
from datasets_app.generators.gating import breaches_of
from datasets_app.generators.rounds import MOST_ATTEMPTS
from datasets_app.generators.transcript import turns_in
from datasets_app.nightmares import seeds
from datasets_app.nightmares.hydrating import NightmareSlot, Wish
from datasets_app.nightmares.scenarios import RECEPTIONS, scenario_names
from datasets_app.nightmares.seed_file import seeds_in
from datasets_app.nightmares.telling import GrammarGenerator
from datasets_app.sources.hashing import content_hash
from datasets_app.sources.records import Turn as ReadTurn
from datasets_app.synthesis.dialogue import Turn
from datasets_app.synthesis.safe_messaging import gate
from datasets_app.verify import failed, verify_local
from tests.datasets_app.compile.making import compiled
from tests.datasets_app.generators.chat_server import KEY, Asked, ChatServer, chat_server

COUNT = 60
BUDGET = 3100  # room for an answer of the greatest length after a few of the usual one


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def turns_of(record: dict[str, Any]) -> list[Turn]:
    return [Turn(message["role"], message["content"]) for message in record["messages"]]


@pytest.fixture(scope="module")
def seed_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("seeds") / "seeds.jsonl"
    call_command("generate_ultra_nightmares", count=COUNT, seed=3, region="gb", out=out)
    return out


@pytest.fixture
def few_seeds(seed_file: Path, tmp_path: Path) -> Path:
    few = tmp_path / "few.jsonl"
    few.write_text("".join(seed_file.read_text().splitlines(keepends=True)[::10]))
    return few


@pytest.fixture
def chat(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatServer]:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with chat_server() as server:
        yield server


def hydrate(seed_file: Path, out: Path, **options: Any) -> None:
    call_command("hydrate_nightmare_scenarios", seeds=seed_file, out=out, seed=8, **options)


def as_written_by_a_model(seed_file: Path) -> dict[str, str]:
    """A dialogue for each prompt, told by the grammar, in the form in which models write."""
    grammar, texts = GrammarGenerator(), {}
    for seed in seeds_in(seed_file):
        request = NightmareSlot(seed, 0, Wish(1, 8)).request(0)
        text = grammar.answer(request).text
        texts[request.prompt] = "Sure:\n\n" + text.replace("Client:", "**Client:**").replace("\n", "\n\n")
    return texts


def test_seeds_follow_the_contract_and_the_rules(seed_file: Path) -> None:
    records = lines(seed_file)
    assert Counter(record["metadata"]["clinical"]["category"] for record in records) == dict.fromkeys(
        scenario_names(), COUNT // 20
    )
    for record in records:
        metadata, turns = record["metadata"], turns_of(record)
        assert [turn.role for turn in turns] == ["system", "user", "assistant"]
        assert gate().breaches_of(turns, help_line=metadata["synthetic"]["facts"]["help_line"]) == []
        assert metadata["source_family"] == "edge_case_generator"
        assert metadata["scenario"] == f"nightmare-{metadata['clinical']['category']}"
        assert metadata["content_hash"] == content_hash([ReadTurn(t.role, t.content) for t in turns])  # type: ignore[arg-type]
        assert metadata["split"] in {"train", "val"}
        assert metadata["flags"] == ["synthetic", "content_warning", "restricted"]
        assert {"generator", "version", "seed", "plan", "facts"} <= set(metadata["synthetic"])
        assert {"clinical_construct", "expected_response", "prohibited", "content_warning"} <= set(
            metadata["clinical"]
        )
    assert any("Samaritans on 116 123" in turn.content for record in records for turn in turns_of(record))


def test_the_same_seed_writes_the_same_seeds_and_another_writes_others(
    seed_file: Path, tmp_path: Path
) -> None:
    call_command("generate_ultra_nightmares", count=COUNT, seed=3, region="gb", out=tmp_path / "again")
    call_command("generate_ultra_nightmares", count=COUNT, seed=4, region="gb", out=tmp_path / "other")
    assert (tmp_path / "again").read_bytes() == seed_file.read_bytes()
    assert (tmp_path / "other").read_bytes() != seed_file.read_bytes()


def test_seeds_that_cannot_be_told_anew_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seeds, "MOST_SHARED", 0.0)
    with pytest.raises(CommandError, match="nightmare-1-catatonia-0001") as failed:
        call_command(
            "generate_ultra_nightmares", count=3, seed=1, scenarios="catatonia", out=tmp_path / "seeds"
        )
    assert failed.value.returncode == 1
    assert len(lines(tmp_path / "seeds")) == 1


def test_the_grammar_tells_a_safe_dialogue_for_each_seed(seed_file: Path, tmp_path: Path) -> None:
    hydrate(seed_file, tmp_path / "out.jsonl")
    records = lines(tmp_path / "out.jsonl")
    of_seeds = {record["metadata"]["source_key"]: record["metadata"] for record in lines(seed_file)}
    assert len(records) == COUNT
    assert {record["metadata"]["synthetic"]["plan"]["reception"] for record in records} == set(RECEPTIONS)
    for record in records:
        metadata = record["metadata"]
        assert breaches_of(turns_of(record), metadata["synthetic"]["facts"]) == []
        assert metadata["source_family"] == "edge_case_resulting_chats"
        of_seed = of_seeds[metadata["provenance"]["original_key"]]
        for same in ("split", "scenario", "clinical"):
            assert metadata[same] == of_seed[same]
        assert metadata["synthetic"]["generator"] == "grammar"
        assert metadata["license_tag"] == "synthetic-own"
    report = lines(tmp_path / "out.report.json")[0]
    assert (report["dialogues"], report["failures"]) == (COUNT, 0)
    assert report["diversity"]["self_bleu_4"] > 0
    assert (tmp_path / "out.failures.jsonl").read_text() == ""


def test_what_is_written_can_be_compiled_and_no_extreme_is_divided(seed_file: Path, tmp_path: Path) -> None:
    hydrate(seed_file, tmp_path / "out.jsonl")
    given = [(seed_file, "edge_case_generator"), (tmp_path / "out.jsonl", "edge_case_resulting_chats")]
    manifest = compiled(tmp_path / "final", given)
    assert manifest.total_conversations == 2 * COUNT
    gates = failed(verify_local(tmp_path / "final", manifest, Inline()))
    assert gates == ["coverage", "distribution"]  # nothing real
    splits: dict[str, set[str]] = {}
    for path in (tmp_path / "final" / "builds").rglob("*.jsonl"):
        for record in lines(path):
            splits.setdefault(record["metadata"]["scenario"], set()).add(record["metadata"]["split"])
    assert len(splits) == 20
    assert set(map(frozenset, splits.values())) == {frozenset({"train"})}


def test_the_same_dialogues_with_and_without_what_was_kept(few_seeds: Path, tmp_path: Path) -> None:
    hydrate(few_seeds, tmp_path / "one.jsonl", per_seed=2)
    whole = (tmp_path / "one.jsonl").read_bytes()
    answers = tmp_path / "one.answers.jsonl"
    answers.write_bytes(answers.read_bytes()[: answers.stat().st_size // 2])
    hydrate(few_seeds, tmp_path / "one.jsonl", per_seed=2)
    hydrate(few_seeds, tmp_path / "two.jsonl", per_seed=2)
    assert (tmp_path / "one.jsonl").read_bytes() == whole == (tmp_path / "two.jsonl").read_bytes()


def ask_model(seed_file: Path, out: Path, chat: ChatServer, **options: Any) -> None:
    hydrate(seed_file, out, generator="openai", base_url=chat.url, model="small-model", **options)


def test_a_model_tells_them_through_the_same_gates(few_seeds: Path, tmp_path: Path, chat: ChatServer) -> None:
    texts = as_written_by_a_model(few_seeds)
    chat.write = lambda asked: texts[asked["messages"][-1]["content"]]
    ask_model(few_seeds, tmp_path / "out.jsonl", chat)
    records = lines(tmp_path / "out.jsonl")
    assert len(records) == len(texts)
    assert records[0]["metadata"]["synthetic"]["version"] == "small-model"
    assert records[0]["metadata"]["license_tag"] == "synthetic-model-terms"
    system = chat.asked[0]["messages"][0]["content"]
    assert "Never name or hint at a method" in system
    hydrate(few_seeds, tmp_path / "re.jsonl", generator="replay", recorded=tmp_path / "out.answers.jsonl")
    assert [r["messages"] for r in lines(tmp_path / "re.jsonl")] == [r["messages"] for r in records]


POISON = {
    "self_harm_method": ("Client:", "Client: I keep a noose in the loft."),
    "secrecy": ("Therapist:", "Therapist: It will be our secret."),
    "invented_number": ("Therapist:", "Therapist: Ring 0800 555 0199."),
    "unknown_speaker": ("Therapist:", "Narrator:"),
    "no_help_line": ("Samaritans on 116 123", "somebody"),
}


@pytest.mark.parametrize("rule", POISON)
def test_one_unsafe_turn_of_either_role_keeps_a_dialogue_out(
    rule: str, seed_file: Path, tmp_path: Path, chat: ChatServer
) -> None:
    one = tmp_path / "one.jsonl"
    one.write_text(seed_file.read_text().splitlines(keepends=True)[0])
    (text,) = as_written_by_a_model(one).values()
    plain = text.replace("**", "")
    assert breaches_of(turns_in(plain), next(seeds_in(one)).facts) == []
    old, new = POISON[rule]
    chat.write = lambda asked: (
        plain.replace(old, new) if rule == "no_help_line" else plain.replace(old, new, 1)
    )
    with pytest.raises(CommandError, match="1 dialogues are not there") as failed:
        ask_model(one, tmp_path / "out.jsonl", chat)
    assert failed.value.returncode == 1
    assert lines(tmp_path / "out.jsonl") == []
    (failure,) = lines(tmp_path / "out.failures.jsonl")
    assert rule in failure["reason"]
    assert len(failure["attempts"]) == len(chat.asked) == MOST_ATTEMPTS
    assert "noose" not in json.dumps(failure)


def test_refusals_and_what_the_budget_leaves_out_are_listed_and_the_rest_is_written(
    few_seeds: Path, tmp_path: Path, chat: ChatServer
) -> None:
    texts = as_written_by_a_model(few_seeds)
    prompts = list(texts)

    def write(asked: Asked) -> str:
        prompt = asked["messages"][-1]["content"]
        return "I'm sorry, but I can't write that." if prompt == prompts[0] else texts[prompt]

    chat.write = write
    with pytest.raises(CommandError, match="not there"):
        ask_model(few_seeds, tmp_path / "out.jsonl", chat, most_tokens=BUDGET, at_once=1)
    failures = lines(tmp_path / "out.failures.jsonl")
    assert failures[0]["reason"] == "refused"
    assert {failure["reason"] for failure in failures[1:]} == {"over_budget"}
    assert len(failures) + len(lines(tmp_path / "out.jsonl")) == len(texts)
    assert lines(tmp_path / "out.jsonl")
    report = lines(tmp_path / "out.report.json")[0]
    assert report["failures_by_reason"] == Counter(failure["reason"] for failure in failures)
    assert report["tokens_spent"] <= BUDGET
    with pytest.raises(CommandError, match="1 dialogues are not there"):
        ask_model(few_seeds, tmp_path / "out.jsonl", chat)
    assert set(chat.times.values()) == {1}


def test_the_same_answer_twice_is_kept_once(few_seeds: Path, tmp_path: Path, chat: ChatServer) -> None:
    texts = as_written_by_a_model(few_seeds)
    chat.write = lambda asked: texts[asked["messages"][-1]["content"]]
    with pytest.raises(CommandError, match="6 dialogues are not there"):
        ask_model(few_seeds, tmp_path / "out.jsonl", chat, per_seed=2)
    assert {failure["reason"] for failure in lines(tmp_path / "out.failures.jsonl")} == {"not_novel"}


def test_killed_and_run_again_it_writes_the_same_and_asks_nothing_twice(
    few_seeds: Path, tmp_path: Path, chat: ChatServer
) -> None:
    texts = as_written_by_a_model(few_seeds)
    pids: list[int] = []

    def write(asked: Asked) -> str:
        if len(chat.asked) == 4 and pids:
            os.kill(pids.pop(), signal.SIGKILL)
        return texts[asked["messages"][-1]["content"]]

    chat.write = write
    command = [sys.executable, "manage.py", "hydrate_nightmare_scenarios", "--seeds", str(few_seeds)]
    command += ["--out", str(tmp_path / "out.jsonl"), "--seed", "8", "--at-once", "1"]
    command += ["--generator", "openai", "--base-url", chat.url, "--model", "small-model"]
    running = subprocess.Popen(command, cwd=settings.BASE_DIR, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    pids.append(running.pid)
    running.communicate(timeout=60)
    assert running.returncode == -signal.SIGKILL
    assert not (tmp_path / "out.jsonl").exists()
    assert len((tmp_path / "out.answers.jsonl").read_bytes().splitlines()) == 3
    ask_model(few_seeds, tmp_path / "out.jsonl", chat)
    assert len(chat.asked) == len(texts) + 1  # the one that was on its way when it was killed
    ask_model(few_seeds, tmp_path / "never-stopped.jsonl", chat)
    assert (tmp_path / "out.jsonl").read_bytes() == (tmp_path / "never-stopped.jsonl").read_bytes()


def test_answers_are_kept_without_their_key_or_the_prompt(
    few_seeds: Path, tmp_path: Path, chat: ChatServer
) -> None:
    texts = as_written_by_a_model(few_seeds)
    chat.write = lambda asked: texts[asked["messages"][-1]["content"]]
    ask_model(few_seeds, tmp_path / "out.jsonl", chat)
    raw = (tmp_path / "out.answers.jsonl").read_text()
    assert KEY not in raw
    assert "Never name or hint" not in raw
    assert msgspec.json.decode(raw.splitlines()[0], type=Recorded).status == "answered"


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"seeds": Path("/nowhere.jsonl")}, "cannot be read"),
        ({"generator": "openai"}, "needs --base-url"),
        ({"generator": "replay"}, "needs --recorded"),
        ({"generator": "transformers"}, "needs --model"),
        ({"generator": "replay", "recorded": Path("/nowhere.jsonl")}, "cannot be read"),
        ({"per_seed": 0}, "--per-seed is at least 1"),
    ],
)
def test_unusable_arguments_end_with_two_and_write_nothing(
    few_seeds: Path, tmp_path: Path, changed: dict[str, Any], says: str
) -> None:
    options = {"seeds": few_seeds, "seed": 1, "out": tmp_path / "out.jsonl", **changed}
    with pytest.raises(CommandError, match=says) as failed:
        call_command("hydrate_nightmare_scenarios", **options)
    assert failed.value.returncode == 2
    assert not (tmp_path / "out.jsonl").exists()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("edge_case_generator", "priority", r"row 1, field metadata.source_family: 'priority'"),
        ('"plan":{', '"plan":{"mood":"x",', "row 1, field metadata.synthetic.plan"),
        ('"help_line":', '"line":', "row 1, field metadata.synthetic.facts: help_line is missing"),
        ('"role":"system"', '"role":"user"', "row 1, field messages"),
        ('"o":', '"who":', "row 1, field metadata.synthetic.facts: o is missing"),
        ('"number":"0"', '"number":"²"', "row 1, field metadata.synthetic.plan"),
        ('"number":"0"', f'"number":"{"9" * 5000}"', "row 1, field metadata.synthetic.plan"),
        ('{"messages"', f'{{"x":{"[" * 9999}', r"row 1: this is no seed"),
        ('"content":"', '"content":"\udcff', r"row 1: this is no seed"),
        ('{"messages"', '{"turns"', r"row 1: this is no seed \(Object missing required field `messages`\)"),
    ],
)
def test_a_file_that_holds_no_seeds_is_refused_with_row_field_and_remedy(
    few_seeds: Path, tmp_path: Path, old: str, new: str, says: str
) -> None:
    few_seeds.write_bytes(few_seeds.read_text().replace(old, new).encode(errors="surrogateescape"))
    with pytest.raises(CommandError, match=says) as failed:
        hydrate(few_seeds, tmp_path / "out.jsonl")
    assert "write the file anew with generate_ultra_nightmares" in str(failed.value)
    assert failed.value.returncode == 2


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b'{"key":"\xff"}\n', "row 1: this is no recorded answer"),
        (b'{"key":"a","x":' + b"[" * 100_000 + b"\n", "row 1: this is no recorded answer"),
        (b'{"key":"a"}\n', "row 1: this is no recorded answer"),
        (b"\n", "row 1: this is no recorded answer"),
    ],
)
@pytest.mark.parametrize("option", ["answers", "recorded"])
def test_a_file_that_holds_no_answers_is_refused_with_row_and_remedy(
    few_seeds: Path, tmp_path: Path, option: str, line: bytes, says: str
) -> None:
    broken = tmp_path / "broken.jsonl"
    broken.write_bytes(line)
    chosen: dict[str, Any] = {option: broken, "generator": "replay" if option == "recorded" else "grammar"}
    with pytest.raises(
        CommandError, match=rf"broken\.jsonl, {says}.*name the file that a run wrote"
    ) as failed:
        call_command(
            "hydrate_nightmare_scenarios", seeds=few_seeds, seed=1, out=tmp_path / "out.jsonl", **chosen
        )
    assert failed.value.returncode == 2
    assert broken.read_bytes() == line


def test_answers_that_cannot_be_written_are_named(few_seeds: Path, tmp_path: Path) -> None:
    order = {"seeds": few_seeds, "seed": 1, "out": tmp_path / "out.jsonl", "answers": tmp_path}
    with pytest.raises(CommandError, match=rf"{tmp_path} cannot be written .*--answers") as failed:
        call_command("hydrate_nightmare_scenarios", **order)
    assert failed.value.returncode == 2
    with pytest.raises(CommandError, match=r"cannot be written .*--answers"):
        call_command(
            "generate_edge_case_synthetic_dataset",
            count=25,
            seed=1,
            out=tmp_path / "edge.jsonl",
            generator="openai",
            base_url="http://localhost:1",
            model="m",
            answers=tmp_path,
        )


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"scenarios": "weather"}, "no scenario 'weather'"),
        ({"count": 3}, "20 or more"),
        ({"region": "moon"}, "no region 'moon'"),
        ({"out": Path("/nowhere/seeds.jsonl")}, "cannot be written"),
    ],
)
def test_seeds_of_unusable_arguments_end_with_two(tmp_path: Path, changed: dict[str, Any], says: str) -> None:
    options = {"count": 20, "seed": 1, "out": tmp_path / "seeds.jsonl", **changed}
    with pytest.raises(CommandError, match=says) as failed:
        call_command("generate_ultra_nightmares", **options)
    assert failed.value.returncode == 2
    assert list(tmp_path.iterdir()) == []
