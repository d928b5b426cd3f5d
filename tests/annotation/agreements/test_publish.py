"""Put a new version of a document in force: everybody signs it before the next sample."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from annotation.agreements.services import DocumentRefusedError, publish, sign
from annotation.assignment.planning import replan_where_needed
from annotation.assignment.queue import NOT_ADMITTED, Pause, hand_out
from annotation.models import OPEN_STATES, Assignment, Campaign, DocumentKind, Label
from annotation.qualification.facts import documents_in_force
from prometheus_site.accounts.models import User
from tests.annotation.worlds import label, make_campaign

ClientFor = Callable[[User], Client]
NEW = "# Consent, changed\n\nRead on.\n"


@pytest.fixture
def campaign(lead: User, annotator: User, second_annotator: User) -> Campaign:
    return make_campaign(lead, [annotator, second_annotator])


def publish_new(lead: User) -> None:
    publish(kind=DocumentKind.CONSENT, version="1.1", body=NEW, published_by=lead)


def test_the_next_sample_waits_for_the_signature(campaign: Campaign, annotator: User, lead: User) -> None:
    planned = Assignment.objects.filter(annotator=annotator, state__in=OPEN_STATES).count()
    publish_new(lead)
    handed = hand_out(campaign=campaign, annotator=annotator)
    assert handed.slots == ()
    assert handed.pause == Pause(NOT_ADMITTED)
    assert replan_where_needed() == 0, "who has to sign stays in the plan"
    assert Assignment.objects.filter(annotator=annotator, state__in=OPEN_STATES).count() == planned
    document = documents_in_force()["consent"]
    sign(document=document, sha256=document.sha256, signer=annotator, confirmed_by="password")
    assert len(hand_out(campaign=campaign, annotator=annotator).slots) == 1


def test_what_is_on_the_screen_is_finished(
    campaign: Campaign, annotator: User, lead: User, client_for: ClientFor
) -> None:
    client = client_for(annotator)
    client.post(reverse("annotation:fetch_next", args=[campaign.slug]), follow=True)
    publish_new(lead)
    page = client.get(reverse("annotation:workbench", args=[campaign.slug])).content.decode()
    assert "what was said" in page
    shown = Assignment.objects.get(annotator=annotator, first_shown_at__isnull=False)
    label(campaign, annotator, shown.sample.number)
    assert Label.objects.filter(assignment=shown).exists()
    page = client.get(reverse("annotation:workbench", args=[campaign.slug])).content.decode()
    assert "what was said" not in page
    assert "Before the next sample" in page


@pytest.mark.parametrize(("version", "body"), [("1.0", NEW), ("1.1", None)])
def test_a_version_never_changes(campaign: Campaign, lead: User, version: str, body: str | None) -> None:
    same = documents_in_force()["consent"].body
    with pytest.raises(DocumentRefusedError):
        publish(kind=DocumentKind.CONSENT, version=version, body=body or same, published_by=lead)


def test_a_lead_publishes_on_the_page(campaign: Campaign, lead: User, client_for: ClientFor) -> None:
    address = reverse("annotation:publish_document", args=["consent"])
    client = client_for(lead)
    assert client.post(address, {"version": "", "document_text": NEW}).status_code == 422
    assert client.post(address, {"version": "1.0", "document_text": NEW}).status_code == 422
    answer = client.post(address, {"version": "1.1", "document_text": NEW}, follow=True)
    assert "Consent, changed" in answer.content.decode()
    assert documents_in_force()["consent"].published_by == lead
