"""The pulse against a plain count of the stored rows: who works, how fast, queues, days, pairs."""

import uuid
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from itertools import combinations
from statistics import median

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotation.assignment import sittings
from annotation.dashboard.news import PulseNews
from annotation.dashboard.pulse import plan_of, working_now
from annotation.labelling.services import correct_label, record_label, undo_label
from annotation.labelling.unlabelled import leave
from annotation.models import Assignment, AssignmentState, Campaign, Label
from prometheus_site.accounts.models import User
from tests.annotation.dashboard.busy import make_busy_world, next_slot, third_annotator
from tests.annotation.worlds import make_campaign, submission

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
LOOK_QUERIES = 1
NEWS_QUERIES = 10


@pytest.fixture
def campaign(lead: User, annotator: User, second_annotator: User) -> Campaign:
    return make_campaign(lead, [annotator, second_annotator], samples=70)


def give(campaign: Campaign, annotator: User, seconds: int) -> Label:
    """Label the person's next sample, at the speed given."""
    slot = next_slot(campaign, annotator)
    return record_label(
        annotator=annotator, assignment=slot, submission=submission(campaign, active_seconds=seconds)
    ).label


def test_who_was_seen_in_the_last_five_minutes_works_now(
    campaign: Campaign, annotator: User, second_annotator: User
) -> None:
    with time_machine.travel(NOON - timedelta(minutes=5, seconds=30), tick=False):
        give(campaign, second_annotator, 30)
    with time_machine.travel(NOON - timedelta(minutes=4), tick=False):
        give(campaign, annotator, 30)
    with time_machine.travel(NOON, tick=False):
        (person,) = working_now(campaign)
    assert person.code == annotator.code
    assert person.started_at == NOON - timedelta(minutes=4)
    leave(annotator=annotator, campaign=campaign)
    with time_machine.travel(NOON, tick=False):
        assert working_now(campaign) == []


def test_today_and_this_sitting_are_counted_apart(campaign: Campaign, annotator: User) -> None:
    for moment, seconds in ((NOON - timedelta(days=1), 500), (NOON - timedelta(hours=3), 100)):
        with time_machine.travel(moment, tick=False):
            give(campaign, annotator, seconds)
            sittings.end(campaign=campaign, annotator=annotator)
    with time_machine.travel(NOON, tick=False):
        first = give(campaign, annotator, 60)
        undo_label(annotator=annotator, label=first)
        kept = give(campaign, annotator, 45)
        changed = submission(campaign, key=uuid.uuid4(), reason="slipped", active_seconds=20)
        correct_label(annotator=annotator, label=kept, submission=changed)
        (person,) = working_now(campaign)
    assert person.labels_in_sitting == 1
    assert person.labels_today.value == 2
    assert person.labels_today.url.endswith(f"/given/?person={annotator.code}&day=2026-03-02")
    assert person.time_today == "3 min", "100 + 60 + 45 + 20 seconds: undoing and correcting is work"
    assert person.seconds_per_label is None, "too few labels to say"


def test_the_pace_is_the_median_of_the_latest_fifty(campaign: Campaign, annotator: User) -> None:
    seconds = [900] * 5 + [20 + number for number in range(50)]
    for number, active in enumerate(seconds):
        with time_machine.travel(NOON + timedelta(seconds=number), tick=False):
            give(campaign, annotator, active)
    with time_machine.travel(NOON + timedelta(minutes=1), tick=False):
        (person,) = working_now(campaign)
    assert person.seconds_per_label == median(seconds[-50:]) == 44.5


def test_another_campaigns_work_is_not_counted(campaign: Campaign, lead: User, annotator: User) -> None:
    beside = make_campaign(lead, [annotator], samples=3, slug="beside")
    give(beside, annotator, 30)
    assert working_now(campaign) == []
    give(campaign, annotator, 40)
    (person,) = working_now(campaign)
    assert (person.labels_today.value, person.time_today) == (1, "under a minute")


def test_the_plan_says_what_is_stored(lead: User, annotator: User, second_annotator: User) -> None:
    world = make_busy_world(lead, [annotator, second_annotator, third_annotator()], samples=30)
    plan = plan_of(world.campaign)
    slots = list(world.campaign.assignments.select_related("annotator"))
    states = [slot.state for slot in slots]
    totals = {key: shown.value for key, shown in plan.totals.items()}
    assert totals["queued"] == states.count("waiting") > 0
    assert totals["handed"] == states.count("leased") > 0
    assert totals["resting"] == states.count("resting")
    assert totals["labelled"] == states.count("labelled") == totals["given"]
    gone = states.count("withdrawn") + states.count("passed")
    assert totals["planned"] == len(slots) - gone == plan.schedule.planned
    by_day: dict[object, int] = defaultdict(int)
    for label in Label.objects.filter(campaign=world.campaign, reason=None, undo=None):
        by_day[label.created_at.date()] += 1
    assert plan.schedule.given_by_day == by_day
    assert _cells(world.campaign) == _plain_pairs(slots)


def _cells(campaign: Campaign) -> dict[frozenset[str], int]:
    rows = plan_of(campaign).pairs.rows
    return {frozenset({code, other}): pair for code, row in rows for other, pair in row if pair}


def _plain_pairs(slots: list[Assignment]) -> dict[frozenset[str], int]:
    of_sample: dict[uuid.UUID, list[str]] = defaultdict(list)
    for slot in slots:
        if slot.repeat_number == 0 and slot.state == AssignmentState.LABELLED:
            of_sample[slot.sample_id].append(slot.annotator.code)
    return dict(Counter(frozenset(two) for codes in of_sample.values() for two in combinations(codes, 2)))


def test_the_plan_starts_when_it_was_made_and_ends_when_it_is_due(campaign: Campaign) -> None:
    campaign.due_on = timezone.localdate() + timedelta(days=6)
    schedule = plan_of(campaign).schedule
    first = campaign.plan_revisions.get(number=1)
    assert schedule.starts_on == timezone.localdate(first.made_at)
    assert schedule.planned_by_today == round(schedule.planned / 7)


def test_a_look_without_news_is_one_query(
    campaign: Campaign, annotator: User, second_annotator: User
) -> None:
    news = PulseNews(campaign.pk)
    with CaptureQueriesContext(connection) as queries:
        assert set(news.changed_parts()) == {
            "pulse-working",
            "pulse-queue",
            "pulse-schedule",
            "pulse-pairs",
        }
    assert len(queries) <= NEWS_QUERIES
    with CaptureQueriesContext(connection) as queries:
        assert news.changed_parts() == {}
    assert len(queries) == LOOK_QUERIES
    for person in (annotator, second_annotator):
        give(campaign, person, 30)
    with CaptureQueriesContext(connection) as queries:
        assert "pulse-working" in news.changed_parts()
    assert len(queries) <= NEWS_QUERIES, "the same for two people as for none"
