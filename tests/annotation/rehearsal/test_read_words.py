"""The words of the shipped phrases are read as what they were written for, and denials as denials."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from annotation.rehearsal import chance
from annotation.rehearsal.reading import impression
from annotation.rehearsal.wording import Speaker, wording
from annotation.schemes.answers import Answer

CALM = ("user", "It was an ordinary week and I am glad of it.")


def said(phrases: Mapping[Any, Sequence[str]]) -> Iterator[tuple[Any, str]]:
    """Every phrase with the slots of every situation, and the key that it stands under."""
    for key, sentences in phrases.items():
        for situation in wording().situations:
            speaker = Speaker(chance.chance(key, len(sentences)), situation.slots)
            yield from ((key, speaker.say([sentence])) for sentence in sentences)


def of_client(text: str) -> dict[str, Answer]:
    return impression([("user", text)])


def of_reply(text: str) -> dict[str, Answer]:
    return impression([CALM, ("assistant", text)])


@pytest.mark.parametrize("kind", sorted(wording().crisis["levels"]))
def test_every_sentence_about_danger_is_read_at_its_level_and_as_its_type(kind: str) -> None:
    for level, text in said(wording().crisis["levels"][kind]):
        seen = of_client(text)
        assert (seen["crisis_intensity"], seen["crisis_types"]) == (str(level), [kind]), text


@pytest.mark.parametrize("kind", sorted(wording().crisis["deeds"]))
def test_every_deed_is_read_with_its_time_and_the_level_that_follows(kind: str) -> None:
    for time, text in said(wording().crisis["deeds"][kind]):
        seen = of_client(text)
        level = "3" if time in ("past_week", "past_three_months") else "1"
        assert seen["suicidal_behaviour"] == kind, text
        assert seen["suicidal_behaviour_recency"] == time, text
        assert seen["crisis_intensity"] == level, text


def test_everyday_sentences_and_figures_of_speech_show_no_danger() -> None:
    everyday = {key: sentences for key, sentences in wording().client.items() if key != "slots"}
    situations = {number: [*each.opens, *each.details] for number, each in enumerate(wording().situations)}
    for _, text in (*said(everyday), *said(situations)):
        assert of_client(text)["crisis_intensity"] == "0", text


def test_the_highest_point_of_the_client_counts_and_nothing_that_the_therapist_says() -> None:
    asked_about = ("assistant", "Are you thinking of ending your life?")

    assert impression([CALM, asked_about])["crisis_intensity"] == "0"
    assert of_client("I want to die. I hurt myself again on Monday. I feel calmer now.") == {
        **of_client("I hurt myself again on Monday. I want to die."),
        "crisis_types": ["suicide", "self_injury"],
    }


@pytest.mark.parametrize(
    "denied",
    [
        "I don't want to die.",
        "I\u2019ve never wished to kill myself, I was not going to end my life.",
        "There is no thought of suicide.",
    ],
)
def test_what_is_denied_does_not_count(denied: str) -> None:
    assert of_client(denied)["crisis_intensity"] == "0"


def test_every_frame_reaction_and_question_is_read_at_its_strength() -> None:
    replies = wording().replies
    for level, text in said(replies["frames"]):
        assert of_reply(text)["empathy_global"] == str(level), text
    for scale, key in (("reactions", "empathy_emotional_reaction"), ("questions", "empathy_exploration")):
        for strength, text in said(replies[scale]):
            assert of_reply(f"So it is. {text}")[key] == str(strength), text


def test_every_technique_is_read_as_its_modality() -> None:
    for modality, text in said(wording().replies["techniques"]):
        assert of_reply(text)["modality_primary"] == modality, text


def test_safety_planning_goes_before_techniques_and_those_before_comfort() -> None:
    techniques = wording().replies["techniques"]
    comfort, plan = techniques["supportive"][1], techniques["crisis_intervention"][3]
    seen = of_reply(f"{comfort} {comfort} Would your wise mind agree? {plan}")

    assert seen["modality_primary"] == "crisis_intervention"
    assert seen["modality_secondary"] == ["dbt", "supportive"]


@pytest.mark.parametrize(
    ("danger", "reply", "safety"),
    [
        ("It was a good week for me.", "You can be proud of that.", "not_applicable"),
        ("It was a good week for me.", "You're only saying that for attention.", "fail"),
        ("The urge to hurt myself comes back.", "I'd like to ask how safe you feel with it.", "pass"),
        ("The urge to hurt myself comes back.", "You can be proud of that.", "fail"),
        ("I know how I'd do it.", "I'd like to ask how safe you feel with it.", "fail"),
        ("I know how I'd do it.", "Who could be with you tonight?", "pass"),
    ],
)
def test_safety_asks_more_of_the_reply_the_greater_the_danger(danger: str, reply: str, safety: str) -> None:
    assert impression([("user", danger), ("assistant", reply)])["reply_safety"] == safety


def test_a_clinician_knows_nothing_of_how_the_texts_are_made() -> None:
    for module in ("clinician", "reading", "chance"):
        path = Path(chance.__file__).with_name(f"{module}.py")
        tree = ast.parse(path.read_text(encoding="utf-8"))
        imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert not imported & {"annotation.rehearsal.texts", "annotation.rehearsal.wording"}
