"""Who passed a sample, or undid a label, is shown to no lead: only how many the campaign has."""

import uuid
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from annotation.labelling.services import record_label, undo_label
from annotation.labelling.unlabelled import pass_sample
from annotation.models import Assignment, AssignmentState, Campaign, Purpose
from prometheus_site.accounts.models import RoleGrant, User
from prometheus_site.accounts.roles import Role
from tests.annotation.dashboard.busy import Page, next_slot
from tests.annotation.worlds import make_campaign, submission

SignIn = Callable[[User], Client]


@pytest.fixture
def campaign(lead: User, annotator: User, second_annotator: User) -> Campaign:
    return make_campaign(lead, [annotator, second_annotator], samples=4)


@pytest.fixture
def passed(campaign: Campaign, annotator: User, second_annotator: User) -> Assignment:
    """A slot that one person passed, beside one that was taken back from the other."""
    slot = next_slot(campaign, annotator)
    pass_sample(annotator=annotator, assignment=slot, key=uuid.uuid4())
    other = campaign.assignments.filter(annotator=second_annotator, repeat_number=0)[:1]
    Assignment.objects.filter(pk__in=other.values("pk")).update(state=AssignmentState.WITHDRAWN)
    return slot


def test_no_page_tells_who_lost_a_sample(
    campaign: Campaign, passed: Assignment, lead: User, annotator: User, client_for: SignIn
) -> None:
    """Few slots are taken back otherwise: a number by person would be the person's passes."""
    client = client_for(lead)
    html = client.get(_address("dashboard")).content.decode()
    lost = {slot.sample_id for slot in campaign.assignments.filter(state__in=["passed", "withdrawn"])}
    assert [int(link.text) for link in Page(html).links if link.figure == "withdrawn"] == [len(lost)]
    listed = client.get(_address("figure", "withdrawn")).content.decode()
    assert annotator.code not in listed
    assert "assed" not in listed
    assert client.get(_address("figure", "withdrawn"), {"person": annotator.code}).status_code == 404


def test_the_campaigns_passes_stand_beside_the_agreement(
    campaign: Campaign, passed: Assignment, lead: User, client_for: SignIn
) -> None:
    html = client_for(lead).get(_address("dashboard")).content.decode()
    assert "<strong data-passes>1</strong>" in html
    assert html.index("data-passes") > html.index('id="agreement-heading"')


def test_the_board_shows_labelled_slots_only(
    campaign: Campaign, passed: Assignment, lead: User, second_annotator: User, client_for: SignIn
) -> None:
    """An open slot that is gone at the next look would be a pass, or nearly always one."""
    slot = next_slot(campaign, second_annotator)
    record_label(annotator=second_annotator, assignment=slot, submission=submission(campaign))
    client, address = client_for(lead), reverse("admin:annotation_assignment_changelist")
    assert "1 assignment" in client.get(address).content.decode()
    for lookup in (
        "state",
        "state__exact",
        "state__in",
        "passes__isnull",
        "passes",
        "first_shown_at__isnull",
    ):
        assert client.get(address, {lookup: "0"}).status_code == 400, lookup
    page = client.get(reverse("admin:annotation_assignment_change", args=[passed.pk]))
    assert page.status_code == 404


def test_undone_labels_are_counted_and_listed_nowhere(
    campaign: Campaign, lead: User, annotator: User, client_for: SignIn
) -> None:
    slot = next_slot(campaign, annotator)
    undone = record_label(
        annotator=annotator, assignment=slot, submission=submission(campaign, answers={"empathy_global": "5"})
    ).label
    undo_label(annotator=annotator, label=undone)
    record_label(annotator=annotator, assignment=slot, submission=submission(campaign))
    client = client_for(lead)
    html = client.get(_address("dashboard")).content.decode()
    assert "<dt>Undone before they locked</dt><dd>1</dd>" in html
    for key in ("given", "standing", "unlocked"):
        assert Page(client.get(_address("figure", key)).content.decode()).heading_count == "1", key
    assert Page(client.get(_address("figure", "corrections")).content.decode()).heading_count == "0"
    sample = client.get(_address("sample", slot.sample.number)).content.decode()
    assert "5 Grasps the unsaid" not in sample
    assert "correction" not in sample
    board = reverse("admin:annotation_label_changelist")
    assert "1 label" in client.get(board).content.decode()
    assert client.get(reverse("admin:annotation_label_change", args=[undone.pk])).status_code == 404


def test_a_lead_who_labels_here_is_not_told_which_samples_come_again(
    lead: User, annotator: User, client_for: SignIn
) -> None:
    RoleGrant.objects.create(user=lead, role=Role.ANNOTATOR)
    both = User.objects.get(pk=lead.pk)
    campaign = make_campaign(both, [annotator], samples=30)
    repeats = campaign.assignments.filter(purpose=Purpose.REPEAT, annotator=both)
    assert repeats.exists()
    client = client_for(both)
    for key in ("planned", "waiting", "resting", "repeats"):
        assert client.get(_address("figure", key), {"person": both.code}).status_code == 404, key
        html = client.get(_address("figure", key)).content.decode()
        for told in ("Silent repeat<", "/samples/"):
            assert told not in html, (key, told)
    board = client.get(reverse("admin:annotation_assignment_changelist")).content.decode()
    assert "0 assignments" in board


def _address(page: str, *more: object) -> str:
    return reverse(f"annotation:{page}", args=["made-up", *more])
