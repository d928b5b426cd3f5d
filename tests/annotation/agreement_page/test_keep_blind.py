"""Nobody who still labels here learns from these pages what another answered, or where two disagree."""

from collections.abc import Callable, Iterator

import pytest
from django.test import Client
from django.urls import reverse

from annotation.dashboard.figures import FIGURES
from annotation.models import Campaign
from prometheus_site.accounts.models import RoleGrant, User
from prometheus_site.accounts.roles import Role
from tests.annotation.dashboard.busy import Page
from tests.annotation.worlds import label, make_campaign

SignIn = Callable[[User], Client]
DIMENSION = "empathy_global"


@pytest.fixture
def both(lead: User) -> User:
    """A lead who labels as well."""
    RoleGrant.objects.create(user=lead, role=Role.ANNOTATOR)
    return User.objects.get(pk=lead.pk)


@pytest.fixture
def campaign(both: User, annotator: User, second_annotator: User) -> Campaign:
    made = make_campaign(both, [annotator, second_annotator], samples=2, labels_per_sample=3)
    label(made, annotator, 1, answers={DIMENSION: "1"})
    label(made, second_annotator, 1, answers={DIMENSION: "5"})
    return made


def addresses(campaign: Campaign) -> Iterator[str]:
    """Every address at which an agreement figure, or a sample behind one, can be asked for."""
    yield reverse("annotation:agreement", args=[campaign.slug])
    yield reverse("annotation:agreement", args=[campaign.slug]) + f"?dimension={DIMENSION}&seen="
    narrowed = ("", "&answer=1", "&against=5&answer=1", "&at_least=4", "&first=1")
    for key, figure in FIGURES.items():
        if figure.is_per_dimension:
            address = reverse("annotation:figure", args=[campaign.slug, key])
            yield from (f"{address}?dimension={DIMENSION}{more}" for more in narrowed)
    yield reverse("annotation:sample", args=[campaign.slug, 1])


@pytest.mark.parametrize("is_refresh", [False, True])
def test_a_lead_who_still_labels_is_told_nothing(
    is_refresh: bool, campaign: Campaign, both: User, annotator: User, client_for: SignIn
) -> None:
    client = client_for(both)
    headers = {"HX-Request": "true"} if is_refresh else {}
    for address in addresses(campaign):
        answer = client.get(address, headers=headers)
        assert answer.status_code == 403, address
        html = answer.content.decode()
        assert annotator.code not in html
        assert "overlap items" not in html
    assert not campaign.labels_opened.exists()
    for number in (1, 2):
        label(campaign, both, number)
    assert client.get(reverse("annotation:agreement", args=[campaign.slug])).status_code == 200
    assert campaign.labels_opened.get().reader == both


def test_an_annotator_finds_none_of_it(
    campaign: Campaign, annotator: User, second_annotator: User, client_for: SignIn
) -> None:
    client = client_for(annotator)
    for address in addresses(campaign):
        assert client.get(address).status_code == 404, address
    assert client.post(reverse("annotation:reveal_names", args=[campaign.slug])).status_code == 404


def test_an_annotators_own_pages_say_nothing_of_the_others(
    campaign: Campaign, annotator: User, second_annotator: User, client_for: SignIn
) -> None:
    client = client_for(annotator)
    for name in ("workbench", "own_labels"):
        html = client.get(reverse(f"annotation:{name}", args=[campaign.slug])).content.decode()
        assert second_annotator.code not in html
        assert second_annotator.display_name not in html
    answer = client.get(reverse("annotation_api:progress", args=[campaign.slug]))
    assert answer.status_code == 200
    assert second_annotator.code not in answer.content.decode()


def test_what_has_not_locked_enters_no_figure(
    campaign: Campaign, both: User, annotator: User, second_annotator: User, client_for: SignIn
) -> None:
    for number in (1, 2):
        label(campaign, both, number)
    label(campaign, annotator, 2, locks=False)
    client = client_for(both)
    address = reverse("annotation:figure", args=[campaign.slug, "overlap-items"])
    html = client.get(f"{address}?dimension={DIMENSION}").content.decode()
    assert "Overlap items: <span data-count>1</span>" in html
    page = Page(client.get(reverse("annotation:agreement", args=[campaign.slug])).content.decode())
    assert [link.text for link in page.links if link.figure == "overlap-unlocked"] == ["1"]
