"""A session ends after too long without activity, and after too long at all."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.test import Client

from prometheus_site.accounts.models import User
from prometheus_site.audit.models import AccessEvent, Action
from tests import people

START = datetime(2030, 1, 7, 9, tzinfo=UTC)
PAGE = "/account/"


def status_at(client: Client, at: timedelta, **headers: str) -> int:
    with time_machine.travel(START + at, tick=False):
        return client.get(PAGE, headers=headers).status_code


@pytest.fixture
def client(annotator: User, client_for: Callable[[User], Client]) -> Client:
    with time_machine.travel(START, tick=False):
        client = client_for(annotator)
        assert client.get(PAGE).status_code == 200
    return client


def test_half_an_hour_without_activity_ends_it_and_says_why(client: Client, annotator: User) -> None:
    with time_machine.travel(START + timedelta(minutes=30), tick=False):
        answer = client.get(f"{PAGE}?a=1")
        assert answer["Location"] == "/accounts/login/?next=%2Faccount%2F%3Fa%3D1"
        page = client.get(answer["Location"]).content.decode()
    assert "You were signed out after 30 minutes without activity. Nothing you saved is lost." in page
    assert AccessEvent.objects.filter(actor=annotator, action=Action.SIGNED_OUT).count() == 1


def test_a_minute_less_does_not(client: Client) -> None:
    assert status_at(client, timedelta(minutes=29)) == 200


def test_activity_keeps_it_until_the_twelfth_hour(client: Client) -> None:
    for minutes in range(20, 12 * 60, 20):
        assert status_at(client, timedelta(minutes=minutes)) == 200
    with time_machine.travel(START + timedelta(hours=12), tick=False):
        page = client.get(PAGE, follow=True).content.decode()
    assert "you signed in 12 hours ago" in page


def test_the_clock_starts_at_sign_in_and_not_at_the_first_page(annotator: User, anonymous: Client) -> None:
    with time_machine.travel(START, tick=False):
        form = {"login": annotator.email, "password": people.PASSWORD}
        assert anonymous.post("/accounts/login/", form)["Location"] == "/"
    assert status_at(anonymous, timedelta(minutes=31)) == 302


def test_the_end_is_final(client: Client) -> None:
    assert status_at(client, timedelta(minutes=31)) == 302
    assert status_at(client, timedelta(minutes=32)) == 302
    assert not Session.objects.exists()


@pytest.mark.parametrize(
    "headers",
    [
        {"HX-Request": "true"},
        {"Accept": "application/json"},
        {"X-Requested-With": "XMLHttpRequest"},
        {"Sec-Fetch-Mode": "cors"},
    ],
)
def test_scripts_get_401_and_not_the_login_page(client: Client, headers: dict[str, str]) -> None:
    with time_machine.travel(START + timedelta(minutes=31), tick=False):
        answer = client.get(PAGE, headers=headers)
        again = client.get(PAGE, headers=headers)
    assert answer.status_code == 401
    assert answer.json()["detail"].startswith("You were signed out")
    assert again.status_code == 401


def test_an_ended_post_is_not_repeated_by_the_way_back(client: Client) -> None:
    with time_machine.travel(START + timedelta(minutes=31), tick=False):
        assert client.post(PAGE)["Location"] == "/accounts/login/"


def test_public_pages_stay_open_when_it_ends(client: Client) -> None:
    with time_machine.travel(START + timedelta(minutes=31), tick=False):
        assert client.get("/health/").status_code == 200


def test_the_session_is_written_once_a_minute_at_most(client: Client) -> None:
    def saved() -> str:
        return Session.objects.get().session_data

    before = saved()
    assert status_at(client, timedelta(seconds=59)) == 200
    assert saved() == before
    assert status_at(client, timedelta(seconds=60)) == 200
    assert saved() != before


def test_a_page_that_refreshes_itself_does_not_keep_it_open(client: Client) -> None:
    for minutes in range(5, 30, 5):
        assert status_at(client, timedelta(minutes=minutes), **{"HX-Request": "true"}) == 200
    assert status_at(client, timedelta(minutes=30)) == 302
