"""How far what was done carries an application: in any order, never past a check, never backwards."""

from dataclasses import fields, replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.recruitment.progress import Done, steps_from, waits_for
from annotation.recruitment.stages import ASIDE, BEFORE_THE_WAY, WAY, Stage

DONE = st.builds(
    Done,
    **{one.name: st.booleans() for one in fields(Done) if one.type is bool},
    modules_left=st.integers(0, 6),
    qualified_as=st.sampled_from(["", "provisional"]),
)
FACTS = tuple(one.name for one in fields(Done) if one.name != "modules_left")
NOTHING = Done()


def end_of(stage: Stage, done: Done) -> Stage:
    steps = steps_from(stage, done)
    return steps[-1].to if steps else stage


@given(st.sampled_from(WAY), DONE)
def test_it_goes_forward_step_by_step_and_once(stage: Stage, done: Done) -> None:
    path = [stage, *(step.to for step in steps_from(stage, done))]
    assert all(WAY.index(later) == WAY.index(earlier) + 1 for earlier, later in pairwise(path))
    assert steps_from(path[-1], done) == ()
    assert all(step.why for step in steps_from(stage, done))


@given(st.sampled_from(WAY), DONE, st.permutations(FACTS))
def test_the_order_in_which_things_are_done_does_not_matter(
    stage: Stage, done: Done, order: list[str]
) -> None:
    """Looked at after each of them, in any order, it ends where it ends when looked at once."""
    reached, so_far = stage, replace(NOTHING, modules_left=done.modules_left)
    for fact in order:
        so_far = replace(so_far, **{fact: getattr(done, fact)})
        reached = end_of(reached, so_far)
    assert reached == end_of(stage, done)


@given(st.sampled_from((*ASIDE, *BEFORE_THE_WAY)), DONE)
def test_what_stands_aside_or_is_not_confirmed_goes_nowhere(stage: Stage, done: Done) -> None:
    assert steps_from(stage, done) == ()


@given(st.sampled_from(WAY[:-2]), DONE)
def test_nothing_but_a_decision_makes_somebody_qualified(stage: Stage, done: Done) -> None:
    reached = end_of(stage, replace(done, qualified_as=""))
    assert WAY.index(reached) < WAY.index(Stage.QUALIFIED)


@given(st.sampled_from(WAY[:5]), DONE)
def test_nobody_gets_past_the_offer_without_it_or_a_decision(stage: Stage, done: Done) -> None:
    reached = end_of(stage, replace(done, qualified_as=""))
    is_offered = WAY.index(stage) >= WAY.index(Stage.OFFERED)
    assert is_offered or WAY.index(reached) < WAY.index(Stage.OFFERED)


@given(st.sampled_from(WAY), DONE)
def test_a_decision_carries_to_the_end_and_active_is_who_may_label(stage: Stage, done: Done) -> None:
    decided = replace(done, qualified_as="provisional")
    assert end_of(stage, replace(decided, may_label=True)) == Stage.ACTIVE
    reached = end_of(stage, replace(decided, may_label=False))
    assert reached == max(stage, Stage.QUALIFIED, key=WAY.index)


INVITED = Done(has_passed_quiz=True, has_account=True, is_invited=True, has_agreed_to_read=True)


@pytest.mark.parametrize(
    ("done", "reached"),
    [
        (INVITED, Stage.CALIBRATION),
        (replace(INVITED, is_licence_checked=True), Stage.CALIBRATION),
        (replace(INVITED, has_calibrated=True), Stage.CALIBRATION),
        (replace(INVITED, has_calibrated=True, is_licence_checked=True), Stage.LICENCE_CHECKED),
    ],
)
def test_the_licence_column_is_for_who_has_calibrated_and_was_checked(done: Done, reached: Stage) -> None:
    assert end_of(Stage.SCREENING, done) == reached


def test_signed_ahead_counts_when_the_offer_comes() -> None:
    ahead = replace(INVITED, has_accepted=True, has_signed_all=True)
    assert end_of(Stage.CALIBRATION, ahead) == Stage.CALIBRATION
    assert end_of(Stage.OFFERED, ahead) == Stage.TRAINING
    assert end_of(Stage.OFFERED, replace(ahead, has_signed_all=False)) == Stage.AGREEMENTS


@pytest.mark.parametrize(
    ("stage", "done", "words", "is_leads"),
    [
        (Stage.CALIBRATION, Done(), "the invitation to be accepted", False),
        (Stage.CALIBRATION, Done(has_account=True), "you to let them calibrate", True),
        (
            Stage.CALIBRATION,
            replace(INVITED, has_agreed_to_read=False),
            "consent and confidentiality to be signed",
            False,
        ),
        (Stage.CALIBRATION, INVITED, "the calibration samples", False),
        (Stage.CALIBRATION, replace(INVITED, has_calibrated=True), "you to check the licence", True),
        (Stage.TRAINING, Done(modules_left=1), "1 module of the training", False),
        (Stage.TRAINING, Done(modules_left=6), "6 modules of the training", False),
        (Stage.TRAINING, Done(has_signed_all=True, is_licence_checked=True), "your decision", True),
        (Stage.TRAINING, Done(has_signed_all=True), "you to check the licence", True),
        (Stage.TRAINING, Done(is_licence_checked=True), "a document to be signed", False),
        (Stage.QUALIFIED, Done(has_signed_all=True, is_licence_checked=True), "the campaign to open", True),
    ],
)
def test_the_board_says_whose_turn_it_is(stage: Stage, done: Done, words: str, is_leads: bool) -> None:
    waiting = waits_for(stage, done)
    assert waiting is not None
    assert (waiting.words, waiting.is_leads) == (words, is_leads)


@given(DONE)
def test_nobody_waits_at_the_end_or_aside(done: Done) -> None:
    assert {waits_for(stage, done) for stage in (Stage.ACTIVE, *ASIDE)} == {None}
