"""A token alone decides where one is sent; a session is bound by its limits, second factor and CSRF token."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.sessions.models import Session
from django.test import Client
from pghistory.models import Context
from pytest_django import DjangoAssertNumQueries

from prometheus_site.accounts import services
from prometheus_site.accounts.api_tokens import revoke_api_token
from prometheus_site.accounts.models import ApiToken, User
from prometheus_site.accounts.roles import Role

from .conftest import NOTES, bearer

pytestmark = pytest.mark.urls("tests.prometheus_site.api.endpoints")

START = datetime(2030, 1, 7, 9, tzinfo=UTC)
ClientFor = Callable[[User], Client]
GARBAGE = ["", " ", "nonsense", "Bearer", "Bearer ", "Bearer prm_nothing", "Bearer prm_é", "Basic YTpi"]
NOTE = {"text": "calm"}


@pytest.fixture(autouse=True)
def standing_clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as clock:
        yield clock


def post(client: Client, headers: dict[str, str] | None = None) -> Any:
    return client.post(NOTES, NOTE, content_type="application/json", headers=headers or {})


def is_refused(answer: Any, status: int = 401) -> bool:
    """Say whether this is a refusal in JSON that nobody keeps, with the way to sign in for a 401."""
    assert answer["Content-Type"] == "application/json"
    assert answer.json()["detail"]
    assert "no-store" in answer["Cache-Control"]
    assert ("WWW-Authenticate" in answer) is (answer.status_code == 401)
    return bool(answer.status_code == status)


def is_by_token_of(answer: Any, user: User) -> bool:
    assert "no-store" in answer["Cache-Control"]
    return bool(answer.json() == {"email": user.email, "by_token": True})


# --- A token -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("accept", ["text/html", "application/json", "text/csv"])
def test_a_stranger_is_asked_to_sign_in_in_json(accept: str, database: None) -> None:
    answer = Client().get(NOTES, headers={"Accept": accept})
    assert is_refused(answer)
    assert "Bearer prm_" in answer.json()["detail"]


def test_a_token_opens_reading_and_writing_without_a_csrf_token(annotator: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    assert is_by_token_of(strict.get(NOTES, headers=bearer(annotator)), annotator)
    assert is_by_token_of(post(strict, bearer(annotator)), annotator)


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer "])
def test_the_schemes_case_and_spaces_do_not_matter(scheme: str, annotator: User) -> None:
    secret = bearer(annotator)["Authorization"].split()[1]
    answer = Client().get(NOTES, headers={"Authorization": f" {scheme} {secret} "})
    assert is_by_token_of(answer, annotator)


@pytest.mark.parametrize("header", GARBAGE)
def test_a_garbage_header_opens_nothing(header: str, annotator: User, client_for: ClientFor) -> None:
    for client in (Client(), client_for(annotator)):
        assert is_refused(client.get(NOTES, headers={"Authorization": header}))
        assert is_refused(post(client, {"Authorization": header}))


def test_a_token_works_for_ninety_days(annotator: User, standing_clock: time_machine.Traveller) -> None:
    headers = bearer(annotator)
    standing_clock.move_to(START + timedelta(days=90, seconds=-1))
    assert is_by_token_of(Client().get(NOTES, headers=headers), annotator)
    standing_clock.move_to(START + timedelta(days=90))
    answer = Client().get(NOTES, headers=headers)
    assert is_refused(answer)
    assert "expired" in answer.json()["detail"]


def test_a_revoked_token_opens_nothing(annotator: User) -> None:
    headers = bearer(annotator)
    revoke_api_token(token_id=ApiToken.objects.get().pk, user=annotator)
    answer = Client().get(NOTES, headers=headers)
    assert is_refused(answer)
    assert "revoked" in answer.json()["detail"]


def test_the_token_of_somebody_who_left_opens_nothing(annotator: User) -> None:
    headers = bearer(annotator)
    User.objects.filter(pk=annotator.pk).update(is_active=False)
    assert is_refused(Client().get(NOTES, headers=headers))


def test_a_token_made_by_password_alone_opens_nothing_once_the_role_needs_more(annotator: User) -> None:
    weak, strong = bearer(annotator, was_second_factor_passed=False), bearer(annotator)
    assert is_by_token_of(Client().get(NOTES, headers=weak), annotator)
    services.grant_role(user=annotator, role=Role.LEAD, granted_by=None)
    answer = Client().get(NOTES, headers=weak)
    assert is_refused(answer)
    assert "second factor" in answer.json()["detail"]
    assert is_by_token_of(Client().get(NOTES, headers=strong), annotator)


def test_the_use_of_a_token_is_noted_once_an_hour(
    annotator: User, standing_clock: time_machine.Traveller
) -> None:
    headers = bearer(annotator)
    for minutes, noted in ((0, 0), (59, 0), (60, 60), (119, 60), (121, 121)):
        standing_clock.move_to(START + timedelta(minutes=minutes))
        Client().get(NOTES, headers=headers)
        assert ApiToken.objects.get().last_used_at == START + timedelta(minutes=noted)


def test_recognising_a_token_takes_one_query(
    annotator: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    headers = bearer(annotator)
    Client().get(NOTES, headers=headers)
    with django_assert_num_queries(1):
        assert is_by_token_of(Client().get(NOTES, headers=headers), annotator)


# --- A token beside a session ------------------------------------------------------------------------------
def test_the_token_decides_and_not_the_session_beside_it(
    annotator: User, lead: User, client_for: ClientFor
) -> None:
    client = client_for(lead)
    before = Session.objects.get().session_data
    assert is_by_token_of(client.get(NOTES, headers=bearer(annotator)), annotator)
    assert is_by_token_of(post(client, bearer(annotator)), annotator)
    assert Session.objects.get().session_data == before
    assert client.get(NOTES).json() == {"email": lead.email, "by_token": False}


def test_history_names_the_tokens_person_and_not_the_sessions(
    outsider: User, lead: User, client_for: ClientFor
) -> None:
    answer = client_for(lead).post("/api/v1/grant/", headers=bearer(outsider))
    assert answer.status_code == 200
    assert Context.objects.get().metadata["user"] == str(outsider.pk)


def test_a_token_does_not_save_a_session_from_its_second_factor(
    lead: User, annotator: User, by_password: ClientFor
) -> None:
    client = by_password(lead)
    assert is_by_token_of(client.get(NOTES, headers=bearer(annotator)), annotator)
    assert is_by_token_of(client.get(NOTES, headers=bearer(lead)), lead)
    assert is_refused(client.get(NOTES), 403)
    assert client.get("/account/", headers=bearer(lead))["Location"].startswith("/accounts/2fa/")


def test_a_token_does_not_keep_a_session_open(
    lead: User, annotator: User, client_for: ClientFor, standing_clock: time_machine.Traveller
) -> None:
    client, headers = client_for(lead), bearer(annotator)
    assert client.get(NOTES).status_code == 200
    for minutes in (20, 31):
        standing_clock.move_to(START + timedelta(minutes=minutes))
        assert is_by_token_of(client.get(NOTES, headers=headers), annotator)
    assert is_refused(client.get(NOTES))


@pytest.mark.parametrize("header", GARBAGE)
def test_a_garbage_header_gets_an_idle_or_half_open_session_nowhere(
    header: str,
    lead: User,
    by_password: ClientFor,
    client_for: ClientFor,
    standing_clock: time_machine.Traveller,
) -> None:
    idle, half_open = client_for(lead), by_password(lead)
    assert idle.get(NOTES).status_code == 200
    assert is_refused(half_open.get(NOTES, headers={"Authorization": header}))
    standing_clock.move_to(START + timedelta(minutes=31))
    assert is_refused(idle.get(NOTES, headers={"Authorization": header}))
    assert is_refused(idle.get(NOTES))


def test_a_refused_token_is_not_made_good_by_a_session_with_its_csrf_token(
    annotator: User, lead: User
) -> None:
    headers = bearer(lead)
    ApiToken.objects.update(revoked_at=START)
    client, csrf = with_csrf_token(annotator)
    assert is_refused(post(client, headers | csrf))


@pytest.mark.parametrize("page", ["/", "/account/", "/people/", "/api/v1/", "/board/"])
def test_a_token_gives_nothing_on_pages(page: str, lead: User) -> None:
    headers = bearer(lead)
    assert Client().get(page, headers=headers).status_code == 302
    answer = Client().get(page, headers=headers | {"Accept": "application/json"})
    assert answer.status_code == 401


def test_a_token_changes_nothing_through_pages(lead: User) -> None:
    answer = Client().post("/account/tokens/", {"name": "another"}, headers=bearer(lead))
    assert answer["Location"].startswith("/accounts/login/")
    assert ApiToken.objects.count() == 1


# --- A session ---------------------------------------------------------------------------------------------
def with_csrf_token(user: User) -> tuple[Client, dict[str, str]]:
    """Return a client that is held to CSRF, signed in by password, and the header it needs."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    client.get("/account/")  # sets the cookie
    cookie = next(morsel for name, morsel in client.cookies.items() if "csrf" in name)
    return client, {"X-CSRFToken": cookie.value}


def test_a_session_reads_and_writes(annotator: User) -> None:
    client, csrf = with_csrf_token(annotator)
    assert client.get(NOTES).json() == {"email": annotator.email, "by_token": False}
    assert post(client, csrf).status_code == 201


def test_a_session_writes_nothing_without_the_csrf_token(annotator: User) -> None:
    client, _ = with_csrf_token(annotator)
    for headers in ({}, {"X-CSRFToken": "wrong"}):
        answer = post(client, headers)
        assert is_refused(answer, 403)
        assert "X-CSRFToken" in answer.json()["detail"]


def test_a_form_from_another_site_is_refused_unread(annotator: User) -> None:
    client, _ = with_csrf_token(annotator)
    assert is_refused(client.post(NOTES, NOTE), 415)
    answer = client.post(NOTES, "text=calm", content_type="application/x-www-form-urlencoded")
    assert is_refused(answer, 415)


def test_a_session_without_its_second_factor_opens_nothing(lead: User, by_password: ClientFor) -> None:
    client = by_password(lead)
    for answer in (client.get(NOTES, headers={"Accept": "text/html"}), post(client)):
        assert is_refused(answer, 403)
        assert answer.json()["detail"] == "Confirm your second factor first."


def test_a_person_who_has_yet_to_set_one_up_opens_nothing(lead: User, by_password: ClientFor) -> None:
    Authenticator.objects.filter(user=lead).delete()
    assert is_refused(by_password(lead).get(NOTES), 403)


def test_a_second_factor_added_elsewhere_is_asked_for(annotator: User, by_password: ClientFor) -> None:
    client = by_password(annotator)
    assert client.get(NOTES).status_code == 200
    TOTP.activate(annotator, generate_totp_secret())
    assert is_refused(client.get(NOTES), 403)


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_an_idle_session_is_over_and_says_why(
    accept: str, annotator: User, client_for: ClientFor, standing_clock: time_machine.Traveller
) -> None:
    client = client_for(annotator)
    assert client.get(NOTES).status_code == 200
    standing_clock.move_to(START + timedelta(minutes=30))
    answer = client.get(NOTES, headers={"Accept": accept})
    assert is_refused(answer)
    assert answer.json()["detail"].startswith("You were signed out after 30 minutes")
    assert not Session.objects.exists()


def test_the_api_keeps_a_session_in_use_open_until_the_twelfth_hour(
    annotator: User, client_for: ClientFor, standing_clock: time_machine.Traveller
) -> None:
    client = client_for(annotator)
    for minutes in range(0, 12 * 60, 20):
        standing_clock.move_to(START + timedelta(minutes=minutes))
        assert client.get(NOTES).status_code == 200
    standing_clock.move_to(START + timedelta(hours=12))
    assert is_refused(client.get(NOTES))


def test_the_session_of_somebody_who_left_opens_nothing(annotator: User, client_for: ClientFor) -> None:
    client = client_for(annotator)
    User.objects.filter(pk=annotator.pk).update(is_active=False)
    assert is_refused(client.get(NOTES))
