"""The plan follows the people: who leaves, comes back, loses the role, or has read the labels."""

import threading
from collections.abc import Callable

import pytest
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from annotation.assignment.planning import replan_where_needed, revise_plan
from annotation.assignment.queue import assign_next
from annotation.campaigns.services import set_members
from annotation.labelling.services import record_label
from annotation.models import Assignment, AssignmentState, Campaign, Label
from prometheus_site.accounts.models import RoleGrant, User
from prometheus_site.accounts.roles import Role
from tests import people
from tests.annotation.worlds import label, make_campaign, qualify, submission


@pytest.fixture
def campaign(lead: User, annotator: User, second_annotator: User) -> Campaign:
    return make_campaign(lead, [annotator, second_annotator])


def open_slots(user: User) -> int:
    states = (AssignmentState.WAITING, AssignmentState.LEASED)
    return Assignment.objects.filter(annotator=user, state__in=states).count()


def test_who_comes_back_gets_the_queue_back(
    campaign: Campaign, lead: User, annotator: User, second_annotator: User
) -> None:
    label(campaign, annotator, 1)
    set_members(campaign=campaign, user_ids=[second_annotator.pk], changed_by=lead)
    assert open_slots(annotator) == 0
    assert assign_next(campaign=campaign, annotator=annotator) is None
    set_members(campaign=campaign, user_ids=[annotator.pk, second_annotator.pk], changed_by=lead)
    assert open_slots(annotator) == 5
    found = assign_next(campaign=campaign, annotator=annotator)
    assert found is not None
    assert found.sample.number != 1


def test_somebody_else_takes_over_from_who_lost_the_role(
    campaign: Campaign, lead: User, annotator: User, second_annotator: User
) -> None:
    third = people.make("third", Role.ANNOTATOR)
    label(campaign, annotator, 1)
    qualify(campaign, third)
    set_members(campaign=campaign, user_ids=[annotator.pk, second_annotator.pk, third.pk], changed_by=lead)
    RoleGrant.objects.filter(user=annotator).update(revoked_at=timezone.now())
    assert replan_where_needed() == 1
    assert open_slots(annotator) == 0
    # The label given still counts: with it, each of the six samples has its two readers.
    assert open_slots(second_annotator) + open_slots(third) == 11
    assert Label.objects.filter(annotator=annotator).count() == 1
    assert replan_where_needed() == 0


def test_a_human_gets_nothing_in_a_simulated_campaign(lead: User, annotator: User) -> None:
    campaign = make_campaign(lead, [annotator], slug="rehearsal", is_simulated=True)
    assert open_slots(annotator) == 0
    assert revise_plan(campaign=campaign, because="made up") is None


def test_who_has_read_the_labels_gets_no_blind_slots(
    lead: User, annotator: User, second_annotator: User, client_for: Callable[[User], Client]
) -> None:
    campaign = make_campaign(lead, [annotator, second_annotator])
    label(campaign, annotator, 1)
    client_for(lead).get(f"/campaigns/{campaign.slug}/samples/1/")
    RoleGrant.objects.create(user=lead, role=Role.ANNOTATOR)
    set_members(campaign=campaign, user_ids=[annotator.pk, lead.pk], changed_by=lead)
    assert open_slots(lead) == 0


@pytest.mark.concurrency
def test_a_save_and_a_change_of_people_do_not_wait_for_each_other(
    committed_db: str, lead: User, annotator: User, second_annotator: User
) -> None:
    campaign = make_campaign(lead, [annotator, second_annotator])
    slot = assign_next(campaign=campaign, annotator=annotator)
    assert slot is not None
    holds_campaign, saved = threading.Event(), threading.Event()
    problems: list[BaseException] = []

    def change_people() -> None:
        try:
            with transaction.atomic():
                revise_plan(campaign=campaign, because="made up")
                holds_campaign.set()
                assert saved.wait(20)
        except BaseException as problem:
            problems.append(problem)
        finally:
            connection.close()

    changing = threading.Thread(target=change_people)
    changing.start()
    assert holds_campaign.wait(20)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '5s'")
        record_label(annotator=annotator, assignment=slot, submission=submission(campaign))
    saved.set()
    changing.join()
    assert problems == []
    assert Label.objects.count() == 1
