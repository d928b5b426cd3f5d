"""Who gets a stream, and that it ends with the right to it: the rules are those of the pages."""

import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from annotation.models import Campaign
from prometheus_site.accounts import session_clock
from prometheus_site.accounts.models import RoleGrant, User
from prometheus_site.accounts.roles import Role
from prometheus_site.streams import application
from prometheus_site.streams.application import Streams
from tests import people
from tests.annotation.worlds import make_campaign
from tests.prometheus_site.streams.asking import asking, meanwhile, run

SignIn = Callable[[User], Client]
PULSE = "/streams/campaigns/made-up/pulse/"
PAGES = "http://localhost:8000"
pytestmark = pytest.mark.usefixtures("committed_db")


@pytest.fixture
def campaign(lead: User, annotator: User) -> Campaign:
    return make_campaign(lead, [annotator], samples=2)


@pytest.fixture
def asked_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """The right to watch is looked at more often than people would wait."""
    monkeypatch.setattr(application, "ASK_AGAIN_SECONDS", 0.1)


def test_only_a_lead_of_the_campaign(
    campaign: Campaign, lead: User, annotator: User, outsider: User, client_for: SignIn
) -> None:
    elsewhere = people.make("other-lead", Role.LEAD)
    make_campaign(elsewhere, [], samples=1, slug="elsewhere")
    half_in = Client()
    half_in.force_login(lead)
    asked = {
        "lead": (client_for(lead), 200),
        "stranger": (None, 401),
        "outsider": (client_for(outsider), 404),
        "annotator": (client_for(annotator), 404),
        "lead of another campaign": (client_for(elsewhere), 404),
        "lead without the second factor": (half_in, 403),
    }

    async def talk(streams: Streams) -> None:
        for who, (client, status) in asked.items():
            async with asking(streams, PULSE, client) as answer:
                assert answer.status == status, who
        async with asking(streams, "/streams/campaigns/no-such/pulse/", asked["lead"][0]) as answer:
            assert answer.status == 404

    run(talk)


@pytest.mark.parametrize(
    "origin", ["https://example.org", "http://localhost:1", "https://localhost:8000", "null"]
)
def test_another_sites_page_gets_nothing(
    origin: str, campaign: Campaign, lead: User, client_for: SignIn
) -> None:
    client = client_for(lead)

    async def talk(streams: Streams) -> None:
        async with asking(streams, PULSE, client, origin=origin) as answer:
            await answer.hear_all()
            assert (answer.status, answer.words) == (403, "")
            assert "Access-Control-Allow-Origin" not in answer.headers

    run(talk)


def test_the_sites_own_page_may_read_it(campaign: Campaign, lead: User, client_for: SignIn) -> None:
    client = client_for(lead)

    async def talk(streams: Streams) -> None:
        async with asking(streams, PULSE, client, origin=PAGES) as answer:
            assert answer.status == 200
            assert answer.headers["Access-Control-Allow-Origin"] == PAGES
            assert answer.headers["Access-Control-Allow-Credentials"] == "true"
            assert "Origin" in answer.headers["Vary"]
        async with asking(streams, PULSE, client) as answer:  # through a proxy it is the same origin
            assert answer.status == 200
            assert "Access-Control-Allow-Origin" not in answer.headers

    run(talk)


def test_takes_no_post(campaign: Campaign, lead: User, client_for: SignIn) -> None:
    client = client_for(lead)

    async def talk(streams: Streams) -> None:
        async with asking(streams, PULSE, client, method="POST", origin=PAGES) as answer:
            assert answer.status == 405

    run(talk)


def leave(campaign: Campaign, lead: User) -> None:
    campaign.members.filter(user=lead).update(left_at=timezone.now())


def lose_the_role(campaign: Campaign, lead: User) -> None:
    RoleGrant.objects.filter(user=lead, role=Role.LEAD).update(revoked_at=timezone.now())


def lose_the_account(campaign: Campaign, lead: User) -> None:
    User.objects.filter(pk=lead.pk).update(is_active=False)


@pytest.mark.usefixtures("asked_often")
@pytest.mark.parametrize("lose", [leave, lose_the_role, lose_the_account])
def test_ends_when_the_right_to_watch_is_lost(
    lose: Callable[[Campaign, User], None], campaign: Campaign, lead: User, client_for: SignIn
) -> None:
    client = client_for(lead)

    async def talk(streams: Streams) -> None:
        async with asking(streams, PULSE, client) as answer:
            await answer.hear_until("pulse-working")
            assert not answer.has_ended
            await meanwhile(lambda: lose(campaign, lead))
            await answer.hear_all()
        async with asking(streams, PULSE, client) as answer:
            assert answer.status in (401, 404)

    run(talk)


@pytest.mark.usefixtures("asked_often")
def test_ends_when_the_session_ends(campaign: Campaign, lead: User, client_for: SignIn) -> None:
    client, beside = client_for(lead), client_for(lead)

    async def talk(streams: Streams) -> None:
        async with asking(streams, PULSE, client) as answer, asking(streams, PULSE, beside) as other:
            await answer.hear_until("pulse-working")
            await meanwhile(client.session.flush)
            await answer.hear_all()
            await other.hear_until("pulse-pairs")
            assert not other.has_ended, "a session of its own"

    run(talk)


@pytest.mark.usefixtures("asked_often")
def test_watching_keeps_no_session_alive(campaign: Campaign, lead: User, client_for: SignIn) -> None:
    client = client_for(lead)
    session = client.session
    ten_minutes_ago = int(time.time() - timedelta(minutes=10).total_seconds())
    session[session_clock.STARTED_AT] = session[session_clock.SEEN_AT] = ten_minutes_ago
    session.save()

    async def talk(streams: Streams) -> None:
        async with asking(streams, PULSE, client) as answer:
            await answer.hear_until("pulse-working")

    run(talk)
    assert client.session[session_clock.SEEN_AT] == ten_minutes_ago
    session[session_clock.SEEN_AT] = int(time.time() - timedelta(hours=1).total_seconds())
    session.save()

    async def talk_again(streams: Streams) -> None:
        async with asking(streams, PULSE, client) as answer:
            assert answer.status == 401

    run(talk_again)
