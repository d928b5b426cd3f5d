"""The forecast page reads a campaign's own rows: days, labels, what is left, cost, and the plan's promise."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from annotation.forecast.selectors import promise_of, spared_by_one_less, state_of
from annotation.models import Assignment, AssignmentState, Campaign, CampaignMember
from prometheus_site.accounts.models import User
from tests.annotation.pay.paid import agree_on_pay, beat
from tests.annotation.planned import give, make_planned_campaign, queue_of

SignIn = Callable[[User], Client]
NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)
WEEKS = 3


@pytest.fixture
def campaign(lead: User, annotator: User, second_annotator: User) -> Campaign:
    """Three weeks in which one works every second day and the other not at all."""
    began = NOW - timedelta(weeks=WEEKS)
    with time_machine.travel(began - timedelta(hours=1), tick=False):
        people = [annotator, second_annotator]
        made = make_planned_campaign(lead, people, samples=60, repeat_percent=0)
        agree_on_pay(made, lead)
    Campaign.objects.filter(pk=made.pk).update(
        created_at=began - timedelta(hours=1)
    )  # the database's own clock did not travel
    made.refresh_from_db()
    waiting = iter(queue_of(made, annotator))
    for day in range(0, 7 * WEEKS, 2):
        at = began + timedelta(days=day)
        with time_machine.travel(at, tick=False):
            for _ in range(3):
                give(made, next(waiting), active_seconds=20)
        beat(made, annotator, at, 60)
    return made


def test_the_state_is_the_campaigns_own(campaign: Campaign, annotator: User, second_annotator: User) -> None:
    with time_machine.travel(NOW, tick=False):
        state = state_of(campaign)
    people = {person.name: person for person in state.people}
    worker, other = people[annotator.code], people[second_annotator.code]
    assert sum(worker.labels) == 33
    assert sum(worker.seconds) == 11 * 60
    assert len(worker.seconds) == len(worker.labels) == 7 * WEEKS
    assert worker.left == len(queue_of(campaign, annotator)) == 27
    assert (sum(other.labels), other.left) == (0, 60)
    assert (state.spent, state.per_hour, state.today) == (11.0, 60.0, NOW.date())


def test_who_left_is_in_the_record_and_has_nothing_left(campaign: Campaign, annotator: User) -> None:
    CampaignMember.objects.filter(campaign=campaign, user=annotator).update(left_at=NOW)
    with time_machine.travel(NOW, tick=False):
        state = state_of(campaign)
    assert [
        (person.name, person.has_gone) for person in state.people if person.labels and sum(person.labels)
    ] == [(annotator.code, True)]


def test_the_page_tells_a_day_a_cost_and_scenarios(
    campaign: Campaign, lead: User, client_for: SignIn
) -> None:
    with time_machine.travel(NOW, tick=False):
        html = client_for(lead).get(reverse("annotation:forecast", args=[campaign.slug])).content.decode()
    for words in (
        "Done between",
        "most likely around",
        "EUR",
        "One more clinician",
        "are the least with which",
    ):
        assert words in html, words


def test_a_new_campaign_collects(lead: User, annotator: User, client_for: SignIn) -> None:
    campaign = make_planned_campaign(lead, [annotator], samples=4, labels_per_sample=1, slug="new")
    html = client_for(lead).get(reverse("annotation:forecast", args=[campaign.slug])).content.decode()
    assert "Collecting" in html
    assert "What would change it" not in html


def test_a_campaign_without_people_or_samples_has_a_page_too(lead: User, client_for: SignIn) -> None:
    campaign = make_planned_campaign(lead, [], samples=2, slug="empty")
    answer = client_for(lead).get(reverse("annotation:forecast", args=[campaign.slug]))
    assert answer.status_code == 200


def test_a_draft_without_a_plan_is_not_told_to_be_done(lead: User, client_for: SignIn) -> None:
    make_planned_campaign(lead, [], samples=2, slug="draft")
    Campaign.objects.filter(slug="draft").update(state="draft")
    html = client_for(lead).get(reverse("annotation:forecast", args=["draft"])).content.decode()
    assert "Nothing is planned yet" in html
    assert "Nothing is left to label" not in html


def test_a_repeat_of_what_was_not_read_yet_rests_after_its_first_reading(lead: User, annotator: User) -> None:
    campaign = make_planned_campaign(lead, [annotator], samples=50, labels_per_sample=1, repeat_percent=4)
    state = state_of(campaign)
    assert (state.left, state.unread_repeats, state.repeat_after_days) == (52, 2, 7)
    promise = promise_of(campaign)
    assert promise is not None
    assert promise.done_on == promise.made_on + timedelta(days=8)  # less than a day's work, and a week's rest


def test_who_has_not_worked_yet_is_there_since_the_campaigns_own_day(lead: User, annotator: User) -> None:
    """At 12:00 UTC it is an hour past midnight of the next day in Tonga, and all of that day is to come."""
    noon = datetime(2026, 11, 10, 12, tzinfo=UTC)
    campaign = make_planned_campaign(lead, [annotator], samples=4, labels_per_sample=1)
    agree_on_pay(campaign, lead, time_zone="Pacific/Tongatapu")
    Campaign.objects.filter(pk=campaign.pk).update(created_at=noon)
    CampaignMember.objects.filter(campaign=campaign).update(joined_at=noon)
    campaign.refresh_from_db()
    with time_machine.travel(noon + timedelta(hours=1), tick=False):
        [person] = state_of(campaign).people
    assert list(person.seconds) == []


def test_the_promise_is_what_the_first_plan_said_and_stays(campaign: Campaign) -> None:
    """120 labels of 45 s by two people at ten hours a week: under an hour each, so the first day."""
    promise = promise_of(campaign)
    assert promise is not None
    assert promise.made_on == campaign.plan_revisions.get().made_at.date()
    assert promise.done_on == promise.made_on + timedelta(days=1)
    assert (promise.reached_on, promise.days_late) == (None, None)


def test_the_day_reached_stands_beside_the_promise(campaign: Campaign, annotator: User) -> None:
    Assignment.objects.filter(campaign=campaign, state=AssignmentState.WAITING).update(
        state=AssignmentState.PASSED
    )
    promise = promise_of(campaign)
    assert promise is not None
    latest = NOW - timedelta(days=1)
    assert promise.reached_on == latest.date()
    assert promise.done_on is not None
    assert promise.days_late == (latest.date() - promise.done_on).days


def test_one_label_less_spares_an_open_slot_of_each_sample_that_has_them_all(
    campaign: Campaign, annotator: User
) -> None:
    assert spared_by_one_less(campaign) == 60
    Assignment.objects.filter(campaign=campaign, annotator=annotator, sample__number__lte=10).update(
        state=AssignmentState.PASSED
    )
    assert spared_by_one_less(campaign) == 50
