"""A lead invites somebody and sees the link once."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from prometheus_site.accounts import services
from prometheus_site.accounts.models import Invitation, User
from prometheus_site.accounts.roles import Role
from prometheus_site.audit.models import AccessEvent, Action

URL = "/people/invite/"
FORM = {"email": "Newcomer@Example.org", "role": "annotator"}


def test_a_lead_gets_the_link_in_the_answer_and_never_again(
    lead: User, client_for: Callable[[User], Client]
) -> None:
    client = client_for(lead)
    answer = client.post(URL, FORM)
    found = re.search(r'value="(http://testserver/invitation/[\w-]{43}/)"', answer.content.decode())
    assert answer.status_code == 200
    assert found is not None
    assert "no-store" in answer["Cache-Control"]
    assert found[1] not in client.get("/people/").content.decode()
    invitation = Invitation.objects.get()
    assert (invitation.email, invitation.role, invitation.invited_by) == (
        "newcomer@example.org",
        "annotator",
        lead,
    )
    assert timedelta(days=6) < invitation.expires_at - timezone.now() <= timedelta(days=7)


def test_only_the_tokens_hash_is_stored(lead: User) -> None:
    invitation, token = services.invite(email="a@example.org", role=Role.ANNOTATOR, invited_by=lead)
    invitation.refresh_from_db()
    assert token not in repr(Invitation.objects.values_list().get())
    assert invitation.token_digest == services.token_digest(token)


def test_an_invitation_leaves_an_access_event_without_the_address(lead: User) -> None:
    invitation, _ = services.invite(email="a@example.org", role=Role.ANNOTATOR, invited_by=lead)
    event = AccessEvent.objects.get(object_type="invitation")
    assert (event.actor, event.action, event.object_id) == (lead, Action.CREATED, str(invitation.pk))


@pytest.mark.parametrize("who", ["annotator", "adjudicator", "supervisor", "engineer", "outsider"])
def test_nobody_but_a_lead_finds_the_page(
    who: str, request: pytest.FixtureRequest, client_for: Callable[[User], Client]
) -> None:
    client = client_for(request.getfixturevalue(who))
    assert client.post(URL, FORM).status_code == 404
    assert client.get("/people/").status_code == 404
    assert not Invitation.objects.exists()


def test_somebody_signed_out_is_sent_to_sign_in(anonymous: Client) -> None:
    assert anonymous.post(URL, FORM)["Location"].startswith("/accounts/login/")


def test_get_is_refused(lead: User, client_for: Callable[[User], Client]) -> None:
    assert client_for(lead).get(URL).status_code == 405


@pytest.mark.parametrize(
    "form", [{"email": "no address", "role": "lead"}, {"email": "a@b.org", "role": "king"}, {}]
)
def test_a_form_that_makes_no_sense_invites_nobody(
    form: dict[str, str], lead: User, client_for: Callable[[User], Client]
) -> None:
    answer = client_for(lead).post(URL, form)
    assert answer.status_code == 422
    assert "field-error" in answer.content.decode()
    assert not Invitation.objects.exists()


def test_somebody_who_has_the_role_is_not_invited_to_it(
    lead: User, annotator: User, client_for: Callable[[User], Client]
) -> None:
    answer = client_for(lead).post(URL, {"email": annotator.email.upper(), "role": "annotator"})
    assert answer.status_code == 422
    assert "already has the role Annotator" in answer.content.decode()


def test_a_second_invitation_replaces_the_first(lead: User) -> None:
    _, first = services.invite(email="a@example.org", role=Role.ANNOTATOR, invited_by=lead)
    _, other_role = services.invite(email="a@example.org", role=Role.ADJUDICATOR, invited_by=lead)
    _, second = services.invite(email="a@example.org", role=Role.ANNOTATOR, invited_by=lead)
    with pytest.raises(services.InvitationRevokedError):
        services.accept_invitation(token=first, password="long-enough-password", display_name="A")
    user = services.accept_invitation(token=second, password="long-enough-password", display_name="A")
    services.accept_invitation_as(token=other_role, user=user)
    assert user.roles == {Role.ANNOTATOR, Role.ADJUDICATOR}


def test_a_lead_takes_an_invitation_back(lead: User, client_for: Callable[[User], Client]) -> None:
    invitation, token = services.invite(email="a@example.org", role=Role.ANNOTATOR, invited_by=lead)
    client, url = client_for(lead), f"/people/invitations/{invitation.pk}/revoke/"
    assert "no longer works" in client.post(url, follow=True).content.decode()
    assert "taken back" in client.post(url, follow=True).content.decode()
    assert "a@example.org" not in client.get("/people/").content.decode()
    with pytest.raises(services.InvitationRevokedError):
        services.accept_invitation(token=token, password="long-enough-password", display_name="A")


def test_taking_back_what_is_not_there_is_404(lead: User, client_for: Callable[[User], Client]) -> None:
    client = client_for(lead)
    assert client.post("/people/invitations/00000000-0000-4000-8000-000000000000/revoke/").status_code == 404


def test_an_annotator_takes_nothing_back(
    lead: User, annotator: User, client_for: Callable[[User], Client]
) -> None:
    invitation, _ = services.invite(email="a@example.org", role=Role.ANNOTATOR, invited_by=lead)
    assert client_for(annotator).post(f"/people/invitations/{invitation.pk}/revoke/").status_code == 404
    invitation.refresh_from_db()
    assert invitation.revoked_at is None
