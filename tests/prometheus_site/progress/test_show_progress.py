"""The page of the three success criteria: who sees it, and that nothing unmeasured shows a number."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from prometheus_site.accounts.models import User
from tests.annotation.dashboard.busy import Page, pages_of
from tests.annotation.worlds import label, make_campaign

SignIn = Callable[[User], Client]


@pytest.mark.parametrize("role", ["annotator", "adjudicator", "supervisor", "outsider"])
def test_is_not_there_for_others(role: str, client_for: SignIn, request: pytest.FixtureRequest) -> None:
    assert client_for(request.getfixturevalue(role)).get(reverse("progress")).status_code == 404


def test_measures_nothing_at_the_start(lead: User, client_for: SignIn) -> None:
    html = client_for(lead).get(reverse("progress")).content.decode()
    assert html.count("NOT MEASURED") == 3
    assert Page(html).links == []


def test_counts_the_finished_samples_of_each_campaign(
    lead: User, annotator: User, second_annotator: User, client_for: SignIn
) -> None:
    campaign = make_campaign(lead, [annotator, second_annotator], samples=3)
    for person in (annotator, second_annotator):
        label(campaign, person, 1)
    label(campaign, annotator, 2)
    client = client_for(lead)
    html = client.get(reverse("progress")).content.decode()
    links = Page(html).links
    assert [link.text for link in links if link.figure == "finished"] == ["1"]
    for link in links:
        assert sum(page.row_count for page in pages_of(client, link.url)) == int(link.text), link.url
    assert html.count("NOT MEASURED") == 2
    assert "Collecting" in html


def test_a_simulated_campaign_is_a_rehearsal_and_no_evidence(lead: User, client_for: SignIn) -> None:
    program = User.objects.create_user("program@example.org", None, "Program")
    User.objects.filter(pk=program.pk).update(is_simulated=True)
    make_campaign(lead, [program], samples=1, is_simulated=True)
    html = client_for(lead).get(reverse("progress")).content.decode()
    assert "Simulated" in html
    assert html.count("NOT MEASURED") == 3


def test_shows_an_engineer_no_campaign(
    lead: User, annotator: User, engineer: User, client_for: SignIn
) -> None:
    campaign = make_campaign(lead, [annotator], samples=1)
    html = client_for(engineer).get(reverse("progress")).content.decode()
    assert campaign.name not in html
    assert html.count("NOT MEASURED") == 2
