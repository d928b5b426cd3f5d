"""The page without a script: one button leases the next sample, and looking leases nothing."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from annotation.assignment.queue import IN_WORDS, ONLY_SEVERE_LEFT, hand_out
from annotation.models import Assignment, AssignmentState, Campaign, CampaignState, Sitting
from prometheus_site.accounts.models import User
from tests.annotation.planned import give, make_planned_campaign, queue_of

ClientFor = Callable[[User], Client]


@pytest.fixture
def campaign(lead: User, annotator: User, second_annotator: User) -> Campaign:
    return make_planned_campaign(lead, [annotator, second_annotator], samples=4, repeat_percent=0)


def url(campaign: Campaign) -> str:
    return reverse("annotation:fetch_next", args=[campaign.slug])


def workbench(campaign: Campaign) -> str:
    return reverse("annotation:workbench", args=[campaign.slug])


def test_works(campaign: Campaign, annotator: User, client_for: ClientFor) -> None:
    first = queue_of(campaign, annotator)[0]
    response = client_for(annotator).post(url(campaign), follow=True)
    assert response.redirect_chain == [(workbench(campaign), 302)]
    page = response.content.decode()
    assert f"Sample {first.sample.number}<" in page
    assert "what was said" in page
    first.refresh_from_db()
    assert first.state == AssignmentState.LEASED
    assert first.first_shown_at is not None


def test_again_is_the_same_sample(campaign: Campaign, annotator: User, client_for: ClientFor) -> None:
    client = client_for(annotator)
    for _ in range(3):
        client.post(url(campaign))
    assert Assignment.objects.filter(state=AssignmentState.LEASED).count() == 1


def test_looking_leases_nothing(campaign: Campaign, annotator: User, client_for: ClientFor) -> None:
    page = client_for(annotator).get(workbench(campaign)).content.decode()
    assert "4 samples in your queue" in page
    assert "what was said" not in page
    assert not Assignment.objects.filter(state=AssignmentState.LEASED).exists()
    assert not Sitting.objects.exists()


def test_what_was_only_fetched_ahead_is_not_on_the_page(
    campaign: Campaign, annotator: User, client_for: ClientFor
) -> None:
    hand_out(campaign=campaign, annotator=annotator, count=3)
    assert "what was said" not in client_for(annotator).get(workbench(campaign)).content.decode()


def test_the_pause_is_told(
    lead: User, annotator: User, second_annotator: User, client_for: ClientFor
) -> None:
    campaign = make_planned_campaign(
        lead, [annotator, second_annotator], samples=2, severe=[1, 2], slug="severe"
    )
    client = client_for(annotator)
    client.post(url(campaign))
    give(campaign, Assignment.objects.get(annotator=annotator, state=AssignmentState.LEASED))
    page = client.post(url(campaign), follow=True).content.decode()
    assert IN_WORDS[ONLY_SEVERE_LEFT] in page
    assert not Assignment.objects.filter(annotator=annotator, state=AssignmentState.LEASED).exists()


def test_no_pause_is_told_where_there_is_something_else(
    lead: User, annotator: User, second_annotator: User, client_for: ClientFor
) -> None:
    """The last one was severe and nothing is on the screen, but others than severe ones wait."""
    campaign = make_planned_campaign(
        lead, [annotator, second_annotator], samples=4, severe=[1], repeat_percent=0, slug="mixed"
    )
    client, is_severe = client_for(annotator), False
    while not is_severe:
        client.post(url(campaign))
        slot = Assignment.objects.get(annotator=annotator, state=AssignmentState.LEASED)
        is_severe = slot.sample.is_estimated_severe
        give(campaign, slot)
    assert queue_of(campaign, annotator)
    page = client.get(workbench(campaign)).content.decode()
    assert IN_WORDS[ONLY_SEVERE_LEFT] not in page
    assert "in your queue" in page


def test_an_empty_queue_says_so(campaign: Campaign, annotator: User, client_for: ClientFor) -> None:
    for slot in queue_of(campaign, annotator):
        give(campaign, slot)
    page = client_for(annotator).post(url(campaign), follow=True).content.decode()
    assert "Your queue is empty" in page
    assert IN_WORDS[ONLY_SEVERE_LEFT] not in page


def test_a_closed_campaign_gives_nothing(campaign: Campaign, annotator: User, client_for: ClientFor) -> None:
    Campaign.objects.filter(pk=campaign.pk).update(state=CampaignState.CLOSED)
    page = client_for(annotator).post(url(campaign), follow=True).content.decode()
    assert "takes no labels now" in page
    assert not Assignment.objects.filter(state=AssignmentState.LEASED).exists()


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
    client = client_for(annotator)
    with django_assert_max_num_queries(25):
        client.post(url(campaign))
