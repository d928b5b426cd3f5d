"""The shipped questions: whole, clinically tied to the guideline, and fair to whoever does not know."""

from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.schemes.shipped import clauses, default_guideline, default_scheme
from annotation.screening.bank import BankError, parse_bank, shipped_bank
from annotation.screening.policy import DRAWN, PASS_SHARE, draw, score

BANK = parse_bank(shipped_bank())
SCHEME = BANK.scheme
KEY = {question.key: question.answer for question in BANK.questions}
seeds = st.integers(min_value=0, max_value=2**32 - 1)


def test_there_are_enough_for_two_tries_that_share_little() -> None:
    assert len(BANK.questions) >= 30
    count = Counter(question.theme for question in BANK.questions)
    assert all(count[theme] >= 2 * drawn for theme, drawn in DRAWN.items())


def test_every_question_is_whole_and_cites_a_clause_that_exists() -> None:
    known = {clause.code for clause in clauses(default_guideline())}
    for question in BANK.questions:
        assert question.clause in known, question.key
        assert question.explanation, question.key
        assert len(question.options) >= 4, question.key
        assert len(set(question.options.values())) == len(question.options), question.key
        assert all(isinstance(text, str) for text in question.options.values()), question.key


def test_the_definitions_belong_to_the_shipped_scheme() -> None:
    assert default_scheme()["key"] == SCHEME


def test_always_the_longest_answer_or_always_one_place_does_not_pass() -> None:
    longest = {one.key: max(one.options, key=lambda code: len(one.options[code])) for one in BANK.questions}
    for seed in range(200):
        drawn = draw(BANK, seed, SCHEME)
        assert not score(BANK, drawn, longest).has_passed
        for place in range(4):
            same_place = {one.question.key: one.options[place][0] for one in drawn}
            assert not score(BANK, drawn, same_place).has_passed


@given(seeds)
def test_a_draw_is_the_same_for_ever_and_has_no_question_twice(seed: int) -> None:
    drawn = draw(BANK, seed, SCHEME)
    assert drawn == draw(BANK, seed, SCHEME)
    keys = [one.question.key for one in drawn]
    assert len(set(keys)) == len(keys) == sum(DRAWN.values())
    assert Counter(one.question.theme for one in drawn) == DRAWN


def test_a_draw_made_long_ago_comes_out_as_it_did() -> None:
    assert [one.question.key for one in draw(BANK, 5, SCHEME)][:3] == [
        "not_a_risk_assessment",
        "recent_self_injury",
        "harm_at_zero",
    ]


def test_every_question_is_asked_of_somebody() -> None:
    asked = {one.question.key for seed in range(300) for one in draw(BANK, seed, SCHEME)}
    assert asked == set(KEY)


def test_another_scheme_is_not_asked_about_these_definitions() -> None:
    assert {one.question.theme for one in draw(BANK, 1, "another")} == {"safety", "reliability"}


@given(seeds, st.sets(st.integers(min_value=0, max_value=14)))
def test_passing_takes_four_in_five_and_four_in_five_of_safety(seed: int, wrong: set[int]) -> None:
    drawn = draw(BANK, seed, SCHEME)
    given_answers = {
        one.question.key: "none" if place in wrong else one.question.answer for place, one in enumerate(drawn)
    }
    safety = [place for place, one in enumerate(drawn) if one.question.theme == "safety"]
    is_safe = len([place for place in safety if place not in wrong]) >= PASS_SHARE * len(safety)
    result = score(BANK, drawn, given_answers)
    assert result.correct == len(drawn) - len(wrong)
    assert result.has_passed == (len(wrong) <= 3 and is_safe)


def test_a_bank_with_a_fault_is_refused() -> None:
    raw = shipped_bank()
    changes: tuple[Callable[[dict[str, Any]], object], ...] = (
        lambda bank: bank["questions"].append(bank["questions"][0]),
        lambda bank: bank["questions"][0].update(theme="nothing"),
        lambda bank: bank["questions"][0].update(answer="z"),
        lambda bank: bank["questions"][0].pop("explanation"),
        lambda bank: bank.pop("themes"),
    )
    for change in changes:
        broken = deepcopy(raw)
        change(broken)
        with pytest.raises(BankError):
            parse_bank(broken)
