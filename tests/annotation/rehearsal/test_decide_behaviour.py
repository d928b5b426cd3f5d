"""What simulated annotators do beside answering follows their temperament, repeatably."""

import math
import statistics
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.rehearsal.behaviour import NOTES, Deed, Temperament, decide, mistyped, slipped
from annotation.rehearsal.clinician import SimulatedClinician
from annotation.rehearsal.reading import Turn
from annotation.rehearsal.texts import made_conversations
from annotation.schemes.answers import AnswerErrors, validate_answers
from annotation.schemes.definition import Scheme
from tests.annotation.rehearsal.schemes import DEFAULT, schemes, speakers, speakers_of, turns

CONVERSATIONS = [made.turns for made in made_conversations(2000, seed=3)]
BUSY = Temperament(
    pass_share=0.1, mistype_share=0.2, undo_share=0.2, vanish_share=0.1, flag_share=0.2, note_share=0.2
)


def deeds(temperament: Temperament, name: str = "one", visit: int = 1) -> list[Deed]:
    return [decide(temperament, name=name, seed=1, turns=each, visit=visit) for each in CONVERSATIONS]


def test_deeds_are_repeatable_and_differ_by_name_seed_and_visit() -> None:
    assert deeds(BUSY) == deeds(BUSY)
    assert deeds(BUSY) != deeds(BUSY, name="other")
    assert deeds(BUSY) != deeds(BUSY, visit=2)
    assert decide(BUSY, name="one", seed=2, turns=CONVERSATIONS[0]) != deeds(BUSY)[0]


def test_each_thing_happens_as_often_as_its_share_says() -> None:
    done = deeds(BUSY)
    labelled = [deed for deed in done if not deed.vanishes and not deed.passes]

    assert sum(deed.vanishes for deed in done) / len(done) == pytest.approx(0.1, abs=0.03)
    assert sum(deed.passes for deed in done) / len(done) == pytest.approx(0.09, abs=0.03)
    for happened in ("mistypes", "undoes", "flags", "note"):
        share = sum(bool(getattr(deed, happened)) for deed in labelled) / len(labelled)
        assert share == pytest.approx(0.2, abs=0.04), happened


def test_whoever_leaves_or_passes_does_nothing_else() -> None:
    for deed in deeds(BUSY):
        if deed.vanishes or deed.passes:
            assert deed == Deed(deed.think_seconds, vanishes=deed.vanishes, passes=not deed.vanishes)


def test_a_label_is_changed_within_the_next_ten() -> None:
    after = [deed.undo_after for deed in deeds(BUSY) if deed.undoes]

    assert set(after) == set(range(10))
    assert {deed.undo_after for deed in deeds(BUSY) if not deed.undoes} == {0}


def test_nothing_happens_where_all_shares_are_zero_and_all_of_it_where_they_are_one() -> None:
    calm = replace(BUSY, **dict.fromkeys([field for field in BUSY.__dict__ if field.endswith("_share")], 0.0))
    eager = replace(calm, mistype_share=1.0, undo_share=1.0, flag_share=1.0, note_share=1.0)

    assert all(deed == Deed(deed.think_seconds) for deed in deeds(calm))
    for deed in deeds(eager):
        assert deed.mistypes
        assert deed.undoes
        assert deed.flags
        assert deed.note in NOTES


def test_changing_one_share_changes_nothing_else() -> None:
    more = deeds(replace(BUSY, note_share=1.0))

    assert [replace(deed, note="") for deed in deeds(BUSY)] == [replace(deed, note="") for deed in more]


def test_thinking_time_is_log_normal_around_a_median_that_grows_with_the_words() -> None:
    temperament = Temperament(answer_seconds=10, seconds_per_word=0.5, time_spread=0.3)
    logs = []
    for turns_, deed in zip(CONVERSATIONS, deeds(temperament), strict=True):
        words = sum(len(text.split()) for _, text in turns_)
        logs.append(math.log(deed.think_seconds / (10 + 0.5 * words)))

    assert statistics.median(logs) == pytest.approx(0, abs=0.03)
    assert statistics.stdev(logs) == pytest.approx(0.3, abs=0.03)


def test_the_scale_stretches_every_time_and_zero_is_no_waiting() -> None:
    single, double = deeds(BUSY), deeds(replace(BUSY, time_scale=2.0))

    assert [deed.think_seconds * 2 for deed in single] == [deed.think_seconds for deed in double]
    assert {deed.think_seconds for deed in deeds(replace(BUSY, time_scale=0.0))} == {0.0}


@pytest.mark.parametrize(
    "wrong",
    [
        {"pass_share": 1.1},
        {"vanish_share": -0.1},
        {"time_scale": -1.0},
        {"answer_seconds": math.inf},
        {"note_share": math.nan},
    ],
)
def test_a_temperament_that_cannot_be_is_refused_by_name(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Temperament(**wrong)


@given(schemes() | st.just(DEFAULT), turns(), speakers())
def test_mistyped_answers_are_refused(
    scheme: Scheme, conversation: tuple[Turn, ...], present: frozenset[str]
) -> None:
    answers = SimulatedClinician("one", 1).read(scheme, conversation, present)

    with pytest.raises(AnswerErrors):
        validate_answers(scheme, mistyped(scheme, answers, present, name="one", seed=1), present)


@given(schemes() | st.just(DEFAULT), turns(), speakers())
def test_slipped_answers_are_accepted_and_differ(
    scheme: Scheme, conversation: tuple[Turn, ...], present: frozenset[str]
) -> None:
    answers = SimulatedClinician("one", 1).read(scheme, conversation, present)
    wrong = slipped(scheme, answers, present, name="one", seed=1)

    if wrong is not None:
        assert validate_answers(scheme, wrong, present) == wrong
        assert any(wrong.get(key) != answer for key, answer in answers.items()) or len(wrong) > len(answers)


def test_both_kinds_of_mistyping_happen_and_the_default_scheme_always_has_a_slip() -> None:
    are_shorter = set()
    for conversation in CONVERSATIONS[:100]:
        present = speakers_of(conversation)
        answers = SimulatedClinician("one", 1).read(DEFAULT, conversation, present)
        are_shorter.add(len(mistyped(DEFAULT, answers, present, name="one", seed=1)) < len(answers))
        assert slipped(DEFAULT, answers, present, name="one", seed=1) is not None

    assert are_shorter == {True, False}
