"""A lead who still labels in a campaign learns nothing there of what colleagues answered."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from annotation.dashboard.figures import FIGURES
from annotation.labelling.selectors import scheme_of
from annotation.models import Campaign
from prometheus_site.accounts.models import RoleGrant, User
from prometheus_site.accounts.roles import Role
from tests.annotation.dashboard.busy import Page
from tests.annotation.worlds import label, make_campaign

SignIn = Callable[[User], Client]
WHY = "You still have samples to label here, so what others answered stays closed to you."
SEVERE: dict[str, object] = {
    "crisis_intensity": "5",
    "crisis_types": ["suicide"],
    "suicidal_behaviour": "attempt",
    "suicidal_behaviour_recency": "past_week",
}


@pytest.fixture
def both(lead: User) -> User:
    """A lead who labels as well."""
    RoleGrant.objects.create(user=lead, role=Role.ANNOTATOR)
    return User.objects.get(pk=lead.pk)


@pytest.fixture
def campaign(both: User, annotator: User, second_annotator: User) -> Campaign:
    made = make_campaign(both, [annotator, second_annotator], samples=2, labels_per_sample=3)
    for person in (annotator, second_annotator):
        label(made, person, 1, answers=SEVERE, note="a doubt")
        label(made, person, 2)
    return made


def test_no_list_about_a_question_opens(campaign: Campaign, both: User, client_for: SignIn) -> None:
    client = client_for(both)
    for key in [key for key, figure in FIGURES.items() if figure.is_per_dimension]:
        address = reverse("annotation:figure", args=[campaign.slug, key])
        for dimension in scheme_of(campaign).dimensions:
            response = client.get(address, {"dimension": dimension.key})
            assert response.status_code == 403, (key, dimension.key)


def test_the_overview_keeps_counts_of_work_and_says_why_the_rest_is_closed(
    campaign: Campaign, both: User, client_for: SignIn
) -> None:
    client = client_for(both)
    html = client.get(_overview(campaign)).content.decode()
    assert {link.figure for link in Page(html).links} == {
        "samples",
        "finished",
        "planned",
        "labelled",
        "waiting",
        "queued",
        "handed",
        "resting",
        "repeats",
        "repeated",
        "withdrawn",
        "given",
        "locked",
        "unlocked",
        "standing",
        "corrections",
    }
    assert html.count(WHY) == 1
    for closed in ("Severe", "With a note", "Agreement", "overlap items"):
        assert closed not in html
    for number in (1, 2):
        label(campaign, both, number)
    opened = client.get(_overview(campaign)).content.decode()
    assert WHY not in opened
    agreement = client.get(reverse("annotation:agreement", args=[campaign.slug])).content.decode()
    assert {link.figure for link in Page(opened + agreement).links} == set(FIGURES) - {"repeated-items"}


def test_a_refresh_is_as_closed_as_the_page(campaign: Campaign, both: User, client_for: SignIn) -> None:
    html = client_for(both).get(_overview(campaign), headers={"HX-Request": "true"}).content.decode()
    assert WHY in html
    assert not {"severe", "notes", "agreement-labels"} & {link.figure for link in Page(html).links}


@pytest.mark.parametrize("page", ["admin:index", "progress"])
def test_board_and_progress_show_no_agreement_of_that_campaign(
    page: str, campaign: Campaign, both: User, annotator: User, client_for: SignIn
) -> None:
    make_campaign(both, [annotator], samples=1, slug="finished-here", labels_per_sample=1)
    for slot in both.assignments.filter(campaign__slug="finished-here"):
        label(slot.campaign, both, slot.sample.number)
    html = client_for(both).get(reverse(page)).content.decode()
    agreed = [link.url for link in Page(html).links if link.figure == "overlap-items"]
    assert len(agreed) == 3
    assert all("finished-here" in url for url in agreed)
    assert html.count(WHY) == 1


def test_the_admins_list_of_labels_cannot_be_narrowed_by_an_answer(
    campaign: Campaign, both: User, client_for: SignIn
) -> None:
    for number in (1, 2):
        label(campaign, both, number)
    address = reverse("admin:annotation_label_changelist")
    client = client_for(both)
    assert client.get(address).status_code == 200
    for lookup in ("answers__crisis_intensity", "answers__contains", "answers"):
        assert client.get(address, {lookup: "5"}).status_code == 400, lookup


def _overview(campaign: Campaign) -> str:
    return reverse("annotation:dashboard", args=[campaign.slug])
