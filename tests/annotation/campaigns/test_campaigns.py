"""Setting up a campaign: made, filled, opened, its people changed."""

import uuid
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from annotation.campaigns import services
from annotation.models import Assignment, AssignmentState, Campaign, CampaignState, Label
from annotation.schemes.shipped import default_guideline, default_scheme
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role
from tests import people
from tests.annotation.worlds import label, make_campaign, qualify

ClientFor = Callable[[User], Client]
FORM = {
    "name": "Autumn",
    "slug": "autumn",
    "labels_per_sample": "2",
    "asks": "shipped",
    "action": "make",
}


def test_a_lead_makes_one(lead: User, client_for: ClientFor) -> None:
    response = client_for(lead).post(reverse("annotation:create_campaign"), FORM)
    campaign = Campaign.objects.get(slug="autumn")
    assert response.url == reverse("annotation:campaign", args=["autumn"])  # type: ignore[attr-defined]
    assert campaign.state == CampaignState.DRAFT
    assert campaign.scheme.definition == default_scheme()
    assert campaign.guideline.body == default_guideline()
    assert list(Campaign.objects.visible_to(lead)) == [campaign]


@pytest.mark.parametrize(
    "change",
    [{"slug": "not a slug"}, {"slug": "new"}, {"labels_per_sample": "0"}, {"name": ""}, {"asks": "nothing"}],
)
def test_bad_input_makes_none(lead: User, client_for: ClientFor, change: dict[str, str]) -> None:
    assert client_for(lead).post(reverse("annotation:create_campaign"), FORM | change).status_code == 422
    assert not Campaign.objects.exists()


def test_a_taken_address_is_named(lead: User, client_for: ClientFor) -> None:
    client = client_for(lead)
    client.post(reverse("annotation:create_campaign"), FORM)
    response = client.post(reverse("annotation:create_campaign"), FORM)
    assert response.status_code == 422
    assert "is taken by another campaign" in response.content.decode()


def test_an_empty_campaign_does_not_open(lead: User, client_for: ClientFor) -> None:
    campaign = services.create_campaign(name="Empty", slug="empty", created_by=lead)
    url = reverse("annotation:change_campaign_state", args=["empty"])
    response = client_for(lead).post(url, {"state": "open"}, follow=True)
    assert "There is nothing to label yet" in response.content.decode()
    campaign.refresh_from_db()
    assert campaign.state == CampaignState.DRAFT


def test_closing_and_opening_again(lead: User, annotator: User, client_for: ClientFor) -> None:
    campaign = make_campaign(lead, [annotator], labels_per_sample=1)
    url = reverse("annotation:change_campaign_state", args=[campaign.slug])
    client = client_for(lead)
    for state in ("closed", "open", "nonsense"):
        assert client.post(url, {"state": state}).status_code == 302
    campaign.refresh_from_db()
    assert campaign.state == CampaignState.OPEN


def test_who_leaves_keeps_labels_and_loses_the_queue(
    lead: User, annotator: User, second_annotator: User, client_for: ClientFor
) -> None:
    campaign = make_campaign(lead, [annotator, second_annotator])
    label(campaign, annotator, 1)
    third = people.make("third", Role.ANNOTATOR)
    qualify(campaign, third)
    url = reverse("annotation:change_members", args=[campaign.slug])
    client_for(lead).post(url, {"members": [str(second_annotator.pk), str(third.pk)]})
    assert Label.objects.filter(annotator=annotator).count() == 1
    states = Assignment.objects.filter(annotator=annotator).values_list("state", flat=True)
    assert set(states) == {AssignmentState.LABELLED, AssignmentState.WITHDRAWN}
    assert Assignment.objects.filter(annotator=third).count() == 5
    assert client_for(annotator).get(reverse("annotation:workbench", args=[campaign.slug])).status_code == 404


def test_the_lead_who_acts_always_stays(lead: User, annotator: User, client_for: ClientFor) -> None:
    campaign = make_campaign(lead, [annotator])
    client_for(lead).post(reverse("annotation:change_members", args=[campaign.slug]), {})
    assert list(campaign.members.filter(left_at=None).values_list("user_id", flat=True)) == [lead.pk]


def test_an_unknown_person_changes_nothing(lead: User, annotator: User, client_for: ClientFor) -> None:
    campaign = make_campaign(lead, [annotator])
    url = reverse("annotation:change_members", args=[campaign.slug])
    client_for(lead).post(url, {"members": [str(uuid.uuid4())]})
    assert campaign.members.filter(left_at=None).count() == 2


def test_a_lead_of_another_campaign_finds_nothing(lead: User, annotator: User, client_for: ClientFor) -> None:
    campaign = make_campaign(lead, [annotator])
    stranger = people.make("other-lead", Role.LEAD)
    client = client_for(stranger)
    for name in ("campaign", "dashboard"):
        assert client.get(reverse(f"annotation:{name}", args=[campaign.slug])).status_code == 404
    assert client.post(reverse("annotation:change_members", args=[campaign.slug]), {}).status_code == 404


def test_a_scheme_version_never_changes(lead: User) -> None:
    services.store_scheme(definition=default_scheme(), created_by=lead)
    changed = default_scheme() | {"title": "Something else"}
    with pytest.raises(services.CampaignRefusedError, match="Versions never change"):
        services.store_scheme(definition=changed, created_by=lead)
