"""The streams process as it runs: gunicorn's worker, a port of its own, many who listen."""

import time
from collections.abc import Callable
from contextlib import ExitStack

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from annotation.models import Campaign
from prometheus_site.accounts.models import User
from prometheus_site.streams.application import THREADS_THAT_ASK
from tests.annotation.worlds import label, make_campaign
from tests.prometheus_site.embedded.waiting import wait_until
from tests.prometheus_site.streams.asking import connections_of_others
from tests.prometheus_site.streams.listening import StreamsProcess

SignIn = Callable[[User], Client]
PULSE = "/streams/campaigns/made-up/pulse/"
LISTENERS = 200
SEEN_WITHIN_SECONDS = 2.0
# One backend for all, and those that ask who may watch; of threads a few of the server's own.
CONNECTIONS = 1 + THREADS_THAT_ASK
THREADS = CONNECTIONS + 5


@pytest.fixture
def campaign(lead: User, annotator: User, second_annotator: User) -> Campaign:
    return make_campaign(lead, [annotator, second_annotator], samples=4)


@pytest.mark.concurrency
@pytest.mark.alone
def test_a_label_reaches_everybody_who_listens(
    streams: StreamsProcess, campaign: Campaign, lead: User, annotator: User, client_for: SignIn
) -> None:
    client = client_for(lead)
    with ExitStack() as listeners:
        opened = [listeners.enter_context(streams.open(PULSE, client)) for _ in range(LISTENERS)]
        for stream in opened:
            stream.wait_for("Nobody was seen labelling")
        assert connections_of_others() <= CONNECTIONS
        assert streams.threads() <= THREADS
        label(campaign, annotator, 1, locks=False)
        began = time.monotonic()
        for stream in opened:
            stream.wait_for(annotator.code)
        assert time.monotonic() - began < SEEN_WITHIN_SECONDS
    wait_until(lambda: connections_of_others() == 0)


def test_nothing_else_of_the_site_answers_a_lost_database_and_a_stop_end_streams(
    streams: StreamsProcess, campaign: Campaign, lead: User, client_for: SignIn
) -> None:
    client = client_for(lead)
    _nothing_else_answers(streams, client)
    with streams.open(PULSE, client) as stream:
        stream.wait_for("pulse-working")
        _end_connections_of_others()
        assert stream.next_event() is None
    with streams.open(PULSE, client) as stream:
        stream.wait_for("pulse-working")
        streams.process.terminate()
        assert stream.next_event() is None, "an end, and not a broken connection"
    assert streams.process.wait(10) == 0


def _nothing_else_answers(streams: StreamsProcess, client: Client) -> None:
    pages = ["/", "/campaigns/made-up/dashboard/", "/accounts/login/", "/board/", "/api/v1/", "/progress/"]
    for path in [*pages, f"/{settings.STATIC_URL.strip('/')}/css/site.css", "/streams/"]:
        with streams.open(path, client) as answer:
            assert (answer.status, answer.answer.read()) == (404, b""), path
    with streams.open("/health/") as answer:
        assert answer.status == 200


def _end_connections_of_others() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
