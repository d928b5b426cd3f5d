"""What a queue hands out: in order, never two severe in a row, and what a lease keeps when it runs out."""

import threading
import uuid
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
import time_machine
from django.db import connection, transaction
from django.utils import timezone

from annotation.assignment import queue
from annotation.assignment.queue import (
    HANDED_OUT_AT_ONCE,
    ONLY_SEVERE_LEFT,
    Handed,
    Pause,
    assign_next,
    give_back,
    hand_out,
    mark_shown,
    release_expired_leases,
)
from annotation.labelling.unlabelled import pass_sample
from annotation.models import Assignment, AssignmentState, Campaign, Sample
from annotation.wellbeing import exposure
from annotation.wellbeing.exposure import Care
from annotation.wellbeing.policy import REST_AFTER_SEVERE_MINUTES
from prometheus_site.accounts.models import User
from tests.annotation.planned import give, make_planned_campaign, queue_of
from tests.prometheus_site.embedded.waiting import wait_until

PAUSE = timedelta(minutes=REST_AFTER_SEVERE_MINUTES)


@pytest.fixture
def campaign(lead: User, annotator: User, second_annotator: User) -> Campaign:
    """Eight samples, none of them estimated severe."""
    return make_planned_campaign(lead, [annotator, second_annotator], samples=8)


def numbers(handed: Handed) -> list[int]:
    return [slot.sample.number for slot in handed.slots]


def expire(*slots: Assignment) -> None:
    """Let the leases of these slots run out and be noticed."""
    past = timezone.now() - timedelta(seconds=1)
    Assignment.objects.filter(pk__in=[slot.pk for slot in slots]).update(leased_until=past)
    assert release_expired_leases() == len(slots)


# --- Order -------------------------------------------------------------------------------------------------
def test_samples_come_in_the_order_of_the_queue(campaign: Campaign, annotator: User) -> None:
    expected = [slot.sample.number for slot in queue_of(campaign, annotator)]
    given = []
    while handed := hand_out(campaign=campaign, annotator=annotator, count=3).slots:
        given += [slot.sample.number for slot in handed]
        for slot in handed:
            give(campaign, slot)
    assert given == expected


def test_every_sample_that_is_handed_out_has_its_own_place_on_the_screen(
    campaign: Campaign, annotator: User
) -> None:
    handed = hand_out(campaign=campaign, annotator=annotator, count=3)
    give(campaign, handed.slots[0])
    held = [slot.pk for slot in handed.slots[1:]]
    more = hand_out(campaign=campaign, annotator=annotator, count=2, held=held)
    assert [slot.screen_order for slot in (*handed.slots, *more.slots)] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("ahead", [0, 1, HANDED_OUT_AT_ONCE - 1])
@pytest.mark.parametrize("passes", [False, True])
def test_no_two_severe_follow_each_other(
    lead: User, annotator: User, second_annotator: User, ahead: int, passes: bool
) -> None:
    """As the page asks: the next is fetched while others are held, and some samples are passed."""
    severe = range(1, 10)
    campaign = make_planned_campaign(lead, [annotator, second_annotator], samples=20, severe=severe)
    cards = list(hand_out(campaign=campaign, annotator=annotator, count=1 + ahead).slots)
    seen: list[bool] = []
    while cards:
        card = cards.pop(0)
        mark_shown(campaign=campaign, annotator=annotator, assignment_id=card.pk)
        seen.append(card.sample.is_estimated_severe)
        if passes and len(seen) % 3 == 0:
            pass_sample(annotator=annotator, assignment=card, key=uuid.uuid4())
        else:
            give(campaign, card)
        held = [slot.pk for slot in cards]
        cards += hand_out(
            campaign=campaign, annotator=annotator, count=1 + ahead - len(cards), held=held
        ).slots
    assert len(seen) == 20
    assert sum(seen) == 9
    assert not any(first and second for first, second in pairwise(seen))


def test_a_severe_sample_fetched_ahead_keeps_the_next_severe_one_back(
    lead: User, annotator: User, second_annotator: User
) -> None:
    campaign = make_planned_campaign(lead, [annotator, second_annotator], samples=4, severe=[1, 2, 3])
    handed = hand_out(campaign=campaign, annotator=annotator, count=3)
    severe = [slot.sample.is_estimated_severe for slot in handed.slots]
    assert severe in ([True, False, True], [False, True])


# --- Only severe ones are left -----------------------------------------------------------------------------
@pytest.fixture
def severe_campaign(lead: User, annotator: User, second_annotator: User) -> Campaign:
    return make_planned_campaign(lead, [annotator, second_annotator], samples=3, severe=[1, 2, 3])


def test_the_next_severe_sample_comes_after_a_pause(severe_campaign: Campaign, annotator: User) -> None:
    """Counted from when the last one left the screen, however long it was read."""
    first = assign_next(campaign=severe_campaign, annotator=annotator)
    assert first is not None
    with time_machine.travel(timezone.now() + 2 * PAUSE, tick=False):
        still = hand_out(campaign=severe_campaign, annotator=annotator, held=[first.pk])
        assert still.slots == ()
        left_at = give(severe_campaign, first).created_at
        assert hand_out(campaign=severe_campaign, annotator=annotator, count=3) == Handed(
            pause=Pause(ONLY_SEVERE_LEFT, left_at + PAUSE)
        )
    with time_machine.travel(left_at + PAUSE - timedelta(seconds=2)):
        assert hand_out(campaign=severe_campaign, annotator=annotator).slots == ()
    with time_machine.travel(left_at + PAUSE + timedelta(seconds=1)):
        after = hand_out(campaign=severe_campaign, annotator=annotator, count=3)
    assert len(after.slots) == 1
    assert after.slots[0] != first


def test_no_severe_sample_follows_another_while_others_wait_however_long_it_was_read(
    lead: User, annotator: User, second_annotator: User
) -> None:
    """One at a time, as the page without a script asks; the next of the queue is severe too."""
    campaign = make_planned_campaign(lead, [annotator, second_annotator], samples=8, severe=[1, 2, 3])
    severe_first = sorted(queue_of(campaign, annotator), key=lambda slot: not slot.sample.is_estimated_severe)
    for place, slot in enumerate(severe_first):
        Assignment.objects.filter(pk=slot.pk).update(position=place)
    kinds, now = [], timezone.now()
    for number in range(7):
        with time_machine.travel(now + 3 * number * PAUSE, tick=False):
            shown = assign_next(campaign=campaign, annotator=annotator)
            assert shown is not None
            kinds.append(shown.sample.is_estimated_severe)
        with time_machine.travel(now + (3 * number + 2) * PAUSE, tick=False):
            give(campaign, shown)
    assert kinds == [True, False, True, False, True, False, False]


def test_a_severe_sample_on_its_way_to_the_screen_starts_no_clock(
    severe_campaign: Campaign, annotator: User
) -> None:
    """It was only fetched ahead: however long that is ago, the next one waits until it was shown."""
    [ahead] = hand_out(campaign=severe_campaign, annotator=annotator).slots
    later = timezone.now() + PAUSE + timedelta(minutes=1)
    with time_machine.travel(later):
        waits = hand_out(campaign=severe_campaign, annotator=annotator, count=2, held=[ahead.pk])
        assert waits.slots == ()
        assert waits.pause is not None
        assert waits.pause.until is not None
        assert waits.pause.until >= later + PAUSE


def test_no_pause_is_told_where_nothing_waits(lead: User, annotator: User, second_annotator: User) -> None:
    campaign = make_planned_campaign(lead, [annotator, second_annotator], samples=1, severe=[1])
    [only] = hand_out(campaign=campaign, annotator=annotator).slots
    give(campaign, only)
    assert hand_out(campaign=campaign, annotator=annotator) == Handed()


def test_no_pause_is_told_where_enough_was_handed_out(severe_campaign: Campaign, annotator: User) -> None:
    assert hand_out(campaign=severe_campaign, annotator=annotator, count=1).pause is None


def test_another_persons_severe_sample_holds_nobody_up(
    severe_campaign: Campaign, annotator: User, second_annotator: User
) -> None:
    assert assign_next(campaign=severe_campaign, annotator=annotator) is not None
    assert assign_next(campaign=severe_campaign, annotator=second_annotator) is not None


# --- Held and count ----------------------------------------------------------------------------------------
def test_what_is_held_is_not_sent_again(campaign: Campaign, annotator: User) -> None:
    first = hand_out(campaign=campaign, annotator=annotator, count=3)
    held = [slot.pk for slot in first.slots]
    more = hand_out(campaign=campaign, annotator=annotator, count=3, held=held)
    assert len(more.slots) == 3
    assert not set(numbers(first)) & set(numbers(more))


def test_what_is_held_is_not_sent_again_when_its_lease_runs_out_at_that_moment(
    campaign: Campaign, annotator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    [held, *rest] = queue_of(campaign, annotator)
    [first] = hand_out(campaign=campaign, annotator=annotator).slots

    def care_of(*who: Any) -> Care:
        expire(first)
        return exposure.care_of(*who)

    monkeypatch.setattr(queue, "care_of", care_of)
    assert first == held
    assert hand_out(campaign=campaign, annotator=annotator, held=[first.pk]).slots == (rest[0],)


def test_what_is_handed_out_and_not_held_comes_first(campaign: Campaign, annotator: User) -> None:
    first = hand_out(campaign=campaign, annotator=annotator, count=3)
    again = hand_out(campaign=campaign, annotator=annotator, count=3, held=[first.slots[0].pk])
    assert numbers(again)[:2] == numbers(first)[1:]
    assert len(again.slots) == 3
    assert numbers(again)[2] not in numbers(first)


def test_a_lease_stays_the_same_and_is_made_longer(campaign: Campaign, annotator: User) -> None:
    [first] = hand_out(campaign=campaign, annotator=annotator).slots
    with time_machine.travel(timezone.now() + timedelta(minutes=10)):
        [again] = hand_out(campaign=campaign, annotator=annotator).slots
    assert (again.pk, again.lease_id, again.screen_order) == (first.pk, first.lease_id, first.screen_order)
    assert again.leased_until is not None
    assert first.leased_until is not None
    assert again.leased_until > first.leased_until


def test_no_more_is_handed_out_than_was_asked_for(campaign: Campaign, annotator: User) -> None:
    for count in (1, 2, 3):
        handed = hand_out(campaign=campaign, annotator=annotator, count=count)
        assert len(handed.slots) == count
    leased = Assignment.objects.filter(annotator=annotator, state=AssignmentState.LEASED)
    assert leased.count() == 3


def test_the_end_of_the_queue_gives_what_there_is(lead: User, annotator: User) -> None:
    campaign = make_planned_campaign(lead, [annotator], samples=2, labels_per_sample=1)
    assert len(hand_out(campaign=campaign, annotator=annotator, count=3).slots) == 2


def test_holding_what_is_not_there_changes_nothing(campaign: Campaign, annotator: User) -> None:
    first = queue_of(campaign, annotator)[0]
    assert hand_out(campaign=campaign, annotator=annotator, held=[uuid.uuid4()]).slots == (first,)


def test_nobody_gets_what_is_anothers_or_of_another_campaign(
    lead: User, annotator: User, second_annotator: User, campaign: Campaign
) -> None:
    other = make_planned_campaign(lead, [annotator], samples=2, slug="other", labels_per_sample=1)
    handed = hand_out(campaign=other, annotator=annotator, count=3)
    assert {(slot.campaign_id, slot.annotator_id) for slot in handed.slots} == {(other.pk, annotator.pk)}
    assert len(handed.slots) == 2
    assert not Assignment.objects.filter(annotator=second_annotator, state=AssignmentState.LEASED).exists()


# --- Leases that run out -----------------------------------------------------------------------------------
def test_an_expired_lease_keeps_what_was_shown_and_frees_what_was_fetched_ahead(
    campaign: Campaign, annotator: User
) -> None:
    shown, *ahead = hand_out(campaign=campaign, annotator=annotator, count=3).slots
    mark_shown(campaign=campaign, annotator=annotator, assignment_id=shown.pk)
    expire(shown, *ahead)
    rows = {slot.pk: slot for slot in Assignment.objects.filter(annotator=annotator)}
    assert all(rows[slot.pk].state == AssignmentState.WAITING for slot in (shown, *ahead))
    assert all(rows[slot.pk].lease_id is None for slot in (shown, *ahead))
    assert rows[shown.pk].screen_order == 1
    assert rows[shown.pk].first_shown_at is not None
    assert [rows[slot.pk].screen_order for slot in ahead] == [None, None]


def test_after_an_expired_lease_the_same_samples_come_again(campaign: Campaign, annotator: User) -> None:
    first = hand_out(campaign=campaign, annotator=annotator, count=3)
    mark_shown(campaign=campaign, annotator=annotator, assignment_id=first.slots[0].pk)
    expire(*first.slots)
    again = hand_out(campaign=campaign, annotator=annotator, count=3)
    assert numbers(again) == numbers(first)
    assert len({slot.screen_order for slot in again.slots}) == 3
    assert not {slot.lease_id for slot in again.slots} & {slot.lease_id for slot in first.slots}


def test_a_release_touches_nobody_elses_live_lease(
    campaign: Campaign, annotator: User, second_annotator: User
) -> None:
    [mine] = hand_out(campaign=campaign, annotator=annotator).slots
    [theirs] = hand_out(campaign=campaign, annotator=second_annotator).slots
    expire(mine)
    theirs.refresh_from_db()
    assert theirs.state == AssignmentState.LEASED


def test_giving_back_frees_one_persons_leases_in_one_campaign(
    campaign: Campaign, lead: User, annotator: User, second_annotator: User
) -> None:
    other = make_planned_campaign(lead, [annotator], samples=2, slug="other", labels_per_sample=1)
    for where, who in ((campaign, annotator), (campaign, second_annotator), (other, annotator)):
        hand_out(campaign=where, annotator=who, count=2)
    assert give_back(campaign=campaign, annotator=annotator) == 2
    leased = Assignment.objects.filter(state=AssignmentState.LEASED)
    assert {(slot.campaign_id, slot.annotator_id) for slot in leased} == {
        (campaign.pk, second_annotator.pk),
        (other.pk, annotator.pk),
    }


def test_who_comes_back_at_once_after_a_severe_sample_reads_another_first(
    lead: User, annotator: User, second_annotator: User
) -> None:
    """The severe one that was on screen is not put before the person again within the pause."""
    campaign = make_planned_campaign(lead, [annotator, second_annotator], samples=6, severe=[1, 2])
    shown = None
    while shown is None or not shown.sample.is_estimated_severe:
        shown = assign_next(campaign=campaign, annotator=annotator)
        assert shown is not None
        if not shown.sample.is_estimated_severe:
            give(campaign, shown)
    give_back(campaign=campaign, annotator=annotator)
    following = assign_next(campaign=campaign, annotator=annotator)
    assert following is not None
    assert not following.sample.is_estimated_severe


# --- Two tabs ----------------------------------------------------------------------------------------------
def test_a_second_tab_gets_what_the_first_one_has(campaign: Campaign, annotator: User) -> None:
    first, second = (hand_out(campaign=campaign, annotator=annotator, count=3) for _ in range(2))
    assert numbers(second) == numbers(first)


def all_at_once(ask: Callable[[], object], count: int) -> None:
    """Run it so many times at the same moment, each on a connection of its own."""
    barrier = threading.Barrier(count)
    problems: list[BaseException] = []

    def one() -> None:
        try:
            barrier.wait(20)
            ask()
        except BaseException as problem:
            problems.append(problem)
        finally:
            connection.close()

    threads = [threading.Thread(target=one) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []


@pytest.mark.concurrency
def test_tabs_that_ask_at_once_share_three_samples(
    committed_db: str, lead: User, annotator: User, second_annotator: User
) -> None:
    campaign = make_planned_campaign(lead, [annotator, second_annotator], samples=20, severe=range(1, 9))
    got: list[Handed] = []
    all_at_once(lambda: got.append(hand_out(campaign=campaign, annotator=annotator, count=3)), 6)
    leased = Assignment.objects.filter(annotator=annotator, state=AssignmentState.LEASED)
    assert set(leased.values_list("screen_order", flat=True)) == {1, 2, 3}
    assert leased.count() == 3
    assert all(numbers(handed) == numbers(got[0]) for handed in got)


@pytest.mark.concurrency
def test_what_a_change_of_the_plan_takes_back_is_not_handed_out_meanwhile(
    committed_db: str, lead: User, annotator: User, second_annotator: User
) -> None:
    """A request that waits for a row the plan is changing finds, once it has it, that it is gone."""
    campaign = make_planned_campaign(lead, [annotator, second_annotator], samples=4)
    [ahead] = hand_out(campaign=campaign, annotator=annotator).slots
    got: list[Handed] = []

    def ask() -> None:
        got.append(hand_out(campaign=campaign, annotator=annotator))
        connection.close()

    asking = threading.Thread(target=ask)
    with transaction.atomic():
        Assignment.objects.filter(pk=ahead.pk).update(
            state=AssignmentState.WITHDRAWN, lease_id=None, leased_until=None
        )
        asking.start()
        wait_until(lambda: not asking.is_alive() or is_somebody_waiting_for_us())
    asking.join(20)
    ahead.refresh_from_db()
    assert ahead.state == AssignmentState.WITHDRAWN
    assert ahead not in got[0].slots


def is_somebody_waiting_for_us() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
        )
        return cursor.fetchone() is not None


def test_a_place_in_the_queue_is_ones_own(campaign: Campaign, annotator: User) -> None:
    """The queue is a stored order: a sample moved in front comes first."""
    last = queue_of(campaign, annotator)[-1]
    Assignment.objects.filter(pk=last.pk).update(position=0)
    assert hand_out(campaign=campaign, annotator=annotator).slots == (last,)


def test_a_sample_that_turns_out_severe_later_is_kept_back_too(campaign: Campaign, annotator: User) -> None:
    """The estimate may change after the plan was made; the rule holds all the same."""
    Sample.objects.filter(campaign=campaign).update(is_estimated_severe=True)
    first = hand_out(campaign=campaign, annotator=annotator, count=3)
    assert len(first.slots) == 1
    assert first.pause is not None
