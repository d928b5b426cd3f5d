"""Whoever needs a second factor, or has one, sees nothing before this session passed it."""

import secrets
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.test import Client

from prometheus_site.accounts import services
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role
from prometheus_site.audit.models import AccessEvent, Action
from tests import people

from .codes import code_for, secret_of
from .conftest import browser

PROTECTED = ["lead", "adjudicator", "supervisor", "engineer"]
NOW = datetime(2030, 1, 7, 9, tzinfo=UTC)
PASSWORD = {"password": people.PASSWORD}


@pytest.fixture(autouse=True)
def standing_clock() -> Iterator[None]:
    """Codes change every half minute, but not while a test runs."""
    with time_machine.travel(NOW, tick=False):
        yield


def sign_in(client: Client, user: User, code: str = "") -> str:
    """Sign in as a person does and return where that leads."""
    answer = client.post("/accounts/login/", {"login": user.email, **PASSWORD})
    if answer["Location"] == "/accounts/2fa/authenticate/":
        answer = client.post(answer["Location"], {"code": code})
    return str(answer.headers.get("Location", "refused"))


@pytest.mark.parametrize("who", PROTECTED)
def test_a_person_without_one_reaches_only_the_set_up_pages(
    who: str, request: pytest.FixtureRequest, by_password: Callable[[User], Client]
) -> None:
    user: User = request.getfixturevalue(who)
    Authenticator.objects.filter(user=user).delete()
    client = by_password(user)
    for page in ("/", "/account/", "/people/", "/accounts/password/change/", "/accounts/email/"):
        assert client.get(page)["Location"] == "/accounts/2fa/"
    assert "needs a second factor" in client.get("/accounts/2fa/").content.decode()
    assert client.get("/accounts/2fa/totp/activate/")["Location"].startswith("/accounts/reauthenticate/")
    assert client.get("/accounts/reauthenticate/").status_code == 200
    assert client.get("/health/").status_code == 200
    assert client.post("/accounts/logout/")["Location"] == "/"


def test_an_annotator_needs_none(annotator: User, by_password: Callable[[User], Client]) -> None:
    assert by_password(annotator).get("/account/").status_code == 200


def test_a_new_role_asks_for_one_in_the_same_session(
    annotator: User, by_password: Callable[[User], Client]
) -> None:
    client = by_password(annotator)
    services.grant_role(user=annotator, role=Role.ADJUDICATOR, granted_by=None)
    assert client.get("/account/")["Location"] == "/accounts/2fa/"


def test_scripts_get_403(lead: User, by_password: Callable[[User], Client]) -> None:
    client = by_password(lead)
    assert client.get("/account/", headers={"HX-Request": "true"}).status_code == 403
    Authenticator.objects.filter(user=lead).delete()
    assert client.get("/account/", headers={"Accept": "application/json"}).status_code == 403


@pytest.mark.parametrize("who", [*PROTECTED, "annotator"])
def test_a_session_older_than_the_second_factor_has_to_confirm_it(
    who: str, request: pytest.FixtureRequest, by_password: Callable[[User], Client]
) -> None:
    user: User = request.getfixturevalue(who)
    client = by_password(user)
    if who == "annotator":
        TOTP.activate(user, generate_totp_secret())
    confirm = client.get("/account/")["Location"]
    assert confirm == "/accounts/2fa/reauthenticate/?next=%2Faccount%2F"
    assert client.get("/accounts/2fa/totp/deactivate/")["Location"].startswith("/accounts/2fa/reauth")
    form = {"code": code_for(secret_of(user)), "next": "/account/"}
    assert client.post("/accounts/2fa/reauthenticate/", form)["Location"] == "/account/"
    assert client.get("/account/").status_code == 200


def test_the_password_alone_confirms_nothing(lead: User, client_for: Callable[[User], Client]) -> None:
    client = client_for(lead)
    with time_machine.travel(NOW.replace(minute=20), tick=False):
        assert client.get("/account/").status_code == 200
        assert client.get("/accounts/2fa/totp/deactivate/")["Location"].startswith("/accounts/2fa/reauth")
        answer = client.post("/accounts/reauthenticate/", PASSWORD)
        assert answer["Location"] == "/accounts/2fa/reauthenticate/"
        client.post("/accounts/2fa/totp/deactivate/")
    assert Authenticator.objects.filter(user=lead, type=Authenticator.Type.TOTP).exists()


def test_a_factor_that_is_gone_no_longer_counts(lead: User, client_for: Callable[[User], Client]) -> None:
    client = client_for(lead)
    Authenticator.objects.filter(user=lead).delete()
    assert client.get("/account/")["Location"] == "/accounts/2fa/"
    TOTP.activate(lead, generate_totp_secret())
    assert client.get("/account/")["Location"].startswith("/accounts/2fa/reauthenticate/")


def test_signing_in_with_password_and_code(lead: User, anonymous: Client) -> None:
    assert sign_in(anonymous, lead, code_for(secret_of(lead))) == "/"
    assert anonymous.get("/account/").status_code == 200
    anonymous.post("/accounts/logout/")
    actions = AccessEvent.objects.filter(actor=lead, object_id=str(lead.pk)).values_list("action", flat=True)
    assert sorted(actions) == [Action.SIGNED_IN, Action.SIGNED_OUT]


def test_a_code_works_once(lead: User, anonymous: Client) -> None:
    code = code_for(secret_of(lead))
    assert sign_in(anonymous, lead, code) == "/"
    assert sign_in(browser(), lead, code) == "refused"


def test_a_wrong_code_or_password_lets_nobody_in(anonymous: Client) -> None:
    lead = people.make(f"lead-{secrets.token_hex(4)}", Role.LEAD)  # wrong passwords are counted per address
    right = code_for(secret_of(lead))
    assert sign_in(anonymous, lead, str((int(right) + 1) % 1_000_000).zfill(6)) == "refused"
    assert anonymous.get("/account/")["Location"].startswith("/accounts/login/")
    answer = anonymous.post("/accounts/login/", {"login": lead.email, "password": "wrong"})
    assert "_auth_user_id" not in anonymous.session
    assert not AccessEvent.objects.filter(action=Action.SIGNED_IN).exists()
    assert answer.status_code in (200, 302)


def test_a_recovery_code_lets_in_once(lead: User, anonymous: Client) -> None:
    code = RecoveryCodes.activate(lead).generate_codes()[0]
    assert sign_in(anonymous, lead, code) == "/"
    assert anonymous.get("/account/").status_code == 200
    assert sign_in(browser(), lead, code) == "refused"


def test_the_recovery_codes_page_shows_what_is_left(
    lead: User, confirmed_client_for: Callable[[User], Client]
) -> None:
    codes = RecoveryCodes.activate(lead).generate_codes()
    client = confirmed_client_for(lead)
    page = client.get("/accounts/2fa/recovery-codes/").content.decode()
    assert all(code in page for code in codes)
    assert client.get("/accounts/2fa/recovery-codes/download/").content.decode().split() == codes
    client.post("/accounts/2fa/recovery-codes/generate/")
    new = RecoveryCodes(Authenticator.objects.get(user=lead, type="recovery_codes")).generate_codes()
    assert not set(new) & set(codes)


def test_nobody_signs_up(anonymous: Client) -> None:
    assert anonymous.get("/accounts/signup/").status_code == 404
    assert "sign-up here" in anonymous.get("/accounts/login/").content.decode()


def test_somebody_who_left_cannot_sign_in(annotator: User, anonymous: Client) -> None:
    User.objects.filter(pk=annotator.pk).update(is_active=False)
    assert sign_in(anonymous, annotator) == "/accounts/inactive/"
    assert anonymous.get("/accounts/inactive/").status_code == 200
