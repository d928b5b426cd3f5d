"""Cases open by themselves, once, also before a label locks, and run against a clock."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from annotation.dangerous.policy import default_hours
from annotation.dangerous.selectors import clock_of, hours_of, latest_matrix
from annotation.dangerous.services import (
    DangerRefusedError,
    answer_case,
    change_matrix,
    open_all_cases,
    open_recent_cases,
)
from annotation.labelling.services import undo_label
from annotation.models import Campaign, DangerAnswer, DangerCase
from prometheus_site.accounts.models import RoleGrant, User
from prometheus_site.accounts.roles import Role
from tests.annotation.worlds import CRISIS, label, make_campaign

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign(lead: User, annotator: User, second_annotator: User) -> Campaign:
    return make_campaign(lead, [annotator, second_annotator], samples=3)


def crisis(level: str) -> dict[str, object]:
    return CRISIS | {"crisis_intensity": level}


class TestOpen:
    def test_act_now_beside_none(self, campaign: Campaign, annotator: User, second_annotator: User) -> None:
        low = label(campaign, annotator, 1)
        assert open_recent_cases() == 0
        high = label(campaign, second_annotator, 1, answers=CRISIS)
        assert open_recent_cases() == 1
        [case] = DangerCase.objects.all()
        assert (case.lower, case.higher, case.sample.number) == (low, high, 1)
        assert case.due_at - case.opened_at == timedelta(hours=24)

    def test_the_alarm_does_not_wait_for_the_lock(
        self, campaign: Campaign, annotator: User, second_annotator: User
    ) -> None:
        label(campaign, annotator, 1, locks=False)
        label(campaign, second_annotator, 1, locks=False, answers=CRISIS)
        assert open_recent_cases() == 1

    def test_a_slip_that_was_undone_opens_none(
        self, campaign: Campaign, annotator: User, second_annotator: User
    ) -> None:
        label(campaign, annotator, 1)
        slip = label(campaign, second_annotator, 1, locks=False, answers=CRISIS)
        undo_label(annotator=second_annotator, label=slip)
        assert open_recent_cases() == 0

    def test_one_level_apart_is_ordinary(
        self, campaign: Campaign, annotator: User, second_annotator: User
    ) -> None:
        label(campaign, annotator, 1, answers=crisis("2"))
        label(campaign, second_annotator, 1, answers=crisis("3"))
        assert open_all_cases() == 0

    def test_looking_again_opens_nothing_more(
        self, campaign: Campaign, annotator: User, second_annotator: User
    ) -> None:
        label(campaign, annotator, 1)
        label(campaign, second_annotator, 1, answers=CRISIS)
        assert [open_recent_cases(), open_recent_cases(), open_all_cases()] == [1, 0, 0]
        [case] = DangerCase.objects.all()
        answer_case(case=case, level=4, reason="C4", answered_by=annotator)
        assert open_all_cases() == 0

    def test_a_third_label_that_makes_it_more_urgent_opens_another(
        self, lead: User, annotator: User, second_annotator: User, outsider: User
    ) -> None:
        RoleGrant.objects.create(user=outsider, role=Role.ANNOTATOR)
        people = [annotator, second_annotator, outsider]
        campaign = make_campaign(lead, people, samples=1, labels_per_sample=3)
        label(campaign, annotator, 1, answers=crisis("1"))
        label(campaign, second_annotator, 1, answers=crisis("3"))
        assert open_recent_cases() == 1
        label(campaign, outsider, 1, answers=crisis("5"))
        assert open_recent_cases() == 1
        assert sorted(case.due_at - case.opened_at for case in DangerCase.objects.all()) == [
            timedelta(hours=24),
            timedelta(hours=72),
        ]

    def test_what_a_look_missed_is_found_by_the_look_at_all(
        self, campaign: Campaign, annotator: User, second_annotator: User
    ) -> None:
        label(campaign, annotator, 1)
        label(campaign, second_annotator, 1, answers=CRISIS)
        with time_machine.travel(timezone.now() + timedelta(hours=1)):
            assert open_recent_cases() == 0
            assert open_all_cases() == 1

    def test_calibration_is_no_alarm(
        self, campaign: Campaign, annotator: User, second_annotator: User
    ) -> None:
        campaign.assignments.update(purpose="calibration")
        label(campaign, annotator, 1)
        label(campaign, second_annotator, 1, answers=CRISIS)
        assert open_all_cases() == 0


class TestClock:
    def test_counts_what_waits_and_what_is_late(
        self, campaign: Campaign, annotator: User, second_annotator: User, lead: User
    ) -> None:
        for number in (1, 2):
            label(campaign, annotator, number)
            label(campaign, second_annotator, number, answers=CRISIS)
        open_recent_cases()
        first, second = DangerCase.objects.order_by("sample__number")
        assert (clock_of(campaign).open, clock_of(campaign).overdue) == (2, 0)
        with time_machine.travel(first.due_at + timedelta(seconds=1)):
            assert (clock_of(campaign).open, clock_of(campaign).overdue) == (2, 2)
        answer_case(case=first, level=None, reason="Not English.", answered_by=lead)
        assert clock_of(campaign).open == 1
        assert clock_of(campaign).next_due_at == second.due_at


class TestAnswer:
    @pytest.fixture
    def case(self, campaign: Campaign, annotator: User, second_annotator: User) -> DangerCase:
        label(campaign, annotator, 1)
        label(campaign, second_annotator, 1, answers=CRISIS)
        open_recent_cases()
        return DangerCase.objects.get()

    def test_the_first_answer_stands(self, case: DangerCase, lead: User, adjudicator: User) -> None:
        answer_case(case=case, level=5, reason="C5", answered_by=adjudicator)
        with pytest.raises(DangerRefusedError, match="already"):
            answer_case(case=case, level=0, reason="C1", answered_by=lead)
        assert DangerAnswer.objects.get().level == 5

    def test_a_reason_is_wanted(self, case: DangerCase, adjudicator: User) -> None:
        with pytest.raises(DangerRefusedError, match="what decided it"):
            answer_case(case=case, level=5, reason="  ", answered_by=adjudicator)
        assert not DangerAnswer.objects.exists()


class TestMatrix:
    def test_a_change_holds_for_cases_to_come(
        self, campaign: Campaign, annotator: User, second_annotator: User, lead: User
    ) -> None:
        label(campaign, annotator, 1)
        label(campaign, second_annotator, 1, answers=CRISIS)
        open_recent_cases()
        changed = default_hours() | {(0, 5): 4, (0, 2): 72}
        change_matrix(campaign=campaign, hours=changed, because="nights", made_by=lead)
        label(campaign, annotator, 2)
        label(campaign, second_annotator, 2, answers=CRISIS)
        label(campaign, annotator, 3)
        label(campaign, second_annotator, 3, answers=crisis("2"))
        open_recent_cases()
        cases = {case.sample.number: case for case in DangerCase.objects.all()}
        hours = {
            number: (case.due_at - case.opened_at).total_seconds() / 3600 for number, case in cases.items()
        }
        assert hours == {1: 24, 2: 4, 3: 72}
        assert [cases[number].matrix_id is None for number in (1, 2, 3)] == [True, False, False]
        assert hours_of(latest_matrix(campaign)) == changed

    def test_danger_cannot_be_made_ordinary(self, campaign: Campaign, lead: User) -> None:
        with pytest.raises(DangerRefusedError, match="Levels 0 and 4"):
            change_matrix(campaign=campaign, hours=default_hours() | {(0, 4): 0}, because="", made_by=lead)
        assert latest_matrix(campaign) is None
