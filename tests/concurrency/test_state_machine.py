"""Whatever people, sweepers and leads do in whatever order: what was acknowledged is there, once, unchanged.

Hypothesis draws the order; a small model in memory says what must come of each step. Every example runs in a
transaction that is rolled back.
"""

import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import transaction
from django.db.models import Count, F
from django.utils import timezone
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from pytest_django.fixtures import Settings

from annotation.assignment import queue, sittings
from annotation.assignment.planning import replan_where_needed
from annotation.assignment.repeats import wake_repeats
from annotation.campaigns.services import change_state, pause_member, resume_member, set_members
from annotation.labelling import drafts
from annotation.labelling.services import (
    AlreadyLabelledError,
    KeyReusedError,
    LabelNotRecordedError,
    LockedError,
    NotYoursError,
    Submission,
    correct_label,
    record_label,
)
from annotation.labelling.unlabelled import keep_draft, leave, pass_sample, undo_last
from annotation.models import (
    QUEUED_STATES,
    Assignment,
    AssignmentState,
    Campaign,
    CampaignMember,
    CampaignState,
    Label,
    LabelLock,
    LabelUndo,
    Pass,
    Sitting,
)
from annotation.models.assignment import Purpose
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role
from prometheus_site.audit.verification import verify
from prometheus_site.core.sealing import open_text
from tests import people
from tests.annotation.worlds import make_campaign, qualify, submission

pytestmark = pytest.mark.concurrency
SAMPLES, EXAMPLES, STEPS = 16, 200, 12
COUNTED = (Purpose.OVERLAP, Purpose.ANCHOR)
LONG_AGO = timedelta(minutes=31)

who = st.sampled_from(["anna", "bruno", "chiara"])
which = st.integers(0, 40)
confidences = st.integers(1, 5)
notes = st.sampled_from(["", "", "a thought", "another"])


@dataclass
class Given:
    """A label as it was acknowledged, and what became of it since."""

    pk: uuid.UUID
    slot: uuid.UUID
    submission: Submission
    corrects: "Given | None" = None
    is_undone: bool = False
    is_replaced: bool = False  # by another after an undo, or by a correction
    is_locked: bool = False

    @property
    def stands(self) -> bool:
        return not self.is_undone and not self.is_replaced


@dataclass
class Passed:
    pk: uuid.UUID
    slot: uuid.UUID
    key: uuid.UUID
    sitting: int
    is_taken_back: bool = False


@dataclass
class Clinician:
    """What the model knows of one person: deeds in their order, and the sitting."""

    user: User
    deeds: list[Given | Passed] = field(default_factory=list)
    held: list[uuid.UUID] = field(default_factory=list)
    sitting: int = 0  # 0: there is none
    sittings_begun: int = 0
    is_away: bool = False

    @property
    def labels(self) -> list[Given]:
        return [deed for deed in self.deeds if isinstance(deed, Given)]

    @property
    def passes(self) -> list[Passed]:
        return [deed for deed in self.deeds if isinstance(deed, Passed)]

    @property
    def first_given(self) -> list[Given]:
        return [label for label in self.labels if label.corrects is None and not label.is_undone]

    def standing(self, slot: uuid.UUID) -> Given | None:
        return next((label for label in self.labels if label.slot == slot and label.stands), None)

    def passed(self, slot: uuid.UUID) -> Passed | None:
        return next((one for one in self.passes if one.slot == slot and not one.is_taken_back), None)

    def end_sitting(self) -> None:
        """What was labelled in it locks."""
        if self.sitting:
            for label in self.first_given:
                label.is_locked = True
        self.sitting, self.is_away = 0, False

    def touch(self) -> None:
        """Begin a sitting if there is none, after ending one that was left."""
        if self.is_away:
            self.end_sitting()
        if not self.sitting:
            self.sittings_begun += 1
            self.sitting = self.sittings_begun

    def latest_undoable(self) -> Given | Passed | None:
        """Return what an undo takes back now."""
        if self.is_away or not self.sitting:
            return None
        for deed in reversed(self.deeds):
            if isinstance(deed, Passed):
                if deed.sitting == self.sitting and not deed.is_taken_back:
                    return deed
            elif deed.corrects is None and deed.stands and not deed.is_locked:
                return deed
        return None


@dataclass(frozen=True)
class World:
    """What is there before every example."""

    lead: User
    users: dict[str, User]
    campaign: Campaign


class Loop(RuleBasedStateMachine):
    """The labelling loop against its model."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.undone_by_itself = transaction.atomic()
        self.undone_by_itself.__enter__()
        self.campaign = Campaign.objects.get(pk=self.world.campaign.pk)
        self.clinicians = {name: Clinician(user) for name, user in self.world.users.items()}
        self.members = {"anna", "bruno"}
        self.is_open = True
        self.locked_before: set[uuid.UUID] = set()

    def teardown(self) -> None:
        try:
            assert verify().faults == []
            stored = Label.objects.select_related("note__data_key")
            kept = {label.pk: open_text(label.note) if label.note else "" for label in stored}
            assert kept == {label.pk: label.submission.note for label in self.all_labels()}
        finally:
            transaction.set_rollback(True)
            self.undone_by_itself.__exit__(None, None, None)

    # --- What the rules share -----------------------------------------------------------------------------
    def all_labels(self) -> list[Given]:
        return [label for person in self.clinicians.values() for label in person.labels]

    def slots_of(self, person: Clinician) -> list[Assignment]:
        own = Assignment.objects.filter(annotator=person.user)
        return list(own.order_by("sample__number", "repeat_number"))

    def some_slot(self, person: Clinician, number: int) -> Assignment | None:
        """Return one that the person holds or, a third of the time, any other the person ever had."""
        if person.held and number % 3:
            return Assignment.objects.get(pk=person.held[number % len(person.held)])
        slots = self.slots_of(person)
        return slots[number % len(slots)] if slots else None

    def refusal_of(
        self, name: str, slot: Assignment, *, is_draft: bool = False
    ) -> type[LabelNotRecordedError] | None:
        """Return why a new label of this slot, or a draft, must be refused, if it must."""
        person = self.clinicians[name]
        if name not in self.members:
            return NotYoursError
        if person.standing(slot.pk) is not None:
            return AlreadyLabelledError
        was_lost = slot.state == AssignmentState.RESTING or (
            slot.state == AssignmentState.WITHDRAWN and slot.first_shown_at is None
        )
        is_closed = not self.is_open and not is_draft  # a draft outlives the closing
        if is_closed or person.passed(slot.pk) is not None or was_lost:
            return NotYoursError
        return None

    def save(self, name: str, slot: Assignment, confidence: int, note: str) -> None:
        person = self.clinicians[name]
        given = submission(self.campaign, note=note, answers={"crisis_confidence": str(confidence)})
        expected = self.refusal_of(name, slot)
        if expected is not None:
            with pytest.raises(expected):
                record_label(annotator=person.user, assignment=slot, submission=given)
            return
        receipt = record_label(annotator=person.user, assignment=slot, submission=given)
        assert not receipt.is_replay
        person.touch()
        for label in person.labels:
            if label.slot == slot.pk and label.is_undone:
                label.is_replaced = True
        person.deeds.append(Given(receipt.label.pk, slot.pk, given))
        left_the_last_ten = person.first_given[: -sittings.UNDOABLE_LABELS][-1:]
        for label in left_the_last_ten:
            label.is_locked = True
        with suppress(ValueError):
            person.held.remove(slot.pk)

    # --- What a clinician does ----------------------------------------------------------------------------
    @rule(name=who, count=st.integers(1, 3))
    def ask(self, name: str, count: int) -> None:
        person = self.clinicians[name]
        if name not in self.members:
            return
        if not self.is_open:
            with pytest.raises(queue.CampaignNotOpenError):
                queue.hand_out(campaign=self.campaign, annotator=person.user)
            return
        got = queue.hand_out(
            campaign=self.campaign, annotator=person.user, count=count, held=person.held
        ).slots
        person.touch()
        for slot in got:
            assert slot.annotator_id == person.user.pk
            assert slot.pk not in person.held
            assert person.standing(slot.pk) is None
            assert person.passed(slot.pk) is None
            person.held.append(slot.pk)

    @rule(name=who, number=which)
    def show(self, name: str, number: int) -> None:
        person = self.clinicians[name]
        if person.held:
            shown = person.held[number % len(person.held)]
            queue.mark_shown(campaign=self.campaign, annotator=person.user, assignment_id=shown)

    @rule(name=who, number=which, confidence=confidences, note=notes)
    def label(self, name: str, number: int, confidence: int, note: str) -> None:
        slot = self.some_slot(self.clinicians[name], number)
        if slot is not None:
            self.save(name, slot, confidence, note)

    @rule(name=who, count=st.integers(2, 12))
    def label_many(self, name: str, count: int) -> None:
        """Enough in one go that labels leave the last ten."""
        waiting = [slot for slot in self.slots_of(self.clinicians[name]) if slot.state in QUEUED_STATES]
        for slot in waiting[:count]:
            self.save(name, slot, 3, "")

    @rule(name=who, number=which)
    def send_again(self, name: str, number: int) -> None:
        """A retry after an answer that never came."""
        person = self.clinicians[name]
        if not person.labels:
            return
        label = person.labels[number % len(person.labels)]
        if name not in self.members or label.is_undone:
            with pytest.raises(NotYoursError if name not in self.members else KeyReusedError):
                self.send(person, label, label.submission)
            return
        receipt = self.send(person, label, label.submission)
        assert receipt == (label.pk, True)
        person.touch()

    @rule(name=who, number=which, other=which)
    def tamper(self, name: str, number: int, other: int) -> None:
        """The key of a stored label with other answers, or for another sample."""
        person = self.clinicians[name]
        if not person.labels or name not in self.members:
            return
        label = person.labels[number % len(person.labels)]
        changed = Submission(
            answers=label.submission.answers,
            key=label.submission.key,
            guideline_id=label.submission.guideline_id,
            note=f"{label.submission.note}, and more",
            reason=label.submission.reason,
        )
        with pytest.raises(KeyReusedError):
            self.send(person, label, changed)
        slot = self.some_slot(person, other)
        if slot is not None and slot.pk != label.slot:
            with pytest.raises(KeyReusedError):
                record_label(annotator=person.user, assignment=slot, submission=label.submission)

    def send(self, person: Clinician, label: Given, given: Submission) -> tuple[uuid.UUID, bool]:
        if label.corrects is not None:
            corrected = Label.objects.get(pk=label.corrects.pk)
            receipt = correct_label(annotator=person.user, label=corrected, submission=given)
        else:
            slot = Assignment.objects.get(pk=label.slot)
            receipt = record_label(annotator=person.user, assignment=slot, submission=given)
        return receipt.label.pk, receipt.is_replay

    @rule(name=who)
    def undo(self, name: str) -> None:
        person = self.clinicians[name]
        if name not in self.members or not self.is_open:
            return
        latest = person.latest_undoable()
        if latest is None:
            with pytest.raises(LockedError):
                undo_last(annotator=person.user, campaign=self.campaign)
            return
        slot = undo_last(annotator=person.user, campaign=self.campaign)
        assert slot.pk == latest.slot
        if isinstance(latest, Passed):
            latest.is_taken_back = True
        else:
            latest.is_undone = True
            kept = drafts.draft_of(slot)
            assert kept is not None
            assert kept.answers["crisis_confidence"] == latest.submission.answers["crisis_confidence"]
            assert kept.note == latest.submission.note
        slot.refresh_from_db()
        assert slot.state == AssignmentState.LEASED
        person.held.append(slot.pk)

    @rule(name=who, number=which, is_repeated=st.booleans())
    def let_pass(self, name: str, number: int, is_repeated: bool) -> None:
        person = self.clinicians[name]
        slot = self.some_slot(person, number)
        if slot is None:
            return
        key = uuid.uuid4()
        if self.refusal_of(name, slot) is not None:
            with pytest.raises(LabelNotRecordedError):
                pass_sample(annotator=person.user, assignment=slot, key=key)
            return
        passed = pass_sample(annotator=person.user, assignment=slot, key=key)
        person.touch()
        person.deeds.append(Passed(passed.pk, slot.pk, key, person.sitting))
        with suppress(ValueError):
            person.held.remove(slot.pk)
        if is_repeated:
            assert pass_sample(annotator=person.user, assignment=slot, key=key).pk == passed.pk

    @rule(name=who, number=which, other=which)
    def pass_with_a_used_key(self, name: str, number: int, other: int) -> None:
        person = self.clinicians[name]
        slot = self.some_slot(person, other)
        if not person.passes or slot is None or name not in self.members:
            return
        used = person.passes[number % len(person.passes)]
        if used.slot != slot.pk:
            with pytest.raises(LabelNotRecordedError):
                pass_sample(annotator=person.user, assignment=slot, key=used.key)

    @rule(name=who, number=which, confidence=confidences)
    def correct(self, name: str, number: int, confidence: int) -> None:
        person = self.clinicians[name]
        if not person.labels:
            return
        label = person.labels[number % len(person.labels)]
        stored = Label.objects.get(pk=label.pk)
        answers = {"crisis_confidence": str(confidence)}
        given = submission(self.campaign, reason="slipped", answers=answers)
        expected: type[LabelNotRecordedError] | None = None
        if name not in self.members:
            expected = NotYoursError
        elif not label.stands:
            expected = AlreadyLabelledError
        elif not self.is_open:
            expected = NotYoursError
        if expected is not None:
            with pytest.raises(expected):
                correct_label(annotator=person.user, label=stored, submission=given)
            return
        receipt = correct_label(annotator=person.user, label=stored, submission=given)
        person.touch()
        label.is_locked = label.is_replaced = True
        person.deeds.append(Given(receipt.label.pk, label.slot, given, corrects=label))

    @rule(name=who, number=which, confidence=confidences, note=notes)
    def draft(self, name: str, number: int, confidence: int, note: str) -> None:
        person = self.clinicians[name]
        slot = self.some_slot(person, number)
        if slot is None:
            return
        answers = {"crisis_confidence": str(confidence)}
        if self.refusal_of(name, slot, is_draft=True) is not None:
            with pytest.raises(LabelNotRecordedError):
                keep_draft(annotator=person.user, assignment=slot, answers=answers, note=note)
            return
        keep_draft(annotator=person.user, assignment=slot, answers=answers, note=note)
        person.touch()
        kept = drafts.draft_of(slot)
        assert kept is not None
        assert (kept.answers, kept.note) == (answers, note)

    @rule(name=who)
    def close_the_page(self, name: str) -> None:
        """The held samples are forgotten; nobody tells the server."""
        self.clinicians[name].held.clear()

    @rule(name=who)
    def leave(self, name: str) -> None:
        person = self.clinicians[name]
        if name in self.members:
            leave(annotator=person.user, campaign=self.campaign)
            person.end_sitting()
            person.held.clear()

    # --- Time passes, and the sweeper sweeps --------------------------------------------------------------
    @rule(name=who)
    def let_leases_run_out(self, name: str) -> None:
        own = Assignment.objects.filter(annotator=self.clinicians[name].user, state=AssignmentState.LEASED)
        assert own.update(leased_until=timezone.now() - LONG_AGO) == queue.release_expired_leases()

    @rule(name=who)
    def stay_away(self, name: str) -> None:
        person = self.clinicians[name]
        live = Sitting.objects.filter(annotator=person.user, ended_at=None)
        assert live.update(last_seen_at=F("last_seen_at") - LONG_AGO) == bool(person.sitting)
        person.is_away = bool(person.sitting)

    @rule()
    def sweep(self) -> None:
        away = [person for person in self.clinicians.values() if person.is_away]
        assert sittings.end_idle() == len(away)
        for person in away:
            person.end_sitting()
        wake_repeats()
        replan_where_needed()

    # --- What the lead does -------------------------------------------------------------------------------
    @rule(name=who)
    def come_or_go(self, name: str) -> None:
        self.members ^= {name}
        users = [self.world.users[one].pk for one in sorted(self.members)]
        set_members(campaign=self.campaign, user_ids=users, changed_by=self.world.lead)

    @rule(name=who)
    def pause_or_resume(self, name: str) -> None:
        if name not in self.members:
            return
        member = CampaignMember.objects.get(user=self.world.users[name], left_at=None)
        change = pause_member if member.paused_at is None else resume_member
        change(campaign=self.campaign, member=member, changed_by=self.world.lead)

    @precondition(lambda self: not self.is_open)
    @rule()
    def open_again(self) -> None:
        self.turn(CampaignState.OPEN)

    @rule(is_serious=st.sampled_from([True, False, False, False]))
    def close(self, is_serious: bool) -> None:
        if self.is_open and is_serious:
            self.turn(CampaignState.CLOSED)

    def turn(self, state: CampaignState) -> None:
        change_state(campaign=self.campaign, state=state, changed_by=self.world.lead)
        self.campaign.refresh_from_db(fields=["state"])
        self.is_open = state == CampaignState.OPEN

    # --- What must hold after every step ------------------------------------------------------------------
    @invariant()
    def every_acknowledged_label_is_there_once_and_unchanged(self) -> None:
        facts = ("pk", "assignment", "idempotency_key", "answers__crisis_confidence")
        assert {row[0]: row[1:] for row in Label.objects.values_list(*facts)} == {
            label.pk: (
                label.slot,
                label.submission.key,
                label.submission.answers["crisis_confidence"],
            )
            for label in self.all_labels()
        }

    @invariant()
    def one_label_at_most_stands_for_a_slot(self) -> None:
        standing = list(Label.objects.current().values_list("assignment", "pk"))
        assert len(dict(standing)) == len(standing)
        assert dict(standing) == {label.slot: label.pk for label in self.all_labels() if label.stands}
        labelled = Assignment.objects.filter(state=AssignmentState.LABELLED).values_list("pk", flat=True)
        assert set(labelled) == set(dict(standing))

    @invariant()
    def locks_only_grow_and_are_those_of_the_model(self) -> None:
        locked = set(LabelLock.objects.values_list("label", flat=True))
        assert locked >= self.locked_before
        assert locked == {label.pk for label in self.all_labels() if label.is_locked}
        self.locked_before = locked

    @invariant()
    def an_undone_label_never_counts(self) -> None:
        undone = set(LabelUndo.objects.values_list("label", flat=True))
        assert undone == {label.pk for label in self.all_labels() if label.is_undone}
        counting = set(Label.objects.counting_for_agreement().values_list("pk", flat=True))
        assert not counting & undone
        purposes = dict(Assignment.objects.values_list("pk", "purpose"))
        assert counting == {
            label.pk
            for label in self.all_labels()
            if label.is_locked and label.corrects is None and purposes[label.slot] in COUNTED
        }

    @invariant()
    def passes_are_those_of_the_model(self) -> None:
        live = Pass.objects.filter(taken_back_at=None).values_list("assignment", flat=True)
        passed = Assignment.objects.filter(state=AssignmentState.PASSED).values_list("pk", flat=True)
        expected = [
            one.slot for person in self.clinicians.values() for one in person.passes if not one.is_taken_back
        ]
        assert sorted(live) == sorted(passed) == sorted(expected)

    @invariant()
    def nobody_has_a_sample_twice_but_for_planned_repeats(self) -> None:
        slots = Assignment.objects.exclude(state=AssignmentState.WITHDRAWN)
        twice = slots.values("annotator", "sample", "repeat_number").annotate(n=Count("pk")).filter(n__gt=1)
        assert not twice.exists()
        awake = Assignment.objects.filter(repeat_number__gt=0).exclude(
            state__in=[AssignmentState.RESTING, AssignmentState.WITHDRAWN]
        )
        for repeat in awake:
            first = Label.objects.locked().filter(
                annotator=repeat.annotator_id, sample=repeat.sample_id, assignment__repeat_number=0
            )
            assert first.exists(), "a repeat came back before its first label was locked"


@pytest.fixture
def world(db: None, settings: Settings, tmp_path: Path, lead: User) -> World:
    settings.ANCHOR_LOG = tmp_path / "anchors.jsonl"
    users = {name: people.make(name, Role.ANNOTATOR) for name in ("anna", "bruno", "chiara")}
    campaign = make_campaign(lead, [], samples=SAMPLES)
    Campaign.objects.filter(pk=campaign.pk).update(
        training_samples=2, anchor_samples=3, repeat_percent=20, repeat_after_days=0
    )
    campaign.refresh_from_db()
    qualify(campaign, *users.values())
    first = [users["anna"].pk, users["bruno"].pk]
    set_members(campaign=campaign, user_ids=first, changed_by=lead)
    return World(lead, users, campaign)


def test_labelling_loop_against_its_model(world: World) -> None:
    machine: type[Loop] = type("LoopInItsWorld", (Loop,), {"world": world})
    run_state_machine_as_test(
        machine,
        settings=hypothesis_settings(
            max_examples=EXAMPLES,
            derandomize=True,  # a run that judges a change must come out the same again
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
