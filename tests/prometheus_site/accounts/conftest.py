"""Browsers of the sign-in tests: anonymous, signed in by password, and a moment after a confirmation."""

import secrets
from collections.abc import Callable

import pytest
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from django.test import Client

from prometheus_site.accounts.models import User
from tests import people


def browser(server_name: str = "testserver") -> Client:
    """Return a client in a network of its own: sign-ins are rate-limited per network."""
    network = ":".join(secrets.token_hex(2) for _ in range(3))
    return Client(REMOTE_ADDR=f"fd00:{network}::1", SERVER_NAME=server_name)


@pytest.fixture
def anonymous(database: None) -> Client:
    return browser()


@pytest.fixture
def by_password() -> Callable[[User], Client]:
    """Return a client whose session was opened with the password alone."""

    def sign_in(user: User) -> Client:
        client = browser()
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def confirmed_client_for() -> Callable[[User], Client]:
    """Return a client that confirmed its second factor a moment ago, as changing one requires."""

    def sign_in(user: User) -> Client:
        client = people.signed_in(user)
        session = client.session
        for record in session[AUTHENTICATION_METHODS_SESSION_KEY]:
            record["reauthenticated"] = True
        session.save()
        return client

    return sign_in
