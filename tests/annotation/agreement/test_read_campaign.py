"""One reading of a campaign's labels: what enters, in which order, and what is left out and why."""

import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import numpy as np
import pytest
import time_machine
from pytest_django import DjangoAssertNumQueries

from annotation.agreement import reading
from annotation.agreement.counts import NO_LABEL
from annotation.agreement.looks import looks_of
from annotation.agreement.reading import (
    REREAD_SECONDS,
    CampaignReader,
    Reading,
    left_out_of,
    read_campaign,
    version_of,
)
from annotation.assignment import sittings
from annotation.checkpoints.services import declare_first_looks
from annotation.guidelines.services import store_guideline
from annotation.labelling.services import correct_label, record_label
from annotation.models import Assignment, AssignmentState, Campaign, Purpose, Sample
from annotation.rights.services import withdraw_labels
from prometheus_site.accounts.models import User
from tests.annotation.worlds import label, make_campaign, submission

MORNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
CRISIS, EMPATHY = "crisis_intensity", "empathy_global"
NOT_RATABLE = {"crisis_not_ratable": True, "crisis_intensity": None, "crisis_confidence": None}


@pytest.fixture
def campaign(lead: User, annotator: User, second_annotator: User) -> Campaign:
    return make_campaign(lead, [annotator, second_annotator], samples=6)


def give(campaign: Campaign, who: User, numbers: Sequence[int], minute: int, **changes: object) -> None:
    """Label the samples, a minute each; all lock together when the sitting ends."""
    for place, number in enumerate(numbers):
        with time_machine.travel(MORNING + timedelta(minutes=minute + place), tick=False):
            label(campaign, who, number, locks=number == numbers[-1], **changes)


def test_items_stand_in_the_order_in_which_their_second_label_locked(
    campaign: Campaign, annotator: User, second_annotator: User
) -> None:
    give(campaign, annotator, [1, 2, 3, 4], 0)
    give(campaign, second_annotator, [3, 5], 30)
    give(campaign, second_annotator, [1], 60)
    crisis = read_campaign(campaign).dimensions[CRISIS]
    assert crisis.ratings.items == (3, 1, 2, 4, 5)
    assert crisis.overlap_items == (3, 1)
    assert crisis.single_label_items == (2, 4, 5)
    assert crisis.ratings.raters == tuple(sorted([annotator.code, second_annotator.code]))
    assert np.isnan(crisis.completed_at).tolist() == [False, False, True, True, True]
    assert crisis.completed_at[0] < crisis.completed_at[1]


def test_a_grid_holds_each_label_under_its_maker(
    campaign: Campaign, annotator: User, second_annotator: User
) -> None:
    give(campaign, annotator, [1], 0, answers={EMPATHY: "2"}, active_seconds=41)
    give(campaign, second_annotator, [1], 10, answers={EMPATHY: "5"})
    give(campaign, second_annotator, [2], 20, answers={EMPATHY: "1"})
    empathy = read_campaign(campaign).dimensions[EMPATHY]
    own = empathy.ratings.raters.index(annotator.code)
    assert empathy.ratings.codes[:, own].tolist() == [1, NO_LABEL]
    assert empathy.ratings.codes[:, 1 - own].tolist() == [4, 0]
    assert empathy.course.seconds[0, own] == 41
    assert np.isnan(empathy.course.seconds[0, 1 - own])
    assert np.isnan(empathy.course.order[1, own])
    assert empathy.course.order[0, own] == pytest.approx(MORNING.timestamp(), abs=0.001)
    assert empathy.course.n_planned == 6
    assert empathy.course.words.tolist() == [10, 10]


def test_weights_words_versions_topics_and_conversations_are_those_of_the_sample(
    campaign: Campaign, annotator: User, second_annotator: User
) -> None:
    first, second = campaign.samples.filter(number__in=[1, 2]).order_by("number")
    first.conversation.topic = "grief\x1fand loss"
    first.conversation.save()
    Sample.objects.filter(pk=second.pk).update(
        conversation=first.conversation, window_start=1, sampling_weight=0.25
    )
    give(campaign, annotator, [1, 2, 3], 0)
    newer = store_guideline(
        scheme_key=campaign.scheme.key, version="1.1", body="## C1 More\n", created_by=None
    )
    campaign.guideline = newer
    campaign.save()
    give(campaign, second_annotator, [1, 2], 10)
    crisis = read_campaign(campaign).dimensions[CRISIS]
    assert crisis.ratings.items == (1, 2, 3)
    assert crisis.weights.tolist() == [1, 0.25, 1]
    assert crisis.course.words.tolist() == [10, 5, 10]
    assert crisis.topics == ("griefand loss", "griefand loss", "")
    assert crisis.ratings.clusters[0] == crisis.ratings.clusters[1] != crisis.ratings.clusters[2]
    assert [set(versions) for versions in crisis.versions_of_items] == [
        {"1.0", "1.1"},
        {"1.0", "1.1"},
        {"1.0"},
    ]


def test_what_was_not_asked_is_not_eligible_on_that_dimension_alone(
    campaign: Campaign, annotator: User, second_annotator: User
) -> None:
    give(campaign, annotator, [1, 2], 0)
    give(campaign, second_annotator, [1, 2], 10, answers=NOT_RATABLE)
    dimensions = read_campaign(campaign).dimensions
    assert dimensions[CRISIS].n_not_eligible == 2
    assert dimensions[CRISIS].overlap_items == ()
    assert dimensions[CRISIS].ratings.raters == (annotator.code,)
    assert dimensions[EMPATHY].n_not_eligible == 0
    assert dimensions[EMPATHY].overlap_items == (1, 2)


def test_only_locked_first_labels_of_the_overlap_enter(
    campaign: Campaign, annotator: User, second_annotator: User, lead: User
) -> None:
    give(campaign, annotator, [1, 2, 3], 0)
    corrected = campaign.labels.get(sample__number=1)
    change = submission(campaign, reason="slipped", answers={EMPATHY: "5"})
    correct_label(annotator=annotator, label=corrected, submission=change)
    training = campaign.assignments.filter(annotator=annotator, sample__number=2, repeat_number=0)
    training.update(purpose=Purpose.TRAINING)
    sittings.end(campaign=campaign, annotator=annotator)
    label(campaign, second_annotator, 4, locks=False)
    early = campaign.assignments.filter(annotator=second_annotator, sample__number=5, repeat_number=0)
    assert early.update(purpose=Purpose.CALIBRATION) == 1
    label(campaign, second_annotator, 5, locks=False)
    beside = make_campaign(lead, [annotator], slug="beside", labels_per_sample=1)
    label(beside, annotator, 1)
    empathy = read_campaign(campaign).dimensions[EMPATHY]
    assert empathy.ratings.items == (1, 3)
    assert empathy.ratings.codes.tolist() == [[2], [2]], "as it was when it locked"
    found = left_out_of(campaign)
    assert (found.corrections, found.training, found.not_locked) == (1, 1, 1)
    assert (found.undone, found.calibration, found.repeats, found.passes) == (0, 1, 0, 0)


def test_a_silent_repeat_stands_beside_its_first_time_and_in_no_grid(
    campaign: Campaign, annotator: User
) -> None:
    repeat = Assignment.objects.filter(campaign=campaign, purpose=Purpose.REPEAT).first()
    if repeat is None:
        first = campaign.assignments.get(annotator=annotator, sample__number=2, repeat_number=0)
        repeat = Assignment.objects.create(
            campaign=campaign,
            sample=first.sample,
            annotator=annotator,
            purpose=Purpose.REPEAT,
            repeat_number=1,
            position=10**9,
        )
    who, number = repeat.annotator, repeat.sample.number
    Assignment.objects.filter(pk=repeat.pk).update(state=AssignmentState.WAITING)
    give(campaign, who, [number], 0, answers={EMPATHY: "2"})
    again = submission(campaign, answers={EMPATHY: "4"})
    record_label(annotator=who, assignment=repeat, submission=again)
    sittings.end(campaign=campaign, annotator=who)
    empathy = read_campaign(campaign).dimensions[EMPATHY]
    assert empathy.ratings.codes.tolist() == [[1]]
    [both] = empathy.course.repeats.values()
    assert (both.items, both.codes.tolist()) == ((number,), [[1, 3]])
    assert left_out_of(campaign).repeats == 1


def test_a_campaign_without_labels_is_read_as_empty(campaign: Campaign) -> None:
    reading = read_campaign(campaign)
    assert list(reading.dimensions) == [CRISIS, "modality_primary", EMPATHY]
    for dimension in reading.dimensions.values():
        assert dimension.ratings.codes.shape == (0, 0)
        assert dimension.overlap_items == dimension.single_label_items == ()
        assert dimension.course.repeats == {}


def test_the_version_moves_with_a_label_and_rests_otherwise(campaign: Campaign, annotator: User) -> None:
    before = version_of(campaign)
    assert version_of(campaign) == before
    label(campaign, annotator, 1, locks=False)
    given = version_of(campaign)
    assert given != before
    sittings.end(campaign=campaign, annotator=annotator)
    assert version_of(campaign) not in (given, before)
    assert read_campaign(campaign).version == version_of(campaign)


def test_the_looks_are_those_declared(campaign: Campaign, lead: User) -> None:
    assert looks_of(campaign) == ()
    declare_first_looks(campaign=campaign)
    assert [look.n_overlap_items for look in looks_of(campaign)] == [6]
    assert looks_of(make_campaign(lead, [], slug="no plan")) == ()


def test_queries_do_not_grow_with_labels(
    campaign: Campaign,
    annotator: User,
    second_annotator: User,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    read_campaign(campaign)  # the scheme is parsed once
    with django_assert_num_queries(4):
        read_campaign(campaign)
    give(campaign, annotator, [1, 2, 3], 0)
    give(campaign, second_annotator, [1, 2, 3], 10)
    with django_assert_num_queries(4):
        read_campaign(campaign)


def test_reading_again_and_again_gives_what_one_reading_does(
    campaign: Campaign, annotator: User, second_annotator: User
) -> None:
    read = CampaignReader()
    assert_alike(read(campaign), read_campaign(campaign))
    give(campaign, annotator, [1, 2, 3], 0)
    assert_alike(read(campaign), read_campaign(campaign))
    give(campaign, second_annotator, [2, 1], 10, answers={EMPATHY: "2"})
    assert_alike(read(campaign), read_campaign(campaign))
    assert_alike(read(campaign), read_campaign(campaign))  # nothing new
    give(campaign, second_annotator, [5], 20)
    withdraw_labels(clinician=annotator, campaign=campaign, because="asked by letter")
    assert_alike(read(campaign), read_campaign(campaign))
    give(campaign, second_annotator, [6], 30)
    assert_alike(read(campaign), read_campaign(campaign))


def test_what_was_read_is_read_anew_only_once_in_a_while(
    campaign: Campaign, annotator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = CampaignReader()
    give(campaign, annotator, [1], 0)
    read(campaign)
    campaign.samples.update(sampling_weight=2)  # by no way of the site's: to see what is read
    give(campaign, annotator, [2], 10)
    assert read(campaign).dimensions[CRISIS].weights.tolist() == [1, 2]
    long_after = time.monotonic() + REREAD_SECONDS
    monkeypatch.setattr(reading, "time", SimpleNamespace(monotonic=lambda: long_after))
    assert read(campaign).dimensions[CRISIS].weights.tolist() == [2, 2]


def assert_alike(one: Reading, other: Reading) -> None:
    assert one.version == other.version
    assert one.dimensions.keys() == other.dimensions.keys()
    for key in one.dimensions:
        np.testing.assert_equal(asdict(one.dimensions[key]), asdict(other.dimensions[key]))
