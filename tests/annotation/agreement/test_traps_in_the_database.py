"""The traps that lie in which labels enter, each shut where labels are read from the database."""

import pytest

from annotation.agreement.reading import read_campaign
from annotation.assignment import sittings
from annotation.campaigns.services import set_members
from annotation.labelling.services import correct_label, record_label, undo_label
from annotation.models import Assignment, Campaign, Label, Purpose
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role
from tests import people
from tests.annotation.worlds import GOOD_ANSWERS, join, label, make_campaign, submission

CRISIS, EMPATHY = "crisis_intensity", "empathy_global"
NOT_COUNTING = [purpose for purpose in Purpose if purpose not in (Purpose.OVERLAP, Purpose.ANCHOR)]


@pytest.fixture
def campaign(lead: User, annotator: User, second_annotator: User) -> Campaign:
    """Two clinicians who differ on the first two of four samples."""
    campaign = make_campaign(lead, [annotator, second_annotator], samples=4)
    for number, (one, other) in enumerate([("1", "3"), ("2", "4"), ("3", "3"), ("5", "5")], start=1):
        label(campaign, annotator, number, answers={EMPATHY: one})
        label(campaign, second_annotator, number, answers={EMPATHY: other})
    return campaign


def figures(campaign: Campaign) -> dict[str, list[list[int]]]:
    """All that agreement on each dimension is computed from."""
    return {key: each.ratings.codes.tolist() for key, each in read_campaign(campaign).dimensions.items()}


@pytest.mark.parametrize("purpose", NOT_COUNTING)
def test_a_third_label_because_two_differ_changes_no_figure(campaign: Campaign, purpose: Purpose) -> None:
    before = figures(campaign)
    third = people.make("third", Role.ANNOTATOR)
    join(campaign, third)
    for sample in campaign.samples.filter(number__in=[1, 2]):
        slot = Assignment.objects.create(
            campaign=campaign, sample=sample, annotator=third, purpose=purpose, position=sample.number
        )
        record_label(annotator=third, assignment=slot, submission=submission(campaign))
    sittings.end(campaign=campaign, annotator=third)
    assert Label.objects.filter(campaign=campaign).locked().count() == 10
    assert figures(campaign) == before


def test_a_correction_towards_the_other_changes_no_figure(campaign: Campaign, annotator: User) -> None:
    before = figures(campaign)
    for number, other in ((1, "3"), (2, "4")):
        given = campaign.labels.get(annotator=annotator, sample__number=number)
        change = submission(campaign, answers={EMPATHY: other}, reason="read it again")
        correct_label(annotator=annotator, label=given, submission=change)
    sittings.end(campaign=campaign, annotator=annotator)
    assert campaign.labels.count() == 10
    assert figures(campaign) == before


def test_a_slip_undone_before_the_lock_enters_as_what_was_meant(lead: User, annotator: User) -> None:
    campaign = make_campaign(lead, [annotator], samples=2, labels_per_sample=1)
    slip = label(campaign, annotator, 1, locks=False, answers={EMPATHY: "5"})
    undo_label(annotator=annotator, label=slip)
    label(campaign, annotator, 1, answers={EMPATHY: "1"})
    assert read_campaign(campaign).dimensions[EMPATHY].ratings.codes.tolist() == [[0]]


def test_a_question_that_was_asked_of_neither_is_no_agreement(
    lead: User, annotator: User, second_annotator: User
) -> None:
    campaign = make_campaign(lead, [annotator, second_annotator], samples=3, turns=1)
    without_reply = dict.fromkeys(key for key in GOOD_ANSWERS if not key.startswith("crisis"))
    for number in (1, 2, 3):
        for who in (annotator, second_annotator):
            label(campaign, who, number, answers=without_reply)
    dimensions = read_campaign(campaign).dimensions
    assert dimensions[CRISIS].overlap_items == (1, 2, 3)
    assert dimensions[EMPATHY].ratings.codes.size == 0
    assert dimensions[EMPATHY].n_not_eligible == 6


def test_the_scale_is_the_declared_one_whatever_was_used(campaign: Campaign) -> None:
    dimensions = read_campaign(campaign).dimensions
    assert dimensions[CRISIS].ratings.categories == ("0", "1", "2", "3", "4", "5")
    assert dimensions[CRISIS].ratings.codes.tolist() == [[0, 0]] * 4


def test_a_program_is_given_nothing_to_label_among_people(lead: User, annotator: User) -> None:
    program = people.make("program", Role.ANNOTATOR)
    User.objects.filter(pk=program.pk).update(is_simulated=True)
    campaign = make_campaign(lead, [annotator], samples=3, labels_per_sample=1)
    set_members(campaign=campaign, user_ids=[annotator.pk, program.pk], changed_by=lead)
    assert campaign.assignments.exists()
    assert not campaign.assignments.filter(annotator=program).exists()
    assert not campaign.members.filter(user=program).exists()
