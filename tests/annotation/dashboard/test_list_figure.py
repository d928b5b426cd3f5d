"""The list behind a number: filters, bad input, and the written record of who looked."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from annotation.dashboard.signs import version_of
from annotation.models import Campaign
from datasets_app.withdrawal import withdraw_source
from prometheus_site.accounts.models import RoleGrant, User
from prometheus_site.accounts.roles import Role
from prometheus_site.audit.models import AccessEvent
from tests.annotation.dashboard.busy import Page
from tests.annotation.worlds import label, make_campaign

SignIn = Callable[[User], Client]


@pytest.fixture
def campaign(lead: User, annotator: User, second_annotator: User) -> Campaign:
    return make_campaign(lead, [annotator, second_annotator], samples=3)


def test_narrows_to_one_person(
    campaign: Campaign, lead: User, annotator: User, second_annotator: User, client_for: SignIn
) -> None:
    for number in (1, 2):
        label(campaign, annotator, number)
    label(campaign, second_annotator, 1)
    page = _page(client_for(lead), "given", person=annotator.code)
    assert page.heading_count == "2"
    assert page.row_count == 2


def test_shows_codes_beside_answers_and_no_names(
    campaign: Campaign, lead: User, annotator: User, client_for: SignIn
) -> None:
    label(campaign, annotator, 1)
    html = client_for(lead).get(_address("given")).content.decode()
    assert annotator.code in html
    assert annotator.display_name not in html.replace(lead.display_name, "")


def test_what_cannot_be_listed_is_not_there(campaign: Campaign, lead: User, client_for: SignIn) -> None:
    client = client_for(lead)
    asked: list[tuple[str, dict[str, str]]] = [
        ("nothing", {}),
        ("given", {"day": "yesterday"}),
        ("given", {"day": "2026-13-40"}),
        ("given", {"dimension": "empathy_global"}),
        ("given", {"answers": "3"}),
        ("given", {"person": "C-\x00"}),
        ("overlap-items", {}),
        ("overlap-items", {"dimension": "no_such_thing"}),
        ("overlap-items", {"dimension": "crisis_types"}),
        ("overlap-items", {"dimension": "empathy_global", "answer": "9"}),
        ("overlap-items", {"dimension": "empathy_global", "first": "0"}),
        ("overlap-items", {"dimension": "empathy_global", "through": "-1"}),
        ("overlap-items", {"dimension": "empathy_global", "first": "all"}),
        ("overlap-items", {"dimension": "empathy_global", "person": "C-\x00"}),
        ("overlap-items", {"dimension": "empathy_global", "day": "2026-03-02"}),
        ("single-label-samples", {"dimension": "empathy_global", "person": "C-000000"}),
    ]
    for figure, query in asked:
        assert client.get(_address(figure), query).status_code == 404, (figure, query)


def test_an_unknown_person_has_no_rows(campaign: Campaign, lead: User, client_for: SignIn) -> None:
    page = _page(client_for(lead), "given", person="C-<b>")
    assert page.heading_count == "0"
    assert page.row_count == 0


def test_a_page_that_is_none_is_the_nearest_one(campaign: Campaign, lead: User, client_for: SignIn) -> None:
    assert _page(client_for(lead), "samples", page="99").row_count == 3
    assert _page(client_for(lead), "samples", page="x").row_count == 3


def test_looking_is_written_down(campaign: Campaign, lead: User, client_for: SignIn) -> None:
    client_for(lead).get(_address("severe"))
    event = AccessEvent.objects.get(object_type="figure:severe")
    assert (event.actor, event.action, event.object_id) == (lead, "listed", str(campaign.pk))


def test_slots_of_a_withdrawn_source_no_longer_wait(
    campaign: Campaign, lead: User, annotator: User, client_for: SignIn
) -> None:
    label(campaign, annotator, 1)
    client, before = client_for(lead), version_of(campaign)
    withdraw_source(name="source of made-up", because="consent withdrawn")
    assert version_of(campaign) != before
    for figure, count in {"waiting": 0, "planned": 1, "labelled": 1, "withdrawn": 3, "finished": 1}.items():
        page = _page(client, figure)
        assert (page.heading_count, page.row_count) == (str(count), count), figure


def test_lists_with_answers_are_closed_to_a_lead_who_still_labels_here(
    lead: User, annotator: User, client_for: SignIn
) -> None:
    RoleGrant.objects.create(user=lead, role=Role.ANNOTATOR)
    both = User.objects.get(pk=lead.pk)
    campaign = make_campaign(both, [annotator], samples=1)
    label(campaign, annotator, 1)
    client = client_for(both)
    pages = [_address("severe"), _address("overlap-items") + "?dimension=empathy_global", _sample()]
    assert [client.get(page).status_code for page in pages] == [403, 403, 403]
    assert _page(client, "labelled").heading_count == "1"
    label(campaign, both, 1)
    assert [client.get(page).status_code for page in pages] == [200, 200, 200]


def _sample() -> str:
    return reverse("annotation:sample", args=["made-up", 1])


def _address(figure: str) -> str:
    return reverse("annotation:figure", args=["made-up", figure])


def _page(client: Client, figure: str, **query: str) -> Page:
    response = client.get(_address(figure), query)
    assert response.status_code == 200
    return Page(response.content.decode())
