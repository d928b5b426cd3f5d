"""A laptop sleeps for an hour with samples in its memory: what was read there is kept, once."""

from datetime import timedelta

import pytest
import time_machine

from annotation.assignment.planning import replan_where_needed
from annotation.assignment.queue import release_expired_leases
from annotation.assignment.repeats import wake_repeats
from annotation.assignment.sittings import end_idle
from annotation.models import Assignment, AssignmentState, Campaign, Label, LockCause, Sitting
from prometheus_site.accounts.models import User
from tests.fault.page import Page

pytestmark = pytest.mark.fault


def sweep() -> None:
    release_expired_leases()
    end_idle()
    wake_repeats()
    replan_where_needed()


def readers_of(number: int) -> set[str]:
    slots = Assignment.objects.filter(sample__number=number).exclude(state=AssignmentState.WITHDRAWN)
    return {str(pk) for pk in slots.values_list("annotator", flat=True)}


@pytest.fixture
def page(clock: time_machine.Traveller, campaign: Campaign, annotator: User) -> Page:
    """A page with one label saved, one sample on the screen and two fetched ahead."""
    opened = Page(campaign, annotator)
    opened.sign_in()
    opened.fetch(3)
    opened.save()
    return opened


def test_what_was_on_the_screen_is_stored_once_and_given_to_nobody_else(
    clock: time_machine.Traveller, page: Page, second_annotator: User
) -> None:
    numbers = [card["number"] for card in page.cards]
    before = [readers_of(number) for number in numbers]
    clock.shift(timedelta(hours=1))
    sweep()
    assert not Assignment.objects.filter(state=AssignmentState.LEASED).exists()
    other = Page(page.campaign, second_annotator)
    other.sign_in()
    other.fetch(3)
    for _ in range(6):
        other.save()
    sweep()

    path, body = page.filled_in()
    assert page.send(path, body)[0] == 401
    page.sign_in()
    assert page.send(path, body)[0] == 201
    assert page.send(path, body)[0] == 200
    assert Label.objects.filter(idempotency_key=body["key"]).count() == 1
    assert [readers_of(number) for number in numbers] == before


def test_what_was_fetched_ahead_is_read_on_and_not_handed_out_again(
    clock: time_machine.Traveller, page: Page
) -> None:
    clock.shift(timedelta(hours=1))
    sweep()
    page.sign_in()
    for _ in range(6):
        page.save()
        assert len(set(page.held)) == len(page.held)
    labels = Label.objects.filter(annotator=page.user)
    assert labels.count() == 7
    orders = labels.order_by("created_at").values_list("screen_order", flat=True)
    assert list(orders) == sorted(set(orders))


def test_the_sitting_ended_when_its_maker_was_last_seen_and_locked_what_was_in_it(
    clock: time_machine.Traveller, page: Page
) -> None:
    begun = Sitting.objects.get()
    clock.shift(timedelta(hours=1))
    sweep()
    begun.refresh_from_db()
    assert begun.ended_at == begun.last_seen_at
    first = Label.objects.get()
    assert first.lock.cause == LockCause.SITTING_ENDED
    page.sign_in()
    page.save()
    assert page.post("undo/", {})[0] == 200
    assert page.post("undo/", {}) == (409, {"code": "locked", "detail": page.post("undo/", {})[1]["detail"]})
    first.refresh_from_db()
    assert not hasattr(first, "undo")
    assert Sitting.objects.filter(ended_at=None).count() == 1


def test_a_pass_is_the_first_deed_after_waking_and_can_be_taken_back(
    clock: time_machine.Traveller, page: Page
) -> None:
    clock.shift(timedelta(hours=1))
    sweep()
    page.sign_in()
    card = page.cards[0]
    status, _ = page.post(f"assignments/{card['assignment']}/pass/", {"key": str(Sitting().pk)})
    assert status == 200
    status, answer = page.post("undo/", {})
    assert status == 200, answer
    assert answer["card"]["assignment"] == card["assignment"]
