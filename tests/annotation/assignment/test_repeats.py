"""Silent repeats: back when so many days have passed since the label, somewhere among the next samples."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from annotation.assignment import sittings
from annotation.assignment.planning import AMONG_THE_NEXT, revise_plan
from annotation.assignment.queue import assign_next
from annotation.assignment.repeats import wake_repeats
from annotation.labelling.services import NotYoursError, correct_label, undo_label
from annotation.models import Assignment, AssignmentState, Campaign, CampaignState, Label
from prometheus_site.accounts.models import User
from tests.annotation.planned import give, make_planned_campaign, queue_of
from tests.annotation.worlds import submission

START = datetime(2030, 1, 7, 9, tzinfo=UTC)
DAYS = 7


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


@pytest.fixture
def campaign(lead: User, annotator: User) -> Campaign:
    """Sixty samples for one person, three of them twice."""
    return make_planned_campaign(
        lead, [annotator], samples=60, labels_per_sample=1, repeat_percent=5.0, repeat_after_days=DAYS
    )


def repeats_of(campaign: Campaign) -> list[Assignment]:
    return list(campaign.assignments.filter(repeat_number=1).order_by("pk"))


def first_of(repeat: Assignment) -> Assignment:
    return Assignment.objects.get(sample=repeat.sample, annotator=repeat.annotator, repeat_number=0)


def lock_first(campaign: Campaign, repeat: Assignment) -> Label:
    """Label what the repeat repeats, and end the sitting."""
    given = give(campaign, first_of(repeat))
    sittings.end(campaign=campaign, annotator=repeat.annotator)
    return given


def test_the_planned_share_rests(campaign: Campaign, annotator: User) -> None:
    repeats = repeats_of(campaign)
    assert len(repeats) == 3
    assert {slot.state for slot in repeats} == {AssignmentState.RESTING}
    assert len(queue_of(campaign, annotator)) == 60
    assert wake_repeats() == 0


def test_it_is_due_so_many_days_after_the_label(
    campaign: Campaign, clock: time_machine.Traveller, annotator: User
) -> None:
    repeat = repeats_of(campaign)[0]
    given = lock_first(campaign, repeat)
    assert wake_repeats() == 0
    repeat.refresh_from_db()
    assert repeat.rests_until == given.created_at + timedelta(days=DAYS)
    clock.move_to(given.created_at + timedelta(days=DAYS, seconds=-1))
    assert wake_repeats() == 0
    clock.move_to(given.created_at + timedelta(days=DAYS))
    assert wake_repeats() == 1
    repeat.refresh_from_db()
    assert repeat.state == AssignmentState.WAITING
    assert wake_repeats() == 0


def test_a_label_that_can_still_be_undone_starts_no_clock(
    campaign: Campaign, clock: time_machine.Traveller, annotator: User
) -> None:
    repeat = repeats_of(campaign)[0]
    give(campaign, first_of(repeat))
    clock.shift(timedelta(days=2 * DAYS))
    assert wake_repeats() == 0
    repeat.refresh_from_db()
    assert repeat.rests_until is None


def test_an_undone_label_counts_from_when_it_was_given_again(
    campaign: Campaign, clock: time_machine.Traveller, annotator: User
) -> None:
    repeat = repeats_of(campaign)[0]
    first = give(campaign, first_of(repeat))
    undo_label(annotator=annotator, label=first)
    clock.shift(timedelta(minutes=20))
    again = lock_first(campaign, repeat)
    wake_repeats()
    repeat.refresh_from_db()
    assert repeat.rests_until == again.created_at + timedelta(days=DAYS)
    assert again.created_at > first.created_at


def test_a_correction_does_not_put_it_off(
    campaign: Campaign, clock: time_machine.Traveller, annotator: User
) -> None:
    repeat = repeats_of(campaign)[0]
    given = lock_first(campaign, repeat)
    clock.shift(timedelta(days=DAYS - 1))
    correct_label(annotator=annotator, label=given, submission=submission(campaign, reason="a slip"))
    clock.shift(timedelta(days=1, seconds=1))
    assert wake_repeats() == 1


def test_it_comes_among_the_next_fifty_and_disturbs_nobody(
    campaign: Campaign, clock: time_machine.Traveller, annotator: User
) -> None:
    for repeat in repeats_of(campaign):
        lock_first(campaign, repeat)
    before = [slot.pk for slot in queue_of(campaign, annotator)]
    clock.shift(timedelta(days=DAYS, seconds=1))
    sweeps = [wake_repeats() for _ in range(9)]  # a place may be taken: the next sweep draws another
    assert sum(sweeps) == 3
    queue = queue_of(campaign, annotator)
    assert len(queue) == 60
    places = [place for place, slot in enumerate(queue) if slot.repeat_number]
    assert 0 not in places
    assert max(places) <= AMONG_THE_NEXT + len(places)
    assert [slot.pk for slot in queue if not slot.repeat_number] == before


def test_a_change_of_the_plan_leaves_it_among_the_next_fifty(
    campaign: Campaign, clock: time_machine.Traveller, lead: User, annotator: User
) -> None:
    """Samples are passed, people join or leave: what was due is not gathered at the end of the queue."""
    lock_first(campaign, repeats_of(campaign)[0])
    clock.shift(timedelta(days=DAYS, seconds=1))
    assert wake_repeats() == 1
    gone = queue_of(campaign, annotator)[-1]
    Assignment.objects.filter(pk=gone.pk).update(state=AssignmentState.PASSED)
    Campaign.objects.filter(pk=campaign.pk).update(labels_per_sample=1, repeat_percent=10.0)
    assert revise_plan(campaign=campaign, because="made up") is not None
    wake_repeats()
    queue = queue_of(campaign, annotator)
    [place] = [place for place, slot in enumerate(queue) if slot.repeat_number]
    assert place <= AMONG_THE_NEXT


def test_it_comes_also_when_the_queue_is_empty(
    lead: User, annotator: User, clock: time_machine.Traveller
) -> None:
    campaign = make_planned_campaign(
        lead, [annotator], samples=5, labels_per_sample=1, repeat_percent=20.0, repeat_after_days=DAYS
    )
    for slot in queue_of(campaign, annotator):
        give(campaign, slot)
    sittings.end(campaign=campaign, annotator=annotator)
    clock.shift(timedelta(days=DAYS, seconds=1))
    assert wake_repeats() == 1
    found = assign_next(campaign=campaign, annotator=annotator)
    assert found is not None
    assert found.repeat_number == 1
    again = give(campaign, found)
    assert again.assignment_id == found.pk
    assert Label.objects.filter(sample=found.sample, annotator=annotator).count() == 2


def test_a_repeat_is_labelled_apart_from_the_first(
    campaign: Campaign, clock: time_machine.Traveller, annotator: User
) -> None:
    repeat = repeats_of(campaign)[0]
    given = lock_first(campaign, repeat)
    clock.shift(timedelta(days=DAYS, seconds=1))
    wake_repeats()
    repeat.refresh_from_db()
    second = give(campaign, repeat, answers={"empathy_global": "5"})
    sittings.end(campaign=campaign, annotator=annotator)
    assert second.supersedes is None
    counting = Label.objects.filter(campaign=campaign).counting_for_agreement()
    assert list(counting) == [given]


def test_a_repeat_that_is_not_due_cannot_be_labelled(campaign: Campaign, annotator: User) -> None:
    with pytest.raises(NotYoursError):
        give(campaign, repeats_of(campaign)[0])
    assert not Label.objects.exists()


def test_a_closed_campaign_wakes_nothing(
    campaign: Campaign, clock: time_machine.Traveller, annotator: User
) -> None:
    repeat = repeats_of(campaign)[0]
    lock_first(campaign, repeat)
    wake_repeats()
    Campaign.objects.filter(pk=campaign.pk).update(state=CampaignState.CLOSED)
    clock.shift(timedelta(days=DAYS, seconds=1))
    assert wake_repeats() == 0


def test_a_sample_that_was_passed_does_not_come_back(
    campaign: Campaign, clock: time_machine.Traveller, annotator: User
) -> None:
    repeat = repeats_of(campaign)[0]
    Assignment.objects.filter(pk=first_of(repeat).pk).update(state=AssignmentState.PASSED)
    revise_plan(campaign=campaign, because="made up")
    repeat.refresh_from_db()
    assert repeat.state == AssignmentState.WITHDRAWN
    clock.shift(timedelta(days=10 * DAYS))
    assert wake_repeats() == 0


def test_two_people_have_repeats_of_their_own(
    lead: User, annotator: User, second_annotator: User, clock: time_machine.Traveller
) -> None:
    campaign = make_planned_campaign(
        lead, [annotator, second_annotator], samples=20, repeat_percent=5.0, repeat_after_days=DAYS
    )
    mine = campaign.assignments.get(repeat_number=1, annotator=annotator)
    theirs = campaign.assignments.get(repeat_number=1, annotator=second_annotator)
    lock_first(campaign, mine)
    clock.shift(timedelta(days=DAYS, seconds=1))
    assert wake_repeats() == 1
    theirs.refresh_from_db()
    assert theirs.state == AssignmentState.RESTING
    assert timezone.now() == START + timedelta(days=DAYS, seconds=1)
