"""The plan changes, people come and go, and leases run out in the very moment of a save or a hand-out."""

import uuid
from functools import partial

import pytest
from django.db import connection, transaction
from django.test import Client

from annotation.assignment import queue, sittings
from annotation.assignment.planning import replan_where_needed, revise_plan
from annotation.assignment.queue import assign_next, hand_out
from annotation.campaigns.services import pause_member, resume_member, set_members
from annotation.labelling.services import NotYoursError, record_label
from annotation.labelling.unlabelled import pass_sample
from annotation.models import (
    OPEN_STATES,
    Assignment,
    AssignmentState,
    Campaign,
    CampaignMember,
    Label,
    Sample,
)
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role
from tests import people
from tests.annotation.worlds import GOOD_ANSWERS, join, make_campaign, make_conversations, submission
from tests.concurrency.conftest import ClientFor
from tests.concurrency.crowd import Doing, HeldOpen, at_once, wait_until_it_waits

pytestmark = pytest.mark.concurrency
TIMES = 8


@pytest.fixture
def third(database: None) -> User:
    return people.make("third", Role.ANNOTATOR)


def member(campaign: Campaign, user: User) -> CampaignMember:
    return CampaignMember.objects.get(campaign=campaign, user=user, left_at=None)


def taken(campaign: Campaign, person: User) -> Assignment:
    """Return the sample on the person's screen."""
    slot = assign_next(campaign=campaign, annotator=person)
    assert slot is not None
    return slot


def test_a_save_while_its_maker_is_taken_out_of_the_campaign(
    campaign: Campaign, lead: User, annotator: User, second_annotator: User
) -> None:
    both = [annotator.pk, second_annotator.pk]
    for _ in range(TIMES):
        slot = taken(campaign, annotator)
        saved, removed = at_once(
            partial(record_label, annotator=annotator, assignment=slot, submission=submission(campaign)),
            partial(set_members, campaign=campaign, user_ids=both[1:], changed_by=lead),
        )
        assert removed.refusal is None
        assert saved.refusal is None or isinstance(saved.refusal, NotYoursError)
        assert Label.objects.filter(assignment=slot).exists() == (saved.refusal is None)
        assert not Assignment.objects.filter(annotator=annotator, state__in=OPEN_STATES).exists()
        set_members(campaign=campaign, user_ids=both, changed_by=lead)


def test_a_save_while_its_maker_is_paused_or_comes_back(
    campaign: Campaign, lead: User, annotator: User
) -> None:
    """What was read is kept: a pause or its end never refuses the label on the screen."""
    me = member(campaign, annotator)
    for change in [pause_member, resume_member] * TIMES:
        if change is resume_member:
            resume_member(campaign=campaign, member=me, changed_by=lead)
            slot = taken(campaign, annotator)
            pause_member(campaign=campaign, member=me, changed_by=lead)
        else:
            slot = taken(campaign, annotator)
        saved, changed = at_once(
            partial(record_label, annotator=annotator, assignment=slot, submission=submission(campaign)),
            partial(change, campaign=campaign, member=me, changed_by=lead),
        )
        assert (saved.refusal, changed.refusal) == (None, None)
        slot.refresh_from_db()
        assert slot.state == AssignmentState.LABELLED


def test_a_sample_labelled_while_it_is_planned_again_stays_labelled(
    campaign: Campaign, lead: User, annotator: User
) -> None:
    """The planner saw the slot withdrawn, and in the same moment what was read there is saved."""
    slot, me = taken(campaign, annotator), member(campaign, annotator)
    pause_member(campaign=campaign, member=me, changed_by=lead)
    # A sample that has just arrived gets its part in the design first, and somebody holds it just now.
    arrived = make_sample(campaign)
    blocked = HeldOpen(lambda: Sample.objects.select_for_update().get(pk=arrived.pk))
    back = Doing(partial(resume_member, campaign=campaign, member=me, changed_by=lead))
    wait_until_it_waits(back)
    record_label(annotator=annotator, assignment=slot, submission=submission(campaign))
    blocked.commit()
    assert back.result().refusal is None
    slot.refresh_from_db()
    assert slot.state == AssignmentState.LABELLED
    handed = hand_out(campaign=campaign, annotator=annotator, count=3).slots
    assert slot.pk not in {one.pk for one in handed}


def make_sample(campaign: Campaign) -> Sample:
    """Return one more sample, not planned yet."""
    [conversation] = make_conversations(1, source_name="arrived later")
    return Sample.objects.create(
        campaign=campaign,
        conversation=conversation,
        number=campaign.samples.count() + 1,
        window_start=0,
        window_stop=conversation.turn_count,
        has_client_turn=True,
        has_assistant_turn=True,
    )


def test_what_is_taken_back_in_this_moment_is_not_handed_out(
    campaign: Campaign, lead: User, annotator: User
) -> None:
    """The sample was fetched ahead by another tab; the plan takes it back while this one asks for it."""
    ahead = hand_out(campaign=campaign, annotator=annotator, count=3).slots
    taking_back = HeldOpen(
        partial(pause_member, campaign=campaign, member=member(campaign, annotator), changed_by=lead)
    )
    asking = Doing(partial(hand_out, campaign=campaign, annotator=annotator, count=3))
    wait_until_it_waits(asking, or_is_over=True)
    taking_back.commit()
    outcome = asking.result()
    assert outcome.refusal is None
    states = set(Assignment.objects.filter(pk__in=[one.pk for one in ahead]).values_list("state", flat=True))
    assert states == {AssignmentState.WITHDRAWN}
    assert outcome.answer.slots == ()


def test_a_hand_out_and_a_change_of_the_plan_do_not_wait_for_each_other(
    campaign: Campaign, lead: User, annotator: User
) -> None:
    hand_out(campaign=campaign, annotator=annotator, count=2)
    me = member(campaign, annotator)
    for _ in range(TIMES):
        outcomes = at_once(
            partial(hand_out, campaign=campaign, annotator=annotator, count=3),
            partial(pause_member, campaign=campaign, member=me, changed_by=lead),
            partial(hand_out, campaign=campaign, annotator=annotator, count=3),
        )
        assert [one.refusal for one in outcomes] == [None] * 3
        resume_member(campaign=campaign, member=me, changed_by=lead)
        hand_out(campaign=campaign, annotator=annotator, count=3)


def test_a_sample_passed_while_the_plan_changes_gets_another_reader(
    lead: User, annotator: User, second_annotator: User, third: User, record: None
) -> None:
    campaign = make_campaign(lead, [annotator, second_annotator], samples=12)
    slot = taken(campaign, annotator)
    passing = HeldOpen(partial(pass_sample, annotator=annotator, assignment=slot, key=uuid.uuid4()))
    join(campaign, third)
    assert revise_plan(campaign=campaign, because="made up") is not None
    passing.commit()
    replan_where_needed()
    readers = Assignment.objects.filter(
        sample=slot.sample, state__in=(*OPEN_STATES, AssignmentState.LABELLED), repeat_number=0
    )
    assert set(readers.values_list("annotator", flat=True)) == {second_annotator.pk, third.pk}


def test_a_tab_that_goes_on_and_a_tab_that_saves_do_not_block_each_other(
    campaign: Campaign, annotator: User, client_for: ClientFor
) -> None:
    """One tab tells that a sample is on the screen, the other saves that very sample."""
    client = client_for(annotator)
    for _ in range(TIMES):
        slots = hand_out(campaign=campaign, annotator=annotator, count=2).slots
        with transaction.atomic():
            sittings.touch(campaign_id=campaign.pk, annotator=annotator)
            going_on = Doing(partial(_ask_next, client, campaign, slots[1]))
            wait_until_it_waits(going_on)
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '5s'")
            record_label(annotator=annotator, assignment=slots[1], submission=submission(campaign))
        outcome = going_on.result()
        assert outcome.refusal is None
        assert outcome.answer == 200
        record_label(annotator=annotator, assignment=slots[0], submission=submission(campaign))


def _ask_next(client: Client, campaign: Campaign, showing: Assignment) -> int:
    url = f"/api/v1/campaigns/{campaign.slug}/next/"
    return client.post(url, {"showing": str(showing.pk)}, "application/json").status_code


def test_many_tabs_of_one_person_over_the_api(
    campaign: Campaign, annotator: User, client_for: ClientFor
) -> None:
    """Each tab saves what it has and tells what it shows next, as the page does; none gets an error."""
    clients = [client_for(annotator) for _ in range(4)]
    for _ in range(TIMES):
        slots = hand_out(campaign=campaign, annotator=annotator, count=3).slots
        if len(slots) < 3:
            break
        pairs = [(slots[0], slots[1]), (slots[1], slots[2]), (slots[2], slots[0]), (slots[0], slots[2])]
        outcomes = at_once(
            *(
                partial(_save_and_show, client, campaign, *pair)
                for client, pair in zip(clients, pairs, strict=True)
            )
        )
        assert [one.refusal for one in outcomes] == [None] * 4
        assert {one.answer for one in outcomes} <= {201, 409}
        assert sum(one.answer == 201 for one in outcomes) == 3


def test_saves_over_the_api_while_their_maker_is_paused(
    campaign: Campaign, lead: User, annotator: User, client_for: ClientFor
) -> None:
    client, me = client_for(annotator), member(campaign, annotator)
    for _ in range(TIMES):
        hand_out(campaign=campaign, annotator=annotator, count=3)
        on_screen = taken(campaign, annotator)
        following = Assignment.objects.filter(annotator=annotator, state=AssignmentState.LEASED)
        ahead = following.exclude(pk=on_screen.pk)[0]
        saved, paused = at_once(
            partial(_save_and_show, client, campaign, on_screen, ahead),
            partial(pause_member, campaign=campaign, member=me, changed_by=lead),
        )
        assert (saved.refusal, paused.refusal) == (None, None)
        assert saved.answer == 201
        resume_member(campaign=campaign, member=me, changed_by=lead)


def _save_and_show(client: Client, campaign: Campaign, slot: Assignment, following: Assignment) -> int:
    url = f"/api/v1/campaigns/{campaign.slug}/assignments/{slot.pk}/label/"
    body = {
        "key": str(uuid.uuid4()),
        "guideline": str(campaign.guideline_id),
        "answers": GOOD_ANSWERS,
        "held": [str(following.pk)],
        "count": 2,
        "showing": str(following.pk),
    }
    return client.post(url, body, "application/json").status_code


def test_expired_leases_are_released_while_their_samples_are_saved(
    campaign: Campaign, annotator: User
) -> None:
    for _ in range(TIMES):
        slots = hand_out(campaign=campaign, annotator=annotator, count=2).slots
        Assignment.objects.filter(state=AssignmentState.LEASED).update(leased_until="2020-01-01T00:00Z")
        outcomes = at_once(
            *(
                partial(record_label, annotator=annotator, assignment=slot, submission=submission(campaign))
                for slot in slots
            ),
            queue.release_expired_leases,
            queue.release_expired_leases,
        )
        assert [one.refusal for one in outcomes] == [None] * 4
        assert Assignment.objects.filter(pk__in=[slot.pk for slot in slots], state="labelled").count() == 2
