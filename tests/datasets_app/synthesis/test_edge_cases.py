"""The edge-case grammar: coverage proved, gates closed, facts kept, bytes repeated, figures right."""

import csv
import json
import math
import random
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from datasets_app.sources.hashing import content_hash as contract_hash
from datasets_app.sources.records import Turn as ReadTurn
from datasets_app.synthesis import generation, safe_messaging
from datasets_app.synthesis.covering import FACTORS, missed_pairs, plans_for
from datasets_app.synthesis.dialogue import Teller, Turn, Usage, region_named
from datasets_app.synthesis.diversity import distinct, jaccard_matrix, self_bleu, words_of
from datasets_app.synthesis.generation import Order, generate, generate_category
from datasets_app.synthesis.grammar import LEAST_FRAMES, category_grammar, category_names, yaml_of
from datasets_app.synthesis.register import VOICES, Speaker, same_meaning, spelled_out
from datasets_app.synthesis.safe_messaging import Gate, UnsafeRulesError, gate, prove
from datasets_app.synthesis.templates import TemplateError, parsed, tidy
from tests import real_data

CATEGORIES = category_names()


def test_there_are_twenty_five_categories_with_enough_frames() -> None:
    assert len(CATEGORIES) == 25
    for name in CATEGORIES:
        grammar = category_grammar(name)
        assert len(set(grammar.client_frames())) >= LEAST_FRAMES
        assert len(set(grammar.therapist_frames())) >= LEAST_FRAMES
        assert grammar.expected_response
        assert grammar.prohibited


def test_four_hundred_plans_hit_every_pair_of_levels_in_every_category() -> None:
    for name in CATEGORIES:
        assert missed_pairs(plans_for(name, 400, seed=3), [name]) == set()


def test_every_exchange_of_a_section_is_told_about_equally_often() -> None:
    usage, throw = Usage(), random.Random(1)  # noqa: S311  any order will do
    explores = category_grammar("grief_complicated").sections["explore"]
    told: Counter[str] = Counter()
    for _ in range(5 * len(explores)):
        beat = usage.pick_beat(explores, throw)
        told[beat.asks[0]] += 1
        usage.count(saying.text for saying in beat.sayings)
    assert sorted(told.values()) == [5] * len(explores)


def test_questions_of_danger_asked_at_once_are_counted_as_asked_apart() -> None:
    sections = category_grammar("suicidality").sections
    wanted = [
        {saying.text for beat in sections[name] for saying in beat.sayings} for name in ("intent", "access")
    ]
    told = [
        Teller(plan, 1, 0, region_named("anywhere"), Usage()).tell()
        for plan in plans_for("suicidality", 60, seed=1)
    ]
    at_once = [one for one in told if "intent+access" in one.acts]
    assert at_once
    assert all(texts & set(one.frames) for one in at_once for texts in wanted)


@pytest.mark.parametrize("name", CATEGORIES)
def test_at_high_risk_a_dialogue_ends_with_what_was_written_for_it(name: str) -> None:
    closes = [saying for beat in category_grammar(name).sections["close"] for saying in beat.sayings]
    handovers = {saying.text for saying in closes if "high" in saying.levels.get("risk", ())}
    for plan in [plan for plan in plans_for(name, 30, seed=5) if plan["risk"] == "high"]:
        told = Teller(plan, 5, 0, region_named("anywhere"), Usage()).tell()
        assert handovers & set(told.frames)


def test_a_missed_pair_is_named() -> None:
    plans = [plan for plan in plans_for("suicidality", 400, seed=3) if plan["risk"] != "high"]
    missed = missed_pairs(plans, ["suicidality"])
    assert missed
    assert all(("risk", "high") in pair for pair in missed)


@pytest.mark.parametrize("name", CATEGORIES)
def test_dialogues_hold_their_plan_their_facts_and_the_gates(name: str) -> None:
    result = generate_category(name, 14, 11, "anywhere")
    assert len(result.records) == 14
    for record in result.records:
        roles = [message["role"] for message in record["messages"]]
        assert roles == ["user", "assistant"] * (len(roles) // 2)
        assert 8 <= len(roles) <= 20
        turns = [Turn(message["role"], message["content"]) for message in record["messages"]]
        facts = record["metadata"]["synthetic"]["facts"]
        assert gate().breaches_of(turns, help_line=facts["help_line"]) == []
        text = " ".join(turn.content for turn in turns)
        assert not re.search(r"[{}|@]|\b\d=", text)
        assert names_in(text) <= set(" ".join(facts.values()).split())


def names_in(text: str) -> set[str]:
    """Names of the pools that stand in a text, but for those that the language has as words too."""
    pools = yaml_of("people.yaml")
    words = {"Frank", "Grace", "Kay", "Una", "Mo", "Sal", "Pat", "Dan", "Jo", "Iris", "Ruth", "Hugo", "Vera"}
    names = {*pools["names_f"], *pools["names_m"], *pools["friends"]} - words
    return names & set(re.findall(r"\b[A-Z][a-z]+\b", text))


def test_the_record_follows_the_contract() -> None:
    record = generate_category("grief_complicated", 3, 5, "gb").records[0]
    metadata = record["metadata"]
    turns = [ReadTurn(message["role"], message["content"]) for message in record["messages"]]
    assert metadata["content_hash"] == contract_hash(turns)
    assert metadata["source_family"] == "edge_case_synthetic"
    assert metadata["split"] in {"train", "val"}
    assert metadata["synthetic"]["is_synthetic"] is True
    assert set(metadata["synthetic"]["plan"]) == {"category", "number", *FACTORS}
    assert metadata["scenario"]["expected_response"]
    assert any("Cruse" in turn.content for turn in turns)


def test_the_same_seed_gives_the_same_bytes_in_one_process_or_two() -> None:
    order = Order(6, ("grief_complicated", "suicidality"), 9)
    once = [result.records for result in generate(order)]
    again = [result.records for result in generate(order, processes=2)]
    other = [result.records for result in generate(Order(6, order.categories, 10))]
    assert once == again
    assert once != other


def test_every_rule_catches_its_canaries_for_the_roles_it_binds() -> None:
    rules = gate().rules
    assert sum(len(rule.canaries) for rule in rules) >= 60
    for rule in rules:
        for canary in rule.canaries:
            assert rule.name in gate().breaches_in("assistant", canary)
            if rule.role == "both":
                assert rule.name in gate().breaches_in("user", canary)


def test_a_rule_that_misses_its_canary_stops_everything() -> None:
    held = gate()
    blind = safe_messaging.Rule("blind", "both", re.compile("never said"), ("He hanged himself.",))
    with pytest.raises(UnsafeRulesError, match="blind"):
        prove(Gate((blind,), held.intent, held.access))


@pytest.mark.parametrize("part", ["about", "harmless"])
def test_a_question_that_misses_a_canary_or_takes_any_question_stops_everything(part: str) -> None:
    held = gate()
    for name in ("intent", "access"):
        other = replace(getattr(held, name), **{part: re.compile("nothing at all")})
        with pytest.raises(UnsafeRulesError, match=f"asks_about_{name}"):
            prove(replace(held, **{name: other}))


def test_weak_questions_are_not_those_about_intent_and_access() -> None:
    said = [
        "My last client died by suicide. And you, how are you?",
        "Do you have friends nearby? Is your mother at home? Did you sleep? Just yes or no.",
        "Did it hurt you? Can I reach you tomorrow? The crisis line is there.",
    ]
    turns = [turn for text in said for turn in (Turn("user", "I don't know."), Turn("assistant", text))]
    rules = {breach.rule for breach in gate().breaches_of(turns, help_line="the crisis line")}
    assert rules == {"no_question_about_intent", "no_question_about_access"}


def test_a_dialogue_without_the_questions_or_the_line_is_refused() -> None:
    turns = [Turn("user", "I am tired."), Turn("assistant", "Tell me about that.")]
    rules = {breach.rule for breach in gate().breaches_of(turns, help_line="the crisis line")}
    assert rules == {"no_question_about_intent", "no_question_about_access", "no_help_line"}


def test_an_empty_help_line_does_not_pass() -> None:
    turns = [Turn("assistant", "Are you thinking of suicide? Is anything within reach?")]
    assert [breach.rule for breach in gate().breaches_of(turns, help_line="")] == ["no_help_line"]


def test_an_unknown_role_is_bound_by_every_rule() -> None:
    assert "secrecy" in gate().breaches_in("narrator", "This is our secret.")


@real_data.needs_real_data
def test_few_real_counselling_texts_are_refused() -> None:
    csv.field_size_limit(10**9)
    with real_data.COUNSEL_CHAT.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for column, role in (("questionText", "user"), ("answerText", "assistant")):
        texts = {row[column] for row in rows if row[column]}
        refused = sum(bool(gate().breaches_in(role, text)) for text in texts)
        assert refused / len(texts) < 0.05


def test_a_plan_that_cannot_be_told_safely_writes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generation, "MOST_SHARED_FRAMES", 0.0)
    with pytest.raises(generation.CannotGenerateError, match="plan"):
        generate_category("suicidality", 2, 1, "anywhere")


def slow_self_bleu(texts: list[str]) -> float:
    """Each text against all others, written the long way round from Papineni et al."""
    scores = []
    tokens = [words_of(text) for text in texts]
    for at, words in enumerate(tokens):
        others = tokens[:at] + tokens[at + 1 :]
        log = 0.0
        for n in range(1, 5):
            counted = Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))
            best: Counter[tuple[str, ...]] = Counter()
            for other in others:
                best |= Counter(tuple(other[i : i + n]) for i in range(len(other) - n + 1))
            matched = sum((counted & best).values())
            log += math.log((matched or 0.5) / max(1, sum(counted.values()))) / 4
        closest = min((len(other) for other in others), key=lambda size: (abs(size - len(words)), size))
        scores.append(math.exp(log) * min(1.0, math.exp(1 - closest / len(words))))
    return 100 * sum(scores) / len(scores)


@pytest.mark.parametrize(
    "text",
    [
        "It scared me.",
        "Give me a bit of time.",
        "Every day is the same, and every day is long.",
        "It is nobody's fault.",
        "I've started again.",
        "I really am sorry.",
    ],
)
def test_words_are_exchanged_only_where_every_other_fits(text: str) -> None:
    told = {same_meaning(text, random.Random(seed)) for seed in range(40)}  # noqa: S311  any order will do
    wrong = ("afraid me", "slightly of", "daily is", "soul's", "ve began", "properly am")
    assert not [one for one in told if any(words in one for words in wrong)]


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("I can't, and I won't.", "I cannot, and I will not."),
        ("Wouldn't Sam have rung?", "Wouldn't Sam have rung?"),
        ("You'd ring, wouldn't you?", "You'd ring, wouldn't you?"),
        ("They've left, and I'm here.", "They have left, and I am here."),
    ],
)
def test_contractions_are_written_out_where_the_sentence_stays_whole(short: str, full: str) -> None:
    assert spelled_out(short) == full


@pytest.mark.parametrize(
    ("told", "tidied"),
    [
        ("  so  it goes ,  he said .", "So it goes, he said."),
        ("well, , no. and then,. ok", "Well, no. And then. Ok"),
        ('"yes," she said. "no?" maybe! (so)', '"Yes," she said. "No?" Maybe! (So)'),
        ("\u201cso.\u201d then", "\u201cSo.\u201d Then"),
        ("it was... and then it was not. i know", "It was... and then it was not. I know"),
        (". so it is", ". So it is"),
        ("", ""),
    ],
)
def test_spaces_marks_and_capitals_are_set_right(told: str, tidied: str) -> None:
    assert tidy(told) == tidied


def test_a_filler_divides_no_degree() -> None:
    rambling = VOICES["rambling"]
    told = {
        Speaker(rambling, random.Random(seed), is_typing=False).speak("It went so far and then so often.")  # noqa: S311
        for seed in range(200)
    }
    assert len(told) > 1
    assert all("so far" in one and "so often" in one for one in told)


def test_self_bleu_is_that_of_the_papers() -> None:
    texts = [
        "\n".join(message["content"] for message in record["messages"])
        for record in generate_category("suicidality", 8, 2, "anywhere").records
    ]
    assert self_bleu(texts) == pytest.approx(slow_self_bleu(texts))
    assert self_bleu(["one two three four five"] * 3) == pytest.approx(100)


@pytest.mark.parametrize(
    "texts",
    [
        ["yes", "no"],
        ["yes", "yes yes", "no yes no yes no"],
        ["a b a b a b c", "a b a b", "a b c", "b a b"],
        ["one two", "three four five six", "one two three four five six"],
    ],
)
def test_self_bleu_of_short_texts_and_of_what_is_repeated(texts: list[str]) -> None:
    assert self_bleu(texts) == pytest.approx(slow_self_bleu(texts))


def test_self_bleu_agrees_with_nltk() -> None:
    bleu = pytest.importorskip("nltk.translate.bleu_score", reason="nltk is not here")
    texts = [
        "\n".join(message["content"] for message in record["messages"])
        for record in generate_category("suicidality", 6, 4, "anywhere").records
    ]
    tokens = [words_of(text) for text in texts]
    scores = [bleu.sentence_bleu(tokens[:at] + tokens[at + 1 :], words) for at, words in enumerate(tokens)]
    assert self_bleu(texts) == pytest.approx(100 * sum(scores) / len(scores), abs=1e-6)


def test_distinct_and_jaccard_by_hand() -> None:
    assert distinct(["a b c a b c"]) == pytest.approx(3 / 4)
    matrix = jaccard_matrix(["a b c d", "a b c e", "x y z"])
    assert matrix[0, 1] == pytest.approx(1 / 3)
    assert matrix[0, 2] == 0
    assert matrix[2, 2] <= 1


def test_braces_that_do_not_pair_are_refused() -> None:
    for broken in ("{a|b", "a}", "{only}{", "{One thing}"):
        with pytest.raises(TemplateError):
            parsed(broken)


def test_the_command_writes_both_files_and_says_which_gate_failed(tmp_path: Path) -> None:
    out = tmp_path / "edge.jsonl"
    with pytest.raises(CommandError, match="pairs of levels not hit") as failed:
        call_command("generate_edge_case_synthetic_dataset", count=25, seed=1, out=out, processes=1)
    assert failed.value.returncode == 1
    assert len(out.read_text().splitlines()) == 25
    assert json.loads((tmp_path / "edge.report.json").read_text())["records"] == 25
    assert {path.name for path in tmp_path.iterdir()} == {"edge.jsonl", "edge.report.json"}


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"categories": "weather"}, "no category weather"),
        ({"count": 3}, "25 or more"),
        ({"count": 1, "categories": "suicidality"}, "2 or more: of one dialogue"),
        ({"region": "moon"}, "no region 'moon'"),
        ({"reference": Path("/nowhere.json")}, "cannot be read"),
    ],
)
def test_unusable_arguments_end_with_two_and_write_nothing(
    tmp_path: Path, changed: dict[str, object], says: str
) -> None:
    out = tmp_path / "edge.jsonl"
    options: dict[str, object] = {"count": 25, "seed": 1, "out": out, "processes": 1, **changed}
    with pytest.raises(CommandError, match=says) as failed:
        call_command("generate_edge_case_synthetic_dataset", **options)
    assert failed.value.returncode == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "text",
    [
        "a _noose_",
        "the lethal\ndose",
        "500\u202fmg of it",
        "a noo\u00adse",
        "**committed** suicide",
        "a n\u200boose",
    ],
)
def test_no_markup_and_nothing_unseen_hides_a_word_from_the_gate(text: str) -> None:
    assert gate().breaches_in("assistant", text)


@pytest.mark.parametrize("name", CATEGORIES)
def test_no_frame_breaks_a_rule_by_itself(name: str) -> None:
    """It would be in no dialogue, and as the rarest be tried again and again."""
    grammar = category_grammar(name)
    frames = {"user": grammar.client_frames(), "assistant": grammar.therapist_frames()}
    refused = [
        (frame, found)
        for role in frames
        for frame in frames[role]
        if (found := gate().breaches_in(role, frame))
    ]
    assert refused == []


def test_a_frame_that_never_passes_does_not_stop_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    held = gate()
    refused = "they never mind a silence on that line"
    rule = safe_messaging.Rule("refused", "both", re.compile(refused), (refused,))
    strict = Gate((*held.rules, rule), held.intent, held.access)
    monkeypatch.setattr(generation, "gate", lambda: strict)
    result = generate_category("child_abuse_reporting", 40, 1, "anywhere")
    assert len(result.records) == 40
    assert result.turned_down["refused"] > 0
