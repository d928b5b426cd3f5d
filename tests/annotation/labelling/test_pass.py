"""Pass: a sample goes without a label and without a reason; nobody sees who passed it."""

import uuid
from collections.abc import Callable

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from annotation.assignment import sittings
from annotation.assignment.queue import assign_next
from annotation.labelling import drafts
from annotation.labelling.services import AlreadyLabelledError, KeyReusedError, NotYoursError
from annotation.labelling.unlabelled import keep_draft, pass_sample, undo_last
from annotation.models import (
    Assignment,
    AssignmentState,
    Campaign,
    CampaignState,
    Draft,
    Label,
    LabelLock,
    Pass,
)
from prometheus_site.accounts.models import User
from prometheus_site.audit.models import ChainEntry
from tests.annotation.planned import give, make_planned_campaign
from tests.annotation.worlds import GOOD_ANSWERS, make_campaign

ClientFor = Callable[[User], Client]


def url(campaign: Campaign, assignment: Assignment) -> str:
    return reverse("annotation:save_label", args=[campaign.slug, assignment.pk])


def posted(campaign: Campaign, **changes: object) -> dict[str, object]:
    basics = {"key": str(uuid.uuid4()), "guideline": str(campaign.guideline_id), "action": "pass"}
    return basics | changes


def test_works_without_any_answer(
    campaign: Campaign, assignment: Assignment, annotator: User, client_for: ClientFor
) -> None:
    response = client_for(annotator).post(url(campaign, assignment), posted(campaign))
    assert response.status_code == 302
    assignment.refresh_from_db()
    assert (assignment.state, assignment.lease_id) == (AssignmentState.PASSED, None)
    passed = Pass.objects.get()
    assert (passed.assignment, passed.taken_back_at) == (assignment, None)
    assert not Label.objects.exists()
    assert not ChainEntry.objects.exists()


def test_goes_on_to_the_next_sample(
    campaign: Campaign, assignment: Assignment, annotator: User, client_for: ClientFor
) -> None:
    page = client_for(annotator).post(url(campaign, assignment), posted(campaign), follow=True)
    following = Assignment.objects.get(annotator=annotator, state=AssignmentState.LEASED)
    assert following != assignment
    assert f"Sample {following.sample.number}<" in page.content.decode()
    assert "Nobody asks why" in page.content.decode()


def test_a_draft_stays_until_the_sitting_ends(
    campaign: Campaign, assignment: Assignment, annotator: User, client_for: ClientFor
) -> None:
    keep_draft(annotator=annotator, assignment=assignment, answers=GOOD_ANSWERS, note="half a thought")
    data = posted(campaign, note="half a thought", **{"answer-crisis_intensity": "5"})
    client_for(annotator).post(url(campaign, assignment), data)
    assert undo_last(annotator=annotator, campaign=campaign) == assignment
    kept = drafts.draft_of(assignment)
    assert kept is not None
    assert (kept.answers, kept.note) == (GOOD_ANSWERS, "half a thought")
    client_for(annotator).post(url(campaign, assignment), posted(campaign))
    sittings.end(campaign=campaign, annotator=annotator)
    assert not Draft.objects.exists()
    assert not Label.objects.exists()


def test_the_same_request_again_changes_nothing(
    campaign: Campaign, assignment: Assignment, annotator: User, client_for: ClientFor
) -> None:
    client, data = client_for(annotator), posted(campaign)
    codes = [client.post(url(campaign, assignment), data).status_code for _ in range(3)]
    assert codes == [302, 302, 302]
    assert Pass.objects.count() == 1
    assert Assignment.objects.filter(annotator=annotator, state=AssignmentState.PASSED).count() == 1


def test_a_key_that_passed_another_sample_is_refused(
    campaign: Campaign, assignment: Assignment, annotator: User
) -> None:
    key = uuid.uuid4()
    pass_sample(annotator=annotator, assignment=assignment, key=key)
    other = assign_next(campaign=campaign, annotator=annotator)
    assert other is not None
    with pytest.raises(KeyReusedError):
        pass_sample(annotator=annotator, assignment=other, key=key)
    other.refresh_from_db()
    assert other.state == AssignmentState.LEASED


def test_a_second_pass_of_the_same_sample_is_refused(assignment: Assignment, annotator: User) -> None:
    pass_sample(annotator=annotator, assignment=assignment, key=uuid.uuid4())
    with pytest.raises(NotYoursError):
        pass_sample(annotator=annotator, assignment=assignment, key=uuid.uuid4())
    assert Pass.objects.count() == 1


def test_a_labelled_sample_cannot_be_passed(
    campaign: Campaign, assignment: Assignment, annotator: User, client_for: ClientFor
) -> None:
    give(campaign, assignment)
    with pytest.raises(AlreadyLabelledError):
        pass_sample(annotator=annotator, assignment=assignment, key=uuid.uuid4())
    response = client_for(annotator).post(url(campaign, assignment), posted(campaign))
    assert response.status_code == 409
    assert "You have labelled this sample already" in response.content.decode()
    assert not Pass.objects.exists()


def test_a_passed_sample_cannot_be_labelled(
    campaign: Campaign, assignment: Assignment, annotator: User
) -> None:
    pass_sample(annotator=annotator, assignment=assignment, key=uuid.uuid4())
    with pytest.raises(NotYoursError):
        give(campaign, assignment)
    assert not Label.objects.exists()


def test_what_the_plan_took_back_can_still_be_passed(
    campaign: Campaign, assignment: Assignment, annotator: User
) -> None:
    """It was on the screen: the person goes on, and the plan never gives it to the same person again."""
    Assignment.objects.filter(pk=assignment.pk).update(state=AssignmentState.WITHDRAWN)
    pass_sample(annotator=annotator, assignment=assignment, key=uuid.uuid4())
    assignment.refresh_from_db()
    assert assignment.state == AssignmentState.PASSED


def test_an_expired_lease_can_still_be_passed(
    campaign: Campaign, assignment: Assignment, annotator: User
) -> None:
    Assignment.objects.filter(pk=assignment.pk).update(
        state=AssignmentState.WAITING, lease_id=None, leased_until=None
    )
    pass_sample(annotator=annotator, assignment=assignment, key=uuid.uuid4())
    assert Pass.objects.count() == 1


def test_a_closed_campaign_takes_no_pass(
    campaign: Campaign, assignment: Assignment, annotator: User, client_for: ClientFor
) -> None:
    Campaign.objects.filter(pk=campaign.pk).update(state=CampaignState.CLOSED)
    assert client_for(annotator).post(url(campaign, assignment), posted(campaign)).status_code == 409
    assert not Pass.objects.exists()


@pytest.mark.parametrize(("field", "value"), [("key", "not-a-uuid"), ("key", "")])
def test_bad_input_passes_nothing(
    campaign: Campaign,
    assignment: Assignment,
    annotator: User,
    client_for: ClientFor,
    field: str,
    value: str,
) -> None:
    data = posted(campaign, **{field: value})
    assert client_for(annotator).post(url(campaign, assignment), data).status_code == 422
    assert not Pass.objects.exists()


def test_nobody_else_passes_it(
    campaign: Campaign,
    assignment: Assignment,
    annotator: User,
    second_annotator: User,
    lead: User,
    outsider: User,
    client_for: ClientFor,
) -> None:
    other = make_campaign(lead, [], slug="other")
    for person in (second_annotator, lead, outsider):
        assert client_for(person).post(url(campaign, assignment), posted(campaign)).status_code == 404
    assert client_for(annotator).post(url(other, assignment), posted(other)).status_code == 404
    assert Client().post(url(campaign, assignment), posted(campaign)).status_code == 302
    assert not Pass.objects.exists()


def test_passes_touch_no_label_and_no_figure(lead: User, annotator: User, second_annotator: User) -> None:
    campaign = make_planned_campaign(lead, [annotator, second_annotator], samples=4, repeat_percent=0)
    first = assign_next(campaign=campaign, annotator=annotator)
    assert first is not None
    given = give(campaign, first)
    second = assign_next(campaign=campaign, annotator=annotator)
    assert second is not None
    pass_sample(annotator=annotator, assignment=second, key=uuid.uuid4())
    sittings.end(campaign=campaign, annotator=annotator)
    assert LabelLock.objects.get().label == given
    assert list(Label.objects.filter(campaign=campaign).counting_for_agreement()) == [given]


def test_the_board_lists_no_passes() -> None:
    """The lead sees hours and exposure, never a pass by name."""
    assert not admin.site.is_registered(Pass)


def test_query_count(
    campaign: Campaign,
    assignment: Assignment,
    annotator: User,
    client_for: ClientFor,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    client = client_for(annotator)
    with django_assert_max_num_queries(35):
        client.post(url(campaign, assignment), posted(campaign))
