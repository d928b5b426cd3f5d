"""A break is spoken of without scripts too: between two samples, and once in a stretch of work."""

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotation.models import Assignment, AssignmentState, Campaign, Sitting
from annotation.wellbeing.services import set_limits
from prometheus_site.accounts.models import User
from tests.annotation.worlds import make_campaign

ClientFor = Callable[[User], Client]
TOLD = "<strong>5 minutes of reading.</strong>"


@pytest.fixture
def campaign(lead: User, annotator: User) -> Campaign:
    set_limits(user=annotator, limits={"break_after_minutes": 5})
    return make_campaign(lead, [annotator], labels_per_sample=1)


@pytest.fixture
def client(campaign: Campaign, annotator: User, client_for: ClientFor) -> Client:
    """Return a browser without scripts in which a sample is on the page."""
    made = client_for(annotator)
    made.post(reverse("annotation:fetch_next", args=[campaign.slug]))
    return made


def page_after(client: Client, campaign: Campaign, action: str) -> str:
    """Press one of the form's buttons; return the page that it leads to."""
    slot = Assignment.objects.get(campaign=campaign, state=AssignmentState.LEASED)
    sent = {"action": action, "key": str(uuid.uuid4()), "guideline": str(campaign.guideline_id)}
    address = reverse("annotation:save_label", args=[campaign.slug, slot.pk])
    return client.post(address, sent, follow=True).content.decode()


def sit_since(minutes: float) -> None:
    Sitting.objects.update(started_at=timezone.now() - timedelta(minutes=minutes))


def test_is_told_after_the_persons_own_minutes_and_once(client: Client, campaign: Campaign) -> None:
    sit_since(4.5)
    assert TOLD not in page_after(client, campaign, "pass")
    sit_since(5.5)
    page = page_after(client, campaign, "pass")
    assert TOLD in page
    assert "Passed. Nobody asks why." in page
    assert TOLD not in page_after(client, campaign, "pass")


def test_never_interrupts_a_decision(client: Client, campaign: Campaign) -> None:
    sit_since(20)
    workbench = reverse("annotation:workbench", args=[campaign.slug])
    assert TOLD not in client.get(workbench).content.decode()
    assert TOLD not in page_after(client, campaign, "draft")
    assert TOLD not in page_after(client, campaign, "save")  # refused: its answers are missing


def test_the_scripts_words_name_the_same_minutes(client: Client, campaign: Campaign) -> None:
    page = client.get(reverse("annotation:workbench", args=[campaign.slug])).content.decode()
    assert "<strong data-break-words>5 minutes of reading.</strong>" in page
    assert "Half an hour" not in page
