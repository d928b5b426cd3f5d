"""Who may follow a campaign's agreement, and that names and openness end with the right to them."""

from collections.abc import Callable
from functools import partial

import pytest
from django.test import Client
from django.urls import reverse

from annotation.agreement_page import news
from annotation.models import Campaign
from prometheus_site.accounts.models import RoleGrant, User
from prometheus_site.accounts.roles import Role
from prometheus_site.streams import application
from prometheus_site.streams.application import Streams
from tests import people
from tests.annotation.worlds import label, make_campaign
from tests.prometheus_site.streams.asking import asking, meanwhile, run

SignIn = Callable[[User], Client]
STREAM = "/streams/campaigns/made-up/agreement/?dimension=empathy_global"
pytestmark = pytest.mark.usefixtures("committed_db")


@pytest.fixture
def campaign(lead: User, annotator: User, second_annotator: User) -> Campaign:
    return make_campaign(lead, [annotator, second_annotator], samples=2)


def test_only_a_lead_of_the_campaign_to_whom_its_labels_are_open(
    campaign: Campaign, lead: User, annotator: User, client_for: SignIn
) -> None:
    elsewhere = people.make("other-lead", Role.LEAD)
    make_campaign(elsewhere, [], samples=1, slug="elsewhere")
    both = people.make("both", Role.LEAD)
    RoleGrant.objects.create(user=both, role=Role.ANNOTATOR)
    blind = make_campaign(both, [], samples=1, slug="blind", labels_per_sample=1)
    clients = [client_for(person) for person in (lead, annotator, elsewhere, both)]

    async def talk(streams: Streams) -> None:
        for client, status in zip(clients, (200, 404, 404, 404), strict=True):
            async with asking(streams, STREAM, client) as answer:
                assert answer.status == status
        async with asking(streams, STREAM.replace("empathy_global", "nothing"), clients[0]) as answer:
            assert answer.status == 404
        async with asking(streams, STREAM.replace("made-up", blind.slug), clients[3]) as answer:
            assert answer.status == 404

    run(talk)


def test_a_label_that_locks_is_heard_without_its_makers_name(
    campaign: Campaign, lead: User, annotator: User, client_for: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(news, "REST_FACTOR", 0)
    client = client_for(lead)

    async def talk(streams: Streams) -> None:
        async with asking(streams, STREAM, client) as answer:
            await answer.hear_until("No sample has two labels yet")
            await meanwhile(partial(label, campaign, annotator, 1))
            await answer.hear_until('data-figure="single-label-samples" href="/campaigns/made-up')
            await answer.hear_until('aria-label="1: Samples with one label only"')
            assert annotator.display_name not in answer.words

    run(talk)


def test_the_stream_with_names_ends_when_they_are_hidden(
    campaign: Campaign,
    lead: User,
    annotator: User,
    second_annotator: User,
    client_for: SignIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(application, "ASK_AGAIN_SECONDS", 0.1)
    for person in (annotator, second_annotator):
        label(campaign, person, 1)
    client = client_for(lead)
    client.post(reverse("annotation:reveal_names", args=[campaign.slug]))

    async def talk(streams: Streams) -> None:
        async with asking(streams, STREAM, client) as answer:
            await answer.hear_until(annotator.display_name)
            await meanwhile(partial(client.post, reverse("annotation:hide_names", args=[campaign.slug])))
            await answer.hear_all()
        async with asking(streams, STREAM, client) as answer:
            await answer.hear_until(annotator.code)
            assert annotator.display_name not in answer.words

    run(talk)
