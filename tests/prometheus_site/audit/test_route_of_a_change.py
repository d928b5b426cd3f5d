"""The history notes on which route something was changed, never the address: that can hold a secret."""

from collections.abc import Callable

import pytest
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.urls import reverse
from pghistory.models import Context

from annotation.models import Campaign
from prometheus_site.accounts.models import RoleGrant, User
from prometheus_site.accounts.roles import Role
from prometheus_site.accounts.services import invite
from prometheus_site.audit.middleware import RouteHistoryMiddleware
from tests.annotation.worlds import make_campaign
from tests.people import PASSWORD


def urls() -> set[str]:
    return {context.metadata["url"] for context in Context.objects.all()}


def everything_noted() -> str:
    return " ".join(str(context.metadata) for context in Context.objects.all())


def test_an_invitations_token_is_not_in_the_history(lead: User) -> None:
    _, token = invite(email="new@example.org", role=Role.ANNOTATOR, invited_by=lead)
    answer = Client().post(
        reverse("accounts:accept_invitation", args=[token]),
        {"display_name": "New", "password": PASSWORD, "password_again": PASSWORD},
    )
    assert answer.status_code == 302
    assert RoleGrant.objects.filter(user__email="new@example.org").exists()
    assert urls() == {"invitation/<str:token>/"}
    assert token not in everything_noted()


def test_who_and_where_a_campaign_was_changed(lead: User, client_for: Callable[[User], Client]) -> None:
    campaign = make_campaign(lead, [])
    address = reverse("annotation:change_campaign_state", args=[campaign.slug])
    client_for(lead).post(f"{address}?note=a+private+thought", {"state": "closed"})
    campaign.refresh_from_db()
    assert campaign.state == "closed"
    [context] = Context.objects.all()
    assert context.metadata["url"] == "campaigns/<slug:slug>/state/"
    assert context.metadata["user"] == str(lead.pk)
    assert "private" not in everything_noted()
    assert Campaign.pgh_event_model.objects.filter(pgh_context=context).exists()  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", ["/nowhere/at/all/", "/00000000-0000-4000-8000-000000000000/"])
def test_an_address_that_is_none_of_ours_is_not_noted(path: str, database: None) -> None:
    request: HttpRequest = RequestFactory().post(path)
    request.user = User()
    middleware = RouteHistoryMiddleware(lambda _: None)  # type: ignore[no-untyped-call]
    assert middleware.get_context(request)["url"] == ""
