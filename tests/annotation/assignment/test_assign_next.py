"""The next sample: one's own, in order, under a lease, never twice."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from annotation.assignment.queue import (
    CampaignNotOpenError,
    assign_next,
    release_expired_leases,
)
from annotation.models import Assignment, AssignmentState, Campaign, CampaignState
from prometheus_site.accounts.models import User
from tests.annotation.planned import queue_of
from tests.annotation.worlds import label, make_campaign


@pytest.fixture
def campaign(lead: User, annotator: User, second_annotator: User) -> Campaign:
    return make_campaign(lead, [annotator, second_annotator])


def test_gives_the_first_of_the_queue_and_keeps_it_on_screen(campaign: Campaign, annotator: User) -> None:
    expected = queue_of(campaign, annotator)[0]
    first = assign_next(campaign=campaign, annotator=annotator)
    assert first == expected
    assert first.state == AssignmentState.LEASED
    assert assign_next(campaign=campaign, annotator=annotator) == first


def test_notes_that_it_is_shown(campaign: Campaign, annotator: User) -> None:
    before = timezone.now()
    first = assign_next(campaign=campaign, annotator=annotator)
    assert first is not None
    first.refresh_from_db()
    assert first.first_shown_at is not None
    assert first.first_shown_at >= before
    assign_next(campaign=campaign, annotator=annotator)
    again = Assignment.objects.get(pk=first.pk)
    assert again.first_shown_at == first.first_shown_at


def test_ends_when_everything_is_labelled(campaign: Campaign, annotator: User) -> None:
    for number in range(1, 7):
        label(campaign, annotator, number)
    assert assign_next(campaign=campaign, annotator=annotator) is None


def test_closed_campaign_gives_nothing(campaign: Campaign, annotator: User) -> None:
    campaign.state = CampaignState.CLOSED
    campaign.save()
    with pytest.raises(CampaignNotOpenError, match="takes no labels now"):
        assign_next(campaign=campaign, annotator=annotator)


def test_expired_lease_goes_back_to_its_place(campaign: Campaign, annotator: User) -> None:
    order = queue_of(campaign, annotator)
    first = assign_next(campaign=campaign, annotator=annotator)
    assert first is not None
    Assignment.objects.filter(pk=first.pk).update(leased_until=timezone.now() - timedelta(seconds=1))
    assert release_expired_leases() == 1
    first.refresh_from_db()
    assert (first.state, first.lease_id, first.leased_until) == (AssignmentState.WAITING, None, None)
    assert queue_of(campaign, annotator) == order
    assert release_expired_leases() == 0


def test_live_lease_is_not_released(campaign: Campaign, annotator: User) -> None:
    assign_next(campaign=campaign, annotator=annotator)
    assert release_expired_leases() == 0


def test_two_requests_at_once_show_one_sample(
    committed_db: str, lead: User, annotator: User, second_annotator: User
) -> None:
    campaign = make_campaign(lead, [annotator, second_annotator], samples=30)
    barrier, got = threading.Barrier(6), []

    def ask() -> None:
        barrier.wait()
        got.append(assign_next(campaign=campaign, annotator=annotator))
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 6
    leased = Assignment.objects.get(annotator=annotator, state=AssignmentState.LEASED)
    assert set(got) == {leased}
