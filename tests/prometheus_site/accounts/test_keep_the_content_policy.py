"""No page about people holds a script, a style or an image inline."""

from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.test import Client

from prometheus_site.accounts import services
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role
from tests import people

PAGES = [
    "/account/",
    "/people/",
    "/accounts/email/",
    "/accounts/logout/",
    "/accounts/password/change/",
    "/accounts/sessions/",
    "/accounts/2fa/",
    "/accounts/2fa/reauthenticate/",
    "/accounts/2fa/totp/deactivate/",
    "/accounts/2fa/recovery-codes/",
    "/accounts/2fa/recovery-codes/generate/",
    "/accounts/2fa/passkeys/",
    "/accounts/2fa/passkeys/add/",
]
PAGES_BEFORE_SET_UP = ["/accounts/2fa/", "/accounts/2fa/totp/activate/", "/accounts/reauthenticate/"]
PUBLIC_PAGES = [
    "/accounts/login/",
    "/accounts/password/reset/",
    "/accounts/password/reset/done/",
    "/accounts/password/reset/key/0-set-password/",
    "/accounts/password/reset/key/done/",
    "/accounts/confirm-email/",
    "/accounts/confirm-email/no-such-key/",
    "/accounts/inactive/",
    "/invitation/no-such-token/",
]


class Inline(HTMLParser):
    """Collects what the content security policy would refuse."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "script" and "src" not in given and given.get("type") != "application/json":
            self.found.append("script")
        if tag == "style" or "style" in given or any(name.startswith("on") for name in given):
            self.found.append(f"{tag} {given}")
        if (given.get("src") or "").startswith("data:"):
            self.found.append(f"{tag} data:")


def check(client: Client, url: str) -> None:
    answer = client.get(url)
    assert answer.status_code in (200, 404)
    page, parser = answer.content.decode(), Inline()
    parser.feed(page)
    assert parser.found == []
    assert page.count("<h1") == 1
    assert page.count("<main") == 1
    assert "default-src 'none'" in answer["Content-Security-Policy"]


@pytest.mark.parametrize("url", PAGES)
def test_pages_of_a_lead(url: str, lead: User, confirmed_client_for: Callable[[User], Client]) -> None:
    RecoveryCodes.activate(lead)
    services.invite(email="a@example.org", role=Role.ANNOTATOR, invited_by=lead)
    check(confirmed_client_for(lead), url)


@pytest.mark.parametrize("url", PAGES_BEFORE_SET_UP)
def test_pages_before_the_set_up(url: str, lead: User, by_password: Callable[[User], Client]) -> None:
    Authenticator.objects.filter(user=lead).delete()
    client = by_password(lead)
    client.post("/accounts/reauthenticate/", {"password": people.PASSWORD})
    check(client, url)


@pytest.mark.parametrize("url", PUBLIC_PAGES)
def test_public_pages(url: str, anonymous: Client) -> None:
    check(anonymous, url)


def test_the_second_factors_own_page(lead: User, anonymous: Client) -> None:
    anonymous.post("/accounts/login/", {"login": lead.email, "password": people.PASSWORD})
    check(anonymous, "/accounts/2fa/authenticate/")


def test_the_page_of_a_made_invitation(lead: User, client_for: Callable[[User], Client]) -> None:
    parser = Inline()
    form = {"email": "a@example.org", "role": "annotator"}
    parser.feed(client_for(lead).post("/people/invite/", form).content.decode())
    assert parser.found == []
