"""Sittings: begun by the first sample, ended by leaving or staying away; one per person and campaign."""

import threading
import uuid
from datetime import timedelta

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from annotation.assignment import sittings
from annotation.assignment.queue import assign_next, hand_out
from annotation.assignment.sittings import SEEN_EVERY_SECONDS, SITTING_IDLE_MINUTES
from annotation.labelling.services import correct_label
from annotation.labelling.unlabelled import keep_draft, pass_sample, undo_last
from annotation.models import Assignment, Campaign, Label, LabelLock, LockCause, Sitting
from prometheus_site.accounts.models import User
from tests.annotation.planned import give, make_planned_campaign
from tests.annotation.worlds import submission

IDLE = timedelta(minutes=SITTING_IDLE_MINUTES)
A_SECOND = timedelta(seconds=1)


@pytest.fixture
def campaign(lead: User, annotator: User, second_annotator: User) -> Campaign:
    return make_planned_campaign(lead, [annotator, second_annotator], samples=6)


def shown(campaign: Campaign, annotator: User) -> Assignment:
    found = assign_next(campaign=campaign, annotator=annotator)
    assert found is not None
    return found


def stay_away(by: timedelta) -> None:
    """Let this time pass for every live sitting."""
    for sitting in Sitting.objects.filter(ended_at__isnull=True):
        Sitting.objects.filter(pk=sitting.pk).update(
            started_at=sitting.started_at - by, last_seen_at=sitting.last_seen_at - by
        )


# --- Begin and go on ---------------------------------------------------------------------------------------
def test_begins_with_the_first_sample(campaign: Campaign, annotator: User) -> None:
    assert not Sitting.objects.exists()
    before = timezone.now()
    shown(campaign, annotator)
    sitting = Sitting.objects.get()
    assert (sitting.campaign, sitting.annotator, sitting.ended_at) == (campaign, annotator, None)
    assert before <= sitting.started_at == sitting.last_seen_at


def test_goes_on_while_somebody_works(campaign: Campaign, annotator: User) -> None:
    for _ in range(3):
        stay_away(IDLE - timedelta(minutes=1))
        give(campaign, shown(campaign, annotator))
    sitting = Sitting.objects.get()
    assert sitting.ended_at is None
    assert sitting.last_seen_at - sitting.started_at > IDLE
    assert set(Label.objects.values_list("sitting", flat=True)) == {sitting.pk}


def test_is_not_written_at_every_step(campaign: Campaign, annotator: User) -> None:
    shown(campaign, annotator)
    begun = Sitting.objects.get().last_seen_at
    for seconds, is_seen in ((SEEN_EVERY_SECONDS - 5, False), (SEEN_EVERY_SECONDS + 1, True)):
        with time_machine.travel(begun + timedelta(seconds=seconds), tick=False):
            hand_out(campaign=campaign, annotator=annotator)
        assert (Sitting.objects.get().last_seen_at > begun) is is_seen


@pytest.mark.parametrize("deed", ["label", "pass", "undo", "correct", "draft"])
def test_whatever_somebody_does_keeps_it_going(campaign: Campaign, annotator: User, deed: str) -> None:
    first = shown(campaign, annotator)
    given = give(campaign, first)
    second = shown(campaign, annotator)
    stay_away(IDLE - timedelta(minutes=1))
    match deed:
        case "label":
            give(campaign, second)
        case "pass":
            pass_sample(annotator=annotator, assignment=second, key=uuid.uuid4())
        case "undo":
            undo_last(annotator=annotator, campaign=campaign)
        case "correct":
            correct_label(annotator=annotator, label=given, submission=submission(campaign, reason="a slip"))
        case "draft":
            keep_draft(annotator=annotator, assignment=second, answers={}, note="still writing")
    assert timezone.now() - Sitting.objects.get().last_seen_at < timedelta(minutes=1)
    assert sittings.end_idle() == 0


# --- End ---------------------------------------------------------------------------------------------------
def test_ends_when_the_person_stays_away_and_a_new_one_begins(campaign: Campaign, annotator: User) -> None:
    given = give(campaign, shown(campaign, annotator))
    stay_away(IDLE + A_SECOND)
    shown(campaign, annotator)
    old, new = Sitting.objects.order_by("started_at")
    assert old.ended_at == old.last_seen_at
    assert new.ended_at is None
    assert LabelLock.objects.get(label=given).cause == LockCause.SITTING_ENDED


def test_the_sweep_ends_it_for_whom_stays_away(
    campaign: Campaign, annotator: User, second_annotator: User
) -> None:
    given = give(campaign, shown(campaign, annotator))
    stay_away(IDLE + A_SECOND)
    give(campaign, shown(campaign, second_annotator))
    assert sittings.end_idle() == 1
    ended = Sitting.objects.get(annotator=annotator)
    assert ended.ended_at == ended.last_seen_at
    assert Sitting.objects.get(annotator=second_annotator).ended_at is None
    assert [lock.label for lock in LabelLock.objects.all()] == [given]
    assert sittings.end_idle() == 0


def test_a_short_absence_ends_nothing(campaign: Campaign, annotator: User) -> None:
    shown(campaign, annotator)
    stay_away(IDLE - timedelta(minutes=1))
    assert sittings.end_idle() == 0


def test_ending_what_is_over_does_nothing(campaign: Campaign, annotator: User) -> None:
    assert sittings.end(campaign=campaign, annotator=annotator) is None
    shown(campaign, annotator)
    assert sittings.end(campaign=campaign, annotator=annotator) is not None
    ended_at = Sitting.objects.get().ended_at
    assert sittings.end(campaign=campaign, annotator=annotator) is None
    assert Sitting.objects.get().ended_at == ended_at


def test_ending_one_leaves_the_others(
    campaign: Campaign, lead: User, annotator: User, second_annotator: User
) -> None:
    other = make_planned_campaign(lead, [annotator], samples=2, slug="other", labels_per_sample=1)
    for where, who in ((campaign, annotator), (campaign, second_annotator), (other, annotator)):
        give(where, shown(where, who))
    sittings.end(campaign=campaign, annotator=annotator)
    locked = LabelLock.objects.get().label
    assert (locked.campaign, locked.annotator) == (campaign, annotator)
    assert Sitting.objects.filter(ended_at__isnull=True).count() == 2


# --- One at a time -----------------------------------------------------------------------------------------
def test_the_database_keeps_to_one_live_sitting(campaign: Campaign, annotator: User) -> None:
    shown(campaign, annotator)
    row = Sitting.objects.values().get() | {"id": uuid.uuid4()}
    with pytest.raises(IntegrityError, match="sitting_one_live_per_person"), transaction.atomic():
        Sitting.objects.create(**row)
    Sitting.objects.create(**row | {"ended_at": timezone.now()})


@pytest.mark.concurrency
def test_tabs_that_begin_at_once_begin_one_sitting(
    committed_db: str, lead: User, annotator: User, second_annotator: User
) -> None:
    campaign = make_planned_campaign(lead, [annotator, second_annotator], samples=4)
    barrier, problems = threading.Barrier(6), []

    def begin() -> None:
        try:
            barrier.wait(20)
            with transaction.atomic():
                sittings.touch(campaign_id=campaign.pk, annotator=annotator)
        except BaseException as problem:
            problems.append(problem)
        finally:
            connection.close()

    threads = [threading.Thread(target=begin) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert Sitting.objects.filter(annotator=annotator).count() == 1


@pytest.mark.concurrency
def test_a_tab_that_leaves_while_others_begin_costs_nobody_a_save(
    committed_db: str, lead: User, annotator: User, second_annotator: User
) -> None:
    """Whatever sitting a label names is there, however often another tab ends it meanwhile."""
    campaign = make_planned_campaign(lead, [annotator, second_annotator], samples=24, repeat_percent=0)
    slots = list(campaign.assignments.filter(annotator=annotator))
    barrier, problems = threading.Barrier(4), []

    def save_and_leave(own: list[Assignment]) -> None:
        try:
            barrier.wait(20)
            for slot in own:
                give(campaign, slot)
                sittings.end(campaign=campaign, annotator=annotator)
        except BaseException as problem:
            problems.append(problem)
        finally:
            connection.close()

    threads = [threading.Thread(target=save_and_leave, args=[slots[n::4]]) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert Label.objects.filter(sitting__isnull=False).count() == 24
