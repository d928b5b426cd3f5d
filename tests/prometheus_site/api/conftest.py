"""Tokens and the sessions they are sent beside."""

from collections.abc import Callable

import pytest
from django.test import Client

from prometheus_site.accounts.api_tokens import create_api_token
from prometheus_site.accounts.models import User

NOTES = "/api/v1/notes/"


def bearer(user: User, was_second_factor_passed: bool = True) -> dict[str, str]:
    """Return the header with a new token of that person."""
    _, secret = create_api_token(
        user=user, name="a program", was_second_factor_passed=was_second_factor_passed
    )
    return {"Authorization": f"Bearer {secret}"}


@pytest.fixture
def by_password() -> Callable[[User], Client]:
    """Return a client whose session was opened with the password alone."""

    def sign_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return sign_in
