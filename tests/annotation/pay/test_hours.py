"""What counts of a person's time: heartbeats first, and labels whose reading no heartbeat saw."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from annotation.assignment.queue import assign_next
from annotation.labelling.services import record_label
from annotation.labelling.unlabelled import leave, pass_sample, undo_last
from annotation.models import Assignment, Campaign
from annotation.pay.selectors import first_open, sheet_of, sheets_of, today_of, zone_of
from annotation.pay.spans import ESTIMATE, Month
from prometheus_site.accounts.models import User
from tests.annotation.pay.paid import agree_on_pay, beat
from tests.annotation.worlds import make_campaign, submission

NOON = datetime(2026, 11, 10, 12, tzinfo=UTC)
NOVEMBER = Month.of(NOON, UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def campaign(lead: User, annotator: User, second_annotator: User) -> Campaign:
    with time_machine.travel(NOON - timedelta(days=60)):
        return make_campaign(lead, [annotator, second_annotator], samples=6)


def read(campaign: Campaign, annotator: User, at: datetime, took: timedelta, *, active: int | None) -> None:
    """Let the person be shown a sample at this moment and save its label after so long."""
    with time_machine.travel(at, tick=False):
        slot = assign_next(campaign=campaign, annotator=annotator)
    assert slot is not None
    with time_machine.travel(at + took, tick=False):
        given = submission(campaign, active_seconds=active)
        record_label(annotator=annotator, assignment=slot, submission=given)


def time_of(campaign: Campaign, person: User, month: Month = NOVEMBER) -> timedelta:
    return sheet_of(campaign, person, month).time


def test_without_scripts_a_label_counts_a_bounded_estimate(campaign: Campaign, annotator: User) -> None:
    read(campaign, annotator, NOON, 20 * MINUTE, active=None)
    assert time_of(campaign, annotator) == ESTIMATE
    read(campaign, annotator, NOON + 20 * MINUTE, 2 * MINUTE, active=None)
    assert time_of(campaign, annotator) == ESTIMATE + 2 * MINUTE


def test_a_label_counts_no_more_than_passed_since_it_was_shown(campaign: Campaign, annotator: User) -> None:
    read(campaign, annotator, NOON, 2 * MINUTE, active=3600)
    assert time_of(campaign, annotator) == 2 * MINUTE


def test_a_label_read_under_heartbeats_counts_once(campaign: Campaign, annotator: User) -> None:
    read(campaign, annotator, NOON, 3 * MINUTE, active=180)
    for minute in range(1, 5):
        beat(campaign, annotator, NOON + minute * MINUTE, 60)
    assert time_of(campaign, annotator) == 4 * MINUTE


def test_two_campaigns_at_once_without_scripts_share_the_time(
    campaign: Campaign, annotator: User, lead: User
) -> None:
    other = make_campaign(lead, [annotator], slug="other", labels_per_sample=1)
    read(campaign, annotator, NOON, 4 * MINUTE, active=None)
    read(other, annotator, NOON, 4 * MINUTE, active=None)
    together = time_of(campaign, annotator) + time_of(other, annotator)
    # The later label stands a microsecond after the earlier one.
    assert together == 4 * MINUTE + timedelta(microseconds=1)


def test_passing_is_paid_and_looks_like_any_other_time(
    campaign: Campaign, annotator: User, second_annotator: User
) -> None:
    with time_machine.travel(NOON, tick=False):
        slot = assign_next(campaign=campaign, annotator=annotator)
    assert isinstance(slot, Assignment)
    with time_machine.travel(NOON + MINUTE, tick=False):
        pass_sample(annotator=annotator, assignment=slot, key=uuid.uuid4())
    read(campaign, second_annotator, NOON, MINUTE, active=60)
    for person in (annotator, second_annotator):
        beat(campaign, person, NOON + MINUTE, 60)
    passer, labeller = (sheet_of(campaign, one, NOVEMBER) for one in (annotator, second_annotator))
    assert passer.time == labeller.time == MINUTE
    assert passer.worked.by_activity() == labeller.worked.by_activity()
    assert passer.at_work == labeller.at_work


def read_and_pass(campaign: Campaign, annotator: User, at: datetime, took: timedelta) -> None:
    """Let the person be shown a sample at this moment and pass it after so long."""
    with time_machine.travel(at, tick=False):
        slot = assign_next(campaign=campaign, annotator=annotator)
    assert slot is not None
    with time_machine.travel(at + took, tick=False):
        pass_sample(annotator=annotator, assignment=slot, key=uuid.uuid4())


def test_without_scripts_passing_is_paid_by_the_same_estimate(
    campaign: Campaign, annotator: User, second_annotator: User
) -> None:
    for start, took in ((NOON, 20 * MINUTE), (NOON + 20 * MINUTE, 2 * MINUTE)):
        read_and_pass(campaign, annotator, start, took)
        read(campaign, second_annotator, start, took, active=None)
    passer, labeller = (sheet_of(campaign, one, NOVEMBER) for one in (annotator, second_annotator))
    assert passer.time == labeller.time == ESTIMATE + 2 * MINUTE
    assert passer.worked.by_activity() == labeller.worked.by_activity()
    assert passer.at_work == labeller.at_work


def test_a_month_of_passes_alone_can_be_closed(campaign: Campaign, annotator: User) -> None:
    read_and_pass(campaign, annotator, NOON, MINUTE)
    with time_machine.travel(NOON + timedelta(days=40), tick=False):
        assert first_open(campaign) == NOVEMBER


def test_a_pass_taken_back_and_labelled_counts_no_second_twice(campaign: Campaign, annotator: User) -> None:
    read_and_pass(campaign, annotator, NOON, 2 * MINUTE)
    with time_machine.travel(NOON + 3 * MINUTE, tick=False):
        slot = undo_last(annotator=annotator, campaign=campaign)
    with time_machine.travel(NOON + 4 * MINUTE, tick=False):
        given = submission(campaign, active_seconds=None)
        record_label(annotator=annotator, assignment=slot, submission=given)
    assert time_of(campaign, annotator) == 4 * MINUTE


def test_a_sitting_across_midnight_belongs_to_both_days_and_months(
    campaign: Campaign, annotator: User
) -> None:
    first = datetime(2026, 12, 1, tzinfo=UTC)
    beat(campaign, annotator, first + 10 * MINUTE, 25 * 60)
    assert time_of(campaign, annotator) == 15 * MINUTE
    assert time_of(campaign, annotator, NOVEMBER.next) == 10 * MINUTE


def test_thirteen_hours_ahead_days_and_months_begin_there(
    campaign: Campaign, annotator: User, lead: User
) -> None:
    """At 11:00 UTC of the last of November it is midnight in Tonga, and December begins."""
    agree_on_pay(campaign, lead, time_zone="Pacific/Tongatapu")
    turn = datetime(2026, 11, 30, 11, tzinfo=UTC)
    beat(campaign, annotator, turn + 5 * MINUTE, 15 * 60)
    assert time_of(campaign, annotator) == 10 * MINUTE
    assert time_of(campaign, annotator, NOVEMBER.next) == 5 * MINUTE
    with time_machine.travel(turn + 6 * MINUTE, tick=False):
        december = sheet_of(campaign, annotator, Month.of(timezone.now(), zone_of(campaign)))
        assert today_of(december, zone_of(campaign)) == 5 * MINUTE


def test_clocks_that_change_in_mid_sitting_neither_give_nor_take_an_hour(
    campaign: Campaign, annotator: User, lead: User
) -> None:
    agree_on_pay(campaign, lead, time_zone="Europe/Berlin")
    for night in (datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)):
        for minute in range(-5, 6):
            beat(campaign, annotator, night + minute * MINUTE, 60)
        assert time_of(campaign, annotator, Month.of(night, UTC)) == 11 * MINUTE


def test_pauses_in_a_sitting_are_work_that_nobody_pays(
    campaign: Campaign, annotator: User, lead: User
) -> None:
    agree_on_pay(campaign, lead)
    read(campaign, annotator, NOON, 2 * MINUTE, active=60)
    read(campaign, annotator, NOON + 20 * MINUTE, 2 * MINUTE, active=60)
    with time_machine.travel(NOON + 22 * MINUTE, tick=False):
        leave(annotator=annotator, campaign=campaign)
    sheet = sheet_of(campaign, annotator, NOVEMBER)
    assert sheet.time == 2 * MINUTE
    assert sheet.at_work == 22 * MINUTE
    assert sheet.fair is not None
    assert not sheet.fair.is_fair  # 2 earned in 22 minutes are 5.45 an hour


def test_months_cost_the_same_queries_for_two_and_for_many(
    campaign: Campaign, lead: User, annotator: User, second_annotator: User, django_assert_num_queries: object
) -> None:
    agree_on_pay(campaign, lead)
    for minute, person in enumerate((annotator, second_annotator, annotator, annotator), start=1):
        beat(campaign, person, NOON + minute * MINUTE, 60)
    with django_assert_num_queries(9):  # type: ignore[operator]
        assert len(sheets_of(campaign, NOVEMBER)) == 2
