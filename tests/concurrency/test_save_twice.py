"""Saving, undoing, passing and leaving at the same moment: one outcome, the same for everybody."""

import uuid
from functools import partial

import pytest

from annotation.assignment import sittings
from annotation.assignment.queue import assign_next, hand_out
from annotation.labelling.services import (
    AlreadyLabelledError,
    LabelNotRecordedError,
    LockedError,
    NotYoursError,
    Receipt,
    Submission,
    correct_label,
    record_label,
    undo_label,
)
from annotation.labelling.unlabelled import leave, pass_sample, undo_last
from annotation.models import (
    Assignment,
    AssignmentState,
    Campaign,
    Label,
    LabelLock,
    LabelUndo,
    Pass,
    Sitting,
)
from prometheus_site.accounts.models import User
from prometheus_site.audit.models import ChainEntry
from tests.annotation.worlds import submission
from tests.concurrency.crowd import Outcome, at_once

pytestmark = pytest.mark.concurrency
TIMES = 12  # who comes first is chance, so each race is run again and again


def taken(campaign: Campaign, person: User) -> Assignment:
    """Return the sample on the person's screen."""
    slot = assign_next(campaign=campaign, annotator=person)
    assert slot is not None
    return slot


def saving(person: User, slot: Assignment, given: Submission) -> "partial[Receipt]":
    return partial(record_label, annotator=person, assignment=slot, submission=given)


def refusals(outcomes: list[Outcome]) -> list[type[BaseException]]:
    return [type(one.refusal) for one in outcomes if one.refusal is not None]


def sure(confidence: int) -> dict[str, object]:
    """Return good answers given with this confidence."""
    return {"answers": {"crisis_confidence": str(confidence)}}


def state_of(slot: Assignment) -> str:
    slot.refresh_from_db()
    return slot.state


def test_one_submission_from_eight_threads_is_one_label(campaign: Campaign, annotator: User) -> None:
    for number in range(1, TIMES + 1):
        slot, given = taken(campaign, annotator), submission(campaign)
        outcomes = at_once(*[saving(annotator, slot, given)] * 8)
        assert refusals(outcomes) == []
        assert len({one.answer.label.pk for one in outcomes}) == 1
        assert sorted(one.answer.is_replay for one in outcomes) == [False] + [True] * 7
        assert Label.objects.count() == ChainEntry.objects.count() == number


def test_a_first_save_ever_from_eight_threads_is_one_label(campaign: Campaign, annotator: User) -> None:
    """Nothing is there yet: no sitting, no key of the clinician, no link of the chain."""
    slot = Assignment.objects.filter(annotator=annotator, state=AssignmentState.WAITING)[0]
    given = submission(campaign, note="a thought")
    outcomes = at_once(*[saving(annotator, slot, given)] * 8)
    assert refusals(outcomes) == []
    assert Label.objects.count() == ChainEntry.objects.count() == Sitting.objects.count() == 1


def test_of_two_tabs_with_different_answers_one_wins(campaign: Campaign, annotator: User) -> None:
    for _ in range(TIMES):
        slot = taken(campaign, annotator)
        given = [submission(campaign, **sure(level)) for level in (1, 2)]
        outcomes = at_once(*(saving(annotator, slot, one) for one in given))
        assert refusals(outcomes) == [AlreadyLabelledError]
        stored = Label.objects.get(assignment=slot)
        winner = next(one for one, outcome in zip(given, outcomes, strict=True) if outcome.answer)
        assert stored.idempotency_key == winner.key
        assert stored.answers["crisis_confidence"] == winner.answers["crisis_confidence"]


def test_one_key_for_two_samples_is_one_label(campaign: Campaign, annotator: User) -> None:
    for _ in range(TIMES):
        slots = hand_out(campaign=campaign, annotator=annotator, count=2).slots
        given = submission(campaign)
        outcomes = at_once(*(saving(annotator, slot, given) for slot in slots))
        assert len(refusals(outcomes)) == 1
        assert issubclass(refusals(outcomes)[0], LabelNotRecordedError)
        assert Label.objects.filter(idempotency_key=given.key).count() == 1


def test_undo_against_a_save_of_the_same_sample(campaign: Campaign, annotator: User) -> None:
    for _ in range(TIMES):
        slot = taken(campaign, annotator)
        first = record_label(annotator=annotator, assignment=slot, submission=submission(campaign)).label
        again = submission(campaign, **sure(1))
        undone, saved = at_once(
            partial(undo_label, annotator=annotator, label=first), saving(annotator, slot, again)
        )
        assert undone.refusal is None
        if saved.refusal is None:
            assert saved.answer.label.supersedes_id == first.pk
            assert Label.objects.current().get(assignment=slot) == saved.answer.label
            assert state_of(slot) == AssignmentState.LABELLED
        else:
            assert isinstance(saved.refusal, AlreadyLabelledError)
            assert state_of(slot) == AssignmentState.LEASED
            record_label(annotator=annotator, assignment=slot, submission=again)


def test_undo_from_two_tabs_takes_back_two_labels_or_one_each(campaign: Campaign, annotator: User) -> None:
    for _ in range(TIMES):
        for _ in range(2):
            slot = taken(campaign, annotator)
            record_label(annotator=annotator, assignment=slot, submission=submission(campaign))
        before = LabelUndo.objects.count()
        outcomes = at_once(*[partial(undo_last, annotator=annotator, campaign=campaign)] * 2)
        assert refusals(outcomes) == []
        assert LabelUndo.objects.count() == before + 2
        assert len({one.answer.pk for one in outcomes}) == 2
        for slot in hand_out(campaign=campaign, annotator=annotator, count=2).slots:
            record_label(annotator=annotator, assignment=slot, submission=submission(campaign))


def test_undo_against_the_lock(campaign: Campaign, annotator: User) -> None:
    """Either the label was undone, or it locked: an undone label never counts, a locked one never goes."""
    for _ in range(TIMES):
        slot = taken(campaign, annotator)
        given = record_label(annotator=annotator, assignment=slot, submission=submission(campaign)).label
        undone, ended = at_once(
            partial(undo_label, annotator=annotator, label=given),
            partial(sittings.end, campaign=campaign, annotator=annotator),
        )
        assert ended.refusal is None
        is_locked = LabelLock.objects.filter(label=given).exists()
        assert is_locked == isinstance(undone.refusal, LockedError)
        assert is_locked != LabelUndo.objects.filter(label=given).exists()


def test_pass_against_a_save(campaign: Campaign, annotator: User) -> None:
    for _ in range(TIMES):
        slot = taken(campaign, annotator)
        passed, saved = at_once(
            partial(pass_sample, annotator=annotator, assignment=slot, key=uuid.uuid4()),
            saving(annotator, slot, submission(campaign)),
        )
        if saved.refusal is None:
            assert isinstance(passed.refusal, LabelNotRecordedError)
            assert state_of(slot) == AssignmentState.LABELLED
        else:
            assert isinstance(saved.refusal, NotYoursError)
            assert passed.refusal is None
            assert state_of(slot) == AssignmentState.PASSED
        assert Pass.objects.filter(assignment=slot).exists() != Label.objects.filter(assignment=slot).exists()


def test_one_pass_from_eight_threads_is_one(campaign: Campaign, annotator: User) -> None:
    for number in range(1, TIMES + 1):
        slot = taken(campaign, annotator)
        passing = partial(pass_sample, annotator=annotator, assignment=slot, key=uuid.uuid4())
        assert refusals(at_once(*[passing] * 8)) == []
        assert Pass.objects.count() == number


def test_of_two_corrections_one_wins(campaign: Campaign, annotator: User) -> None:
    for _ in range(TIMES):
        slot = taken(campaign, annotator)
        first = record_label(annotator=annotator, assignment=slot, submission=submission(campaign)).label
        corrections = [submission(campaign, reason="slipped", **sure(level)) for level in (1, 2)]
        outcomes = at_once(
            *(
                partial(correct_label, annotator=annotator, label=first, submission=correction)
                for correction in corrections
            )
        )
        assert refusals(outcomes) == [AlreadyLabelledError]
        assert Label.objects.filter(assignment=slot).count() == 2
        assert Label.objects.current().filter(assignment=slot).count() == 1


def test_undo_against_a_correction(campaign: Campaign, annotator: User) -> None:
    for _ in range(TIMES):
        slot = taken(campaign, annotator)
        first = record_label(annotator=annotator, assignment=slot, submission=submission(campaign)).label
        correction = submission(campaign, reason="slipped", **sure(1))
        undone, corrected = at_once(
            partial(undo_label, annotator=annotator, label=first),
            partial(correct_label, annotator=annotator, label=first, submission=correction),
        )
        assert (undone.refusal is None) != (corrected.refusal is None)
        assert LabelUndo.objects.filter(label=first).exists() == (undone.refusal is None)
        assert Label.objects.filter(supersedes=first).exists() == (corrected.refusal is None)
        expected = AssignmentState.LEASED if undone.refusal is None else AssignmentState.LABELLED
        assert state_of(slot) == expected


def test_leaving_in_one_tab_while_others_go_on(campaign: Campaign, annotator: User) -> None:
    """A sitting that ends just now is followed by another; nothing is refused for it."""
    for _ in range(TIMES):
        slot = taken(campaign, annotator)
        leaving = partial(leave, annotator=annotator, campaign=campaign)
        asking = partial(hand_out, campaign=campaign, annotator=annotator)
        given = submission(campaign)
        outcomes = at_once(leaving, saving(annotator, slot, given), leaving, asking, leaving, asking)
        assert refusals(outcomes) == []
        assert Label.objects.filter(assignment=slot).count() == 1
        assert Sitting.objects.filter(annotator=annotator, ended_at=None).count() <= 1
