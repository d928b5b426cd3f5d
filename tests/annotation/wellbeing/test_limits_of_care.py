"""What the queue hands out within a clinician's limits, and what it refuses beyond them."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import time_machine
from django.utils import timezone

from annotation.assignment import sittings
from annotation.assignment.queue import ONLY_SEVERE_LEFT, Handed, assign_next, give_back, hand_out, mark_shown
from annotation.labelling.services import RestFirstError, correct_label
from annotation.labelling.unlabelled import leave, pass_sample, uncover
from annotation.models import Activity, Assignment, AssignmentState, Campaign, Exposure, ExposureCause
from annotation.pay.services import record_heartbeat
from annotation.wellbeing.exposure import care_of
from annotation.wellbeing.policy import Stop
from annotation.wellbeing.services import set_limits
from prometheus_site.accounts.models import User
from tests.annotation.planned import give, make_planned_campaign
from tests.annotation.worlds import submission

pytestmark = pytest.mark.django_db
MORNING = datetime(2026, 3, 2, 8, tzinfo=UTC)


@pytest.fixture
def campaign(lead: User, annotator: User) -> Campaign:
    """Forty samples, every second one estimated severe, all of them one person's."""
    return make_planned_campaign(
        lead, [annotator], samples=40, severe=range(2, 41, 2), labels_per_sample=1, repeat_percent=0
    )


def read_next(campaign: Campaign, annotator: User, **changes: object) -> Assignment | None:
    """Take the next sample, open it where it is covered, label it."""
    slot = assign_next(campaign=campaign, annotator=annotator)
    if slot is not None:
        if slot.sample.is_estimated_severe:
            uncover(annotator=annotator, assignment=slot)
        give(campaign, slot, **changes)
    return slot


def first_severe(campaign: Campaign, annotator: User) -> Assignment:
    """Label up to the first text estimated severe and return it, covered."""
    slot = assign_next(campaign=campaign, annotator=annotator)
    while slot is not None and not slot.sample.is_estimated_severe:
        give(campaign, slot)
        slot = assign_next(campaign=campaign, annotator=annotator)
    assert slot is not None
    return slot


def severe_read(annotator: User) -> int:
    return Exposure.objects.filter(annotator=annotator, cause=ExposureCause.OPENED).count()


def read_until_nothing_comes(campaign: Campaign, annotator: User, **changes: object) -> None:
    while read_next(campaign, annotator, **changes):
        pass


def beat(annotator: User, campaign: Campaign, *, seconds: int) -> None:
    record_heartbeat(
        person=annotator, campaign=campaign, key=uuid4(), active_seconds=seconds, activity=Activity.LABELLING
    )


def crisis_of(level: str) -> dict[str, object]:
    return {"crisis_intensity": level, "crisis_types": ["violence"], "suicidal_behaviour": "none"}


class TestDaysWork:
    def test_what_nobody_timed_counts_by_an_estimate(self, campaign: Campaign, annotator: User) -> None:
        with time_machine.travel(MORNING, tick=False) as clock:
            for minutes in (3, 20):  # without JavaScript; the second time somebody went for coffee
                slot = assign_next(campaign=campaign, annotator=annotator)
                assert slot is not None
                if slot.sample.is_estimated_severe:
                    uncover(annotator=annotator, assignment=slot)
                clock.shift(timedelta(minutes=minutes))
                give(campaign, slot, active_seconds=None)
            assert care_of(annotator, campaign.pk).exposure.seconds_today == (3 + 5) * 60

    def test_time_without_a_label_counts(self, campaign: Campaign, annotator: User) -> None:
        with time_machine.travel(MORNING, tick=False) as clock:
            for _ in range(4):
                clock.shift(timedelta(minutes=30))
                beat(annotator, campaign, seconds=30 * 60)
            assert hand_out(campaign=campaign, annotator=annotator).pause is not None
            assert care_of(annotator, campaign.pk).stop == Stop.DAY_IS_OVER

    def test_what_heartbeat_and_label_both_tell_counts_once(
        self, campaign: Campaign, annotator: User
    ) -> None:
        with time_machine.travel(MORNING, tick=False) as clock:
            slot = assign_next(campaign=campaign, annotator=annotator)
            assert slot is not None
            clock.shift(timedelta(minutes=4))
            beat(annotator, campaign, seconds=240)
            give(campaign, slot, active_seconds=200)
            assert care_of(annotator, campaign.pk).exposure.seconds_today == 240

    def test_only_what_lies_after_midnight_counts(self, campaign: Campaign, annotator: User) -> None:
        with time_machine.travel(MORNING.replace(hour=0, minute=10), tick=False):
            beat(annotator, campaign, seconds=25 * 60)
            assert care_of(annotator, campaign.pk).exposure.seconds_today == 10 * 60


class TestSittingAndDay:
    def test_a_sitting_holds_ten_severe_texts(self, campaign: Campaign, annotator: User) -> None:
        read_until_nothing_comes(campaign, annotator)
        assert severe_read(annotator) == 10
        labelled = campaign.assignments.filter(state=AssignmentState.LABELLED)
        assert labelled.filter(sample__is_estimated_severe=False).count() == 20
        handed = hand_out(campaign=campaign, annotator=annotator)
        assert handed.pause is not None
        assert handed.pause.reason == Stop.SEVERE_OF_SITTING

    def test_leaving_and_coming_back_is_no_rest(self, campaign: Campaign, annotator: User) -> None:
        read_until_nothing_comes(campaign, annotator)
        leave(annotator=annotator, campaign=campaign)
        assert hand_out(campaign=campaign, annotator=annotator).slots == ()

    def test_several_short_rests_are_no_rest(self, campaign: Campaign, annotator: User) -> None:
        set_limits(user=annotator, limits={"severe_per_sitting": 3})
        with time_machine.travel(MORNING, tick=False) as clock:
            for _ in range(6):
                read_next(campaign, annotator)
            assert severe_read(annotator) == 3
            for _ in range(3):
                leave(annotator=annotator, campaign=campaign)
                clock.shift(timedelta(minutes=6))
                for _ in range(2):
                    read_next(campaign, annotator)
            assert severe_read(annotator) == 3
            leave(annotator=annotator, campaign=campaign)
            clock.shift(timedelta(minutes=10))
            for _ in range(2):
                read_next(campaign, annotator)
            assert severe_read(annotator) == 4

    def test_after_a_rest_more_come_and_a_day_holds_twenty_five(self, lead: User, annotator: User) -> None:
        campaign = make_planned_campaign(
            lead, [annotator], samples=80, severe=range(2, 81, 2), labels_per_sample=1, repeat_percent=0
        )
        with time_machine.travel(MORNING, tick=False) as clock:
            for _ in range(4):
                for _ in range(20):
                    read_next(campaign, annotator)
                leave(annotator=annotator, campaign=campaign)
                clock.shift(timedelta(minutes=30))
            assert severe_read(annotator) == 25
            pause = hand_out(campaign=campaign, annotator=annotator, count=3).pause
            read_until_nothing_comes(campaign, annotator)
            assert severe_read(annotator) == 25
            pause = hand_out(campaign=campaign, annotator=annotator).pause
            assert pause is not None
            assert pause.reason == Stop.SEVERE_OF_DAY
            assert pause.until == MORNING.replace(hour=0) + timedelta(days=1)
            clock.shift(timedelta(days=1))
            assert read_next(campaign, annotator) is not None
            assert severe_read(annotator) == 26

    def test_what_is_fetched_ahead_counts_before_it_is_opened(
        self, campaign: Campaign, annotator: User
    ) -> None:
        set_limits(user=annotator, limits={"severe_per_sitting": 1})
        handed = hand_out(campaign=campaign, annotator=annotator, count=8)
        assert sum(slot.sample.is_estimated_severe for slot in handed.slots) == 1
        assert len(handed.slots) == 8

    def test_with_no_severe_texts_allowed_none_comes(self, campaign: Campaign, annotator: User) -> None:
        set_limits(user=annotator, limits={"severe_per_day": 0})
        read_until_nothing_comes(campaign, annotator)
        assert severe_read(annotator) == 0
        assert campaign.assignments.filter(state=AssignmentState.LABELLED).count() == 20


class TestDose:
    def test_act_now_counts_twice(self, campaign: Campaign, annotator: User) -> None:
        slot = first_severe(campaign, annotator)
        uncover(annotator=annotator, assignment=slot)
        assert care_of(annotator, campaign.pk).exposure.dose_today == 1
        give(campaign, slot, answers=crisis_of("5"))
        assert care_of(annotator, campaign.pk).exposure.dose_today == 2

    @pytest.mark.parametrize(("level", "dose"), [("2", 0), ("3", 1), ("4", 2), ("5", 2)])
    def test_a_text_that_was_not_announced_counts_by_what_its_reader_said(
        self, campaign: Campaign, annotator: User, level: str, dose: int
    ) -> None:
        slot = campaign.assignments.filter(sample__is_estimated_severe=False)[0]
        give(campaign, slot, answers=crisis_of(level))
        assert care_of(annotator, campaign.pk).exposure.dose_today == dose

    def test_the_same_text_counts_once_however_often_it_is_labelled(
        self, campaign: Campaign, annotator: User
    ) -> None:
        slot = campaign.assignments.filter(sample__is_estimated_severe=False)[0]
        label = give(campaign, slot, answers=crisis_of("4"))
        sittings.end(campaign=campaign, annotator=annotator)
        again = submission(campaign, answers=crisis_of("5"), reason="read again")
        correct_label(annotator=annotator, label=label, submission=again)
        assert care_of(annotator, campaign.pk).exposure.dose_today == 2


class TestDayIsOver:
    @pytest.fixture
    def calm(self, lead: User, annotator: User) -> Campaign:
        return make_planned_campaign(
            lead, [annotator], samples=12, labels_per_sample=1, repeat_percent=0, slug="calm"
        )

    def test_nothing_new_comes_and_what_was_fetched_ahead_goes_back(
        self, calm: Campaign, annotator: User
    ) -> None:
        with time_machine.travel(MORNING, tick=False):
            first, second, third = hand_out(campaign=calm, annotator=annotator, count=3).slots
            mark_shown(campaign=calm, annotator=annotator, assignment_id=first.pk)
            give(calm, first, active_seconds=7200)
            mark_shown(campaign=calm, annotator=annotator, assignment_id=second.pk)
            handed = hand_out(campaign=calm, annotator=annotator, held=[second.pk, third.pk])
            assert handed.slots == ()
            assert handed.pause is not None
            assert handed.pause.ends_the_day
            second.refresh_from_db()
            third.refresh_from_db()
            assert (second.state, third.state) == (AssignmentState.LEASED, AssignmentState.WAITING)
            give(calm, second)  # what is on the screen may be finished
        with time_machine.travel(MORNING + timedelta(days=1), tick=False):
            assert hand_out(campaign=calm, annotator=annotator).slots

    def test_what_was_fetched_ahead_is_not_renewed_by_the_page_that_holds_it(
        self, calm: Campaign, annotator: User
    ) -> None:
        set_limits(user=annotator, limits={"minutes_per_day": 10})
        held = [slot.pk for slot in hand_out(campaign=calm, annotator=annotator, count=3).slots]
        give(calm, Assignment.objects.get(pk=held[0]), active_seconds=601)
        hand_out(campaign=calm, annotator=annotator, held=held[1:])
        assert not calm.assignments.filter(state=AssignmentState.LEASED).exists()

    def test_the_day_begins_at_the_clinicians_own_midnight(self, calm: Campaign, annotator: User) -> None:
        """At UTC+13 a new day begins at 11 in the morning of UTC."""
        set_limits(user=annotator, limits={"time_zone": "Pacific/Apia", "minutes_per_day": 10})
        with time_machine.travel(datetime(2026, 3, 2, 10, 59, tzinfo=UTC), tick=False) as clock:
            slot = assign_next(campaign=calm, annotator=annotator)
            assert slot is not None
            give(calm, slot, active_seconds=600)
            pause = hand_out(campaign=calm, annotator=annotator).pause
            assert pause is not None
            assert pause.until == datetime(2026, 3, 2, 11, tzinfo=UTC)
            clock.shift(timedelta(minutes=1))
            assert hand_out(campaign=calm, annotator=annotator).slots

    def test_a_program_has_no_day_unless_somebody_gives_it_one(self, calm: Campaign, annotator: User) -> None:
        annotator.is_simulated = True
        assert care_of(annotator, calm.pk).limits.minutes_per_day > 24 * 60
        set_limits(user=annotator, limits={"minutes_per_day": 60})
        assert care_of(annotator, calm.pk).limits.minutes_per_day == 60


class TestNeverTwoInARow:
    def test_in_two_campaigns(self, campaign: Campaign, lead: User, annotator: User) -> None:
        other = make_planned_campaign(
            lead, [annotator], samples=2, severe=[1, 2], labels_per_sample=1, repeat_percent=0, slug="other"
        )
        severe = first_severe(campaign, annotator)
        uncover(annotator=annotator, assignment=severe)
        give(campaign, severe)
        elsewhere = assign_next(campaign=other, annotator=annotator)
        assert elsewhere is not None
        with pytest.raises(RestFirstError, match="severe, too"):
            uncover(annotator=annotator, assignment=elsewhere)
        elsewhere.refresh_from_db()
        assert elsewhere.opened_at is None
        with time_machine.travel(timezone.now() + timedelta(minutes=11)):
            uncover(annotator=annotator, assignment=elsewhere)
        elsewhere.refresh_from_db()
        assert elsewhere.opened_at is not None

    def test_another_text_between_them_is_enough(
        self, campaign: Campaign, lead: User, annotator: User
    ) -> None:
        other = make_planned_campaign(
            lead, [annotator], samples=1, severe=[1], labels_per_sample=1, repeat_percent=0, slug="other"
        )
        severe = first_severe(campaign, annotator)
        uncover(annotator=annotator, assignment=severe)
        give(campaign, severe)
        between = read_next(campaign, annotator)
        assert between is not None
        assert not between.sample.is_estimated_severe
        elsewhere = assign_next(campaign=other, annotator=annotator)
        assert elsewhere is not None
        uncover(annotator=annotator, assignment=elsewhere)

    def test_a_severe_text_that_was_passed_unopened_counts_for_nothing(
        self, campaign: Campaign, annotator: User
    ) -> None:
        slot = first_severe(campaign, annotator)
        pass_sample(annotator=annotator, assignment=slot, key=slot.pk)
        assert care_of(annotator, campaign.pk).exposure.dose_today == 0


def test_a_limit_lowered_on_the_way_holds_for_what_lies_ready(campaign: Campaign, annotator: User) -> None:
    slot = first_severe(campaign, annotator)
    set_limits(user=annotator, limits={"severe_per_day": 0})
    with pytest.raises(RestFirstError, match="your limits"):
        uncover(annotator=annotator, assignment=slot)
    assert severe_read(annotator) == 0
    give_back(campaign=campaign, annotator=annotator)


def test_the_pause_after_a_severe_text_stays(lead: User, annotator: User) -> None:
    campaign = make_planned_campaign(
        lead, [annotator], samples=2, severe=[1, 2], labels_per_sample=1, repeat_percent=0, slug="only"
    )
    assert read_next(campaign, annotator) is not None
    handed: Handed = hand_out(campaign=campaign, annotator=annotator)
    assert handed.pause is not None
    assert handed.pause.reason == ONLY_SEVERE_LEFT
