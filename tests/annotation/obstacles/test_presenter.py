"""The page in words and bars: what is shown first, what adds up, what is folded away."""

from dataclasses import replace

import numpy as np
import pytest

from annotation.agreement.counts import Ratings
from annotation.agreement.disagreements import Measured
from annotation.agreement.estimates import Status
from annotation.agreement.sample_size import Requirement
from annotation.obstacles.findings import Findings, called
from annotation.obstacles.presenter import ROWS_SHOWN, Reader, is_clear, present
from tests.annotation.obstacles.made import DEPTH, RATERS, found_in, labels_of, noisy

TARGET = 0.85
CALLED = {category.code: called(category) for category in DEPTH.categories}
READER = Reader("depth", {}, {"D1": "Being sad", "D2": "Being very sad"}, CALLED)
LEANING = RATERS[3]


@pytest.fixture(scope="module")
def findings() -> Findings:
    codes = noisy(2)
    codes[:, 3] = np.minimum(codes[:, 3] + 1, 3)
    return found_in(labels_of(codes, topics=[f"theme {number % 15}" for number in range(200)]))


def test_the_bars_of_every_way_begin_where_the_one_before_ends(findings: Findings) -> None:
    page = present(findings, READER, TARGET)
    assert len(page.ways) == 4
    for way in page.ways:
        ends = [0.0]
        for row in way.rows:
            assert float(row.bar_start) == pytest.approx(ends[-1], abs=0.02)
            ends.append(float(row.bar_start) + float(row.bar_width))
        per_alpha = float(way.allowed_at) / (1 - TARGET)
        assert ends[-1] == pytest.approx(way.total * per_alpha, abs=0.05)
        assert ends[-1] <= 100
        assert sum(row.part.value or 0.0 for row in way.rows) == pytest.approx(way.total, abs=1e-12)


def test_what_is_small_stands_together_in_one_row_without_samples(findings: Findings) -> None:
    [themes] = [way for way in present(findings, READER, TARGET).ways if way.key == "theme"]
    assert len(themes.rows) == ROWS_SHOWN + 1
    assert themes.rows[-1].name == "7 other themes together"
    assert themes.rows[-1].query == ""


def test_clauses_have_their_titles_and_answers_their_numbers(findings: Findings) -> None:
    ways = {way.key: way for way in present(findings, READER, TARGET).ways}
    assert {row.name for row in ways["clauses"].rows} == {"D1 Being sad", "D2 Being very sad"}
    assert "0 None and 1 Some" in {row.name for row in ways["answers"].rows}


def test_disagreements_that_no_clause_is_about_say_so_and_lead_nowhere() -> None:
    first, second, *_ = (replace(each, clauses=()) for each in DEPTH.categories)
    dimension = replace(DEPTH, categories=(first, second, *DEPTH.categories[2:]))
    found = found_in(labels_of(noisy(1)), dimension=dimension)
    ways = {way.key: way for way in present(found, READER, TARGET).ways}
    [row] = [row for row in ways["clauses"].rows if row.name == "No clause named"]
    assert row.query == ""


def test_what_is_not_divided_says_why() -> None:
    bare = replace(DEPTH, categories=tuple(replace(each, clauses=()) for each in DEPTH.categories))
    page = present(found_in(labels_of(noisy(1)), dimension=bare), READER, TARGET)
    assert [way.key for way in page.ways] == ["answers", "clinicians"]
    assert page.not_divided == [
        "The scheme names no guideline clauses for these answers.",
        "The conversations name no theme, or all the same one.",
    ]


def test_the_planted_clinician_comes_first_with_the_signs_of_the_alerts(findings: Findings) -> None:
    page = present(findings, READER, TARGET)
    assert page.causes[0].words.startswith(LEANING)
    assert "Leans to one side" in page.causes[0].signs
    assert [watched.person for watched in page.watched] == [LEANING]


def test_what_was_not_tested_is_never_said_to_be_fine(findings: Findings) -> None:
    page = present(replace(findings, alerts=()), READER, TARGET)
    assert page.nobody.startswith("Nobody is named for: drift, leans to one side, ")
    assert "repeats" not in page.nobody
    assert [words[: words.index(":")] for words in page.not_tested] == ["Repeats disagree"]
    few = present(found_in(labels_of(noisy(2, n_items=60))), READER, TARGET)
    assert few.nobody == "Nobody is named for: faster than reading, one answer in a row."
    assert len(few.not_tested) == 4


def test_names_stand_beside_codes_where_they_are_revealed(findings: Findings) -> None:
    page = present(findings, replace(READER, names={LEANING: "Dora Demo"}), TARGET)
    assert page.causes[0].words.startswith(f"{LEANING} (Dora Demo) ")
    assert page.watched[0].person == f"{LEANING} (Dora Demo)"
    assert f"{LEANING} (Dora Demo)" in page.watched[0].alerts[0].words
    [clinicians] = [way for way in page.ways if way.key == "clinicians"]
    assert clinicians.rows[0].name == f"{LEANING} (Dora Demo)"
    assert "Dora" not in "".join(line.query for line in page.causes)


@pytest.mark.parametrize(
    ("gain", "clear"),
    [
        (Measured(0.1, 0.06, 0.14), True),
        (Measured(0.1, 0.03, 0.17), False),  # two standard errors only
        (Measured(0.004, 0.0039, 0.0041), False),  # a trifle
        (Measured(-0.1, -0.14, -0.06), False),
        (Measured(0.1), False),
        (Measured(None, reason="nothing to reckon from"), False),
    ],
)
def test_only_what_is_clear_is_shown_at_once(gain: Measured, clear: bool) -> None:
    assert is_clear(gain) is clear


def test_themes_drawn_by_lot_are_no_cause() -> None:
    for seed in range(5):
        lot = np.random.default_rng(seed).integers(0, 12, 200)
        found = found_in(labels_of(noisy(seed), topics=[f"theme {place}" for place in lot]))
        assert not [line for line in present(found, READER, TARGET).causes if "Theme" in line.words]


def needed(findings: Findings, **changes: object) -> str:
    usual = Requirement(300, 250, 400, 100, 250, Status.OK, "")
    asked = replace(findings, needed=replace(usual, **changes))  # type: ignore[arg-type]
    return present(asked, READER, TARGET, next_look=500).labels


def test_more_labels_do_not_lift_a_figure_below_the_target(findings: Findings) -> None:
    words = needed(findings)
    assert words.startswith("About 250 more labels on 100 more overlap samples until a look taken then would")
    assert "alpha lies below 0.85" in words
    assert "within its interval 250 to 400" in words
    assert words.endswith("More labels alone do not lift it.")


def test_where_no_number_is_enough_it_says_so(findings: Findings) -> None:
    assert "250 or more, if ever" in needed(findings, n_items_high=None)
    assert needed(findings, n_labels_needed=None, reason="The figure lies on the target.") == (
        "The figure lies on the target."
    )


def test_enough_labels_are_no_verdict(findings: Findings) -> None:
    words = needed(findings, n_items_needed=0, n_labels_needed=0)
    assert words == (
        "None: if a look were taken now and the figure stayed, it would say that alpha lies below 0.85. "
        "Whether the target is met is decided at the look at 500 overlap samples."
    )
    none_to_come = present(findings, READER, TARGET).labels
    assert "decided at declared looks alone, and none is to come" in none_to_come


def test_the_change_without_a_clinician_is_called_a_change(findings: Findings) -> None:
    [clinicians] = [way for way in present(findings, READER, TARGET).ways if way.key == "clinicians"]
    assert clinicians.rows[0].notes[0].startswith("without this clinician alpha changes by +0.")


def test_a_team_above_the_target_is_told_what_makes_that_certain() -> None:
    found = found_in(labels_of(noisy(1, share=0.02)))
    page = present(found, READER, TARGET)
    assert page.standing is not None
    assert page.standing.distance.endswith("above the target of 0.85")
    assert "alpha lies above 0.85" in page.labels


def test_the_ceiling_names_everybody_with_their_repeats() -> None:
    codes = noisy(1)
    again = noisy(9, n_raters=1)[:, 0]
    repeats = {
        rater: Ratings(
            np.column_stack([codes[:, place], np.where(np.arange(200) % 5 == 0, again, codes[:, place])]),
            np.arange(200),
            DEPTH.codes,
            tuple(range(200)),
            ("first", "again"),
        )
        for place, rater in enumerate(RATERS[:2])
    }
    top = present(found_in(labels_of(codes, repeats=repeats)), READER, TARGET).top
    assert top is not None
    assert top.alpha.value is not None
    assert [(person, n) for person, _, n in top.people] == [(RATERS[0], 200), (RATERS[1], 200)]
