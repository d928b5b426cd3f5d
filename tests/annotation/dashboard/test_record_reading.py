"""Opening labels that others gave is written down, so that the reader's own labels do not pass for blind."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from annotation.blindness import has_read_labels
from annotation.models import Campaign
from prometheus_site.accounts.models import RoleGrant, User
from prometheus_site.accounts.roles import Role
from prometheus_site.audit.models import AccessEvent
from tests.annotation.worlds import label, make_campaign

SignIn = Callable[[User], Client]


@pytest.fixture
def campaign(lead: User, annotator: User, second_annotator: User) -> Campaign:
    return make_campaign(lead, [annotator, second_annotator], samples=2)


def _addresses(campaign: Campaign) -> dict[str, str]:
    def figure(key: str) -> str:
        return reverse("annotation:figure", args=[campaign.slug, key])

    return {
        "overview": reverse("annotation:dashboard", args=[campaign.slug]),
        "sample": reverse("annotation:sample", args=[campaign.slug, 1]),
        "labels": figure("given"),
        "severe": figure("severe"),
        "raters": figure("raters") + "?dimension=empathy_global",
        "samples": figure("samples"),
        "slots": figure("labelled"),
    }


@pytest.mark.parametrize("page", ["overview", "sample", "labels", "severe", "raters"])
def test_opening_labels_makes_a_reader_of_this_campaign_alone(
    page: str, campaign: Campaign, lead: User, annotator: User, client_for: SignIn
) -> None:
    beside = make_campaign(lead, [annotator], samples=1, slug="beside")
    client = client_for(lead)
    assert client.get(_addresses(campaign)[page]).status_code == 200
    assert has_read_labels(campaign) == set(), "nothing is there to read yet"
    label(campaign, annotator, 1)
    label(beside, annotator, 1)
    assert client.get(_addresses(campaign)[page]).status_code == 200
    assert has_read_labels(campaign) == {lead.pk}
    assert has_read_labels(beside) == set()


@pytest.mark.parametrize("page", ["samples", "slots"])
def test_a_list_without_answers_makes_no_reader(
    page: str, campaign: Campaign, lead: User, annotator: User, client_for: SignIn
) -> None:
    label(campaign, annotator, 1)
    assert client_for(lead).get(_addresses(campaign)[page]).status_code == 200
    assert has_read_labels(campaign) == set()


def test_an_admins_label_page_makes_a_reader(
    campaign: Campaign, lead: User, annotator: User, client_for: SignIn
) -> None:
    given = label(campaign, annotator, 1)
    assert client_for(lead).get(reverse("admin:annotation_label_changelist")).status_code == 200
    assert has_read_labels(campaign) == set()
    assert client_for(lead).get(reverse("admin:annotation_label_change", args=[given.pk])).status_code == 200
    assert has_read_labels(campaign) == {lead.pk}


def test_a_closed_page_makes_no_reader(lead: User, annotator: User, client_for: SignIn) -> None:
    RoleGrant.objects.create(user=lead, role=Role.ANNOTATOR)
    both = User.objects.get(pk=lead.pk)
    campaign = make_campaign(both, [annotator], samples=2)
    given = label(campaign, annotator, 1)
    client = client_for(both)
    for address in _addresses(campaign).values():
        client.get(address)
    assert client.get(reverse("admin:annotation_label_change", args=[given.pk])).status_code == 404
    assert has_read_labels(campaign) == set()


def test_ones_own_labels_make_no_reader(lead: User, client_for: SignIn) -> None:
    RoleGrant.objects.create(user=lead, role=Role.ANNOTATOR)
    both = User.objects.get(pk=lead.pk)
    campaign = make_campaign(both, [], samples=1, labels_per_sample=1)
    label(campaign, both, 1)
    for address in _addresses(campaign).values():
        assert client_for(both).get(address).status_code == 200
    assert has_read_labels(campaign) == set()


def test_refreshes_write_one_event_and_only_once_there_is_something_to_read(
    campaign: Campaign, lead: User, annotator: User, client_for: SignIn
) -> None:
    client, address = client_for(lead), _addresses(campaign)["overview"]
    client.get(address)
    for number in (1, 2):
        label(campaign, annotator, number)
        for _ in range(3):
            assert client.get(address, {"seen": "older"}, headers={"HX-Request": "true"}).status_code == 200
    event = AccessEvent.objects.get(actor=lead, object_type="campaign_labels")
    assert (event.action, event.object_id) == ("listed", str(campaign.pk))


def test_every_opening_of_a_samples_labels_is_written_down(
    campaign: Campaign, lead: User, annotator: User, client_for: SignIn
) -> None:
    label(campaign, annotator, 1)
    for _ in range(2):
        client_for(lead).get(_addresses(campaign)["sample"])
    events = AccessEvent.objects.filter(actor=lead, object_type="sample_labels", action="viewed")
    assert [event.object_id for event in events] == [str(campaign.samples.get(number=1).pk)] * 2


def test_readers_are_found_by_one_query(campaign: Campaign) -> None:
    with CaptureQueriesContext(connection) as queries:
        has_read_labels(campaign)
    assert len(queries) == 1
