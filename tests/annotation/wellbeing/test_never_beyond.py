"""Whatever a clinician does in whatever order, in two campaigns and over midnights: no limit of care breaks.

Hypothesis draws the order; what happened is read back from the stored rows. Every example runs in a
transaction that is rolled back.
"""

import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from annotation.assignment.planning import replan_where_needed
from annotation.assignment.queue import assign_next, hand_out, release_expired_leases
from annotation.assignment.repeats import wake_repeats
from annotation.assignment.sittings import end_idle
from annotation.labelling.services import (
    AlreadyLabelledError,
    LabelNotRecordedError,
    LockedError,
    record_label,
)
from annotation.labelling.unlabelled import leave, pass_sample, uncover, undo_last
from annotation.models import Assignment, AssignmentState, Campaign
from annotation.wellbeing.services import set_limits
from prometheus_site.accounts.models import User
from tests.annotation.planned import make_planned_campaign
from tests.annotation.wellbeing.rules_kept import broken_rules
from tests.annotation.worlds import submission

pytestmark = pytest.mark.django_db
EXAMPLES, STEPS = 25, 30
EVENING = datetime(2026, 3, 2, 20, tzinfo=UTC)
ZONE = "Asia/Kolkata"  # its midnight is half past six in the evening
LIMITS = {"minutes_per_day": 30, "severe_per_day": 5, "severe_per_sitting": 3, "time_zone": ZONE}

where = st.sampled_from([0, 1])
which = st.integers(0, 5)
levels = st.sampled_from(["0", "0", "3", "5"])
seconds = st.sampled_from([5, 40, 400])


@dataclass(frozen=True)
class World:
    """What is there before every example."""

    reader: User
    campaigns: tuple[Campaign, Campaign]


class Evenings(RuleBasedStateMachine):
    """One clinician with low limits and two campaigns in which every second sample is estimated severe."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.undone_by_itself = transaction.atomic()
        self.undone_by_itself.__enter__()
        self.travelling = time_machine.travel(EVENING, tick=False)
        self.clock = self.travelling.start()
        self.ahead: list[uuid.UUID] = []

    def teardown(self) -> None:
        self.travelling.stop()
        transaction.set_rollback(True)
        self.undone_by_itself.__exit__(None, None, None)

    def give(self, slot: Assignment, level: str, spent: int) -> None:
        answers: dict[str, object] = {"crisis_intensity": level}
        if level != "0":
            answers |= {"crisis_types": ["violence"], "suicidal_behaviour": "none"}
        campaign = next(one for one in self.world.campaigns if one.pk == slot.campaign_id)
        given = submission(campaign, answers=answers, active_seconds=spent)
        with suppress(LabelNotRecordedError, AlreadyLabelledError):
            record_label(annotator=self.world.reader, assignment=slot, submission=given)

    def open(self, slot: Assignment) -> None:
        self.clock.shift(timedelta(seconds=1))
        if slot.sample.is_estimated_severe:
            with suppress(LabelNotRecordedError):
                uncover(annotator=self.world.reader, assignment=slot)
        self.clock.shift(timedelta(seconds=1))  # what is shown next is shown later: the rules go by the order

    # --- As the page does it ------------------------------------------------------------------------------
    @rule(at=where, level=levels, spent=seconds)
    def read(self, at: int, level: str, spent: int) -> None:
        slot = assign_next(campaign=self.world.campaigns[at], annotator=self.world.reader)
        if slot is not None:
            self.open(slot)
            self.clock.shift(timedelta(seconds=spent))
            self.give(slot, level, spent)

    @rule(at=where, level=levels, count=st.integers(2, 8))
    def read_on(self, at: int, level: str, count: int) -> None:
        for _ in range(count):
            self.read(at, level, 5)

    @rule(at=where)
    def open_and_go_away(self, at: int) -> None:
        slot = assign_next(campaign=self.world.campaigns[at], annotator=self.world.reader)
        if slot is not None:
            self.open(slot)

    @rule(at=where)
    def let_pass(self, at: int) -> None:
        slot = assign_next(campaign=self.world.campaigns[at], annotator=self.world.reader)
        if slot is not None:
            self.clock.shift(timedelta(seconds=1))
            pass_sample(annotator=self.world.reader, assignment=slot, key=uuid.uuid4())

    @rule(at=where)
    def undo(self, at: int) -> None:
        with suppress(LockedError):
            undo_last(annotator=self.world.reader, campaign=self.world.campaigns[at])

    @rule(at=where)
    def stop(self, at: int) -> None:
        leave(annotator=self.world.reader, campaign=self.world.campaigns[at])
        self.ahead.clear()

    @rule(at=where, minutes=st.sampled_from([5, 9]))
    def rest_too_little(self, at: int, minutes: int) -> None:
        """Leave and look in again and again: a rest is ten minutes in one go."""
        for _ in range(2):
            self.stop(at)
            self.wait(minutes)
            self.read(at, "0", 5)

    # --- As a page that keeps to no order does it ---------------------------------------------------------
    @rule(at=where, count=st.integers(1, 3))
    def fetch_ahead(self, at: int, count: int) -> None:
        handed = hand_out(
            campaign=self.world.campaigns[at], annotator=self.world.reader, count=count, held=self.ahead
        )
        self.ahead += [slot.pk for slot in handed.slots]

    @rule(number=which)
    def open_one_of_those(self, number: int) -> None:
        slots = Assignment.objects.select_related("sample").filter(pk__in=self.ahead).order_by("pk")
        if slots:
            self.open(slots[number % len(slots)])

    @rule(number=which, level=levels)
    def label_one_of_those(self, number: int, level: str) -> None:
        if self.ahead:
            self.give(Assignment.objects.get(pk=self.ahead[number % len(self.ahead)]), level, 5)

    # --- Time passes --------------------------------------------------------------------------------------
    @rule(minutes=st.sampled_from([1, 5, 9, 10, 11, 31]))
    def wait(self, minutes: int) -> None:
        self.clock.shift(timedelta(minutes=minutes))

    @rule(before=st.sampled_from([0, 1, 600]))
    def wait_until_about_midnight(self, before: int) -> None:
        local = timezone.now().astimezone(ZoneInfo(ZONE))
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        self.clock.move_to(max(timezone.now(), midnight - timedelta(seconds=before)))

    @rule()
    def sweep(self) -> None:
        release_expired_leases()
        end_idle()
        replan_where_needed()
        wake_repeats()

    # --- What must hold after every step ------------------------------------------------------------------
    @invariant()
    def no_limit_is_broken(self) -> None:
        assert broken_rules(self.world.campaigns[0]) == []


@pytest.fixture
def world(lead: User, annotator: User) -> World:
    set_limits(user=annotator, limits=LIMITS)
    first, second = (
        make_planned_campaign(
            lead,
            [annotator],
            samples=40,
            severe=range(2, 41, 2),
            labels_per_sample=1,
            repeat_percent=10,
            repeat_after_days=0,
            slug=slug,
        )
        for slug in ("first", "second")
    )
    return World(annotator, (first, second))


def test_whatever_is_done_in_whatever_order(world: World) -> None:
    machine: type[Evenings] = type("EveningsInTheirWorld", (Evenings,), {"world": world})
    run_state_machine_as_test(
        machine,
        settings=hypothesis_settings(
            max_examples=EXAMPLES,
            derandomize=True,  # a run that judges a change must come out the same again
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],  # a short example would take minutes to find, and is made by hand faster
        ),
    )


def test_the_reading_back_finds_what_was_broken(world: World) -> None:
    """The judge is judged: rows as no queue would leave them are named."""
    campaign, reader = world.campaigns[0], world.reader
    severe = campaign.assignments.filter(sample__is_estimated_severe=True, repeat_number=0)[:4]
    with time_machine.travel(EVENING, tick=False) as clock:
        hand_out(campaign=campaign, annotator=reader)
        for slot in severe:
            Assignment.objects.filter(pk=slot.pk).update(
                state=AssignmentState.LEASED,
                lease_id=uuid.uuid4(),
                leased_until=timezone.now(),
                opened_at=timezone.now(),
            )
            slot.exposures.create(annotator=reader, cause="opened", dose=1, read_at=timezone.now())
            clock.shift(timedelta(minutes=1))
    told = broken_rules(campaign)
    assert sum("two severe texts in sequence" in one for one in told) == 3
    assert sum("after a dose of 3 in one sitting" in one for one in told) == 1
