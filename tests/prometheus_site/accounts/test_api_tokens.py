"""A person makes tokens for programs, sees each once, and takes them back."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from prometheus_site.accounts import api_tokens
from prometheus_site.accounts.models import ApiToken, User
from prometheus_site.accounts.services import token_digest
from prometheus_site.audit.models import AccessEvent, Action

ClientFor = Callable[[User], Client]
URL = "/account/tokens/"
FORM = {"name": "Nightly <export>"}


def make(user: User, name: str = "a program") -> ApiToken:
    return api_tokens.create_api_token(user=user, name=name, was_second_factor_passed=True)[0]


def revoke_address(token: ApiToken) -> str:
    return f"{URL}{token.pk}/revoke/"


def test_the_token_is_shown_in_the_answer_and_never_again(annotator: User, client_for: ClientFor) -> None:
    client = client_for(annotator)
    answer = client.post(URL, FORM)
    found = re.search(r'value="(prm_[\w-]{43})"', answer.content.decode())
    assert answer.status_code == 200
    assert found is not None
    assert "no-store" in answer["Cache-Control"]
    page = client.get("/account/").content.decode()
    assert "Nightly &lt;export&gt;" in page
    assert found[1] not in page
    token = ApiToken.objects.get()
    assert (token.user, token.name, token.token_digest) == (annotator, FORM["name"], token_digest(found[1]))
    assert found[1] not in repr(ApiToken.objects.values_list().get())
    assert timedelta(days=89) < token.expires_at - timezone.now() <= timedelta(days=90)


def test_making_and_revoking_leave_access_events_without_the_token(
    annotator: User, client_for: ClientFor
) -> None:
    client = client_for(annotator)
    client.post(URL, FORM)
    token = ApiToken.objects.get()
    client.post(revoke_address(token))
    events = AccessEvent.objects.filter(object_type="api_token").order_by("pk")
    assert [(event.actor, event.action, event.object_id) for event in events] == [
        (annotator, Action.CREATED, str(token.pk)),
        (annotator, Action.CHANGED, str(token.pk)),
    ]


def test_the_token_remembers_whether_a_second_factor_was_passed(
    annotator: User, lead: User, client_for: ClientFor
) -> None:
    for user in (annotator, lead):
        client_for(user).post(URL, FORM)
    passed = dict(ApiToken.objects.values_list("user__email", "was_second_factor_passed"))
    assert passed == {annotator.email: False, lead.email: True}


def test_a_session_without_its_second_factor_makes_and_revokes_none(
    lead: User, by_password: ClientFor
) -> None:
    token, client = make(lead), by_password(lead)
    for address in (URL, revoke_address(token)):
        assert client.post(address, FORM)["Location"].startswith("/accounts/2fa/reauthenticate/")
    token.refresh_from_db()
    assert token.revoked_at is None
    assert ApiToken.objects.count() == 1


@pytest.mark.parametrize("form", [{}, {"name": "  "}, {"name": "x" * 81}])
def test_a_token_needs_a_name(form: dict[str, str], annotator: User, client_for: ClientFor) -> None:
    answer = client_for(annotator).post(URL, form)
    assert answer.status_code == 422
    assert "field-error" in answer.content.decode()
    assert not ApiToken.objects.exists()


def test_a_revoked_token_leaves_the_page_and_cannot_be_revoked_again(
    annotator: User, client_for: ClientFor
) -> None:
    client, token, kept = client_for(annotator), make(annotator, "old laptop"), make(annotator, "desk")
    page = client.post(revoke_address(token), follow=True).content.decode()
    assert "The API token “old laptop” no longer works." in page
    assert page.count("old laptop") == 1
    assert f'action="{revoke_address(kept)}"' in page
    assert client.post(revoke_address(token)).status_code == 404


def test_an_expired_token_leaves_the_page(annotator: User, client_for: ClientFor) -> None:
    make(annotator, "old laptop")
    ApiToken.objects.update(expires_at=timezone.now())
    assert "old laptop" not in client_for(annotator).get("/account/").content.decode()


def test_nobody_sees_or_revokes_the_tokens_of_another(
    annotator: User, lead: User, client_for: ClientFor
) -> None:
    token, client = make(annotator, "old laptop"), client_for(lead)
    assert client.post(revoke_address(token)).status_code == 404
    assert "old laptop" not in client.get("/account/").content.decode()
    token.refresh_from_db()
    assert token.revoked_at is None


def test_the_page_says_when_a_token_was_last_used(annotator: User, client_for: ClientFor) -> None:
    client = client_for(annotator)
    token, secret = api_tokens.create_api_token(user=annotator, name="a", was_second_factor_passed=True)
    assert "never" in client.get("/account/").content.decode()
    assert api_tokens.recognise_api_token(secret) == token
    token.refresh_from_db()
    assert token.last_used_at is not None
    assert f"{token.last_used_at:%H:%M} UTC" in client.get("/account/").content.decode()


def test_a_stranger_is_sent_to_sign_in(annotator: User) -> None:
    for address in (URL, revoke_address(make(annotator))):
        assert Client().post(address, FORM)["Location"].startswith("/accounts/login/")


def test_a_link_makes_and_revokes_nothing(annotator: User, client_for: ClientFor) -> None:
    client, token = client_for(annotator), make(annotator)
    assert client.get(URL).status_code == 405
    assert client.get(revoke_address(token)).status_code == 405


def test_no_csrf_token_no_api_token(annotator: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(annotator)
    assert client.post(URL, FORM).status_code == 403
    assert not ApiToken.objects.exists()
