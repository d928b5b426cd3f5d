"""The twenty extremes: whole, safe in every wording, and refused when a part is missing."""

import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
import yaml

from datasets_app.generators.gating import has_invented_number
from datasets_app.nightmares import scenarios
from datasets_app.nightmares.plans import plans_for
from datasets_app.nightmares.scenarios import RECEPTIONS, SECTIONS, scenario_named, scenario_names
from datasets_app.synthesis.chance import chance
from datasets_app.synthesis.dialogue import Turn, region_named
from datasets_app.synthesis.grammar import GrammarError
from datasets_app.synthesis.people import fact_sheet
from datasets_app.synthesis.safe_messaging import gate
from datasets_app.synthesis.templates import Telling

NAMES = scenario_names()
TWENTY = {
    "acute_suicidality_with_intent", "catatonia", "child_at_present_risk", "coercive_group",
    "command_hallucinations", "delirium_or_intoxication", "disclosure_by_perpetrator",
    "homicide_suicide_ideation", "imminent_partner_violence", "live_stream_threat", "mass_violence_threat",
    "moral_injury", "overdose_in_progress", "parent_bereaved_by_suicide", "postpartum_psychosis",
    "return_after_attempt", "severe_dissociation_in_session", "stalking_of_therapist", "threat_to_therapist",
    "torture_survivor",
}  # fmt: skip


def test_there_are_the_twenty() -> None:
    assert set(NAMES) == TWENTY


@pytest.mark.parametrize("name", NAMES)
def test_each_says_what_clinicians_need_to_know(name: str) -> None:
    grammar = scenario_named(name).grammar
    assert len(grammar.clinical_construct) > 60
    assert grammar.content_warning
    assert grammar.is_restricted
    assert len(grammar.expected_response) >= 3
    assert len(grammar.prohibited) >= 3
    assert set(region_named("anywhere")) >= {grammar.people["help"], "emergency"}


def wordings(name: str) -> Iterator[tuple[str, str, str, dict[str, str]]]:
    """Section, role, text and facts of every frame, told often enough that each of its ways is heard."""
    scenario = scenario_named(name)
    for number in range(24):
        throw = chance("wordings", number)
        region = region_named(("anywhere", "gb", "us")[number % 3])
        facts = fact_sheet(
            scenario.grammar, scenario.settings[number % len(scenario.settings)], region, throw
        )
        telling = Telling(throw, facts, {})
        for section in SECTIONS:
            for beat in scenario.grammar.sections[section]:
                yield from ((f"? {section}", "assistant", telling.tell(ask), facts) for ask in beat.asks)
                for saying in beat.sayings:
                    yield section, "user", telling.tell(saying.text), facts
                    replies = (telling.tell(reply) for reply in saying.replies)
                    yield from ((section, "assistant", reply, facts) for reply in replies)


@pytest.mark.parametrize("name", NAMES)
def test_every_wording_of_both_roles_passes_the_gate_and_asks_what_must_be_asked(name: str) -> None:
    for section, role, text, facts in wordings(name):
        low = text.lower()
        assert gate().breaches_in(role, text) == [], text
        assert not has_invented_number([Turn(role, text)], facts), text
        assert not re.search(r"[{}|@]|\b\d=", text)
        assert section != "? danger" or gate().intent.is_asked_in(text), text
        assert section != "? access" or gate().access.is_asked_in(text), text
        assert section != "? close" or facts["help_line"].lower() in low, text


@pytest.mark.parametrize("name", NAMES)
def test_who_may_be_of_either_gender_is_never_he_by_the_words_of_a_frame(name: str) -> None:
    scenario = scenario_named(name)
    if len(set(scenario.grammar.people["other"].values())) == 2:
        fixed = [
            frame
            for frame in (*scenario.grammar_frames(), *scenario.vignettes)
            if "{o}" in frame and re.search(r"(?i:\{(he|him|his)(?![a-z}])|\|(he|him|his)(?![a-z]))", frame)
        ]
        assert fixed == []


@pytest.mark.parametrize("name", NAMES)
def test_three_plans_hold_every_reception_and_a_round_of_them_every_pair(name: str) -> None:
    settings = scenario_named(name).settings
    plans = list(plans_for(name, 3 * len(settings), 4))
    for start in range(0, len(plans), 3):
        assert {plan.reception for plan in plans[start : start + 3]} == set(RECEPTIONS)
    assert {(plan.setting, plan.reception) for plan in plans} == set(product(settings, RECEPTIONS))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda held: held.pop("prohibited"), "entry 'prohibited' is missing"),
        (
            lambda held: held.update(act=held["act"].replace("[refuses]", "[accepts]")),
            "no answer that refuses",
        ),
        (lambda held: held["order"].remove("access"), "leaves out a part that every dialogue needs"),
        (lambda held: held.update(order=[*held["order"], "close"]), "asks for more of 'close'"),
        (lambda held: held.update(open="> Help me.\n< I am with you."), "fewer than 3 openings"),
        (lambda held: held.update(close=held["close"].replace("{help_line}", "{hotline}")), "no 'hotline'"),
    ],
)
def test_a_scenario_that_lacks_a_part_is_refused(
    change: object, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "overdose_in_progress"
    held = yaml.safe_load((scenarios.HERE / f"{name}.yaml").read_text(encoding="utf-8"))
    change(held)  # type: ignore[operator]
    (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(held), encoding="utf-8")
    monkeypatch.setattr(scenarios, "HERE", tmp_path)
    with pytest.raises(GrammarError, match=says):
        scenario_named.__wrapped__(name)


@pytest.mark.parametrize(
    "text",
    [
        "Ring 1\u2011800\u2011273\u20118255.",
        "Ring 0800 - 555 - 0199 now.",
        "Text SHOUT to 8525.",
        "Look at samaritans.org tonight.",
        "Call 1\u2013800\u2013273\u20138255.",
    ],
)
def test_an_invented_number_is_found_however_it_is_written(text: str) -> None:
    assert has_invented_number([Turn("assistant", text)], {"help_line": "the crisis line in your area"})


def test_what_the_region_gives_is_no_invented_number() -> None:
    facts = {"help_line": "the 988 Lifeline (call or text 988)", "emergency": "911"}
    said = "You can ring the 988 Lifeline (call or text 988), and 911 if it gets worse."
    assert not has_invented_number([Turn("assistant", said)], facts)
