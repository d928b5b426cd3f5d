"""The question of every second: what happens in the campaign changes the answer, and nothing else does."""

import uuid
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from annotation.assignment.planning import revise_plan
from annotation.dashboard.signs import signs_of, version_of
from annotation.labelling.services import correct_label, record_label, undo_label
from annotation.labelling.unlabelled import flag_sample, leave, pass_sample
from annotation.models import Campaign, FlagKind, Sitting
from prometheus_site.accounts.models import User
from tests.annotation.dashboard.busy import next_slot
from tests.annotation.worlds import join, label, make_campaign, submission


@pytest.fixture
def campaign(lead: User, annotator: User) -> Campaign:
    return make_campaign(lead, [annotator], samples=4)


def test_whatever_happens_is_a_sign(campaign: Campaign, annotator: User, second_annotator: User) -> None:
    known = [signs_of(campaign.pk)]

    def is_new() -> bool:
        known.append(signs_of(campaign.pk))
        return known[-1] != known[-2]

    slot = next_slot(campaign, annotator)
    assert is_new(), "a sitting begins, a sample is handed out"
    given = record_label(annotator=annotator, assignment=slot, submission=submission(campaign)).label
    assert is_new(), "a label"
    undo_label(annotator=annotator, label=given)
    assert is_new(), "its undoing"
    pass_sample(annotator=annotator, assignment=slot, key=uuid.uuid4())
    assert is_new(), "a pass"
    kept = record_label(
        annotator=annotator, assignment=next_slot(campaign, annotator), submission=submission(campaign)
    ).label
    correct_label(annotator=annotator, label=kept, submission=submission(campaign, reason="slipped"))
    assert is_new(), "a correction"
    Sitting.objects.update(last_seen_at=timezone.now() - timedelta(minutes=6))
    assert is_new(), "somebody is away"
    leave(annotator=annotator, campaign=campaign)
    assert is_new(), "somebody left, and labels lock"
    join(campaign, second_annotator)
    assert is_new(), "somebody joined"
    revise_plan(campaign=campaign, because="somebody joined")
    assert is_new(), "the plan changed"
    Campaign.objects.filter(pk=campaign.pk).update(due_on=timezone.localdate())
    assert is_new(), "a due date"


def test_a_label_that_was_committed_late_is_a_sign(campaign: Campaign, annotator: User) -> None:
    newest = label(campaign, annotator, 1)
    before = signs_of(campaign.pk)
    with time_machine.travel(newest.created_at - timedelta(seconds=5), tick=False):
        label(campaign, annotator, 2)
    assert signs_of(campaign.pk) != before


def test_what_happens_elsewhere_is_none(campaign: Campaign, lead: User, annotator: User) -> None:
    beside = make_campaign(lead, [annotator], samples=2, slug="beside")
    before = signs_of(campaign.pk)
    label(beside, annotator, 1, locks=False)
    assert signs_of(campaign.pk) == before


@pytest.mark.parametrize("seen", [True, False])
def test_being_there_changes_no_number(seen: bool, campaign: Campaign, annotator: User) -> None:
    label(campaign, annotator, 1, locks=False)
    before, version = signs_of(campaign.pk), version_of(campaign)
    ago = timedelta(seconds=20 if seen else 600)
    Sitting.objects.update(last_seen_at=timezone.now() - ago)
    assert signs_of(campaign.pk) != before
    assert version_of(campaign) == version


def test_a_flag_changes_the_version(campaign: Campaign, annotator: User) -> None:
    slot, flag = next_slot(campaign, annotator), FlagKind.UNREADABLE
    version = version_of(campaign)
    flag_sample(annotator=annotator, assignment=slot, kind=flag, words="", key=uuid.uuid4())
    assert version_of(campaign) != version
