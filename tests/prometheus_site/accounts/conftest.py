"""Browsers of the sign-in tests: anonymous, signed in by password, and past the second factor."""

import secrets
import time
from collections.abc import Callable

import pytest
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.account.internal.flows.login import _AUTHENTICATION_METHODS_USER_SESSION_KEY
from allauth.mfa.models import Authenticator
from django.test import Client

from prometheus_site.accounts.models import User


def browser(**environment: str) -> Client:
    """Return a client in a network of its own: sign-ins are rate-limited per network."""
    network = ":".join(secrets.token_hex(2) for _ in range(3))
    return Client(REMOTE_ADDR=f"fd00:{network}::1", **environment)


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
def client_for(by_password: Callable[[User], Client]) -> Callable[[User], Client]:
    """Return a client whose session passed the second factor a moment ago, where the person has one."""

    def sign_in(user: User) -> Client:
        client = by_password(user)
        session = client.session
        session[AUTHENTICATION_METHODS_SESSION_KEY] = [
            {"method": "mfa", "id": each.pk, "type": each.type, "at": time.time(), "reauthenticated": True}
            for each in Authenticator.objects.filter(user=user)
        ]
        session[_AUTHENTICATION_METHODS_USER_SESSION_KEY] = str(user.pk)
        session.save()
        return client

    return sign_in
