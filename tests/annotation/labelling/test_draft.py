"""Drafts: half-made answers and notes are kept encrypted until the label is stored, and are no label."""

import re
import uuid
from collections.abc import Callable

import pytest
from cryptography.exceptions import InvalidTag
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from annotation.assignment.queue import hand_out
from annotation.labelling import drafts
from annotation.labelling.services import AlreadyLabelledError, NotYoursError, clinician_scope
from annotation.labelling.unlabelled import keep_draft, leave
from annotation.models import Assignment, AssignmentState, Campaign, CampaignState, Draft, Label
from prometheus_site.accounts.models import User
from prometheus_site.core import sealing
from tests.annotation.planned import give, make_planned_campaign

ClientFor = Callable[[User], Client]
WORDS = "he said it twice, and meant it"


def url(campaign: Campaign, assignment: Assignment) -> str:
    return reverse("annotation:save_label", args=[campaign.slug, assignment.pk])


def posted(campaign: Campaign, **changes: object) -> dict[str, object]:
    basics = {"key": str(uuid.uuid4()), "guideline": str(campaign.guideline_id), "action": "draft"}
    return basics | changes


def test_works_with_few_answers_and_shows_them_again(
    campaign: Campaign, assignment: Assignment, annotator: User, client_for: ClientFor
) -> None:
    client = client_for(annotator)
    data = posted(
        campaign,
        note=WORDS,
        **{"answer-empathy_global": "4", "answer-modality_secondary": ["act", "dbt"]},
    )
    page = client.post(url(campaign, assignment), data, follow=True).content.decode()
    assert f"Sample {assignment.sample.number}<" in page
    assert "Draft kept" in page
    assert WORDS in page
    assert re.search(r'name="answer-empathy_global" value="4"[^>]* checked', page)
    assert len(re.findall(r'name="answer-modality_secondary"[^>]* checked', page)) == 2
    assert not Label.objects.exists()
    assignment.refresh_from_db()
    assert assignment.state == AssignmentState.LEASED


def test_nothing_of_it_is_readable_in_the_database(
    campaign: Campaign, assignment: Assignment, annotator: User
) -> None:
    keep_draft(annotator=annotator, assignment=assignment, answers={"empathy_global": "4"}, note=WORDS)
    stored = Draft.objects.get()
    assert WORDS.encode() not in bytes(stored.sealed)
    assert b"empathy_global" not in bytes(stored.sealed)
    assert stored.data_key.scope == clinician_scope(annotator)


def test_a_newer_one_replaces_the_older(assignment: Assignment, annotator: User) -> None:
    for words in ("first", "second"):
        keep_draft(annotator=annotator, assignment=assignment, answers={}, note=words)
    kept = drafts.draft_of(assignment)
    assert kept is not None
    assert kept.note == "second"
    assert Draft.objects.count() == 1


def test_a_draft_moved_to_another_sample_does_not_open(
    campaign: Campaign, assignment: Assignment, annotator: User
) -> None:
    keep_draft(annotator=annotator, assignment=assignment, answers={}, note=WORDS)
    other = Assignment.objects.exclude(pk=assignment.pk).filter(annotator=annotator)[0]
    Draft.objects.filter(assignment=assignment).update(assignment=other)
    with pytest.raises((InvalidTag, sealing.TextDamagedError)):
        drafts.draft_of(other)


def test_storing_the_label_removes_it(campaign: Campaign, assignment: Assignment, annotator: User) -> None:
    keep_draft(annotator=annotator, assignment=assignment, answers={}, note=WORDS)
    give(campaign, assignment)
    assert not Draft.objects.exists()


def test_leaving_and_expired_leases_leave_it(
    campaign: Campaign, assignment: Assignment, annotator: User
) -> None:
    keep_draft(annotator=annotator, assignment=assignment, answers={}, note=WORDS)
    leave(annotator=annotator, campaign=campaign)
    [again] = hand_out(campaign=campaign, annotator=annotator).slots
    assert again == assignment
    assert drafts.read(again.draft).note == WORDS


def test_a_labelled_sample_takes_none(
    campaign: Campaign, assignment: Assignment, annotator: User, client_for: ClientFor
) -> None:
    give(campaign, assignment)
    with pytest.raises(AlreadyLabelledError):
        keep_draft(annotator=annotator, assignment=assignment, answers={}, note=WORDS)
    assert client_for(annotator).post(url(campaign, assignment), posted(campaign)).status_code == 409
    assert not Draft.objects.exists()


@pytest.mark.parametrize(
    "state", [AssignmentState.PASSED, AssignmentState.WITHDRAWN, AssignmentState.RESTING]
)
def test_what_is_not_ones_own_to_label_takes_none(
    assignment: Assignment, annotator: User, state: AssignmentState
) -> None:
    Assignment.objects.filter(pk=assignment.pk).update(state=state, first_shown_at=None)
    with pytest.raises(NotYoursError):
        keep_draft(annotator=annotator, assignment=assignment, answers={}, note=WORDS)


def test_a_closed_campaign_keeps_it_for_later(
    campaign: Campaign, assignment: Assignment, annotator: User, client_for: ClientFor
) -> None:
    Campaign.objects.filter(pk=campaign.pk).update(state=CampaignState.CLOSED)
    response = client_for(annotator).post(url(campaign, assignment), posted(campaign, note=WORDS))
    assert response.status_code == 302
    kept = drafts.draft_of(assignment)
    assert kept is not None
    assert kept.note == WORDS


def test_bad_input_keeps_the_older_draft(
    campaign: Campaign, assignment: Assignment, annotator: User, client_for: ClientFor
) -> None:
    keep_draft(annotator=annotator, assignment=assignment, answers={}, note=WORDS)
    data = posted(campaign, note="x" * 5000)
    assert client_for(annotator).post(url(campaign, assignment), data).status_code == 422
    kept = drafts.draft_of(assignment)
    assert kept is not None
    assert kept.note == WORDS


@pytest.mark.parametrize(
    "answers",
    [
        {"crisis_types": [["suicide"]]},
        {"crisis_intensity": {"code": "3"}},
        {"crisis_intensity": ["3"]},
        {"empathy_global": 4, "crisis_not_ratable": None, "no_such_question": 1.5},
    ],
)
def test_a_draft_of_an_odd_shape_does_not_break_the_page(
    campaign: Campaign,
    assignment: Assignment,
    annotator: User,
    client_for: ClientFor,
    answers: dict[str, object],
) -> None:
    """A program may have sent it: the sample must still come up."""
    keep_draft(annotator=annotator, assignment=assignment, answers=answers, note=WORDS)
    response = client_for(annotator).get(reverse("annotation:workbench", args=[campaign.slug]))
    assert response.status_code == 200
    assert WORDS in response.content.decode()


def test_after_the_clinicians_key_was_destroyed_the_sample_comes_up_empty(
    campaign: Campaign, assignment: Assignment, annotator: User, client_for: ClientFor
) -> None:
    keep_draft(annotator=annotator, assignment=assignment, answers={"empathy_global": "4"}, note=WORDS)
    sealing.destroy_key(clinician_scope(annotator), "withdrew")
    response = client_for(annotator).get(reverse("annotation:workbench", args=[campaign.slug]))
    assert response.status_code == 200
    assert WORDS not in response.content.decode()
    keep_draft(annotator=annotator, assignment=assignment, answers={}, note="after a new consent")
    kept = drafts.draft_of(assignment)
    assert kept is not None
    assert kept.note == "after a new consent"


def test_nobody_else_keeps_or_sees_it(
    campaign: Campaign,
    assignment: Assignment,
    annotator: User,
    second_annotator: User,
    lead: User,
    outsider: User,
    client_for: ClientFor,
) -> None:
    keep_draft(annotator=annotator, assignment=assignment, answers={}, note=WORDS)
    for person in (second_annotator, lead, outsider):
        data = posted(campaign, note="not mine")
        assert client_for(person).post(url(campaign, assignment), data).status_code == 404
    page = client_for(second_annotator).post(
        reverse("annotation:fetch_next", args=[campaign.slug]), follow=True
    )
    assert WORDS not in page.content.decode()
    kept = drafts.draft_of(assignment)
    assert kept is not None
    assert kept.note == WORDS


def test_other_campaign_is_not_found(
    campaign: Campaign, assignment: Assignment, lead: User, annotator: User, client_for: ClientFor
) -> None:
    other = make_planned_campaign(lead, [annotator], samples=2, slug="other", labels_per_sample=1)
    assert client_for(annotator).post(url(other, assignment), posted(other)).status_code == 404
    assert not Draft.objects.exists()


def test_query_count(
    campaign: Campaign,
    assignment: Assignment,
    annotator: User,
    client_for: ClientFor,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    client = client_for(annotator)
    with django_assert_max_num_queries(25):
        client.post(url(campaign, assignment), posted(campaign, note=WORDS))
