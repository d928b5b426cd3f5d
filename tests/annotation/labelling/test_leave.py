"""Leave: one click ends the sitting, locks what was labelled and gives back what was handed out."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from annotation.assignment.queue import assign_next, hand_out
from annotation.labelling.unlabelled import keep_draft, leave
from annotation.models import (
    Assignment,
    AssignmentState,
    Campaign,
    CampaignState,
    Draft,
    LabelLock,
    LockCause,
    Sitting,
)
from prometheus_site.accounts.models import User
from tests.annotation.planned import give, make_planned_campaign, queue_of

ClientFor = Callable[[User], Client]


@pytest.fixture
def campaign(lead: User, annotator: User, second_annotator: User) -> Campaign:
    return make_planned_campaign(lead, [annotator, second_annotator], samples=6)


def url(campaign: Campaign) -> str:
    return reverse("annotation:leave", args=[campaign.slug])


def test_works(campaign: Campaign, annotator: User, client_for: ClientFor) -> None:
    order = queue_of(campaign, annotator)
    first, second, _ = hand_out(campaign=campaign, annotator=annotator, count=3).slots
    given = give(campaign, first)
    keep_draft(annotator=annotator, assignment=second, answers={}, note="half a thought")
    response = client_for(annotator).post(url(campaign))
    assert (response.status_code, response.headers["Location"]) == (302, "/")
    assert Sitting.objects.get().ended_at is not None
    lock = LabelLock.objects.get()
    assert (lock.label, lock.cause) == (given, LockCause.SITTING_ENDED)
    assert not Assignment.objects.filter(state=AssignmentState.LEASED).exists()
    assert queue_of(campaign, annotator) == order[1:]
    assert Draft.objects.get().assignment == second


def test_says_that_everything_is_safe(campaign: Campaign, annotator: User, client_for: ClientFor) -> None:
    assign_next(campaign=campaign, annotator=annotator)
    page = client_for(annotator).post(url(campaign), follow=True).content.decode()
    assert "Your sitting is over" in page


def test_twice_is_once(campaign: Campaign, annotator: User) -> None:
    give(campaign, hand_out(campaign=campaign, annotator=annotator).slots[0])
    for _ in range(2):
        leave(annotator=annotator, campaign=campaign)
    assert Sitting.objects.count() == 1
    assert LabelLock.objects.count() == 1


def test_leaving_before_anything_was_taken_does_nothing(
    campaign: Campaign, annotator: User, client_for: ClientFor
) -> None:
    assert client_for(annotator).post(url(campaign)).status_code == 302
    assert not Sitting.objects.exists()


def test_who_comes_back_goes_on_where_it_was_left(campaign: Campaign, annotator: User) -> None:
    shown = assign_next(campaign=campaign, annotator=annotator)
    leave(annotator=annotator, campaign=campaign)
    assert assign_next(campaign=campaign, annotator=annotator) == shown
    assert Sitting.objects.filter(ended_at__isnull=True).count() == 1


def test_one_can_leave_a_closed_campaign(campaign: Campaign, annotator: User, client_for: ClientFor) -> None:
    given = give(campaign, hand_out(campaign=campaign, annotator=annotator).slots[0])
    Campaign.objects.filter(pk=campaign.pk).update(state=CampaignState.CLOSED)
    assert client_for(annotator).post(url(campaign)).status_code == 302
    assert LabelLock.objects.get().label == given


def test_others_go_on(campaign: Campaign, annotator: User, second_annotator: User) -> None:
    for person in (annotator, second_annotator):
        assign_next(campaign=campaign, annotator=person)
    leave(annotator=annotator, campaign=campaign)
    assert Sitting.objects.get(ended_at__isnull=True).annotator == second_annotator
    assert Assignment.objects.get(state=AssignmentState.LEASED).annotator == second_annotator


def test_is_for_annotators_of_the_campaign_only(
    campaign: Campaign, annotator: User, lead: User, outsider: User, client_for: ClientFor
) -> None:
    other = make_planned_campaign(lead, [], samples=1, slug="other")
    for person in (lead, outsider):
        assert client_for(person).post(url(campaign)).status_code == 404
    assert client_for(annotator).post(url(other)).status_code == 404
    assert client_for(annotator).get(url(campaign)).status_code == 405
    assert Client().post(url(campaign)).status_code == 302


def test_query_count(
    campaign: Campaign,
    annotator: User,
    client_for: ClientFor,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for slot in hand_out(campaign=campaign, annotator=annotator, count=3).slots:
        give(campaign, slot)
    hand_out(campaign=campaign, annotator=annotator, count=3)
    client = client_for(annotator)
    with django_assert_max_num_queries(21):
        client.post(url(campaign))
