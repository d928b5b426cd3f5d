"""Labels lock when they leave their maker's last ten, or when the sitting ends; only locked ones count."""

import uuid

import pytest
from django.db import IntegrityError, transaction

from annotation.assignment import sittings
from annotation.assignment.queue import assign_next
from annotation.assignment.sittings import UNDOABLE_LABELS
from annotation.labelling.services import correct_label, undo_label
from annotation.labelling.unlabelled import leave, pass_sample
from annotation.models import Campaign, Label, LabelLock, LockCause, Purpose
from prometheus_site.accounts.models import User
from prometheus_site.core.append_only import AppendOnlyError
from tests.annotation.planned import give, make_planned_campaign
from tests.annotation.worlds import submission


@pytest.fixture
def campaign(lead: User, annotator: User, second_annotator: User) -> Campaign:
    return make_planned_campaign(lead, [annotator, second_annotator], samples=14, repeat_percent=0)


def label_next(campaign: Campaign, annotator: User) -> Label:
    slot = assign_next(campaign=campaign, annotator=annotator)
    assert slot is not None
    return give(campaign, slot)


def locked(campaign: Campaign) -> list[Label]:
    return list(Label.objects.filter(campaign=campaign, lock__isnull=False).order_by("created_at"))


def test_ten_labels_can_be_undone(campaign: Campaign, annotator: User) -> None:
    for _ in range(UNDOABLE_LABELS):
        label_next(campaign, annotator)
    assert UNDOABLE_LABELS == 10
    assert not LabelLock.objects.exists()


def test_the_eleventh_locks_the_first(campaign: Campaign, annotator: User) -> None:
    given = [label_next(campaign, annotator) for _ in range(13)]
    assert locked(campaign) == given[:3]
    assert set(LabelLock.objects.values_list("cause", flat=True)) == {LockCause.LEFT_LAST_TEN}


def test_only_ones_own_labels_push(campaign: Campaign, annotator: User, second_annotator: User) -> None:
    for _ in range(8):
        label_next(campaign, annotator)
        label_next(campaign, second_annotator)
    assert locked(campaign) == []


def test_labels_of_another_campaign_do_not_push(campaign: Campaign, lead: User, annotator: User) -> None:
    other = make_planned_campaign(lead, [annotator], samples=8, slug="other", labels_per_sample=1)
    for _ in range(8):
        label_next(campaign, annotator)
        label_next(other, annotator)
    assert not LabelLock.objects.exists()


def test_passes_do_not_push(campaign: Campaign, annotator: User) -> None:
    for _ in range(UNDOABLE_LABELS):
        label_next(campaign, annotator)
    for _ in range(3):
        slot = assign_next(campaign=campaign, annotator=annotator)
        assert slot is not None
        pass_sample(annotator=annotator, assignment=slot, key=uuid.uuid4())
    assert not LabelLock.objects.exists()


def test_a_correction_does_not_push(campaign: Campaign, annotator: User) -> None:
    given = [label_next(campaign, annotator) for _ in range(UNDOABLE_LABELS)]
    correct_label(annotator=annotator, label=given[4], submission=submission(campaign, reason="a slip"))
    assert locked(campaign) == [given[4]]


def test_an_undone_label_does_not_push_and_never_locks(campaign: Campaign, annotator: User) -> None:
    given = [label_next(campaign, annotator) for _ in range(UNDOABLE_LABELS)]
    undo_label(annotator=annotator, label=given[-1])
    again = label_next(campaign, annotator)
    assert again.supersedes == given[-1]
    assert locked(campaign) == []
    leave(annotator=annotator, campaign=campaign)
    assert locked(campaign) == [*given[:-1], again]
    assert not LabelLock.objects.filter(label=given[-1]).exists()


def test_the_end_of_the_sitting_locks_the_rest(campaign: Campaign, annotator: User) -> None:
    given = [label_next(campaign, annotator) for _ in range(12)]
    sittings.end(campaign=campaign, annotator=annotator)
    causes = dict(LabelLock.objects.values_list("label", "cause"))
    assert [causes[one.pk] for one in given] == [LockCause.LEFT_LAST_TEN] * 2 + [LockCause.SITTING_ENDED] * 10


def test_a_correction_locks_what_it_corrects_and_is_not_locked_itself(
    campaign: Campaign, annotator: User
) -> None:
    given = label_next(campaign, annotator)
    fixed = correct_label(
        annotator=annotator, label=given, submission=submission(campaign, reason="a slip")
    ).label
    assert LabelLock.objects.get().cause == LockCause.CORRECTED
    sittings.end(campaign=campaign, annotator=annotator)
    assert not LabelLock.objects.filter(label=fixed).exists()
    assert LabelLock.objects.get().label == given


def test_only_locked_labels_of_planned_overlap_count(
    lead: User, annotator: User, second_annotator: User
) -> None:
    campaign = make_planned_campaign(
        lead,
        [annotator, second_annotator],
        samples=6,
        training_samples=1,
        calibration_samples=1,
        anchor_samples=1,
    )
    for _ in range(6):
        label_next(campaign, annotator)
    counting = Label.objects.filter(campaign=campaign).counting_for_agreement()
    assert not counting.exists()
    sittings.end(campaign=campaign, annotator=annotator)
    purposes = sorted(counting.values_list("assignment__purpose", flat=True))
    assert purposes == [Purpose.ANCHOR, Purpose.OVERLAP, Purpose.OVERLAP, Purpose.OVERLAP]


def test_what_counts_is_the_label_as_it_locked(campaign: Campaign, annotator: User) -> None:
    """Undone and given again before the lock: the later one; corrected after it: the first."""
    first = label_next(campaign, annotator)
    undo_label(annotator=annotator, label=first)
    slot = assign_next(campaign=campaign, annotator=annotator)
    assert slot is not None
    second = give(campaign, slot, answers={"empathy_global": "4"})
    sittings.end(campaign=campaign, annotator=annotator)
    given = submission(campaign, answers={"empathy_global": "5"}, reason="misread")
    correct_label(annotator=annotator, label=second, submission=given)
    assert list(Label.objects.filter(campaign=campaign).counting_for_agreement()) == [second]
    assert [one.answers["empathy_global"] for one in Label.objects.current()] == ["5"]


def test_a_label_locks_once_and_for_ever(campaign: Campaign, annotator: User) -> None:
    label_next(campaign, annotator)
    sittings.end(campaign=campaign, annotator=annotator)
    lock = LabelLock.objects.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        LabelLock.objects.create(label=lock.label, cause=LockCause.CORRECTED)
    with pytest.raises(AppendOnlyError):
        lock.delete()


def test_the_database_knows_the_causes(campaign: Campaign, annotator: User) -> None:
    given = label_next(campaign, annotator)
    with pytest.raises(IntegrityError, match="labellock_cause_is_known"), transaction.atomic():
        LabelLock.objects.create(label=given, cause="because")
