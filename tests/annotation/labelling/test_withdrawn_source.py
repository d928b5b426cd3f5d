"""A source is withdrawn while people label it: its text is gone, its labels and the chain stand."""

from collections.abc import Callable

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from annotation.assignment.planning import replan_where_needed
from annotation.assignment.queue import assign_next, hand_out
from annotation.models import OPEN_STATES, Assignment, AssignmentState, Campaign, Label
from datasets_app.models import Conversation, Source
from datasets_app.texts import read_turns
from datasets_app.withdrawal import withdraw_source
from prometheus_site.accounts.models import User
from prometheus_site.audit.verification import verify
from prometheus_site.core.sealing import TextErasedError
from tests.annotation.worlds import label

ClientFor = Callable[[User], Client]


@pytest.fixture
def withdrawn(campaign: Campaign, annotator: User) -> Label:
    """The label given before the source was withdrawn, with another sample on the screen."""
    given = label(campaign, annotator, 1)
    assign_next(campaign=campaign, annotator=annotator)
    withdraw_source(name="source of made-up", because="consent was taken back")
    return given


def test_its_texts_cannot_be_read(withdrawn: Label) -> None:
    conversation = Conversation.objects.select_related("text__data_key")[0]
    with pytest.raises(TextErasedError):
        read_turns(conversation)


def test_its_samples_leave_the_queue_at_once(
    withdrawn: Label, campaign: Campaign, annotator: User, client_for: ClientFor
) -> None:
    assert assign_next(campaign=campaign, annotator=annotator) is None
    assert hand_out(campaign=campaign, annotator=annotator, count=3).slots == ()


def test_its_open_slots_are_taken_back_by_the_next_revision(
    withdrawn: Label,
    campaign: Campaign,
    annotator: User,
    second_annotator: User,
    client_for: ClientFor,
) -> None:
    assert replan_where_needed() == 1
    assert Assignment.objects.filter(state=AssignmentState.WITHDRAWN).count() == 11
    assert not Assignment.objects.filter(state__in=OPEN_STATES).exists()
    assert replan_where_needed() == 0
    page = client_for(annotator).get(reverse("annotation:workbench", args=[campaign.slug])).content.decode()
    assert "Your queue is empty" in page
    assert "1 of 1" in page


def test_labels_given_on_it_stand_and_say_why_there_is_no_text(
    withdrawn: Label, campaign: Campaign, annotator: User, client_for: ClientFor
) -> None:
    url = reverse("annotation:correct_label", args=[campaign.slug, withdrawn.pk])
    assert "was erased when its source was withdrawn" in client_for(annotator).get(url).content.decode()
    assert verify().holds


def test_twice_is_once(withdrawn: Label) -> None:
    before = Source.objects.get(name="source of made-up").withdrawn_at
    assert withdraw_source(name="source of made-up", because="again").withdrawn_at == before


def test_the_command_names_an_unknown_source(database: None) -> None:
    with pytest.raises(CommandError, match="no source “nowhere”"):
        call_command("withdraw_source", "nowhere", "--because", "a test", "--yes")
