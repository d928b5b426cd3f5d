"""One's own figures: what was labelled and waits, what can be undone, today's time and one's own pace."""

import uuid
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from annotation.assignment import sittings
from annotation.assignment.queue import assign_next
from annotation.labelling.services import correct_label
from annotation.labelling.standing import standing_of
from annotation.labelling.unlabelled import pass_sample, undo_last
from annotation.models import Campaign, Label
from prometheus_site.accounts.models import User
from tests.annotation.planned import give, make_planned_campaign
from tests.annotation.worlds import submission


@pytest.fixture
def campaign(lead: User, annotator: User, second_annotator: User) -> Campaign:
    return make_planned_campaign(lead, [annotator, second_annotator], samples=16, repeat_percent=10.0)


def label_next(campaign: Campaign, annotator: User, seconds: int | None = None) -> Label:
    slot = assign_next(campaign=campaign, annotator=annotator)
    assert slot is not None
    return give(campaign, slot, active_seconds=seconds)


def test_begins_with_nothing(campaign: Campaign, annotator: User) -> None:
    found = standing_of(annotator, campaign)
    assert (found.labelled, found.waiting, found.planned) == (0, 16, 16)  # repeats that rest do not count yet
    assert (found.undoable, found.seconds_today) == (0, 0)
    assert (found.sitting_started_at, found.seconds_per_label, found.seconds_left) == (None, None, None)
    assert found.break_after_seconds == 1800


def test_counts_labels_what_waits_and_passes(campaign: Campaign, annotator: User) -> None:
    for _ in range(3):
        label_next(campaign, annotator)
    slot = assign_next(campaign=campaign, annotator=annotator)
    assert slot is not None
    pass_sample(annotator=annotator, assignment=slot, key=uuid.uuid4())
    assign_next(campaign=campaign, annotator=annotator)
    found = standing_of(annotator, campaign)
    assert (found.labelled, found.waiting, found.planned) == (3, 12, 15)


def test_is_ones_own(campaign: Campaign, lead: User, annotator: User, second_annotator: User) -> None:
    other = make_planned_campaign(lead, [annotator], samples=4, slug="other", labels_per_sample=1)
    label_next(campaign, second_annotator, 50)
    label_next(other, annotator, 20)
    found = standing_of(annotator, campaign)
    assert (found.labelled, found.undoable, found.sitting_started_at) == (0, 0, None)
    assert found.seconds_today == 20  # hours of a day are hours of all campaigns


def test_what_can_be_undone(campaign: Campaign, annotator: User) -> None:
    for number in range(1, 13):
        label_next(campaign, annotator)
        assert standing_of(annotator, campaign).undoable == min(number, 10)
    undo_last(annotator=annotator, campaign=campaign)
    assert standing_of(annotator, campaign).undoable == 9
    latest = Label.objects.current().latest("created_at")
    correct_label(annotator=annotator, label=latest, submission=submission(campaign, reason="a slip"))
    assert standing_of(annotator, campaign).undoable == 8
    sittings.end(campaign=campaign, annotator=annotator)
    assert standing_of(annotator, campaign).undoable == 0


def test_an_undone_label_is_not_labelled(campaign: Campaign, annotator: User) -> None:
    label_next(campaign, annotator)
    undo_last(annotator=annotator, campaign=campaign)
    found = standing_of(annotator, campaign)
    assert (found.labelled, found.waiting) == (0, 16)


def test_the_pace_is_the_median_from_ten_labels_on(campaign: Campaign, annotator: User) -> None:
    for seconds in (10, 20, 30, 40, 50, 60, 70, 80, 900):
        label_next(campaign, annotator, seconds)
        assert standing_of(annotator, campaign).seconds_per_label is None
    label_next(campaign, annotator, 45)
    found = standing_of(annotator, campaign)
    assert found.seconds_per_label == 47.5
    assert found.seconds_left == 6 * 47.5
    label_next(campaign, annotator, None)
    assert standing_of(annotator, campaign).seconds_per_label == 47.5


def test_the_pace_is_that_of_the_latest_fifty(lead: User, annotator: User) -> None:
    campaign = make_planned_campaign(
        lead, [annotator], samples=62, labels_per_sample=1, repeat_percent=0, slug="long"
    )
    for number in range(60):
        label_next(campaign, annotator, 300 if number < 10 else 30)
    assert standing_of(annotator, campaign).seconds_per_label == 30
    assert standing_of(annotator, campaign).seconds_left == 60


def test_today_begins_at_midnight(campaign: Campaign, annotator: User) -> None:
    noon = timezone.now().replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(days=1)
    for moment, seconds in ((noon - timedelta(hours=13), 100), (noon - timedelta(hours=11), 7)):
        with time_machine.travel(moment, tick=False):
            label_next(campaign, annotator, seconds)
    with time_machine.travel(noon, tick=False):
        assert standing_of(annotator, campaign).seconds_today == 7


def test_says_since_when_the_sitting_goes_on(campaign: Campaign, annotator: User) -> None:
    before = timezone.now()
    label_next(campaign, annotator)
    started = standing_of(annotator, campaign).sitting_started_at
    assert started is not None
    assert before <= started <= timezone.now()
    sittings.end(campaign=campaign, annotator=annotator)
    assert standing_of(annotator, campaign).sitting_started_at is None


def test_is_one_question_to_the_database(
    campaign: Campaign, annotator: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    label_next(campaign, annotator)
    with django_assert_num_queries(1):
        standing_of(annotator, campaign).as_json()


def test_as_json_has_what_was_promised(campaign: Campaign, annotator: User) -> None:
    assert set(standing_of(annotator, campaign).as_json()) == {
        "labelled",
        "waiting",
        "undoable",
        "seconds_today",
        "sitting_started_at",
        "seconds_per_label",
        "seconds_left",
        "break_after_seconds",
    }


def test_a_pass_of_this_sitting_can_be_undone(campaign: Campaign, annotator: User) -> None:
    slot = assign_next(campaign=campaign, annotator=annotator)
    assert slot is not None
    assert standing_of(annotator, campaign).undoable == 0
    pass_sample(annotator=annotator, assignment=slot, key=uuid.uuid4())
    assert standing_of(annotator, campaign).undoable == 1
    undo_last(annotator=annotator, campaign=campaign)
    assert standing_of(annotator, campaign).undoable == 0
