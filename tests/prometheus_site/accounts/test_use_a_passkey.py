"""A person adds a passkey and signs in with it."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from prometheus_site.accounts.models import User
from tests import people

from .conftest import browser
from .software_key import SoftwareKey

ADD, LOGIN = "/accounts/2fa/passkeys/add/", "/accounts/2fa/passkeys/login/"


@pytest.fixture
def client(lead: User, by_password: Callable[[User], Client]) -> Client:
    """A lead without a second factor who has just typed the password again."""
    Authenticator.objects.filter(user=lead).delete()
    client = by_password(lead)
    client.post("/accounts/reauthenticate/", {"password": people.PASSWORD})
    return client


def offered(page: str) -> dict[str, Any]:
    found = re.search(r'<script id="js_data" type="application/json">(.*?)</script>', page)
    assert found is not None
    options: dict[str, Any] = json.loads(found[1])
    return options


def added(client: Client) -> SoftwareKey:
    key = SoftwareKey()
    credential = key.create(offered(client.get(ADD).content.decode())["creation_options"])
    answer = client.post(ADD, {"name": "Desk", "passwordless": "on", "credential": credential})
    assert answer.status_code == 302
    return key


def test_a_passkey_added_counts_for_this_session(client: Client, lead: User) -> None:
    added(client)
    assert Authenticator.objects.get(user=lead, type=Authenticator.Type.WEBAUTHN).data["name"] == "Desk"
    assert client.get("/account/").status_code == 200
    assert "Desk" in client.get("/accounts/2fa/passkeys/").content.decode()


def test_a_passkey_signs_in_alone(client: Client, lead: User) -> None:
    key, other = added(client), browser()
    options = other.get(LOGIN, headers={"Accept": "application/json"}).json()["request_options"]
    assert other.post(LOGIN, {"credential": key.get(options)})["Location"] == "/"
    assert other.get("/account/").status_code == 200


def test_a_passkey_is_the_second_factor_after_the_password(client: Client, lead: User) -> None:
    key, other = added(client), browser()
    page = other.post("/accounts/login/", {"login": lead.email, "password": people.PASSWORD}, follow=True)
    options = offered(page.content.decode())["request_options"]
    answer = other.post("/accounts/2fa/authenticate/", {"credential": key.get(options)})
    assert answer["Location"] == "/"
    assert other.get("/account/").status_code == 200


def test_somebody_elses_key_does_not_sign_in(client: Client) -> None:
    added(client)
    stranger, other = SoftwareKey(), browser()
    options = other.get(LOGIN, headers={"Accept": "application/json"}).json()["request_options"]
    assert other.post(LOGIN, {"credential": stranger.get(options)})["Location"] == "/accounts/login/"
    assert "_auth_user_id" not in other.session


def test_an_answer_works_once(client: Client) -> None:
    key, other = added(client), browser()
    options = other.get(LOGIN, headers={"Accept": "application/json"}).json()["request_options"]
    credential = key.get(options)
    other.post(LOGIN, {"credential": credential})
    assert browser().post(LOGIN, {"credential": credential})["Location"] == "/accounts/login/"


def test_a_removed_passkey_closes_the_session_that_used_it(client: Client, lead: User) -> None:
    added(client)
    key = Authenticator.objects.get(user=lead, type=Authenticator.Type.WEBAUTHN)
    assert client.post(f"/accounts/2fa/passkeys/{key.pk}/remove/").status_code == 302
    assert client.get("/account/")["Location"] == "/accounts/2fa/"


def test_nobody_touches_somebody_elses_passkey(
    client: Client, lead: User, annotator: User, client_for: Callable[[User], Client]
) -> None:
    added(client)
    key = Authenticator.objects.get(user=lead, type=Authenticator.Type.WEBAUTHN)
    other = client_for(annotator)
    other.post("/accounts/reauthenticate/", {"password": people.PASSWORD})
    assert other.get(f"/accounts/2fa/passkeys/{key.pk}/edit/").status_code == 404
    assert other.post(f"/accounts/2fa/passkeys/{key.pk}/remove/").status_code == 404
    assert Authenticator.objects.filter(pk=key.pk).exists()
