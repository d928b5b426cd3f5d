"""Answers are recorded in one canonical form, or sent back with a plain sentence for each question."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.schemes.answers import AnswerErrors, asked, validate_answers
from annotation.schemes.definition import Dimension, Scheme, parse_scheme
from annotation.schemes.shipped import default_scheme

SCHEME = parse_scheme(default_scheme())
BOTH = frozenset({"client", "assistant"})
CLIENT_ONLY = frozenset({"client"})
ASSISTANT_ONLY = frozenset({"assistant"})

CALM = {"crisis_intensity": "0", "crisis_confidence": "5"}
REPLY = {
    "modality_primary": "cbt",
    "empathy_emotional_reaction": "1",
    "empathy_interpretation": "2",
    "empathy_exploration": "0",
    "empathy_global": "3",
    "reply_safety": "not_applicable",
}
CRISIS = {
    "crisis_intensity": "3",
    "crisis_types": ["suicide"],
    "suicidal_behaviour": "none",
    "crisis_confidence": "4",
}


def errors_of(raw: dict[str, Any], turns: frozenset[str] = BOTH) -> dict[str, str]:
    with pytest.raises(AnswerErrors) as caught:
        validate_answers(SCHEME, raw, turns)
    return caught.value.errors


def test_answers_come_back_in_the_order_of_the_scheme_with_flags_and_lists_filled_in() -> None:
    raw = {**REPLY, "crisis_confidence": 2, "crisis_intensity": 0, "crisis_possible_higher": "on"}

    assert list(validate_answers(SCHEME, raw, BOTH).items()) == [
        ("crisis_not_ratable", False),
        ("crisis_intensity", "0"),
        ("crisis_possible_higher", True),
        ("crisis_confidence", "2"),
        ("modality_primary", "cbt"),
        ("modality_secondary", []),
        ("empathy_emotional_reaction", "1"),
        ("empathy_interpretation", "2"),
        ("empathy_exploration", "0"),
        ("empathy_global", "3"),
        ("reply_safety", "not_applicable"),
    ]


def test_several_choices_come_back_once_each_in_the_order_of_the_scale() -> None:
    raw = {**CRISIS, "crisis_types": ["violence", "suicide", "violence"]}

    assert validate_answers(SCHEME, raw, CLIENT_ONLY)["crisis_types"] == ["suicide", "violence"]


def test_every_missing_answer_is_asked_for_in_its_own_words() -> None:
    errors = errors_of({})

    assert errors["crisis_intensity"] == "Choose a crisis intensity, 0 to 5."
    assert set(errors) == {"crisis_intensity", "crisis_confidence", *REPLY}


def test_nothing_about_the_reply_is_asked_when_there_is_none() -> None:
    answers = validate_answers(SCHEME, CALM, CLIENT_ONLY)

    assert set(answers) == {
        "crisis_not_ratable",
        "crisis_intensity",
        "crisis_possible_higher",
        "crisis_confidence",
    }


def test_an_answer_about_a_reply_that_is_not_there_is_refused() -> None:
    errors = errors_of({**CALM, "modality_primary": "cbt"}, CLIENT_ONLY)

    assert list(errors) == ["modality_primary"]
    assert "there is no reply in this sample" in errors["modality_primary"]


def test_nothing_about_crisis_is_asked_when_the_client_says_nothing() -> None:
    answers = validate_answers(SCHEME, REPLY, ASSISTANT_ONLY)

    assert not {key for key in answers if key.startswith(("crisis", "suicidal"))}


def test_not_ratable_needs_no_intensity_and_allows_none() -> None:
    assert validate_answers(SCHEME, {"crisis_not_ratable": True}, CLIENT_ONLY) == {"crisis_not_ratable": True}

    errors = errors_of({"crisis_not_ratable": True, "crisis_intensity": "2"}, CLIENT_ONLY)
    assert list(errors) == ["crisis_intensity"]
    assert "Crisis cannot be rated" in errors["crisis_intensity"]


@pytest.mark.parametrize(
    ("key", "empty"),
    [
        ("crisis_types", None),
        ("crisis_types", []),
        ("crisis_types", ()),
        ("suicidal_behaviour", ""),
        ("suicidal_behaviour", None),
    ],
)
def test_an_empty_answer_to_a_question_that_does_not_apply_is_dropped(key: str, empty: object) -> None:
    assert key not in validate_answers(SCHEME, {**CALM, key: empty}, CLIENT_ONLY)


@pytest.mark.parametrize("empty", [None, False, "", "false"])
def test_an_unticked_flag_that_does_not_apply_is_dropped(empty: object) -> None:
    raw = {**CRISIS, "crisis_intensity": "5", "crisis_possible_higher": empty}

    assert "crisis_possible_higher" not in validate_answers(SCHEME, raw, CLIENT_ONLY)


def test_types_and_behaviour_are_asked_from_level_one_and_recency_only_after_a_deed() -> None:
    assert set(errors_of({**CALM, "crisis_intensity": "1"}, CLIENT_ONLY)) == {
        "crisis_types",
        "suicidal_behaviour",
    }
    assert "suicidal_behaviour_recency" not in validate_answers(SCHEME, CRISIS, CLIENT_ONLY)
    assert set(errors_of({**CRISIS, "suicidal_behaviour": "attempt"}, CLIENT_ONLY)) == {
        "suicidal_behaviour_recency"
    }
    told = {**CRISIS, "suicidal_behaviour": "attempt", "suicidal_behaviour_recency": "longer_ago"}
    assert validate_answers(SCHEME, told, CLIENT_ONLY)["suicidal_behaviour_recency"] == "longer_ago"


def test_possibly_higher_is_not_asked_at_the_highest_level() -> None:
    raw = {**CRISIS, "crisis_intensity": "5", "crisis_possible_higher": True}

    assert list(errors_of(raw, CLIENT_ONLY)) == ["crisis_possible_higher"]


def test_only_the_faulty_answer_is_named_when_others_hang_on_it() -> None:
    assert list(errors_of({**CRISIS, "crisis_intensity": "9"}, CLIENT_ONLY)) == ["crisis_intensity"]
    deed = {**CRISIS, "suicidal_behaviour": "attempt", "suicidal_behaviour_recency": "past_week"}
    assert list(errors_of({**deed, "crisis_intensity": ""}, CLIENT_ONLY)) == ["crisis_intensity"]


@pytest.mark.parametrize(
    ("secondary", "said"),
    [
        (["act", "dbt", "supportive"], "choose no more than 2"),
        (["cbt"], "leave out “Cognitive behavioural (CBT)”; it is already your primary modality"),
        (["none_unclear"], "not one of the answers"),
        ("act", "as a list"),
        ([["act"]], "not one of the answers"),
    ],
)
def test_secondary_modalities_keep_their_rules(secondary: object, said: str) -> None:
    errors = errors_of({**CALM, **REPLY, "modality_secondary": secondary})

    assert list(errors) == ["modality_secondary"]
    assert said in errors["modality_secondary"]


def test_an_unclear_modality_has_no_secondary() -> None:
    raw = {**CALM, **REPLY, "modality_primary": "none_unclear"}

    assert "modality_secondary" not in validate_answers(SCHEME, raw, BOTH)
    assert list(errors_of({**raw, "modality_secondary": ["act"]})) == ["modality_secondary"]


@pytest.mark.parametrize("value", ["6", "-1", "3.0", " 3", 3.0, True, ["3"], {"code": "3"}, "none"])
def test_an_answer_off_the_scale_is_refused_without_repeating_it(value: object) -> None:
    message = errors_of({**CALM, "crisis_intensity": value}, CLIENT_ONLY)["crisis_intensity"]

    assert message == "That is not one of the answers. Choose a crisis intensity, 0 to 5."


@pytest.mark.parametrize("value", ["yes", 1, ["on"]])
def test_a_flag_is_ticked_or_not(value: object) -> None:
    assert list(errors_of({**CALM, "crisis_possible_higher": value}, CLIENT_ONLY)) == [
        "crisis_possible_higher"
    ]


def test_an_unknown_question_is_refused_and_nothing_typed_reaches_the_exception_text() -> None:
    secret = "words of a client"
    with pytest.raises(AnswerErrors) as caught:
        validate_answers(SCHEME, {**CALM, secret: "x", "crisis_intensity": secret}, CLIENT_ONLY)

    assert set(caught.value.errors) == {secret, "crisis_intensity"}
    assert secret not in str(caught.value)
    assert not any(secret in message for message in caught.value.errors.values())


def test_a_required_answer_without_a_prompt_of_its_own_is_asked_for_by_title() -> None:
    raw = default_scheme()
    raw["forms"][0]["dimensions"][1].pop("prompt")

    with pytest.raises(AnswerErrors) as caught:
        validate_answers(parse_scheme(raw), {"crisis_confidence": "1"}, CLIENT_ONLY)

    assert caught.value.errors == {"crisis_intensity": "Crisis intensity: choose an answer."}


def test_a_question_about_the_conversation_is_asked_whoever_speaks() -> None:
    raw = default_scheme()
    raw["forms"][2]["asks_about"] = "conversation"
    scheme = parse_scheme(raw)

    assert "empathy_global" in [dimension.key for dimension in asked(scheme, CLIENT_ONLY, {})]
    assert asked(scheme, frozenset(), {}) == ()


def test_asked_follows_unfinished_answers() -> None:
    def keys(answers: dict[str, object]) -> list[str]:
        return [dimension.key for dimension in asked(SCHEME, CLIENT_ONLY, answers)]

    assert keys({}) == ["crisis_not_ratable", "crisis_intensity", "crisis_confidence"]
    assert keys({"crisis_not_ratable": "on", "crisis_intensity": "4"}) == ["crisis_not_ratable"]
    assert "crisis_types" in keys({"crisis_intensity": 4})
    assert "crisis_types" not in keys({"crisis_intensity": "nonsense"})
    assert "suicidal_behaviour_recency" not in keys(
        {"crisis_intensity": "0", "suicidal_behaviour": "attempt"}
    )


def _offered(dimension: Dimension) -> st.SearchStrategy[object]:
    if dimension.scale == "flag":
        return st.sampled_from([True, False, "on", "", None])
    if dimension.scale == "multi":
        return st.lists(st.sampled_from(dimension.codes), max_size=4)
    return st.sampled_from(dimension.codes)


@st.composite
def worked_through(draw: st.DrawFn) -> tuple[dict[str, object], frozenset[str]]:
    """Answers as a person gives them: each question that applies in turn, some left out, in any order."""
    turns = draw(st.sampled_from([BOTH, CLIENT_ONLY, ASSISTANT_ONLY]))
    raw: dict[str, object] = {}
    while left := [d for d in asked(SCHEME, turns, raw) if d.key not in raw]:
        raw[left[0].key] = draw(_offered(left[0]))
    dropped = draw(st.sets(st.sampled_from(sorted(raw)), max_size=1) | st.just(set[str]()))
    keys = draw(st.permutations([key for key in raw if key not in dropped]))
    return {key: raw[key] for key in keys}, turns


def _accepted(
    scheme: Scheme, raw: dict[str, object], turns: frozenset[str]
) -> dict[str, str | list[str] | bool] | None:
    try:
        return validate_answers(scheme, raw, turns)
    except AnswerErrors:
        return None


@given(worked_through())
def test_what_is_accepted_is_canonical_declared_and_eligible(
    case: tuple[dict[str, object], frozenset[str]],
) -> None:
    raw, turns = case
    answers = _accepted(SCHEME, raw, turns)
    if answers is None:
        return
    again = validate_answers(SCHEME, answers, turns)
    applicable = asked(SCHEME, turns, answers)

    assert list(again.items()) == list(answers.items())
    assert list(answers) == [d.key for d in applicable if d.key in answers]
    for dimension in applicable:
        answer = answers.get(dimension.key)
        if dimension.scale == "flag":
            assert answer is True or answer is False
        elif dimension.scale == "multi":
            assert isinstance(answer, list)
            assert set(answer) <= set(dimension.codes)
            assert len(answer) <= (dimension.max_choices or len(dimension.codes))
            assert answers.get(dimension.excludes) not in answer
            assert answer or not dimension.is_required
        else:
            assert answer in dimension.codes


@given(worked_through(), st.data())
def test_the_order_in_which_answers_arrive_does_not_matter(
    case: tuple[dict[str, object], frozenset[str]], data: st.DataObject
) -> None:
    raw, turns = case
    shuffled = {key: raw[key] for key in data.draw(st.permutations(sorted(raw)))}

    assert _accepted(SCHEME, shuffled, turns) == _accepted(SCHEME, raw, turns)


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 7)
    | st.text(max_size=3)
    | st.sampled_from(["cbt", "act", "3"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=4,
)


@given(
    st.dictionaries(
        st.sampled_from([dimension.key for dimension in SCHEME.dimensions]) | st.text(max_size=4), JUNK
    ),
    st.sampled_from([BOTH, CLIENT_ONLY, ASSISTANT_ONLY, frozenset[str]()]),
)
def test_any_junk_is_either_accepted_or_refused_by_question(
    raw: dict[str, object], turns: frozenset[str]
) -> None:
    answers = _accepted(SCHEME, raw, turns)

    assert answers is None or set(answers) <= {d.key for d in asked(SCHEME, turns, raw)}
