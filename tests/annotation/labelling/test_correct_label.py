"""Correcting a label: a new row that supersedes, with a reason, by the same clinician only."""

import re
import uuid
from collections.abc import Callable

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from annotation.models import Campaign, CampaignState, Label
from prometheus_site.accounts.models import User
from prometheus_site.audit.models import ChainEntry
from prometheus_site.audit.verification import verify
from prometheus_site.core.sealing import open_text
from tests.annotation.worlds import GOOD_ANSWERS, label

ClientFor = Callable[[User], Client]


@pytest.fixture
def given(campaign: Campaign, annotator: User) -> Label:
    return label(campaign, annotator, 1, note="first thought")


def url(given: Label) -> str:
    return reverse("annotation:correct_label", args=[given.campaign.slug, given.pk])


def posted(campaign: Campaign, **changes: object) -> dict[str, object]:
    answers = {f"answer-{key}": value for key, value in GOOD_ANSWERS.items()}
    basics = {"key": str(uuid.uuid4()), "guideline": str(campaign.guideline_id), "reason": "misread turn 1"}
    return answers | basics | changes


def test_shows_what_was_answered(given: Label, annotator: User, client_for: ClientFor) -> None:
    page = client_for(annotator).get(url(given)).content.decode()
    assert "first thought" in page
    assert re.search(r'name="answer-empathy_global" value="3"[^>]* checked', page)
    assert "Why do you correct it?" in page


def test_works(campaign: Campaign, given: Label, annotator: User, client_for: ClientFor) -> None:
    response = client_for(annotator).post(url(given), posted(campaign, **{"answer-empathy_global": "4"}))
    assert response.status_code == 302
    newest = Label.objects.get(supersedes=given)
    assert newest.answers["empathy_global"] == "4"
    assert newest.reason is not None
    assert open_text(newest.reason) == "misread turn 1"
    assert Label.objects.get(pk=given.pk).answers["empathy_global"] == "3"
    assert list(Label.objects.own(annotator).current()) == [newest]
    assert list(Label.objects.filter(campaign=campaign).counting_for_agreement()) == [given]
    assert ChainEntry.objects.filter(chain=annotator).count() == 2
    assert verify().holds


def test_needs_a_reason(campaign: Campaign, given: Label, annotator: User, client_for: ClientFor) -> None:
    response = client_for(annotator).post(url(given), posted(campaign, reason="  "))
    assert response.status_code == 422
    assert "Say in a few words why" in response.content.decode()
    assert Label.objects.count() == 1


def test_twice_the_same_is_one_correction(
    campaign: Campaign, given: Label, annotator: User, client_for: ClientFor
) -> None:
    client, data = client_for(annotator), posted(campaign)
    assert [client.post(url(given), data).status_code for _ in range(2)] == [302, 302]
    assert Label.objects.count() == 2


def test_an_old_label_cannot_be_corrected_again(
    campaign: Campaign, given: Label, annotator: User, client_for: ClientFor
) -> None:
    client = client_for(annotator)
    client.post(url(given), posted(campaign))
    assert client.post(url(given), posted(campaign)).status_code == 409
    page = client.get(url(given)).content.decode()
    assert "You have corrected this label since." in page
    assert "Save the correction" not in page


def test_a_correction_can_be_corrected(
    campaign: Campaign, given: Label, annotator: User, client_for: ClientFor
) -> None:
    client = client_for(annotator)
    client.post(url(given), posted(campaign))
    newest = Label.objects.get(supersedes=given)
    assert client.post(url(newest), posted(campaign)).status_code == 302
    assert Label.objects.get(supersedes=newest).assignment_id == given.assignment_id


def test_closed_campaign_takes_no_correction(
    campaign: Campaign, given: Label, annotator: User, client_for: ClientFor
) -> None:
    campaign.state = CampaignState.CLOSED
    campaign.save()
    assert client_for(annotator).post(url(given), posted(campaign)).status_code == 409
    assert Label.objects.count() == 1


def test_nobody_else_finds_it(
    campaign: Campaign,
    given: Label,
    second_annotator: User,
    lead: User,
    outsider: User,
    client_for: ClientFor,
) -> None:
    for person in (second_annotator, lead, outsider):
        client = client_for(person)
        assert client.get(url(given)).status_code == 404
        assert client.post(url(given), posted(campaign)).status_code == 404
    assert Label.objects.count() == 1


def test_own_list_shows_what_stands_now(
    campaign: Campaign, given: Label, annotator: User, second_annotator: User, client_for: ClientFor
) -> None:
    client = client_for(annotator)
    client.post(url(given), posted(campaign, **{"answer-empathy_global": "5"}))
    listed = reverse("annotation:own_labels", args=[campaign.slug])
    page = client.get(listed).content.decode()
    assert "1 label, newest first" in page
    assert "5 Grasps the unsaid" in page
    assert "0 labels" in client_for(second_annotator).get(listed).content.decode()


def save_at_once(row: Label) -> None:
    """Insert a row past every service and let the database check it now, not at the end."""
    with transaction.atomic():
        row.save(force_insert=True)
        transaction.get_connection().check_constraints()


@pytest.mark.parametrize(
    "change",
    [
        {"is_simulated": True},
        {"annotator": "second"},
        {"sample": "other"},
        {"supersedes": "of another assignment"},
    ],
)
def test_the_database_refuses_a_label_that_contradicts_itself(
    campaign: Campaign, given: Label, annotator: User, second_annotator: User, change: dict[str, object]
) -> None:
    other = label(campaign, annotator, 2)
    assignment = campaign.assignments.get(annotator=annotator, sample__number=3)
    row = Label.objects.filter(pk=given.pk).values().get() | {
        "id": uuid.uuid4(),
        "idempotency_key": uuid.uuid4(),
        "note_id": None,
        "assignment_id": assignment.pk,
        "sample_id": assignment.sample_id,
    }
    if "is_simulated" in change:
        row["is_simulated"] = True
    if "annotator" in change:
        row["annotator_id"] = second_annotator.pk
    if "sample" in change:
        row["sample_id"] = other.sample_id
    if "supersedes" in change:
        row |= {"supersedes_id": other.pk, "reason_id": given.note_id}
    with pytest.raises(IntegrityError, match="label_"):
        save_at_once(Label(**row))
