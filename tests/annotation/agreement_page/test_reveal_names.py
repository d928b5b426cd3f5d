"""Codes stand for people until a lead asks for names: written down, and over with the session."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from annotation.models import Campaign
from prometheus_site.accounts.models import User
from prometheus_site.audit.models import AccessEvent
from tests.annotation.worlds import label, make_campaign

SignIn = Callable[[User], Client]


@pytest.fixture
def campaign(lead: User, annotator: User, second_annotator: User) -> Campaign:
    made = make_campaign(lead, [annotator, second_annotator], samples=2)
    for person in (annotator, second_annotator):
        label(made, person, 1)
    return made


def test_names_are_shown_when_asked_for_and_that_is_written_down(
    campaign: Campaign, lead: User, annotator: User, client_for: SignIn
) -> None:
    client = client_for(lead)
    before = _html(client, campaign)
    assert annotator.code in before
    assert annotator.display_name not in before
    assert not AccessEvent.objects.filter(action="revealed").exists()
    answer = client.post(reverse("annotation:reveal_names", args=[campaign.slug]))
    assert answer.status_code == 302
    assert f"{annotator.code} {annotator.display_name}" in _html(client, campaign)
    event = AccessEvent.objects.get(action="revealed")
    assert (event.actor, event.object_type, event.object_id) == (lead, "campaign_names", str(campaign.pk))


def test_hiding_and_a_new_session_show_codes_again(
    campaign: Campaign, lead: User, annotator: User, client_for: SignIn
) -> None:
    client = client_for(lead)
    client.post(reverse("annotation:reveal_names", args=[campaign.slug]))
    assert annotator.display_name not in _html(client_for(lead), campaign)
    client.post(reverse("annotation:hide_names", args=[campaign.slug]))
    assert annotator.display_name not in _html(client, campaign)
    client.post(reverse("annotation:hide_names", args=[campaign.slug]))
    assert AccessEvent.objects.filter(action="revealed").count() == 1


def test_names_are_revealed_in_one_campaign_only(
    campaign: Campaign, lead: User, annotator: User, second_annotator: User, client_for: SignIn
) -> None:
    beside = make_campaign(lead, [annotator, second_annotator], samples=1, slug="beside")
    for person in (annotator, second_annotator):
        label(beside, person, 1)
    client = client_for(lead)
    client.post(reverse("annotation:reveal_names", args=[beside.slug]))
    assert annotator.display_name in _html(client, beside)
    assert annotator.display_name not in _html(client, campaign)


def _html(client: Client, campaign: Campaign) -> str:
    response = client.get(reverse("annotation:agreement", args=[campaign.slug]))
    assert response.status_code == 200
    return str(response.content.decode())
