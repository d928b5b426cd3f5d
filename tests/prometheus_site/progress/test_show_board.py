"""The board: what each role finds on it, and that its numbers are the lists behind them."""

import re
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from annotation.models import CampaignMember
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role
from tests import people
from tests.annotation.dashboard.busy import Page, pages_of
from tests.annotation.worlds import label, make_campaign

SignIn = Callable[[User], Client]


@pytest.mark.parametrize("role", ["annotator", "adjudicator", "supervisor", "outsider"])
def test_is_not_there_for_others(role: str, client_for: SignIn, request: pytest.FixtureRequest) -> None:
    assert client_for(request.getfixturevalue(role)).get(reverse("admin:index")).status_code == 404


def test_shows_a_lead_the_campaigns_that_the_lead_takes_part_in(
    lead: User, annotator: User, second_annotator: User, client_for: SignIn
) -> None:
    campaign = make_campaign(lead, [annotator, second_annotator], samples=3)
    label(campaign, annotator, 1)
    label(campaign, second_annotator, 1)
    make_campaign(people.make("other-lead", Role.LEAD), [annotator], samples=1, slug="not-mine")
    client = client_for(lead)
    html = client.get(reverse("admin:index")).content.decode()
    assert _panels(html) == {"data", "training", "serving"}
    assert re.findall(r'data-campaign="([^"]+)"', html) == ["made-up"]
    assert "Collecting" in html
    links = Page(html).links
    assert {link.figure for link in links} == {"labelled", "planned", "overlap-items"}
    for link in links:
        assert sum(page.row_count for page in pages_of(client, link.url)) == int(link.text), link.url


def test_shows_an_engineer_the_system_and_no_campaign(
    lead: User, annotator: User, engineer: User, client_for: SignIn
) -> None:
    campaign = make_campaign(lead, [annotator], samples=1)
    CampaignMember.objects.create(campaign=campaign, user=engineer)
    html = client_for(engineer).get(reverse("admin:index")).content.decode()
    assert _panels(html) == {"data", "training", "serving", "system"}
    assert campaign.name not in html
    assert "Campaigns" not in html


def test_says_what_is_not_there(lead: User, client_for: SignIn) -> None:
    html = client_for(lead).get(reverse("admin:index")).content.decode()
    assert html.count("NOT MEASURED") == 2
    assert "Nothing has been imported yet" in html
    assert "You lead no campaign yet" in html


def test_a_members_leaving_takes_the_campaign_off_the_board(
    lead: User, annotator: User, client_for: SignIn
) -> None:
    campaign = make_campaign(lead, [annotator], samples=1)
    membership = CampaignMember.objects.get(campaign=campaign, user=lead)
    membership.left_at = membership.joined_at
    membership.save()
    assert "data-campaign" not in client_for(lead).get(reverse("admin:index")).content.decode()


def _panels(html: str) -> set[str]:
    return set(re.findall(r'data-panel="([^"]+)"', html))
