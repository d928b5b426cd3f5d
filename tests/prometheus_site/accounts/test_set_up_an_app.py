"""A person sets up an authenticator app; its secret is never stored in the clear."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from xml.etree import ElementTree

import pytest
import time_machine
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from cryptography.exceptions import InvalidTag
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client

from prometheus_site.accounts.models import User
from prometheus_site.core.models import DataKey
from prometheus_site.core.sealing import TextErasedError, data_key_for, destroy_key
from tests import people

from .codes import code_for, secret_of

NOW = datetime(2030, 1, 7, 9, tzinfo=UTC)
ACTIVATE, QR = "/accounts/2fa/totp/activate/", "/account/totp-qr.svg"


@pytest.fixture(autouse=True)
def standing_clock() -> Iterator[None]:
    """Codes change every half minute, but not while a test runs."""
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def client(lead: User, by_password: Callable[[User], Client]) -> Client:
    """A lead without a second factor who has just typed the password again."""
    Authenticator.objects.filter(user=lead).delete()
    client = by_password(lead)
    client.post("/accounts/reauthenticate/", {"password": people.PASSWORD})
    return client


def shown_secret(client: Client) -> str:
    found = re.search(r"<code>([A-Z2-7]{32})</code>", client.get(ACTIVATE).content.decode())
    assert found is not None
    return found[1]


def everything_stored() -> str:
    """Return every value of every table as text, sessions decoded."""
    with connection.cursor() as cursor:
        texts = []
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT t::text FROM "{table}" AS t')  # noqa: S608  our own table names
            texts += [row[0] for row in cursor.fetchall()]
    return "\n".join([*texts, *(repr(session.get_decoded()) for session in Session.objects.all())])


def test_the_code_of_the_shown_secret_sets_it_up_and_the_session_goes_on(client: Client, lead: User) -> None:
    secret = shown_secret(client)
    answer = client.post(ACTIVATE, {"code": code_for(secret)})
    assert answer["Location"] == "/accounts/2fa/recovery-codes/"
    assert client.get("/account/").status_code == 200
    codes = re.findall(r"<li>(\d{8})</li>", client.get(answer["Location"]).content.decode())
    assert secret_of(lead) == secret
    assert (
        codes == RecoveryCodes(Authenticator.objects.get(user=lead, type="recovery_codes")).generate_codes()
    )


def test_a_wrong_code_keeps_the_same_secret(client: Client, lead: User) -> None:
    secret = shown_secret(client)
    page = client.post(ACTIVATE, {"code": "not-it"}).content.decode()
    assert "Incorrect code" in page
    assert secret in page
    assert not Authenticator.objects.filter(user=lead).exists()


def test_no_secret_is_stored_in_the_clear(client: Client, lead: User) -> None:
    secret = shown_secret(client)
    assert secret not in everything_stored()
    client.post(ACTIVATE, {"code": code_for(secret)})
    codes = Authenticator.objects.get(user=lead, type=Authenticator.Type.RECOVERY_CODES)
    seed = get_adapter().decrypt(codes.data["seed"])
    stored = everything_stored()
    assert lead.email in stored
    assert secret not in stored
    assert seed not in stored
    assert not re.search(r'"(secret|seed)": "(?!v1:[0-9a-f-]{36}:[\w+/=]+")', stored)


def test_the_picture_is_an_svg_that_nobody_keeps(client: Client) -> None:
    shown_secret(client)
    answer = client.get(QR, headers={"Sec-Fetch-Mode": "no-cors"})
    assert answer["Content-Type"] == "image/svg+xml"
    assert "no-store" in answer["Cache-Control"]
    assert ElementTree.fromstring(answer.content).tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314
    assert b"style=" not in answer.content
    page = client.get(ACTIVATE).content.decode()
    assert f'src="{QR}"' in page
    assert "data:image" not in page


def test_the_picture_shows_the_persons_own_waiting_secret_only(
    client: Client, annotator: User, by_password: Callable[[User], Client]
) -> None:
    shown_secret(client)
    assert by_password(annotator).get(QR).status_code == 404
    first = client.get(QR).content
    shown_secret(client)
    assert client.get(QR).content != first


def test_the_picture_is_gone_after_the_set_up(client: Client) -> None:
    client.post(ACTIVATE, {"code": code_for(shown_secret(client))})
    assert client.get(QR).status_code == 404


def test_somebody_signed_out_sees_no_picture(anonymous: Client) -> None:
    assert anonymous.get(QR)["Location"].startswith("/accounts/login/")


def test_sealed_secrets_open_again(database: None) -> None:
    adapter = get_adapter()
    sealed = adapter.encrypt("SECRET")
    assert sealed.startswith(f"v1:{data_key_for('site').pk}:")
    assert adapter.encrypt("SECRET") != sealed
    assert adapter.decrypt(sealed) == "SECRET"


def test_a_changed_secret_does_not_open(database: None) -> None:
    sealed = get_adapter().encrypt("SECRET")
    changed = sealed[:-6] + ("AAAA" if sealed[-6:-2] != "AAAA" else "BBBB") + sealed[-2:]
    with pytest.raises(InvalidTag):
        get_adapter().decrypt(changed)
    with pytest.raises(ValueError, match="only v1 is known"):
        get_adapter().decrypt("v2" + sealed[2:])


def test_a_destroyed_key_opens_nothing(database: None) -> None:
    sealed = get_adapter().encrypt("SECRET")
    destroy_key("site", because="test")
    with pytest.raises(TextErasedError):
        get_adapter().decrypt(sealed)
    assert get_adapter().decrypt(get_adapter().encrypt("NEW")) == "NEW"
    assert DataKey.objects.filter(scope="site").count() == 2


@pytest.mark.parametrize("has_codes", [True, False])
def test_the_account_page_leads_to_codes_that_are_there_or_to_making_them(
    lead: User, confirmed_client_for: Callable[[User], Client], has_codes: bool
) -> None:
    client = confirmed_client_for(lead)
    Authenticator.objects.filter(user=lead, type=Authenticator.Type.RECOVERY_CODES).delete()
    if has_codes:
        RecoveryCodes.activate(lead)
    page = client.get("/account/").content.decode()
    [address] = re.findall(r'href="(/accounts/2fa/recovery-codes/[^"]*)"', page)
    assert client.get(address).status_code == 200
