"""Undo: the latest label or pass is back on screen until it locks, and nothing stored is lost."""

import re
import uuid
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from annotation.assignment import sittings
from annotation.assignment.queue import assign_next, hand_out
from annotation.labelling import drafts
from annotation.labelling.services import (
    AlreadyLabelledError,
    KeyReusedError,
    LockedError,
    clinician_scope,
    correct_label,
    record_label,
    undo_label,
)
from annotation.labelling.unlabelled import pass_sample, undo_last
from annotation.models import (
    Assignment,
    AssignmentState,
    Campaign,
    CampaignState,
    Label,
    LabelsOpened,
    LabelUndo,
    Pass,
    Sitting,
)
from prometheus_site.accounts.models import User
from prometheus_site.audit.models import ChainEntry
from prometheus_site.audit.verification import verify
from prometheus_site.core import sealing
from tests.annotation.planned import give, make_planned_campaign
from tests.annotation.worlds import make_campaign, submission

ClientFor = Callable[[User], Client]


@pytest.fixture
def campaign(lead: User, annotator: User, second_annotator: User) -> Campaign:
    return make_planned_campaign(lead, [annotator, second_annotator], samples=14, repeat_percent=0)


def shown(campaign: Campaign, annotator: User) -> Assignment:
    found = assign_next(campaign=campaign, annotator=annotator)
    assert found is not None
    return found


def pass_next(campaign: Campaign, annotator: User) -> Pass:
    slot = shown(campaign, annotator)
    return pass_sample(annotator=annotator, assignment=slot, key=uuid.uuid4())


# --- A label -----------------------------------------------------------------------------------------------
def test_the_sample_is_on_screen_again_with_its_answers(campaign: Campaign, annotator: User) -> None:
    given = give(campaign, shown(campaign, annotator), answers={"empathy_global": "5"}, note="a thought")
    slot = undo_last(annotator=annotator, campaign=campaign)
    slot.refresh_from_db()
    assert slot == given.assignment
    assert slot.state == AssignmentState.LEASED
    assert slot.lease_id is not None
    assert slot.leased_until is not None
    assert slot.leased_until > timezone.now()
    kept = drafts.draft_of(slot)
    assert kept is not None
    assert (kept.answers, kept.note) == (given.answers, "a thought")
    assert assign_next(campaign=campaign, annotator=annotator) == slot


def test_the_label_stays_stored_and_counts_for_nothing(campaign: Campaign, annotator: User) -> None:
    given = give(campaign, shown(campaign, annotator))
    undo_last(annotator=annotator, campaign=campaign)
    assert Label.objects.get() == given
    assert not Label.objects.current().exists()
    assert not Label.objects.first_given().exists()
    sittings.end(campaign=campaign, annotator=annotator)
    assert not Label.objects.locked().exists()


def test_the_record_names_the_undo(campaign: Campaign, annotator: User) -> None:
    given = give(campaign, shown(campaign, annotator))
    undo_last(annotator=annotator, campaign=campaign)
    undo = LabelUndo.objects.get()
    assert (undo.label, undo.annotator) == (given, annotator)
    kinds = ChainEntry.objects.filter(chain=annotator).order_by("sequence").values_list("kind", "object_id")
    assert list(kinds) == [("label", given.pk), ("undo", undo.pk)]
    assert verify().holds


def test_saved_again_it_follows_the_undone_one(campaign: Campaign, annotator: User) -> None:
    first = give(campaign, shown(campaign, annotator))
    order = first.screen_order
    slot = undo_last(annotator=annotator, campaign=campaign)
    second = give(campaign, slot, answers={"empathy_global": "4"})
    assert second.supersedes == first
    assert second.replaces_undone == first.undo
    assert second.reason is None
    assert second.screen_order == order
    assert list(Label.objects.current()) == list(Label.objects.first_given()) == [second]
    assert drafts.draft_of(slot) is None
    assert verify().holds


def test_as_often_as_one_likes(campaign: Campaign, annotator: User) -> None:
    slot = shown(campaign, annotator)
    given = [give(campaign, slot)]
    for _ in range(3):
        undo_last(annotator=annotator, campaign=campaign)
        given.append(give(campaign, slot))
    assert [one.supersedes for one in given] == [None, *given[:-1]]
    assert list(Label.objects.current()) == [given[-1]]
    assert ChainEntry.objects.count() == 7
    assert verify().holds


def test_goes_back_one_by_one(campaign: Campaign, annotator: User) -> None:
    given = [give(campaign, shown(campaign, annotator)) for _ in range(3)]
    taken = [undo_last(annotator=annotator, campaign=campaign) for _ in range(3)]
    assert taken == [one.assignment for one in reversed(given)]
    with pytest.raises(LockedError, match="nothing to undo"):
        undo_last(annotator=annotator, campaign=campaign)


def test_takes_the_named_one(campaign: Campaign, annotator: User) -> None:
    given = [give(campaign, shown(campaign, annotator)) for _ in range(3)]
    assert undo_last(annotator=annotator, campaign=campaign, of=given[0].pk) == given[0].assignment
    assert LabelUndo.objects.get().label == given[0]


def test_a_request_that_is_sent_twice_undoes_one(campaign: Campaign, annotator: User) -> None:
    """Named as the page names it: an answer that got lost does not cost a second label."""
    given = [give(campaign, shown(campaign, annotator)) for _ in range(2)]
    for _ in range(2):
        assert undo_last(annotator=annotator, campaign=campaign, of=given[1].pk) == given[1].assignment
    assert LabelUndo.objects.get().label == given[1]


def test_what_was_fetched_ahead_stays_behind_it(campaign: Campaign, annotator: User) -> None:
    first, *ahead = hand_out(campaign=campaign, annotator=annotator, count=3).slots
    give(campaign, first)
    undo_last(annotator=annotator, campaign=campaign)
    assert list(hand_out(campaign=campaign, annotator=annotator, count=3).slots) == [first, *ahead]


# --- What is locked ----------------------------------------------------------------------------------------
def test_the_eleventh_back_is_locked(campaign: Campaign, annotator: User) -> None:
    given = [give(campaign, shown(campaign, annotator)) for _ in range(11)]
    with pytest.raises(LockedError):
        undo_last(annotator=annotator, campaign=campaign, of=given[0].pk)
    for _ in range(10):
        undo_last(annotator=annotator, campaign=campaign)
    with pytest.raises(LockedError):
        undo_last(annotator=annotator, campaign=campaign)
    assert Label.objects.current().get() == given[0]


def test_a_sitting_that_ended_locks_everything(campaign: Campaign, annotator: User) -> None:
    given = give(campaign, shown(campaign, annotator))
    sittings.end(campaign=campaign, annotator=annotator)
    for of in (None, given.pk):
        with pytest.raises(LockedError):
            undo_last(annotator=annotator, campaign=campaign, of=of)
    with pytest.raises(LockedError, match="with a reason"):
        undo_label(annotator=annotator, label=given)


def test_a_corrected_label_is_locked_and_so_is_the_correction(campaign: Campaign, annotator: User) -> None:
    given = give(campaign, shown(campaign, annotator))
    fixed = correct_label(
        annotator=annotator, label=given, submission=submission(campaign, reason="a slip")
    ).label
    for of in (given.pk, fixed.pk, None):
        with pytest.raises(LockedError):
            undo_last(annotator=annotator, campaign=campaign, of=of)


def test_an_undone_label_cannot_be_corrected(campaign: Campaign, annotator: User) -> None:
    given = give(campaign, shown(campaign, annotator))
    undo_last(annotator=annotator, campaign=campaign)
    with pytest.raises(AlreadyLabelledError):
        correct_label(annotator=annotator, label=given, submission=submission(campaign, reason="a slip"))


@pytest.mark.parametrize("what", ["label", "pass"])
def test_a_closed_campaign_undoes_nothing(campaign: Campaign, annotator: User, what: str) -> None:
    if what == "label":
        give(campaign, shown(campaign, annotator))
    else:
        pass_next(campaign, annotator)
    Campaign.objects.filter(pk=campaign.pk).update(state=CampaignState.CLOSED)
    with pytest.raises(LockedError):
        undo_last(annotator=annotator, campaign=campaign)
    assert not Assignment.objects.filter(state=AssignmentState.LEASED).exists()


def test_who_has_read_the_labels_keeps_the_blind_one(campaign: Campaign, annotator: User) -> None:
    """Undone, it could not be given again, and a label that was blind would be lost."""
    given = give(campaign, shown(campaign, annotator))
    LabelsOpened.objects.create(campaign=campaign, reader=annotator)
    with pytest.raises(LockedError):
        undo_last(annotator=annotator, campaign=campaign)
    assert Label.objects.current().get() == given


def test_nobody_undoes_anothers(campaign: Campaign, annotator: User, second_annotator: User) -> None:
    given = give(campaign, shown(campaign, annotator))
    shown(campaign, second_annotator)
    for of in (None, given.pk, given.assignment_id):
        with pytest.raises(LockedError):
            undo_last(annotator=second_annotator, campaign=campaign, of=of)


def test_nothing_of_another_campaign_is_undone(campaign: Campaign, lead: User, annotator: User) -> None:
    other = make_planned_campaign(lead, [annotator], samples=2, slug="other", labels_per_sample=1)
    given = give(other, shown(other, annotator))
    for of in (None, given.pk):
        with pytest.raises(LockedError):
            undo_last(annotator=annotator, campaign=campaign, of=of)


def test_after_the_clinicians_key_was_destroyed_the_answers_come_back_without_the_note(
    campaign: Campaign, annotator: User
) -> None:
    given = give(campaign, shown(campaign, annotator), note="a thought")
    sealing.destroy_key(clinician_scope(annotator), "withdrew")
    slot = undo_last(annotator=annotator, campaign=campaign)
    kept = drafts.draft_of(slot)
    assert kept is not None
    assert (kept.answers, kept.note) == (given.answers, "")


# --- A save that arrives late ------------------------------------------------------------------------------
def test_the_same_save_again_does_not_call_an_undone_label_saved(campaign: Campaign, annotator: User) -> None:
    """It was taken back: to answer "saved" to the same key would lose what is on the screen now."""
    slot = shown(campaign, annotator)
    sent = submission(campaign)
    record_label(annotator=annotator, assignment=slot, submission=sent)
    undo_last(annotator=annotator, campaign=campaign)
    with pytest.raises(KeyReusedError):
        record_label(annotator=annotator, assignment=slot, submission=sent)
    assert not Label.objects.current().exists()


# --- A pass ------------------------------------------------------------------------------------------------
def test_a_pass_is_taken_back(campaign: Campaign, annotator: User) -> None:
    passed = pass_next(campaign, annotator)
    slot = undo_last(annotator=annotator, campaign=campaign)
    slot.refresh_from_db()
    passed.refresh_from_db()
    assert (slot.pk, slot.state) == (passed.assignment_id, AssignmentState.LEASED)
    assert passed.taken_back_at is not None
    assert give(campaign, slot).supersedes is None


def test_a_pass_can_be_passed_and_taken_back_again(campaign: Campaign, annotator: User) -> None:
    for _ in range(2):
        pass_next(campaign, annotator)
        undo_last(annotator=annotator, campaign=campaign)
    assert Pass.objects.filter(taken_back_at__isnull=False).count() == 2
    assert Assignment.objects.filter(annotator=annotator, state=AssignmentState.PASSED).count() == 0


def test_the_later_of_a_label_and_a_pass_comes_back(campaign: Campaign, annotator: User) -> None:
    given = give(campaign, shown(campaign, annotator))
    passed = pass_next(campaign, annotator)
    assert undo_last(annotator=annotator, campaign=campaign) == passed.assignment
    assert undo_last(annotator=annotator, campaign=campaign) == given.assignment


def test_a_pass_before_a_label_waits_for_its_turn(campaign: Campaign, annotator: User) -> None:
    passed = pass_next(campaign, annotator)
    given = give(campaign, shown(campaign, annotator))
    assert undo_last(annotator=annotator, campaign=campaign, of=passed.assignment_id) == passed.assignment
    assert undo_last(annotator=annotator, campaign=campaign) == given.assignment


def test_a_pass_of_a_sitting_that_is_over_stays(
    campaign: Campaign, annotator: User, second_annotator: User
) -> None:
    pass_next(campaign, annotator)
    shown(campaign, second_annotator)  # somebody else's sitting began before and goes on
    Sitting.objects.filter(annotator=second_annotator).update(started_at=timezone.now().replace(year=2020))
    sittings.end(campaign=campaign, annotator=annotator)
    with pytest.raises(LockedError):
        undo_last(annotator=annotator, campaign=campaign)


# --- The page ----------------------------------------------------------------------------------------------
def url(campaign: Campaign) -> str:
    return reverse("annotation:undo", args=[campaign.slug])


def test_works_without_a_script(campaign: Campaign, annotator: User, client_for: ClientFor) -> None:
    given = give(campaign, shown(campaign, annotator), answers={"empathy_global": "5"}, note="what I thought")
    page = client_for(annotator).post(url(campaign), follow=True).content.decode()
    assert f"Sample {given.sample.number}<" in page
    assert re.search(r'name="answer-empathy_global" value="5"[^>]* checked', page)
    assert "what I thought" in page
    assert "Undone." in page


def test_a_passed_sample_is_back_on_the_page(
    campaign: Campaign, annotator: User, client_for: ClientFor
) -> None:
    passed = pass_next(campaign, annotator)
    client = client_for(annotator)
    client.post(reverse("annotation:fetch_next", args=[campaign.slug]))
    page = client.post(url(campaign), follow=True).content.decode()
    assert f"Sample {passed.assignment.sample.number}<" in page


def test_says_when_there_is_nothing_to_undo(
    campaign: Campaign, annotator: User, client_for: ClientFor
) -> None:
    page = client_for(annotator).post(url(campaign), follow=True).content.decode()
    assert "There is nothing to undo" in page


def test_is_for_annotators_of_the_campaign_only(
    campaign: Campaign,
    annotator: User,
    lead: User,
    adjudicator: User,
    outsider: User,
    client_for: ClientFor,
) -> None:
    other = make_campaign(lead, [], slug="other")
    for person in (lead, adjudicator, outsider):
        assert client_for(person).post(url(campaign)).status_code == 404
    assert client_for(annotator).post(url(other)).status_code == 404
    assert Client().post(url(campaign)).status_code == 302
    assert client_for(annotator).get(url(campaign)).status_code == 405


def test_takes_as_many_queries_after_many_labels(
    campaign: Campaign,
    annotator: User,
    client_for: ClientFor,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for _ in range(9):
        give(campaign, shown(campaign, annotator))
    client = client_for(annotator)
    with django_assert_max_num_queries(35):
        client.post(url(campaign))
    assert LabelUndo.objects.count() == 1
