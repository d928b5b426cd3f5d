"""The 25 categories told by a model: the grammar's plans in words, the same gates, failures listed."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from datasets_app.generators.edge_cases import EdgeCaseSlot, slots_of
from datasets_app.generators.gating import breaches_of
from datasets_app.generators.transcript import turns_in
from datasets_app.synthesis.covering import FACTORS
from datasets_app.synthesis.dialogue import Teller, Turn, Usage, region_named
from datasets_app.synthesis.generation import Order

from .chat_server import KEY, ChatServer, chat_server

ORDER = Order(6, ("grief_complicated", "suicidality"), 5)


@pytest.fixture
def chat(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatServer]:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with chat_server() as server:
        yield server


def told(slot: EdgeCaseSlot) -> str:
    """A dialogue of the grammar that passes, as a transcript that names the lines of the slot."""
    for attempt in range(40):
        one = Teller(slot.plan, 5, attempt, region_named("anywhere"), Usage()).tell()
        text = "\n".join(
            f"{'Client' if turn.role == 'user' else 'Therapist'}: {turn.content}" for turn in one.turns
        )
        for line in ("help_line", "emergency"):
            text = re.sub(re.escape(one.facts[line]), slot.facts[line], text, flags=re.IGNORECASE)
        if not breaches_of(turns_in(text), slot.facts):
            return text
    raise AssertionError("no dialogue of this plan passes")


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def generate(out: Path, chat: ChatServer) -> None:
    call_command(
        "generate_edge_case_synthetic_dataset",
        count=ORDER.count,
        categories=",".join(ORDER.categories),
        seed=ORDER.seed,
        out=out,
        generator="openai",
        base_url=chat.url,
        model="small-model",
    )


def test_a_model_tells_the_plans_of_the_grammar_and_what_it_refuses_is_listed(
    tmp_path: Path, chat: ChatServer
) -> None:
    slots = list(slots_of(ORDER))
    texts = {slot.request(0).prompt: told(slot) for slot in slots}
    texts[slots[0].request(0).prompt] = "I can't help with that."
    chat.write = lambda asked: texts[asked["messages"][-1]["content"]]
    with pytest.raises(CommandError, match="records per category") as failed:
        generate(tmp_path / "out.jsonl", chat)
    assert failed.value.returncode == 1
    records = lines(tmp_path / "out.jsonl")
    made = Counter(record["metadata"]["scenario"]["category"] for record in records)
    assert made == {"grief_complicated": 2, "suicidality": 3}
    for record in records:
        synthetic = record["metadata"]["synthetic"]
        turns = [Turn(message["role"], message["content"]) for message in record["messages"]]
        assert breaches_of(turns, synthetic["facts"]) == []
        assert (synthetic["generator"], synthetic["version"]) == ("openai", "small-model")
        assert set(synthetic["plan"]) == {"category", "number", *FACTORS}
        assert record["metadata"]["license_tag"] == "synthetic-model-terms"
        assert "grammar_version" not in synthetic
    (failure,) = lines(tmp_path / "out.failures.jsonl")
    assert (failure["key"], failure["reason"]) == (slots[0].key, "refused")
    first = (tmp_path / "out.jsonl").read_bytes()
    with pytest.raises(CommandError):
        generate(tmp_path / "out.jsonl", chat)
    assert (tmp_path / "out.jsonl").read_bytes() == first
    assert set(chat.times.values()) == {1}


def test_a_model_that_tells_nothing_ends_with_one_and_the_list(tmp_path: Path, chat: ChatServer) -> None:
    chat.write = lambda asked: "I can't help with that."
    with pytest.raises(CommandError, match="too few dialogues for a report") as failed:
        generate(tmp_path / "out.jsonl", chat)
    assert failed.value.returncode == 1
    assert {failure["reason"] for failure in lines(tmp_path / "out.failures.jsonl")} == {"refused"}


def test_each_plan_is_put_into_words_of_its_own() -> None:
    order = Order(400, ("suicidality",), 5)
    slots = list(slots_of(order))
    requests = [slot.request(0) for slot in slots]
    assert len({request.prompt for request in requests}) == 400
    assert len({request.system for request in requests}) == 1
    for slot, request in zip(slots, requests, strict=True):
        assert slot.facts["help_line"] in request.prompt


def test_a_model_that_was_not_named_ends_with_two(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="needs --base-url") as failed:
        call_command(
            "generate_edge_case_synthetic_dataset",
            count=25,
            seed=1,
            out=tmp_path / "out.jsonl",
            generator="openai",
        )
    assert failed.value.returncode == 2
    assert list(tmp_path.iterdir()) == []
