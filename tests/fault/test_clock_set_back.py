"""The server's clock jumps between two saves: nothing is lost, and what came later is still the later."""

import uuid
from datetime import timedelta

import pytest
import time_machine

from annotation.assignment.queue import assign_next, release_expired_leases
from annotation.assignment.sittings import UNDOABLE_LABELS, end_idle
from annotation.labelling.selectors import own_labels
from annotation.labelling.services import record_label
from annotation.labelling.standing import standing_of
from annotation.labelling.unlabelled import leave, pass_sample, undo_last
from annotation.models import Assignment, AssignmentState, Campaign, Label, LabelLock, Sitting
from prometheus_site.accounts.models import User
from tests.annotation.worlds import submission

pytestmark = pytest.mark.fault
BEFORE, AFTER = 6, 9


def label_next(campaign: Campaign, person: User) -> Label:
    slot = assign_next(campaign=campaign, annotator=person)
    assert slot is not None
    return record_label(annotator=person, assignment=slot, submission=submission(campaign)).label


@pytest.mark.parametrize("jump", [timedelta(hours=-1), timedelta(hours=1), timedelta(seconds=-2)])
def test_labels_keep_their_order_and_lock_in_it(
    clock: time_machine.Traveller, campaign: Campaign, annotator: User, jump: timedelta
) -> None:
    given = [label_next(campaign, annotator).pk for _ in range(BEFORE)]
    clock.shift(jump)
    release_expired_leases()
    end_idle()
    given += [label_next(campaign, annotator).pk for _ in range(AFTER)]
    assert [label.pk for label in reversed(own_labels(annotator, campaign))] == given
    locked = set(LabelLock.objects.values_list("label", flat=True))
    by_now = BEFORE if jump > timedelta(0) else len(given) - UNDOABLE_LABELS  # an hour ahead, a sitting ended
    assert locked == set(given[:by_now])
    assert standing_of(annotator, campaign).undoable == len(given) - by_now


def test_undo_takes_back_the_latest_in_the_order_of_deeds(
    clock: time_machine.Traveller, campaign: Campaign, annotator: User
) -> None:
    first = label_next(campaign, annotator)
    clock.shift(timedelta(hours=-1))
    second = label_next(campaign, annotator)
    on_screen = assign_next(campaign=campaign, annotator=annotator)
    assert on_screen is not None
    pass_sample(annotator=annotator, assignment=on_screen, key=uuid.uuid4())
    taken_back = [undo_last(annotator=annotator, campaign=campaign).pk for _ in range(3)]
    assert taken_back == [on_screen.pk, second.assignment_id, first.assignment_id]


def test_sittings_and_leases_stay_sane(
    clock: time_machine.Traveller, campaign: Campaign, annotator: User
) -> None:
    label_next(campaign, annotator)
    on_screen = assign_next(campaign=campaign, annotator=annotator)
    assert on_screen is not None
    clock.shift(timedelta(hours=-1))
    assert release_expired_leases() == 0
    assert end_idle() == 0
    assert assign_next(campaign=campaign, annotator=annotator) == on_screen
    label_next(campaign, annotator)
    assert Sitting.objects.get().ended_at is None
    leave(annotator=annotator, campaign=campaign)
    ended = Sitting.objects.get()
    assert ended.ended_at is not None
    assert ended.ended_at >= ended.started_at
    assert LabelLock.objects.count() == Label.objects.count() == 2
    label_next(campaign, annotator)
    assert Sitting.objects.filter(ended_at=None).count() == 1
    assert not Assignment.objects.filter(state=AssignmentState.LEASED).exists()
