"""The scheme as a page: what is asked, how it stands, which key gives which answer, and figures in words."""

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.labelling import presenter
from annotation.labelling.presenter import Question
from annotation.schemes.definition import Scheme, parse_scheme
from annotation.schemes.shipped import default_scheme

BOTH = frozenset({"client", "assistant"})


def shipped() -> Scheme:
    return parse_scheme(default_scheme())


def scheme_of(codes: list[str], scale: str = "nominal", label: str = "") -> Scheme:
    numbers = count(1)
    categories = [{"code": code, "label": label or f"Answer {next(numbers)}"} for code in codes]
    question = {"key": "asked", "title": "Asked", "scale": scale, "categories": categories}
    headline = {
        "key": "headline",
        "title": "Headline",
        "scale": "nominal",
        "is_headline": True,
        "categories": [{"code": "yes", "label": "Yes"}, {"code": "no", "label": "No"}],
    }
    form = {"key": "one", "title": "One", "asks_about": "conversation", "dimensions": [headline, question]}
    return parse_scheme({"key": "made_up", "version": "1", "title": "Made up", "forms": [form]})


def question(scheme: Scheme, key: str, answer: object = None, error: str = "") -> Question:
    found = presenter.sections(scheme, BOTH, {key: answer}, {key: error})
    return next(one for section in found for one in section.questions if one.key == key)


def test_all_sections_are_there_and_say_whether_they_are_asked() -> None:
    found = presenter.sections(shipped(), frozenset({"client"}))
    assert [(section.key, section.is_asked) for section in found] == [
        ("crisis", True),
        ("modality", False),
        ("empathy", False),
    ]


@pytest.mark.parametrize(("present", "is_asked"), [(frozenset(), False), (frozenset({"assistant"}), True)])
def test_section_about_the_conversation_needs_a_turn_of_anybody(
    present: frozenset[str], is_asked: bool
) -> None:
    assert presenter.sections(scheme_of(["a", "b"]), present)[0].is_asked is is_asked


def test_digits_that_are_codes_are_their_own_keys() -> None:
    crisis = question(shipped(), "crisis_intensity")
    assert crisis.shows_codes
    assert [option.shortcut for option in crisis.options] == ["0", "1", "2", "3", "4", "5"]


def test_fourteen_codes_have_ten_digits_and_then_letters() -> None:
    modality = question(shipped(), "modality_primary")
    assert not modality.shows_codes
    assert "".join(option.shortcut for option in modality.options) == "1234567890abcd"


def test_the_same_code_has_the_same_key_as_primary_and_as_secondary_modality() -> None:
    primary = {one.code: one.shortcut for one in question(shipped(), "modality_primary").options}
    secondary = {one.code: one.shortcut for one in question(shipped(), "modality_secondary").options}
    assert secondary.items() <= primary.items()


def test_a_scale_to_ten_keeps_its_digits() -> None:
    scale = question(scheme_of([str(number) for number in range(11)], scale="ordinal"), "asked")
    assert [option.shortcut for option in scale.options] == [*"0123456789", "a"]


@given(st.integers(min_value=2, max_value=60))
def test_no_two_options_of_a_question_share_a_key(number: int) -> None:
    options = question(scheme_of([f"code_{at}" for at in range(number)]), "asked").options
    keys = [option.shortcut for option in options if option.shortcut]
    assert len(set(keys)) == len(keys) == min(number, 27)
    assert not set(keys) & set("fgjknorsu")  # what the page's commands use


@pytest.mark.parametrize(
    ("key", "layout"),
    [
        ("crisis_not_ratable", "flag"),
        ("crisis_intensity", "row"),
        ("empathy_emotional_reaction", "small"),
        ("empathy_global", "list"),
        ("crisis_types", "wrap"),
        ("reply_safety", "wrap"),
        ("modality_primary", "codes"),
    ],
)
def test_layout_follows_scale_and_labels(key: str, layout: str) -> None:
    assert question(shipped(), key).layout == layout


def test_only_an_optional_unanswered_list_of_many_codes_is_folded() -> None:
    assert question(shipped(), "modality_secondary").is_folded
    assert not question(shipped(), "modality_secondary", ["act"]).is_folded
    assert not question(shipped(), "modality_secondary", error="Choose no more than 2.").is_folded
    assert not question(shipped(), "modality_primary").is_folded


def test_answers_and_errors_are_shown_where_they_belong() -> None:
    shown = question(shipped(), "crisis_types", ["suicide", "other"], "Too many.")
    assert [option.code for option in shown.options if option.is_chosen] == ["suicide", "other"]
    assert shown.error == "Too many."
    assert question(shipped(), "crisis_not_ratable", True).is_ticked


def test_every_question_says_what_to_do_when_it_is_missing() -> None:
    assert question(scheme_of(["a", "b"]), "asked").prompt == "Asked: choose an answer."
    assert question(shipped(), "crisis_types").prompt == "Choose at least one crisis type."


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "too early to say"),
        (0, "a few minutes at your pace"),
        (299, "a few minutes at your pace"),
        (300, "about 5 min at your pace"),
        (25 * 60 + 40, "about 25 min at your pace"),
        (3449, "about 55 min at your pace"),
        (3451, "about 1 h at your pace"),
        (3 * 3600 + 17 * 60, "about 3 h 20 at your pace"),
        (9 * 3600 + 54 * 60, "about 9 h 50 at your pace"),
        (9 * 3600 + 56 * 60, "about 10 h at your pace"),
        (52 * 3600, "about 52 h at your pace"),
    ],
)
def test_time_left_is_no_more_exact_than_it_is_known(seconds: int | None, words: str) -> None:
    assert presenter.time_left(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 min"),
        (1, "under a minute"),
        (59, "under a minute"),
        (60, "1 min"),
        (2520, "42 min"),
        (7500, "2 h 05"),
        (7200, "2 h"),
    ],
)
def test_todays_work_is_told_to_the_minute(seconds: int, words: str) -> None:
    assert presenter.worked(seconds) == words
