"""Twenty annotators ask at the same moment, two hundred times, while the plan and the leases change."""

import random
import threading
import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from types import NoneType

import pytest
from django.db.models import F
from django.utils import timezone

from annotation.assignment.planning import replan_where_needed, revise_plan
from annotation.assignment.queue import hand_out, mark_shown, release_expired_leases
from annotation.assignment.repeats import wake_repeats
from annotation.assignment.sittings import end_idle
from annotation.campaigns.services import pause_member, resume_member, set_members
from annotation.labelling.services import (
    LabelNotRecordedError,
    NotYoursError,
    record_label,
    undo_label,
)
from annotation.labelling.unlabelled import pass_sample, uncover
from annotation.models import (
    OPEN_STATES,
    Assignment,
    AssignmentState,
    Campaign,
    CampaignMember,
    Label,
    Pass,
    Sample,
    Sitting,
)
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role
from tests import people
from tests.annotation.worlds import make_campaign, qualify, submission
from tests.concurrency.crowd import PATIENCE_SECONDS, at_once, going_on

pytestmark = pytest.mark.concurrency
ANNOTATORS, ROUNDS = 20, 200
PEOPLE_WITH_TWO_TABS = 2
SAMPLES, LABELS_PER_SAMPLE = 420, 10
EVERY_NTH_IS_SEVERE = 6
FETCHED_AHEAD = 3
PASSED_SHARE, UNDONE_SHARE = 0.4, 0.05
SWEEP_EVERY_SECONDS, PLAN_EVERY_SECONDS = 0.5, 5.0


class _TakenBackError(Exception):
    """The plan took a severe sample back before its text was opened."""


@dataclass
class Tab:
    """The page of one person: what it holds, what it showed in which order, and what it was refused."""

    campaign: Campaign
    person: User
    chance: random.Random
    has_twin: bool
    held: list[Assignment] = field(default_factory=list)
    shown: list[Assignment] = field(default_factory=list)
    done: set[uuid.UUID] = field(default_factory=set)
    stored: dict[uuid.UUID, uuid.UUID] = field(default_factory=dict)  # label by key
    refused: Counter[str] = field(default_factory=Counter)
    handed: int = 0
    problems: list[str] = field(default_factory=list)

    def ask(self) -> None:
        """Fetch ahead what fits, and note what must never be handed out."""
        count = max(1, FETCHED_AHEAD - len(self.held))
        got = hand_out(
            campaign=self.campaign, annotator=self.person, count=count, held=[slot.pk for slot in self.held]
        ).slots
        self.handed += len(got)
        for slot in got:
            if slot.annotator_id != self.person.pk:
                self.problems.append("a slot of somebody else")
            if slot.pk in self.done and not self.has_twin:
                self.problems.append("a slot that was labelled or passed")
            if slot.pk in {one.pk for one in self.held}:
                self.problems.append("a slot that is held already")
            else:
                self.held.append(slot)

    def go_on(self) -> None:
        """Show the first sample held, and label or pass it."""
        if not self.held:
            return
        slot = self.held.pop(0)
        mark_shown(campaign=self.campaign, annotator=self.person, assignment_id=slot.pk)
        self.shown.append(slot)
        action = "pass" if self.chance.random() < PASSED_SHARE else "label"
        try:
            if slot.sample.is_estimated_severe:
                self._open(slot)
            if action == "pass":
                pass_sample(annotator=self.person, assignment=slot, key=uuid.uuid4())
            else:
                label = self._save(slot)
            self.done.add(slot.pk)
            if action == "label" and self.chance.random() < UNDONE_SHARE:
                action = "undo"
                undo_label(annotator=self.person, label=label)
                self._save(slot)
        except _TakenBackError:
            return
        except LabelNotRecordedError as refusal:
            self.refused[f"{action}: {type(refusal).__name__}"] += 1

    def _open(self, slot: Assignment) -> None:
        try:
            uncover(annotator=self.person, assignment=slot)
        except NotYoursError as refusal:
            self.refused["open: NotYoursError"] += 1
            raise _TakenBackError from refusal

    def _save(self, slot: Assignment) -> Label:
        given = submission(self.campaign)
        label = record_label(annotator=self.person, assignment=slot, submission=given).label
        self.stored[given.key] = label.pk
        return label


@dataclass
class Meanwhile:
    """What the lead and the sweeper do all the time."""

    campaign: Campaign
    lead: User
    people: list[User]
    spare: User
    chance: random.Random
    paused: CampaignMember | None = None

    def change_the_plan(self) -> None:
        """Pause somebody and let the last one come back; a spare person joins and leaves."""
        if self.paused is not None:
            resume_member(campaign=self.campaign, member=self.paused, changed_by=self.lead)
            self.paused = None
        else:
            members = self.campaign.members.filter(user__in=self.people, left_at=None)
            self.paused = self.chance.choice(list(members))
            pause_member(campaign=self.campaign, member=self.paused, changed_by=self.lead)
            joins = [self.spare] if self.chance.random() < 0.5 else []
            everybody = [user.pk for user in [*self.people, *joins]]
            set_members(campaign=self.campaign, user_ids=everybody, changed_by=self.lead)
        revise_plan(campaign=self.campaign, because="the plan is looked at")
        replan_where_needed()

    def sweep(self) -> None:
        """Let somebody's leases and somebody's sitting run out, and run the sweeps."""
        past = timezone.now() - timedelta(minutes=31)
        leased = Assignment.objects.filter(state=AssignmentState.LEASED)
        leased.filter(annotator=self.chance.choice(self.people)).update(leased_until=past)
        sittings = Sitting.objects.filter(annotator=self.chance.choice(self.people), ended_at=None)
        sittings.update(last_seen_at=F("last_seen_at") - timedelta(minutes=31))
        release_expired_leases()
        end_idle()
        wake_repeats()


@pytest.fixture
def crowd(record: None) -> list[User]:
    return [people.make(f"annotator-{number}", Role.ANNOTATOR) for number in range(ANNOTATORS)]


@pytest.fixture
def campaign(lead: User, crowd: list[User]) -> Campaign:
    """A campaign with severe samples and repeats that are due at once."""
    made = make_campaign(lead, [], samples=SAMPLES, labels_per_sample=LABELS_PER_SAMPLE)
    severe = range(EVERY_NTH_IS_SEVERE, SAMPLES + 1, EVERY_NTH_IS_SEVERE)
    Sample.objects.filter(campaign=made, number__in=severe).update(is_estimated_severe=True)
    Campaign.objects.filter(pk=made.pk).update(repeat_after_days=0)
    made.refresh_from_db()
    qualify(made, *crowd)
    set_members(campaign=made, user_ids=[user.pk for user in crowd], changed_by=lead)
    return made


def _chance(seed: str) -> random.Random:
    return random.Random(seed)  # noqa: S311  what people happen to do is no secret


def severe_in_a_row(shown: Iterable[Assignment]) -> int:
    """Count how often two different samples estimated severe were read one after the other."""
    return sum(
        first.sample.is_estimated_severe and second.sample.is_estimated_severe and first.pk != second.pk
        for first, second in pairwise(shown)
    )


def test_twenty_annotators_ask_at_the_same_moment(campaign: Campaign, crowd: list[User], lead: User) -> None:
    tabs = [
        Tab(campaign, person, _chance(f"{place}.{tab}"), has_twin=place < PEOPLE_WITH_TWO_TABS)
        for place, person in enumerate(crowd)
        for tab in range(2 if place < PEOPLE_WITH_TWO_TABS else 1)
    ]
    together = threading.Barrier(len(tabs))

    def work(tab: Tab) -> None:
        try:
            for _ in range(ROUNDS):
                together.wait(PATIENCE_SECONDS)
                tab.ask()
                tab.go_on()
        except BaseException:
            together.abort()
            raise

    spare = people.make("spare", Role.ANNOTATOR)
    qualify(campaign, spare)
    meanwhile = Meanwhile(campaign, lead, crowd, spare, _chance("lead"))
    sweeping = going_on([meanwhile.sweep], SWEEP_EVERY_SECONDS)
    planning = going_on([meanwhile.change_the_plan], PLAN_EVERY_SECONDS)
    with sweeping as swept, planning as planned:
        outcomes = at_once(*(lambda tab=tab: work(tab) for tab in tabs))
    refusals = (outcome.refusal for outcome in outcomes)
    problems = [one for one in refusals if not isinstance(one, NoneType | threading.BrokenBarrierError)]
    _report(tabs, campaign)
    assert [*problems, *swept, *planned] == []
    assert Counter(problem for tab in tabs for problem in tab.problems) == {}
    _check_what_was_refused(tabs)
    _check_what_is_stored(tabs, campaign)
    _check_the_order(tabs, crowd)


def _check_what_was_refused(tabs: list[Tab]) -> None:
    """A label of what was read is refused to nobody, but where the other tab was faster."""
    refused = {kind for tab in tabs if not tab.has_twin for kind in tab.refused}
    # What the plan took back meanwhile need not be opened or passed; what locked meanwhile cannot be undone.
    assert refused <= {"open: NotYoursError", "pass: NotYoursError", "undo: LockedError"}


def _check_what_is_stored(tabs: list[Tab], campaign: Campaign) -> None:
    labels = Label.objects.filter(campaign=campaign)
    acknowledged = {key: pk for tab in tabs for key, pk in tab.stored.items()}
    assert dict(labels.values_list("idempotency_key", "pk")) == acknowledged
    slots = Counter(labels.current().values_list("assignment", flat=True))
    assert set(slots.values()) == {1}
    labelled = Assignment.objects.filter(campaign=campaign, state=AssignmentState.LABELLED)
    assert set(labelled.values_list("pk", flat=True)) == set(slots)
    read = Counter(labels.current().values_list("annotator", "sample", "assignment__repeat_number"))
    assert set(read.values()) == {1}
    opened = Assignment.objects.filter(campaign=campaign, state__in=OPEN_STATES)
    assert not opened.filter(annotator__memberships__paused_at__isnull=False).exists()


def _check_the_order(tabs: list[Tab], crowd: list[User]) -> None:
    assert {
        tab.person.code: n for tab in tabs if not tab.has_twin and (n := severe_in_a_row(tab.shown))
    } == {}
    for person in crowd:
        read = Assignment.objects.filter(
            annotator=person, screen_order__isnull=False, first_shown_at__isnull=False
        )
        assert severe_in_a_row(read.select_related("sample").order_by("screen_order")) == 0


def _report(tabs: list[Tab], campaign: Campaign) -> None:
    refused = sum((tab.refused for tab in tabs), Counter[str]())
    print(
        f"\n{sum(tab.handed for tab in tabs)} hand-outs, {sum(len(tab.shown) for tab in tabs)} shown, "
        f"{Label.objects.count()} labels, {Pass.objects.count()} passes, refused {dict(refused)}, "
        f"{campaign.plan_revisions.count()} plans, {Sitting.objects.count()} sittings, "
        f"{Label.objects.filter(assignment__repeat_number__gt=0).count()} repeats"
    )
