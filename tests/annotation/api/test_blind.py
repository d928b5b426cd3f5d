"""Who has opened labels that others gave gets nothing from the queue, and nothing more is saved."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from annotation.assignment.planning import revise_plan
from annotation.assignment.queue import assign_next, hand_out
from annotation.blindness import has_read_labels, record_campaign_labels_read, record_sample_labels_read
from annotation.labelling.services import NotYoursError
from annotation.models import Assignment, AssignmentState, Campaign, Label, LabelsOpened
from prometheus_site.accounts.models import RoleGrant, User
from prometheus_site.accounts.roles import Role
from prometheus_site.audit.models import AccessEvent
from tests.annotation.api.calling import Caller
from tests.annotation.planned import give
from tests.annotation.worlds import label


@pytest.fixture
def opened(campaign: Campaign, annotator: User, second_annotator: User) -> None:
    """The annotator has opened a label of the second annotator."""
    given = label(campaign, second_annotator, 4)
    record_sample_labels_read(reader=annotator, sample=given.sample)
    assert has_read_labels(campaign) == {annotator.pk}


@pytest.mark.usefixtures("opened")
def test_the_queue_gives_nothing(campaign: Campaign, annotator: User, api: Caller) -> None:
    assert assign_next(campaign=campaign, annotator=annotator) is None
    assert hand_out(campaign=campaign, annotator=annotator, count=3).slots == ()
    body = api.next(count=3).json()
    assert (body["cards"], body["pause"]) == ([], None)
    assert not Assignment.objects.filter(state=AssignmentState.LEASED).exists()


@pytest.mark.usefixtures("opened")
def test_the_other_goes_on(campaign: Campaign, second_annotator: User) -> None:
    assert assign_next(campaign=campaign, annotator=second_annotator) is not None


def test_what_is_on_screen_is_not_handed_out_again(
    campaign: Campaign, annotator: User, card: Any, api: Caller
) -> None:
    LabelsOpened.objects.create(campaign=campaign, reader=annotator)
    assert api.next().json()["cards"] == []


def test_a_save_is_refused(campaign: Campaign, annotator: User, card: Any, api: Caller) -> None:
    LabelsOpened.objects.create(campaign=campaign, reader=annotator)
    slot = Assignment.objects.get(pk=card["assignment"])
    with pytest.raises(NotYoursError, match="would not be blind"):
        give(campaign, slot)
    answer = api.save(card)
    assert (answer.status_code, answer.json()["code"]) == (409, "not_yours_any_more")
    assert not Label.objects.exists()


def test_labels_given_before_stand(campaign: Campaign, annotator: User, card: Any, api: Caller) -> None:
    api.save(card)
    api.call("leave/")
    LabelsOpened.objects.create(campaign=campaign, reader=annotator)
    counting = Label.objects.filter(campaign=campaign).counting_for_agreement()
    assert counting.count() == 1


@pytest.mark.usefixtures("opened")
def test_the_next_plan_gives_the_samples_to_nobody_else_twice(
    campaign: Campaign, annotator: User, second_annotator: User
) -> None:
    assert revise_plan(campaign=campaign, because="labels were opened") is not None
    open_slots = campaign.assignments.filter(state=AssignmentState.WAITING)
    assert not open_slots.filter(annotator=annotator).exists()
    assert open_slots.filter(annotator=second_annotator).count() == 7


def test_opening_is_written_down_once(campaign: Campaign, lead: User, second_annotator: User) -> None:
    given = label(campaign, second_annotator, 4)
    for _ in range(2):
        record_sample_labels_read(reader=lead, sample=given.sample)
        record_campaign_labels_read(reader=lead, campaign=campaign)
    assert LabelsOpened.objects.get().reader == lead
    assert AccessEvent.objects.filter(actor=lead, object_type="sample_labels").count() == 2


def test_ones_own_labels_open_nothing(campaign: Campaign, annotator: User) -> None:
    given = label(campaign, annotator, 4)
    record_sample_labels_read(reader=annotator, sample=given.sample)
    record_campaign_labels_read(reader=annotator, campaign=campaign)
    assert not LabelsOpened.objects.exists()


def test_a_lead_who_exported_gets_no_samples(
    campaign: Campaign, lead: User, second_annotator: User, client_for: Callable[[User], Client]
) -> None:
    label(campaign, second_annotator, 4)
    answer = client_for(lead).get(f"/api/v1/campaigns/{campaign.slug}/export.csv")
    assert answer.status_code == 200
    RoleGrant.objects.create(user=lead, role=Role.ANNOTATOR)
    revise_plan(campaign=campaign, because="the lead labels too")
    assert not campaign.assignments.filter(annotator=lead).exists()
    assert assign_next(campaign=campaign, annotator=lead) is None
