"""A scheme in words says what is asked, how, and when."""

import pytest

from annotation.campaigns.in_words import condition_in_words, scale_in_words, sections_in_words
from annotation.schemes.definition import parse_scheme
from annotation.schemes.shipped import default_scheme

SCHEME = parse_scheme(default_scheme())


def test_every_question_stands_in_its_section_in_order() -> None:
    sections = sections_in_words(SCHEME)
    assert [section.form.key for section in sections] == ["crisis", "modality", "empathy"]
    asked = [question.dimension for section in sections for question in section.questions]
    assert asked == list(SCHEME.dimensions)


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("crisis_not_ratable", ""),
        ("crisis_intensity", "Asked unless “Crisis cannot be rated” is ticked."),
        ("suicidal_behaviour", "Asked when “Crisis intensity” is 1 Low or higher."),
        (
            "modality_secondary",
            "Asked when “Primary modality” is answered with anything but None or unclear.",
        ),
    ],
)
def test_a_condition_names_question_and_answers(key: str, words: str) -> None:
    assert condition_in_words(SCHEME, SCHEME.dimension(key)) == words


def test_several_answers_are_joined_with_or() -> None:
    raw = default_scheme()
    raw["forms"][1]["dimensions"][1]["shown_when"]["is_one_of"] = ["cbt", "dbt", "act"]
    scheme = parse_scheme(raw)
    words = condition_in_words(scheme, scheme.dimension("modality_secondary"))
    assert words.endswith(
        "is Cognitive behavioural (CBT), Dialectical behaviour (DBT) or Acceptance and commitment (ACT)."
    )


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("crisis_not_ratable", "A tick or none"),
        ("crisis_intensity", "One of 6, from low to high"),
        ("modality_primary", "One of 14"),
        ("modality_secondary", "Up to 2 of 13"),
        ("crisis_types", "Any of 7"),
    ],
)
def test_a_scale_says_how_to_answer(key: str, words: str) -> None:
    assert scale_in_words(SCHEME.dimension(key)) == words
