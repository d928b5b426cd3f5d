"""ESConv, FailedESConv, Psy-Insight and hh-rlhf: made-up records in their shapes."""

import gzip
import json
from typing import Any

import pytest

from datasets_app.sources.records import Dialogue, RejectReason

from .reading import as_lines, only_dialogue, only_reject, records_of, said


def esconv(labels: tuple[str, str] = ("seeker", "supporter"), **other: Any) -> dict[str, Any]:
    seeker, supporter = labels
    return {
        "experience_type": "Current Experience",
        "emotion_type": "sadness",
        "problem_type": "job crisis",
        "situation": "I was let go.",
        "survey_score": {"seeker": {}, "supporter": {}},
        "dialog": [
            {"speaker": seeker, "annotation": {}, "content": "I was let go. "},
            {"speaker": supporter, "annotation": {"strategy": "Question"}, "content": "When was that?"},
        ],
        **other,
    }


def survey(**points: str) -> dict[str, Any]:
    return {"survey_score": {"seeker": points, "supporter": {}}}


def feedback(*points: str) -> dict[str, Any]:
    turns = [{"speaker": "seeker", "annotation": {"feedback": given}, "content": "Ok."} for given in points]
    return {"dialog": turns}


@pytest.mark.parametrize("labels", [("seeker", "supporter"), ("speaker", "listener")])
def test_esconv_under_the_labels_of_both_its_files(labels: tuple[str, str]) -> None:
    found = only_dialogue(records_of(json.dumps([esconv(labels)], indent=1), "ESConv.json"))
    assert said(found) == [("user", "I was let go."), ("assistant", "When was that?")]
    assert found.meta == {"topic": "job crisis", "emotion": "sadness", "experience": "Current Experience"}


def test_an_esconv_label_that_is_not_known_refuses_its_conversation() -> None:
    records = records_of(json.dumps([esconv(("seeker", "other")), esconv()]), "ESConv.json")
    assert len(records) == 2
    reject = only_reject(records)
    assert (reject.row, reject.reason) == (1, RejectReason.UNKNOWN_SPEAKER)
    assert reject.field == "dialog[1].speaker"


@pytest.mark.parametrize(
    ("facts", "is_failed"),
    [
        (
            survey(initial_emotion_intensity="4", final_emotion_intensity="2", empathy="4", relevance="3"),
            False,
        ),
        (
            survey(initial_emotion_intensity="4", final_emotion_intensity="4", empathy="5", relevance="5"),
            True,
        ),
        (survey(initial_emotion_intensity="4", final_emotion_intensity="5"), True),
        (
            survey(initial_emotion_intensity="4", final_emotion_intensity="2", empathy="2", relevance="5"),
            True,
        ),
        (
            survey(initial_emotion_intensity="4", final_emotion_intensity="2", empathy="5", relevance="1"),
            True,
        ),
        (survey(initial_emotion_intensity="4"), False),
        (feedback("1", "3"), False),
        (feedback("5", "2"), True),
        (survey(final_emotion_intensity="2") | feedback("1"), False),
        ({"survey_score": None}, False),
        ({"survey_score": {"seeker": {"final_emotion_intensity": ["5"]}}}, False),
    ],
)
def test_a_conversation_that_failed_its_seeker_is_flagged(facts: dict[str, Any], is_failed: bool) -> None:
    found = only_dialogue(records_of(json.dumps([esconv(**facts)]), "ESConv.json"))
    assert found.meta.get("flags") == ("failed_support" if is_failed else None)


def psy_insight(key: str, goes_on: int, *speakers: str) -> dict[str, Any]:
    turns = [
        {"speaker": speaker, "participant": "Ann", "content": f"turn {number}", "id": f"0-{number}"}
        for number, speaker in enumerate(speakers or ("Seeker", "Supporter"))
    ]
    facts = {"theme": "t", "psychotherapy": "CBT", "topic": "Sleep", "stage": "", "guide": ""}
    return {"dialog_id": key, **facts, "is_same_session": goes_on, "dialog": turns}


def test_psy_insight_and_the_sessions_that_go_on() -> None:
    records = [psy_insight("01", 1), psy_insight("02", 1), psy_insight("03", 0), psy_insight("04", 1)]
    found = records_of(json.dumps(records), "en_data.json")
    assert [(one.source_key, one.meta["session"]) for one in found if isinstance(one, Dialogue)] == [
        ("01/1", "01"),
        ("02/2", "01"),
        ("03/3", "03"),
        ("04/4", "03"),
    ]
    first = only_dialogue(found[:1])
    assert said(first) == [("user", "turn 0"), ("assistant", "turn 1")]
    assert first.meta == {"topic": "Sleep", "psychotherapy": "CBT", "session": "01"}


def test_a_rejected_psy_insight_record_does_not_tear_its_session_apart() -> None:
    records = [psy_insight("01", 0), psy_insight("02", 0, "Seeker", "Narrator"), psy_insight("03", 1)]
    found = records_of(json.dumps(records), "en_data.json")
    assert only_reject(found).reason == RejectReason.UNKNOWN_SPEAKER
    assert only_dialogue(found[2:]).meta["session"] == "02"


def test_a_psy_insight_record_that_repeats_the_last_exchange_shares_its_session() -> None:
    records = [psy_insight("01", 0), {**psy_insight("02", 0), "is_same_qa": 1}]
    found = records_of(json.dumps(records), "en_data.json")
    assert [one.meta["session"] for one in found if isinstance(one, Dialogue)] == ["01", "01"]


SHARED = "\n\nHuman: I cannot sleep.\n\nAssistant: Since when?\n\nHuman: Since May.\n\nNothing helps."


def pair(chosen: Any, rejected: Any) -> dict[str, Any]:
    return {"chosen": chosen, "rejected": rejected}


GOOD = pair(f"{SHARED}\n\nAssistant: That is long.\n\nWhat did you try?", f"{SHARED}\n\nAssistant: Oh well.")


@pytest.mark.parametrize("is_compressed", [False, True], ids=["plain", "gzip"])
def test_of_a_pair_the_chosen_side_is_the_dialogue_and_the_rejected_reply_stays_beside_it(
    is_compressed: bool,
) -> None:
    data = as_lines(GOOD).encode()
    found = only_dialogue(records_of(gzip.compress(data) if is_compressed else data, "test.jsonl.gz"))
    assert said(found) == [
        ("user", "I cannot sleep."),
        ("assistant", "Since when?"),
        ("user", "Since May.\n\nNothing helps."),
        ("assistant", "That is long.\n\nWhat did you try?"),
    ]
    assert found.rejected_reply == "Oh well."


def test_turns_of_one_speaker_after_another_are_not_alternated() -> None:
    text = "\n\nHuman: Hi\n\nHuman: Are you there?\n\nAssistant: "
    found = only_dialogue(records_of(as_lines(pair(f"{text}Yes.", f"{text}No.")), "a.jsonl"))
    assert [role for role, _said in said(found)] == ["user", "user", "assistant"]


@pytest.mark.parametrize(
    ("record", "reason", "field"),
    [
        (pair(GOOD["chosen"], GOOD["chosen"]), RejectReason.NO_PAIR, "rejected"),
        (pair(GOOD["chosen"], "\n\nHuman: Hi\n\nAssistant: Oh."), RejectReason.NO_PAIR, "rejected"),
        (pair(f"{SHARED}\n\nAssistant: A", SHARED), RejectReason.NO_PAIR, "rejected"),
        (pair("\n\nHuman: Hi", "\n\nHuman: Ho"), RejectReason.NO_PAIR, "rejected"),
        (
            pair(f"{SHARED}\n\nAssistant: A\n\nHuman: B\n\nAssistant: C", f"{SHARED}\n\nAssistant: D"),
            RejectReason.NO_PAIR,
            "rejected",
        ),
        (pair(f"{SHARED}\n\nAssistant:", f"{SHARED}\n\nAssistant: A"), RejectReason.EMPTY_TEXT, "chosen"),
        (pair(f"{SHARED}\n\nAssistant: A", f"{SHARED}\n\nAssistant:"), RejectReason.EMPTY_TEXT, "rejected"),
        (pair("Hi\n\nAssistant: A", "Hi\n\nAssistant: B"), RejectReason.UNKNOWN_SPEAKER, "chosen"),
        (pair("Hi", "Ho"), RejectReason.UNKNOWN_SPEAKER, "chosen"),
        (pair(None, "\n\nHuman: Hi"), RejectReason.MISSING_FIELD, "chosen"),
        (pair(GOOD["chosen"], [GOOD["rejected"]]), RejectReason.WRONG_TYPE, "rejected"),
    ],
)
def test_what_is_no_pair_is_a_reject(record: dict[str, Any], reason: RejectReason, field: str) -> None:
    found = only_reject(records_of(as_lines(GOOD, record), "a.jsonl"))
    assert (found.row, found.reason, found.field) == (2, reason, field)
