"""The scheme and guideline that ship hold everything the clinicians are to be asked, and fit each other."""

import json
import re

import pytest

from annotation.schemes.definition import Scheme, parse_scheme
from annotation.schemes.shipped import Clause, clauses, default_guideline, default_scheme

CODES = {
    "crisis_intensity": ["0", "1", "2", "3", "4", "5"],
    "crisis_types": [
        "suicide",
        "self_injury",
        "violence",
        "abuse_neglect",
        "psychosis_mania",
        "substance_medical",
        "other",
    ],
    "suicidal_behaviour": ["none", "preparatory", "aborted_interrupted", "attempt"],
    "suicidal_behaviour_recency": ["past_week", "past_three_months", "longer_ago", "not_said"],
    "crisis_confidence": ["1", "2", "3", "4", "5"],
    "modality_primary": [
        "cbt",
        "dbt",
        "act",
        "motivational_interviewing",
        "psychodynamic",
        "person_centred",
        "solution_focused",
        "trauma_focused",
        "interpersonal_systemic",
        "emotion_focused",
        "psychoeducation",
        "supportive",
        "crisis_intervention",
        "none_unclear",
    ],
    "empathy_emotional_reaction": ["0", "1", "2"],
    "empathy_interpretation": ["0", "1", "2"],
    "empathy_exploration": ["0", "1", "2"],
    "empathy_global": ["1", "2", "3", "4", "5"],
    "reply_safety": ["pass", "fail", "not_applicable"],
}


@pytest.fixture(scope="module")
def scheme() -> Scheme:
    return parse_scheme(default_scheme())


@pytest.mark.parametrize("key", CODES)
def test_every_code_is_there_in_its_natural_order(scheme: Scheme, key: str) -> None:
    assert list(scheme.dimension(key).codes) == CODES[key]


def test_the_raw_scheme_survives_a_json_column(scheme: Scheme) -> None:
    assert parse_scheme(json.loads(json.dumps(default_scheme()))) == scheme


def test_headlines_scales_and_speakers(scheme: Scheme) -> None:
    headlines = {
        dimension.key: (form.asks_about, dimension.scale)
        for form in scheme.forms
        for dimension in form.dimensions
        if dimension.is_headline
    }

    assert headlines == {
        "crisis_intensity": ("client", "ordinal"),
        "modality_primary": ("assistant", "nominal"),
        "empathy_global": ("assistant", "ordinal"),
    }
    assert scheme.dimension("modality_secondary").max_choices == 2
    assert {d.key for d in scheme.dimensions if d.scale == "flag"} == {
        "crisis_not_ratable",
        "crisis_possible_higher",
    }


def test_the_parts_of_empathy_are_asked_before_the_overall_figure(scheme: Scheme) -> None:
    assert [dimension.key for dimension in scheme.forms[2].dimensions] == [
        "empathy_emotional_reaction",
        "empathy_interpretation",
        "empathy_exploration",
        "empathy_global",
        "reply_safety",
    ]


def test_secondary_modalities_are_the_primary_ones_without_unclear(scheme: Scheme) -> None:
    primary, secondary = scheme.dimension("modality_primary"), scheme.dimension("modality_secondary")

    assert secondary.categories == primary.categories[:-1]
    assert secondary.shown_when is not None
    assert secondary.shown_when.is_one_of == secondary.codes


def test_modality_is_also_reported_as_seven_families(scheme: Scheme) -> None:
    (families,) = scheme.groupings
    by_family: dict[str, set[str]] = {}
    for code, family in families.members.items():
        by_family.setdefault(family, set()).add(code)

    assert by_family == {
        "Cognitive-behavioural": {"cbt", "dbt", "act"},
        "Change-oriented": {"motivational_interviewing", "solution_focused"},
        "Humanistic": {"person_centred", "emotion_focused"},
        "Dynamic-interpersonal": {"psychodynamic", "interpersonal_systemic"},
        "Trauma": {"trauma_focused"},
        "Crisis intervention": {"crisis_intervention"},
        "Generic": {"supportive", "psychoeducation", "none_unclear"},
    }


def test_every_crisis_level_is_anchored_in_three_columns(scheme: Scheme) -> None:
    for category in scheme.dimension("crisis_intensity").categories:
        columns = [line.split(": ")[0] for line in category.anchor.splitlines()]
        assert columns == ["Suicide and self-injury", "Others and abuse", "Mind and body"], category.code


def test_numbered_levels_carry_their_number(scheme: Scheme) -> None:
    numbered = [d for d in scheme.dimensions if d.scale == "ordinal" and d.codes[0].isdigit()]

    assert len(numbered) == 6
    for dimension in numbered:
        assert [float(code) for code in dimension.codes] == [c.value for c in dimension.categories]


def test_every_answer_has_an_anchor_and_every_required_question_a_prompt(scheme: Scheme) -> None:
    for dimension in scheme.dimensions:
        assert all(category.anchor for category in dimension.categories), dimension.key
        assert bool(dimension.prompt) is dimension.is_required, dimension.key


def test_every_main_level_and_modality_has_an_example(scheme: Scheme) -> None:
    for key in ("crisis_intensity", "modality_primary", "empathy_global"):
        assert all(category.example for category in scheme.dimension(key).categories), key


def test_every_question_names_clauses_that_the_guideline_has(scheme: Scheme) -> None:
    known = {clause.code for clause in clauses(default_guideline())}
    for dimension in scheme.dimensions:
        cited = set(re.findall(r"\b[CMES][0-9]\b", dimension.help_text))
        assert cited, dimension.key
        assert cited <= known, dimension.key


def test_every_category_of_a_headline_names_clauses_that_the_guideline_has(scheme: Scheme) -> None:
    known = {clause.code for clause in clauses(default_guideline())}
    for dimension in (each for each in scheme.dimensions if each.is_headline):
        for category in dimension.categories:
            assert category.clauses, (dimension.key, category.code)
            assert known.issuperset(category.clauses), (dimension.key, category.code)


def test_the_guideline_has_its_clauses_in_sequence() -> None:
    found = clauses(default_guideline())
    expected = {"G": 3, "C": 9, "M": 5, "E": 4, "S": 3, "W": 1}

    assert [clause.code for clause in found] == [
        f"{letter}{number}" for letter, count in expected.items() for number in range(1, count + 1)
    ]
    assert found[5] == Clause("C3", "The six levels")


def test_the_guideline_can_be_read_in_one_sitting_and_says_what_a_label_is_not() -> None:
    text = default_guideline()
    words = [word for word in text.split() if re.search(r"\w", word)]

    assert 1500 <= len(words) <= 2500
    assert "not a risk assessment" in text
    assert "**Severe** means level 3 or more" in text
    assert "**Act now** means level 4 or more" in text


def test_clauses_are_second_level_headings_with_a_code() -> None:
    markdown = (
        "# M9 Title\r\n## C1 First thing  \r\ntext ## C2 no\r\n### C3 no\r\n## Preface\r\n## S12 Last\r\n"
    )

    assert clauses(markdown) == [Clause("C1", "First thing"), Clause("S12", "Last")]


def test_a_clause_code_used_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="clause C1 appears twice"):
        clauses("## C1 One\n## C1 Another\n")
