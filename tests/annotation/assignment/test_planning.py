"""The plan as it is stored: roles, slots and revisions, and what it does when people come, pause and pass."""

import time
import uuid
from collections import Counter
from itertools import pairwise

import pytest
from django.utils import timezone

from annotation.assignment.planning import POSITION_STEP, replan_where_needed, revise_plan
from annotation.assignment.queue import assign_next, hand_out
from annotation.campaigns.services import set_members
from annotation.labelling.unlabelled import pass_sample, undo_last
from annotation.models import (
    OPEN_STATES,
    AssignmentState,
    Campaign,
    CampaignMember,
    DesignRole,
    Label,
    PlanRevision,
    Purpose,
    Sample,
)
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role
from tests import people
from tests.annotation.planned import give, make_planned_campaign, queue_of
from tests.annotation.worlds import join, make_conversations


@pytest.fixture
def third(database: None) -> User:
    return people.make("third", Role.ANNOTATOR)


@pytest.fixture
def campaign(lead: User, annotator: User, second_annotator: User) -> Campaign:
    """2 training, 3 calibration, 4 anchor and 11 overlap samples, 6 of them all estimated severe."""
    return make_planned_campaign(
        lead,
        [annotator, second_annotator],
        samples=20,
        severe=range(1, 7),
        training_samples=2,
        calibration_samples=3,
        anchor_samples=4,
    )


def open_slots(campaign: Campaign, person: User) -> int:
    return campaign.assignments.filter(annotator=person, state__in=OPEN_STATES).count()


def set_paused(campaign: Campaign, person: User, *, is_paused: bool) -> None:
    member = CampaignMember.objects.get(campaign=campaign, user=person)
    member.paused_at = timezone.now() if is_paused else None
    member.save()


def standing(campaign: Campaign) -> list[tuple[object, ...]]:
    rows = campaign.assignments.order_by("pk")
    return list(
        rows.values_list("pk", "sample", "annotator", "purpose", "repeat_number", "position", "state")
    )


# --- What a plan stores ------------------------------------------------------------------------------------
def test_every_sample_has_its_role(campaign: Campaign) -> None:
    roles = Counter(campaign.samples.values_list("design_role", flat=True))
    assert roles == {
        DesignRole.TRAINING: 2,
        DesignRole.CALIBRATION: 3,
        DesignRole.ANCHOR: 4,
        DesignRole.OVERLAP: 11,
    }


def test_everybody_reads_what_is_for_all(
    lead: User, annotator: User, second_annotator: User, third: User
) -> None:
    campaign = make_planned_campaign(
        lead, [annotator, second_annotator, third], samples=12, anchor_samples=3, training_samples=1
    )
    for sample in campaign.samples.exclude(design_role=DesignRole.OVERLAP):
        readers = sample.assignments.values_list("annotator", flat=True)
        assert sorted(readers) == sorted([annotator.pk, second_annotator.pk, third.pk])
    for sample in campaign.samples.filter(design_role=DesignRole.OVERLAP):
        assert sample.assignments.filter(repeat_number=0).count() == 2


def test_a_slots_purpose_is_its_samples_role(campaign: Campaign) -> None:
    for slot in campaign.assignments.select_related("sample"):
        expected = Purpose.REPEAT if slot.repeat_number else slot.sample.design_role
        assert slot.purpose == expected


def test_the_queue_begins_with_training_and_calibration(campaign: Campaign, annotator: User) -> None:
    # A severe sample that finds no other beside it in its part moves on to the next part.
    calm = [slot for slot in queue_of(campaign, annotator) if not slot.sample.is_estimated_severe]
    parts = {Purpose.TRAINING: 1, Purpose.CALIBRATION: 2, Purpose.ANCHOR: 3, Purpose.OVERLAP: 3}
    order = [parts[Purpose(slot.purpose)] for slot in calm]
    assert order == sorted(order)
    assert {1, 2, 3} >= set(order)
    assert 3 in order


def test_places_leave_room_for_what_comes_back(campaign: Campaign, annotator: User) -> None:
    places = [slot.position for slot in queue_of(campaign, annotator)]
    assert {second - first for first, second in pairwise(places)} == {POSITION_STEP}


def test_severe_samples_are_interleaved_in_the_queue(campaign: Campaign, annotator: User) -> None:
    severe = [slot.sample.is_estimated_severe for slot in queue_of(campaign, annotator)]
    assert sum(severe) == 6
    assert not any(first and second for first, second in pairwise(severe))


def test_labels_per_sample_of_one_gives_each_overlap_sample_one_reader(
    lead: User, annotator: User, second_annotator: User
) -> None:
    campaign = make_planned_campaign(
        lead, [annotator, second_annotator], samples=10, labels_per_sample=1, repeat_percent=0
    )
    assert Counter(campaign.assignments.values_list("annotator", flat=True)) == {
        annotator.pk: 5,
        second_annotator.pk: 5,
    }


# --- Revisions ---------------------------------------------------------------------------------------------
def test_each_plan_is_written_down(campaign: Campaign, annotator: User, second_annotator: User) -> None:
    [revision] = PlanRevision.objects.filter(campaign=campaign)
    assert (revision.number, revision.because, revision.made_by) == (1, "made up", None)
    assert revision.slots_added == campaign.assignments.count()
    assert (revision.slots_taken_back, revision.labels_short) == (0, 0)
    assert revision.capacity == {annotator.code: 10.0, second_annotator.code: 10.0}
    assert revision.design["anchors"] == 4
    assert revision.design["labels_per_sample"] == 2
    assert revision.design["seed"] == campaign.seed


def test_a_plan_made_again_changes_and_writes_nothing(campaign: Campaign) -> None:
    before = standing(campaign)
    assert revise_plan(campaign=campaign, because="again") is None
    assert replan_where_needed() == 0
    assert standing(campaign) == before
    assert PlanRevision.objects.filter(campaign=campaign).count() == 1


def test_labelling_changes_no_plan(campaign: Campaign, annotator: User) -> None:
    for _ in range(4):
        slot = assign_next(campaign=campaign, annotator=annotator)
        assert slot is not None
        give(campaign, slot)
    assert revise_plan(campaign=campaign, because="again") is None


def test_revisions_are_numbered_per_campaign(
    campaign: Campaign, lead: User, annotator: User, second_annotator: User, third: User
) -> None:
    other = make_planned_campaign(lead, [annotator], samples=2, slug="other", labels_per_sample=1)
    join(campaign, third)
    second = revise_plan(campaign=campaign, because="somebody joined", made_by=lead)
    assert second is not None
    assert (second.number, second.because, second.made_by) == (2, "somebody joined", lead)
    assert PlanRevision.objects.get(campaign=other).number == 1


def test_the_plan_says_how_many_labels_nobody_is_left_to_give(lead: User, annotator: User) -> None:
    campaign = make_planned_campaign(lead, [annotator], samples=5, labels_per_sample=3, repeat_percent=0)
    assert PlanRevision.objects.get().labels_short == 10
    assert campaign.assignments.count() == 5


def test_without_people_the_roles_are_drawn_once_and_stay(lead: User, annotator: User) -> None:
    campaign = make_planned_campaign(lead, [], samples=6, anchor_samples=2)
    roles = dict(campaign.samples.values_list("pk", "design_role"))
    assert "" not in roles.values()
    join(campaign, annotator)
    assert revise_plan(campaign=campaign, because="somebody joined") is not None
    assert dict(campaign.samples.values_list("pk", "design_role")) == roles


def test_samples_that_arrive_later_are_overlap_behind_what_stands(
    campaign: Campaign, annotator: User
) -> None:
    started = hand_out(campaign=campaign, annotator=annotator, count=2).slots
    [conversation] = make_conversations(1, source_name="later", turns=4)
    new = Sample.objects.create(
        campaign=campaign,
        conversation=conversation,
        number=21,
        window_start=0,
        window_stop=4,
        has_client_turn=True,
        has_assistant_turn=True,
    )
    revision = revise_plan(campaign=campaign, because="samples arrived")
    assert revision is not None
    assert revision.slots_added >= 2
    new.refresh_from_db()
    assert new.design_role == DesignRole.OVERLAP
    assert new.assignments.filter(repeat_number=0).count() == 2
    assert hand_out(campaign=campaign, annotator=annotator, count=2).slots == started


# --- People come and go ------------------------------------------------------------------------------------
def test_a_newcomer_gets_a_share_and_everything_for_all(
    campaign: Campaign, annotator: User, second_annotator: User, third: User
) -> None:
    slot = assign_next(campaign=campaign, annotator=annotator)
    assert slot is not None
    join(campaign, third)
    revision = revise_plan(campaign=campaign, because="somebody joined")
    assert revision is not None
    assert revision.slots_taken_back > 0
    own = campaign.assignments.filter(annotator=third, repeat_number=0)
    assert own.exclude(purpose=Purpose.OVERLAP).count() == 9
    overlap = Counter(
        campaign.assignments.filter(purpose=Purpose.OVERLAP, state__in=OPEN_STATES).values_list(
            "annotator", flat=True
        )
    )
    assert sum(overlap.values()) == 22
    assert max(overlap.values()) - min(overlap.values()) <= 2
    slot.refresh_from_db()
    assert slot.state == AssignmentState.LEASED
    assert revise_plan(campaign=campaign, because="again") is None


def test_what_somebody_has_at_hand_is_not_taken_for_a_newcomer(
    lead: User, annotator: User, second_annotator: User, third: User
) -> None:
    """Neither the sample on screen nor those fetched ahead for it: the page would show them all the same."""
    campaign = make_planned_campaign(lead, [annotator, second_annotator], samples=12, repeat_percent=0)
    for person in (annotator, second_annotator):
        for _ in range(4):
            held = campaign.assignments.filter(annotator=person, state=AssignmentState.LEASED)
            hand_out(campaign=campaign, annotator=person, count=3, held=held.values_list("pk", flat=True))
    join(campaign, third)
    revise_plan(campaign=campaign, because="somebody joined")
    assert set(campaign.assignments.values_list("state", flat=True)) == {AssignmentState.LEASED}


def test_who_pauses_is_given_nothing_until_back(
    campaign: Campaign, annotator: User, second_annotator: User, third: User
) -> None:
    join(campaign, third)
    revise_plan(campaign=campaign, because="somebody joined")
    first = assign_next(campaign=campaign, annotator=annotator)
    assert first is not None
    given = give(campaign, first)
    set_paused(campaign, annotator, is_paused=True)
    assert replan_where_needed() == 1
    assert open_slots(campaign, annotator) == 0
    assert assign_next(campaign=campaign, annotator=annotator) is None
    overlap = campaign.samples.filter(design_role=DesignRole.OVERLAP)
    live = [*OPEN_STATES, AssignmentState.LABELLED]
    for sample in overlap:
        assert sample.assignments.filter(repeat_number=0, state__in=live).count() >= 2
    set_paused(campaign, annotator, is_paused=False)
    assert revise_plan(campaign=campaign, because="somebody is back") is not None
    assert open_slots(campaign, annotator) > 0
    assert assign_next(campaign=campaign, annotator=annotator) is not None
    assert Label.objects.get() == given
    assert replan_where_needed() == 0


def test_the_history_of_a_pause_adds_no_second_slot(campaign: Campaign, annotator: User) -> None:
    before = Counter(campaign.assignments.values_list("sample", "annotator", "repeat_number"))
    for is_paused in (True, False, True, False):
        set_paused(campaign, annotator, is_paused=is_paused)
        revise_plan(campaign=campaign, because="made up")
    after = Counter(campaign.assignments.values_list("sample", "annotator", "repeat_number"))
    assert after == before
    assert not campaign.assignments.filter(state=AssignmentState.WITHDRAWN).exists()
    severe = [slot.sample.is_estimated_severe for slot in queue_of(campaign, annotator)]
    assert not any(first and second for first, second in pairwise(severe))


def test_more_hours_get_more_work(lead: User, annotator: User, second_annotator: User, third: User) -> None:
    campaign = make_planned_campaign(lead, [], samples=40, repeat_percent=0)
    for person, hours in ((annotator, 4), (second_annotator, 8), (third, 8)):
        join(campaign, person, hours_per_week=hours)
    revise_plan(campaign=campaign, because="made up")
    mine, *others = (open_slots(campaign, person) for person in (annotator, second_annotator, third))
    assert mine + sum(others) == 80
    assert mine < min(others) * 0.7
    assert PlanRevision.objects.latest("number").capacity[annotator.code] == 4.0


# --- Passes ------------------------------------------------------------------------------------------------
def test_a_passed_sample_goes_to_somebody_else(
    lead: User, annotator: User, second_annotator: User, third: User
) -> None:
    campaign = make_planned_campaign(lead, [annotator, second_annotator, third], samples=9, repeat_percent=0)
    slot = assign_next(campaign=campaign, annotator=annotator)
    assert slot is not None
    pass_sample(annotator=annotator, assignment=slot, key=uuid.uuid4())
    assert replan_where_needed() == 1
    readers = slot.sample.assignments.filter(state__in=OPEN_STATES).values_list("annotator", flat=True)
    assert sorted(readers) == sorted([second_annotator.pk, third.pk])
    assert replan_where_needed() == 0


def test_a_passed_sample_never_comes_back_to_the_same_person(
    lead: User, annotator: User, second_annotator: User
) -> None:
    campaign = make_planned_campaign(lead, [annotator, second_annotator], samples=3, repeat_percent=0)
    slot = assign_next(campaign=campaign, annotator=annotator)
    assert slot is not None
    pass_sample(annotator=annotator, assignment=slot, key=uuid.uuid4())
    revise_plan(campaign=campaign, because="made up")
    set_members(campaign=campaign, user_ids=[second_annotator.pk], changed_by=lead)
    set_members(campaign=campaign, user_ids=[annotator.pk, second_annotator.pk], changed_by=lead)
    slot.refresh_from_db()
    assert slot.state == AssignmentState.PASSED
    assert open_slots(campaign, annotator) == 2


@pytest.mark.parametrize("anchors", [0, 3])
def test_a_pass_that_nobody_can_take_over_is_looked_at_once(
    lead: User, annotator: User, second_annotator: User, anchors: int
) -> None:
    """Nobody is left to read the sample: that is written down, and not found anew at every sweep."""
    campaign = make_planned_campaign(
        lead, [annotator, second_annotator], samples=3, anchor_samples=anchors, repeat_percent=0
    )
    slot = assign_next(campaign=campaign, annotator=annotator)
    assert slot is not None
    passed = pass_sample(annotator=annotator, assignment=slot, key=uuid.uuid4())
    passed.refresh_from_db()
    replan_where_needed()
    newest = PlanRevision.objects.latest("number")
    assert newest.made_at > passed.created_at
    assert newest.labels_short == (0 if anchors else 1)
    assert replan_where_needed() == 0
    assert PlanRevision.objects.latest("number") == newest


def test_an_undone_pass_leaves_the_plan_alone(campaign: Campaign, annotator: User) -> None:
    slot = assign_next(campaign=campaign, annotator=annotator)
    assert slot is not None
    pass_sample(annotator=annotator, assignment=slot, key=uuid.uuid4())
    undo_last(annotator=annotator, campaign=campaign)
    assert replan_where_needed() == 0


# --- Size --------------------------------------------------------------------------------------------------
def test_five_people_share_five_thousand_samples(lead: User, capsys: pytest.CaptureFixture[str]) -> None:
    five = [people.make(f"clinician-{number}", Role.ANNOTATOR) for number in range(1, 6)]
    campaign = make_planned_campaign(
        lead,
        [],
        samples=5000,
        severe=range(1, 5001, 5),
        training_samples=50,
        calibration_samples=100,
        anchor_samples=500,
    )
    for one in five:
        join(campaign, one)
    begun = time.perf_counter()
    revision = revise_plan(campaign=campaign, because="everybody joined")
    first = time.perf_counter()
    assert revise_plan(campaign=campaign, because="again") is None
    again = time.perf_counter()
    with capsys.disabled():
        print(f"\n5 x 5,000: planned in {first - begun:.1f} s, looked at again in {again - first:.1f} s")
    assert revision is not None
    assert revision.labels_short == 0
    per_person = Counter(
        campaign.assignments.filter(purpose=Purpose.OVERLAP).values_list("annotator", flat=True)
    )
    assert sum(per_person.values()) == 2 * 4350
    assert max(per_person.values()) - min(per_person.values()) <= 5
    pairs: Counter[tuple[object, object]] = Counter()
    readers: dict[object, list[object]] = {}
    rows = campaign.assignments.filter(purpose=Purpose.OVERLAP).order_by("annotator")
    for sample, reader in rows.values_list("sample", "annotator"):
        readers.setdefault(sample, []).append(reader)
    for first_reader, second_reader in readers.values():
        pairs[first_reader, second_reader] += 1
    assert len(pairs) == 10
    assert all(435 * 0.9 <= count <= 435 * 1.1 for count in pairs.values())
    for person in five:
        severe = [slot.sample.is_estimated_severe for slot in queue_of(campaign, person)]
        assert not any(one and two for one, two in pairwise(severe))
