"""A lead gives and takes roles."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from prometheus_site.accounts import selectors, services
from prometheus_site.accounts.models import RoleGrant, User
from prometheus_site.accounts.roles import Role
from prometheus_site.audit.models import AccessEvent, Action
from tests import people


def fresh(user: User) -> User:
    return User.objects.get(pk=user.pk)


def test_a_lead_gives_a_role_and_takes_it_back(
    lead: User, annotator: User, client_for: Callable[[User], Client]
) -> None:
    client = client_for(lead)
    client.post(f"/people/{annotator.pk}/roles/grant/", {"role": "adjudicator"})
    assert fresh(annotator).roles == {Role.ANNOTATOR, Role.ADJUDICATOR}
    client.post(f"/people/{annotator.pk}/roles/revoke/", {"role": "annotator"})
    assert fresh(annotator).roles == {Role.ADJUDICATOR}
    kept = RoleGrant.objects.get(user=annotator, role=Role.ANNOTATOR)
    assert kept.revoked_by == lead
    actions = AccessEvent.objects.filter(actor=lead, object_type="role_grant").values_list(
        "action", flat=True
    )
    assert sorted(actions) == [Action.CHANGED, Action.CREATED]


def test_a_role_given_counts_at_once_for_the_same_object(lead: User, annotator: User) -> None:
    assert annotator.has_role(Role.ANNOTATOR)
    services.grant_role(user=annotator, role=Role.LEAD, granted_by=lead)
    assert annotator.has_role(Role.LEAD)
    services.revoke_role(user=annotator, role=Role.LEAD, revoked_by=lead)
    assert not annotator.has_role(Role.LEAD)


def test_a_role_taken_back_can_be_given_again(lead: User, annotator: User) -> None:
    services.revoke_role(user=annotator, role=Role.ANNOTATOR, revoked_by=lead)
    services.grant_role(user=annotator, role=Role.ANNOTATOR, granted_by=lead)
    assert fresh(annotator).roles == {Role.ANNOTATOR}
    assert RoleGrant.objects.filter(user=annotator).count() == 2


def test_a_role_is_given_once(lead: User, annotator: User, client_for: Callable[[User], Client]) -> None:
    with pytest.raises(services.RoleHeldError):
        services.grant_role(user=annotator, role=Role.ANNOTATOR, granted_by=lead)
    client = client_for(lead)
    answer = client.post(f"/people/{annotator.pk}/roles/grant/", {"role": "annotator"}, follow=True)
    assert "already has the role Annotator" in answer.content.decode()


def test_a_role_that_is_not_held_cannot_be_taken(lead: User, outsider: User) -> None:
    with pytest.raises(services.RoleNotHeldError):
        services.revoke_role(user=outsider, role=Role.ANNOTATOR, revoked_by=lead)


def test_the_last_lead_stays(lead: User, client_for: Callable[[User], Client]) -> None:
    answer = client_for(lead).post(f"/people/{lead.pk}/roles/revoke/", {"role": "lead"}, follow=True)
    assert "is the only lead" in answer.content.decode()
    assert fresh(lead).roles == {Role.LEAD}


def test_a_lead_who_left_does_not_count_as_another(lead: User) -> None:
    gone = people.make("gone", Role.LEAD)
    User.objects.filter(pk=gone.pk).update(is_active=False)
    with pytest.raises(services.LastLeadError):
        services.revoke_role(user=lead, role=Role.LEAD, revoked_by=None)


def test_one_of_two_leads_may_go(lead: User) -> None:
    services.revoke_role(user=people.make("second", Role.LEAD), role=Role.LEAD, revoked_by=lead)
    assert RoleGrant.objects.filter(role=Role.LEAD, revoked_at__isnull=True).count() == 1


@pytest.mark.parametrize("who", ["annotator", "adjudicator", "supervisor", "engineer", "outsider"])
@pytest.mark.parametrize("what", ["grant", "revoke"])
def test_nobody_but_a_lead_changes_roles(
    who: str, what: str, request: pytest.FixtureRequest, lead: User, client_for: Callable[[User], Client]
) -> None:
    user = request.getfixturevalue(who)
    before = fresh(user).roles
    answer = client_for(user).post(f"/people/{user.pk}/roles/{what}/", {"role": "lead"})
    assert answer.status_code == 404
    assert fresh(user).roles == before


def test_bad_requests_change_nothing(
    lead: User, annotator: User, client_for: Callable[[User], Client]
) -> None:
    client = client_for(lead)
    assert client.get(f"/people/{annotator.pk}/roles/grant/").status_code == 405
    assert client.post(f"/people/{annotator.pk}/roles/grant/", {"role": "king"}).status_code == 400
    assert client.post(f"/people/{annotator.pk}/roles/revoke/").status_code == 400
    unknown = "00000000-0000-4000-8000-000000000000"
    assert client.post(f"/people/{unknown}/roles/grant/", {"role": "lead"}).status_code == 404
    assert fresh(annotator).roles == {Role.ANNOTATOR}


def test_the_page_shows_roles_and_second_factors(
    lead: User, annotator: User, client_for: Callable[[User], Client]
) -> None:
    shown = {person.email: person for person in selectors.people()}
    assert [grant.role for grant in shown[lead.email].live_grants] == ["lead"]  # type: ignore[attr-defined]
    assert shown[lead.email].has_second_factor  # type: ignore[attr-defined]
    assert not shown[annotator.email].has_second_factor  # type: ignore[attr-defined]
    page = client_for(lead).get("/people/").content.decode()
    assert annotator.email in page
    assert AccessEvent.objects.filter(actor=lead, action=Action.LISTED, object_type="user").count() == 1


def test_the_number_of_queries_does_not_grow_with_the_team(
    lead: User, client_for: Callable[[User], Client], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = client_for(lead)
    client.get("/people/")  # notes when the session began
    with CaptureQueriesContext(connection) as alone:
        client.get("/people/")
    for number in range(12):
        people.make(f"person-{number}", Role.ANNOTATOR)
    with django_assert_num_queries(len(alone)):
        client.get("/people/")
