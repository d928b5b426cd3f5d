"""The admin pages: read only, by role, and no row outside the person's campaigns."""

from collections.abc import Callable

import pytest
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import Model
from django.test import Client
from django.urls import NoReverseMatch, reverse

from annotation.models import (
    Assignment,
    AssignmentState,
    Campaign,
    CampaignMember,
    GuidelineVersion,
    Label,
    Sample,
    SchemeVersion,
    SelectionRun,
)
from datasets_app.models import DatasetRun, ImportJob, RunState, Source
from prometheus_site.accounts.models import RoleGrant, User
from prometheus_site.accounts.roles import Role
from prometheus_site.audit.models import AccessEvent, Anchor, ChainEntry
from prometheus_site.audit.services import anchor_heads
from prometheus_site.core.admin import ReadOnlyAdmin
from tests import people
from tests.annotation.selection.making import furnish_run
from tests.annotation.worlds import label, make_campaign
from tests.datasets_app.runs.making import waiting_run

SignIn = Callable[[User], Client]
OF_CAMPAIGNS = (
    *(Campaign, CampaignMember, Sample, SelectionRun, Assignment, Label),
    *(SchemeVersion, GuidelineVersion),
)
OF_OPERATIONS = (AccessEvent, ChainEntry, Anchor)
OF_DATA = (Source, ImportJob, DatasetRun)
LEADS = {*OF_CAMPAIGNS, *OF_DATA, RoleGrant}
ENGINEERS = {*OF_OPERATIONS, *OF_DATA}


@pytest.fixture
def campaign(lead: User, annotator: User) -> Campaign:
    made = make_campaign(lead, [annotator], samples=2)
    label(made, annotator, 1, note="a note nobody reads here")
    waiting_run(lead)
    furnish_run(made, lead, RunState.FAILED)
    anchor_heads()
    return made


def test_every_page_is_one_of_ours() -> None:
    assert set(admin.site._registry) == LEADS | ENGINEERS
    assert all(isinstance(page, ReadOnlyAdmin) for page in admin.site._registry.values())
    assert not admin.site.is_registered(Authenticator)
    assert not admin.site.is_registered(Group)


def readable(model: type[Model]) -> Model | None:
    """Return a row; of the slots one that was labelled, as open ones would tell passes."""
    chosen = {"state": AssignmentState.LABELLED} if model is Assignment else {}
    return model._default_manager.filter(**chosen).first()


@pytest.mark.parametrize("role", ["lead", "engineer", "annotator", "adjudicator", "supervisor", "outsider"])
def test_each_list_and_row_opens_for_its_readers_alone(
    role: str, campaign: Campaign, client_for: SignIn, request: pytest.FixtureRequest
) -> None:
    readers = {"lead": LEADS, "engineer": ENGINEERS}.get(role, set())
    client = client_for(request.getfixturevalue(role))
    for model in LEADS | ENGINEERS:
        row = readable(model)
        assert row is not None
        expected, refused = (200, 405) if model in readers else (404, 404)
        assert client.get(_list_of(model)).status_code == expected, model
        assert client.get(_row_of(row)).status_code == expected, model
        assert client.post(_row_of(row), {"name": "changed"}).status_code == refused, model


def test_another_leads_rows_are_not_there(campaign: Campaign, client_for: SignIn) -> None:
    elsewhere = client_for(people.make("other-lead", Role.LEAD))
    for model in OF_CAMPAIGNS:
        rows = list(model._default_manager.all())
        assert rows
        assert not [row for row in rows if elsewhere.get(_row_of(row)).status_code != 404], model
        assert "result_list" not in elsewhere.get(_list_of(model)).content.decode(), model


def test_nothing_can_be_added_deleted_or_changed() -> None:
    for model in admin.site._registry:
        for action in ("add", "delete", "history"):
            with pytest.raises(NoReverseMatch):
                reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{action}")


def test_a_label_page_shows_no_note_and_writes_down_who_looked(
    campaign: Campaign, lead: User, client_for: SignIn
) -> None:
    given = Label.objects.get()
    html = client_for(lead).get(_row_of(given)).content.decode()
    assert "a note nobody reads here" not in html
    assert given.annotator.display_name not in html
    assert AccessEvent.objects.filter(
        actor=lead, action="viewed", object_type="label", object_id=given.pk
    ).exists()


def test_labels_stay_closed_to_a_lead_who_still_labels_there(
    lead: User, annotator: User, client_for: SignIn
) -> None:
    RoleGrant.objects.create(user=lead, role=Role.ANNOTATOR)
    lead = User.objects.get(pk=lead.pk)
    campaign = make_campaign(lead, [annotator], samples=1)
    given = label(campaign, annotator, 1)
    client = client_for(lead)
    assert client.get(_row_of(given)).status_code == 404
    label(campaign, lead, 1)
    assert client.get(_row_of(given)).status_code == 200


def test_the_admin_has_no_pages_of_its_own_for_passwords_and_lookups(lead: User, client_for: SignIn) -> None:
    client = client_for(lead)
    for path in ("password_change/", "password_change/done/", "autocomplete/", "jsi18n/", "r/1/1/"):
        assert client.get(reverse("admin:index") + path).status_code == 404, path


def test_login_and_logout_are_the_sites_own(lead: User, client: Client, client_for: SignIn) -> None:
    stranger = client.get(reverse("admin:index"), follow=True)
    assert stranger.redirect_chain[-1][0].startswith(reverse("account_login"))
    posted = client.post(reverse("admin:login"), {"username": lead.email, "password": people.PASSWORD})
    assert "_auth_user_id" not in client.session
    assert posted.status_code == 302
    signed_in = client_for(lead)
    assert signed_in.post(reverse("admin:logout"))["Location"] == reverse("account_logout")
    assert "_auth_user_id" in signed_in.session


def _list_of(model: type[Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def _row_of(row: Model) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
