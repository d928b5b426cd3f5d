"""What is said on a stream: news once, heartbeats in between, and an end."""

from collections.abc import Callable

import pytest
from django.test import Client

from annotation.models import Campaign
from prometheus_site.accounts.models import User
from prometheus_site.streams import application
from prometheus_site.streams.application import Streams
from tests.annotation.worlds import label, make_campaign
from tests.prometheus_site.streams.asking import asking, connections_of_others, meanwhile, run

SignIn = Callable[[User], Client]
PULSE = "/streams/campaigns/made-up/pulse/"
pytestmark = pytest.mark.usefixtures("committed_db")


@pytest.fixture
def campaign(lead: User, annotator: User, second_annotator: User) -> Campaign:
    return make_campaign(lead, [annotator, second_annotator], samples=2)


def test_begins_with_the_whole_pulse_and_how_to_handle_it(
    campaign: Campaign, lead: User, client_for: SignIn
) -> None:
    client = client_for(lead)

    async def talk(streams: Streams) -> None:
        async with asking(streams, PULSE, client) as answer:
            assert answer.headers["Content-Type"] == "text/event-stream"
            assert answer.headers["Cache-Control"] == "no-store"
            assert answer.headers["X-Accel-Buffering"] == "no"
            assert "Content-Length" not in answer.headers
            assert await answer.hear() == "retry: 2000\n\n"
            event = await answer.hear()
            assert event.startswith("event: pulse\ndata: <section")
            assert event.endswith("</section>\n\n")
            assert all(line.startswith(("event: ", "data: ")) for line in event.rstrip("\n").split("\n"))
            for part in ("working", "queue", "schedule", "pairs"):
                assert f'id="pulse-{part}"' in event

    run(talk)


def test_only_what_has_changed_is_sent_again(
    campaign: Campaign, lead: User, annotator: User, client_for: SignIn
) -> None:
    client = client_for(lead)

    async def talk(streams: Streams) -> None:
        async with asking(streams, PULSE, client) as answer:
            await answer.hear_until("pulse-pairs")
            answer.words = ""
            await meanwhile(lambda: label(campaign, annotator, 1, locks=False))
            await answer.hear_until(annotator.code)
            await answer.hear_until("pulse-queue")
            assert 'id="pulse-pairs"' not in answer.words, "nothing was labelled by both"

    run(talk)


def test_who_comes_later_gets_the_whole_and_shares_the_watch(
    campaign: Campaign, lead: User, client_for: SignIn
) -> None:
    client, other = client_for(lead), client_for(lead)

    async def talk(streams: Streams) -> None:
        async with asking(streams, PULSE, client) as answer:
            await answer.hear_until("pulse-pairs")
            async with asking(streams, PULSE, other) as later:
                await later.hear_until("pulse-pairs")
                held: list[int] = []
                await meanwhile(lambda: held.append(connections_of_others()))
                assert held == [2], "this test's own and the one of the watch"
            assert not answer.has_ended

    run(talk)


def test_a_heartbeat_keeps_a_quiet_stream_open(
    campaign: Campaign, lead: User, client_for: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(application, "HEARTBEAT_SECONDS", 0.1)
    client = client_for(lead)

    async def talk(streams: Streams) -> None:
        async with asking(streams, PULSE, client) as answer:
            await answer.hear_until("pulse-pairs")
            answer.words = ""
            await answer.hear_until(": still here\n\n")
            assert "event" not in answer.words

    run(talk)


def test_who_takes_nothing_is_let_go(
    campaign: Campaign, lead: User, client_for: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(application, "STALLED_SECONDS", 0.2)
    client = client_for(lead)

    async def talk(streams: Streams) -> None:
        async with asking(streams, PULSE, client, room=1) as answer:
            await answer.be_let_go()
            assert not answer.has_ended

    run(talk)


def test_stopping_ends_every_stream_and_those_that_come(
    campaign: Campaign, lead: User, client_for: SignIn
) -> None:
    client = client_for(lead)

    async def talk(streams: Streams) -> None:
        async with asking(streams, PULSE, client) as answer:
            await answer.hear_until("pulse-working")
            streams.stop()
            await answer.hear_all()
        async with asking(streams, PULSE, client) as late:
            await late.hear_all()
            assert "event" not in late.words

    run(talk)
