"""Somebody opens an invitation's link."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.db import connection
from django.test import Client
from django.utils import timezone

from prometheus_site.accounts import services
from prometheus_site.accounts.models import Invitation, RoleGrant, User
from prometheus_site.accounts.roles import Role
from tests import people

FORM = {
    "display_name": "New Comer",
    "password": "a-brand-new-password",
    "password_again": "a-brand-new-password",
}


@pytest.fixture
def token(lead: User) -> str:
    return services.invite(email="newcomer@example.org", role=Role.ANNOTATOR, invited_by=lead)[1]


def accept(client: Client, token: str, **changes: str) -> tuple[int, str]:
    answer = client.post(f"/invitation/{token}/", {**FORM, **changes})
    return answer.status_code, answer.content.decode()


def test_a_newcomer_makes_an_account_and_signs_in(token: str, lead: User, anonymous: Client) -> None:
    assert accept(anonymous, token)[0] == 302
    user = User.objects.get(email="newcomer@example.org")
    assert user.display_name == "New Comer"
    assert user.roles == {Role.ANNOTATOR}
    assert EmailAddress.objects.filter(user=user, email=user.email, verified=True, primary=True).exists()
    assert RoleGrant.objects.get(user=user).granted_by == lead
    invitation = Invitation.objects.get()
    assert invitation.accepted_by == user
    answer = anonymous.post("/accounts/login/", {"login": user.email, "password": FORM["password"]})
    assert answer["Location"] == "/"


def test_opening_the_link_changes_nothing(token: str, anonymous: Client) -> None:
    answer = anonymous.get(f"/invitation/{token}/")
    assert answer.status_code == 200
    assert "newcomer@example.org" in answer.content.decode()
    assert Invitation.objects.get().accepted_at is None
    assert not User.objects.filter(email="newcomer@example.org").exists()


def test_neither_cache_nor_referer_keeps_the_token(token: str, anonymous: Client) -> None:
    answer = anonymous.get(f"/invitation/{token}/")
    assert "no-store" in answer["Cache-Control"]
    assert answer["Referrer-Policy"] == "strict-origin"


def test_the_link_works_once(token: str, anonymous: Client) -> None:
    accept(anonymous, token)
    status, page = accept(anonymous, token)
    assert status == 410
    assert "already used" in page


def test_an_expired_link_says_so(token: str, anonymous: Client) -> None:
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    status, page = accept(anonymous, token)
    assert status == 410
    assert "expired after 7 days" in page
    assert anonymous.get(f"/invitation/{token}/").status_code == 410


def test_a_revoked_link_says_so(token: str, lead: User, anonymous: Client) -> None:
    services.revoke_invitation(invitation_id=Invitation.objects.get().pk, revoked_by=lead)
    status, page = accept(anonymous, token)
    assert status == 410
    assert "taken back" in page


def test_a_tampered_link_is_unknown(token: str, anonymous: Client) -> None:
    last = "A" if token[-1] != "A" else "B"
    status, page = accept(anonymous, token[:-1] + last)
    assert status == 404
    assert "copied whole" in page
    assert not User.objects.filter(email="newcomer@example.org").exists()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"password": "short", "password_again": "short"}, "too short"),
        ({"password_again": "another-password"}, "not the same"),
        ({"password": "newcomer@example.org", "password_again": "newcomer@example.org"}, "too similar"),
        ({"display_name": ""}, "required"),
    ],
)
def test_a_form_that_will_not_do_keeps_the_link_open(
    changes: dict[str, str], says: str, token: str, anonymous: Client
) -> None:
    status, page = accept(anonymous, token, **changes)
    assert status == 200
    assert says in page
    assert Invitation.objects.get().accepted_at is None


def test_somebody_with_an_account_has_to_sign_in_first(
    lead: User, annotator: User, anonymous: Client
) -> None:
    _, token = services.invite(email=annotator.email, role=Role.ADJUDICATOR, invited_by=lead)
    before = annotator.password
    assert "already has an account" in anonymous.get(f"/invitation/{token}/").content.decode()
    assert accept(anonymous, token)[0] == 409
    annotator.refresh_from_db()
    assert annotator.password == before
    assert RoleGrant.objects.filter(user=annotator).count() == 1


def test_a_verified_second_address_counts_as_the_account(
    lead: User, annotator: User, anonymous: Client
) -> None:
    EmailAddress.objects.create(user=annotator, email="other@example.org", verified=True)
    _, token = services.invite(email="other@example.org", role=Role.ADJUDICATOR, invited_by=lead)
    assert accept(anonymous, token)[0] == 409
    assert services.accept_invitation_as(token=token, user=annotator).roles == {
        Role.ANNOTATOR,
        Role.ADJUDICATOR,
    }


def test_the_invited_person_accepts_signed_in(
    lead: User, annotator: User, client_for: Callable[[User], Client]
) -> None:
    _, token = services.invite(email=annotator.email, role=Role.ADJUDICATOR, invited_by=lead)
    client = client_for(annotator)
    assert "Accept the invitation" in client.get(f"/invitation/{token}/").content.decode()
    assert client.post(f"/invitation/{token}/")["Location"] == "/"
    assert User.objects.get(pk=annotator.pk).roles == {Role.ANNOTATOR, Role.ADJUDICATOR}


def test_somebody_else_signed_in_gets_nothing(
    token: str, annotator: User, client_for: Callable[[User], Client]
) -> None:
    client = client_for(annotator)
    assert client.get(f"/invitation/{token}/").status_code == 409
    assert client.post(f"/invitation/{token}/").status_code == 409
    assert User.objects.get(pk=annotator.pk).roles == {Role.ANNOTATOR}
    assert Invitation.objects.get().accepted_at is None


def at_once(actions: list[Callable[[], object]]) -> list[object]:
    """Run the actions in threads that start together; return what each returned or raised."""
    barrier, results = threading.Barrier(len(actions)), []

    def run(action: Callable[[], object]) -> None:
        try:
            barrier.wait()
            results.append(action())
        except Exception as error:
            results.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[action]) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.concurrency
def test_eight_accept_at_once_and_one_wins(committed_db: str) -> None:
    _, token = services.invite(email="newcomer@example.org", role=Role.ANNOTATOR, invited_by=None)

    def once() -> User:
        return services.accept_invitation(token=token, password="long-enough-password", display_name="N")

    results = at_once([once] * 8)
    assert sum(isinstance(result, User) for result in results) == 1
    assert sum(isinstance(result, services.InvitationUsedError) for result in results) == 7
    assert RoleGrant.objects.count() == 1


@pytest.mark.concurrency
def test_two_invitations_of_one_address_accepted_at_once_make_one_account(committed_db: str) -> None:
    address = "newcomer@example.org"
    tokens = [services.invite(email=address, role=role, invited_by=None)[1] for role in Role]

    def accepting(token: str) -> Callable[[], User]:
        return lambda: services.accept_invitation(
            token=token, password="long-enough-password", display_name="N"
        )

    results = at_once([accepting(token) for token in tokens])
    assert sum(isinstance(result, User) for result in results) == 1
    assert sum(isinstance(result, services.AccountExistsError) for result in results) == len(Role) - 1
    assert User.objects.filter(email=address).count() == 1


@pytest.mark.concurrency
def test_two_leads_who_demote_each_other_at_once_leave_one(committed_db: str) -> None:
    first, second = people.make("first", Role.LEAD), people.make("second", Role.LEAD)
    results = at_once(
        [
            lambda: services.revoke_role(user=first, role=Role.LEAD, revoked_by=second),
            lambda: services.revoke_role(user=second, role=Role.LEAD, revoked_by=first),
        ]
    )
    assert sum(isinstance(result, services.LastLeadError) for result in results) == 1
    assert RoleGrant.objects.filter(role=Role.LEAD, revoked_at__isnull=True).count() == 1
