"""Sittings begin with the first sample, end by leaving or staying away, and settle what was done in them."""

import uuid
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from annotation.models import Campaign, Label, LabelLock, LockCause, Sitting
from prometheus_site.accounts.models import User
from prometheus_site.core import prepared

SITTING_IDLE_MINUTES = 30
SEEN_EVERY_SECONDS = 15  # a sitting's row is not rewritten by every key press
UNDOABLE_LABELS = 10

# Written out, as every deed begins with it.
LOCK_LIVE = """
SELECT * FROM annotation_sitting WHERE campaign_id = %s AND annotator_id = %s AND ended_at IS NULL FOR UPDATE
"""
LOCK_REST = """
INSERT INTO annotation_labellock (label_id, cause)
SELECT label.id, 'sitting_ended'
FROM annotation_label AS label
WHERE label.campaign_id = %s AND label.annotator_id = %s AND label.reason_id IS NULL
  AND NOT EXISTS (SELECT 1 FROM annotation_labellock AS lock WHERE lock.label_id = label.id)
  AND NOT EXISTS (SELECT 1 FROM annotation_labelundo AS undo WHERE undo.label_id = label.id)
ON CONFLICT DO NOTHING
"""
DISCARD_DRAFTS_OF_PASSED = """
DELETE FROM annotation_draft AS draft
USING annotation_assignment AS slot
WHERE slot.id = draft.assignment_id AND slot.state = 'passed'
  AND slot.campaign_id = %s AND slot.annotator_id = %s
"""
# A number in its place, not a parameter: a kept plan would not know how few rows are wanted.
LOCK_ELEVENTH = f"""
INSERT INTO annotation_labellock (label_id, cause)
SELECT label.id, 'left_last_ten'
FROM annotation_label AS label
WHERE label.annotator_id = %s AND label.campaign_id = %s AND label.reason_id IS NULL
  AND NOT EXISTS (SELECT 1 FROM annotation_labelundo AS undo WHERE undo.label_id = label.id)
ORDER BY label.created_at DESC
OFFSET {UNDOABLE_LABELS} LIMIT 1
ON CONFLICT DO NOTHING
"""  # noqa: S608


def touch(*, campaign_id: uuid.UUID, annotator: User) -> Sitting:
    """Return the person's live sitting, begun now if there is none. Call inside a transaction.

    Its row stays locked until the transaction ends: two tabs of one person take turns.
    """
    now = timezone.now()
    live = _locked(campaign_id, annotator)
    if live is not None and now - live.last_seen_at > timedelta(minutes=SITTING_IDLE_MINUTES):
        _end(live)
        live = None
    if live is not None and now - live.last_seen_at > timedelta(seconds=SEEN_EVERY_SECONDS):
        Sitting.objects.filter(pk=live.pk).update(last_seen_at=now)
    while live is None:
        begun = Sitting(campaign_id=campaign_id, annotator=annotator, started_at=now, last_seen_at=now)
        # Another tab may just have begun it: then that one is the sitting, unless it has ended since.
        Sitting.objects.bulk_create([begun], ignore_conflicts=True)
        live = _locked(campaign_id, annotator)
    return live


def moment_of_deed(sitting: Sitting, latest_label_at: datetime | None) -> datetime:
    """Return now, or the first moment after the person's last deed where the clock was set back since.

    What came later is later for ever: undo and locks go by it. Call with the sitting locked.
    """
    before = max(sitting.last_seen_at, latest_label_at or sitting.last_seen_at)
    return max(timezone.now(), before + timedelta(microseconds=1))


def note_deed(sitting: Sitting, at: datetime) -> None:
    """Note a deed that leaves no label, so that the next one comes after it."""
    Sitting.objects.filter(pk=sitting.pk).update(last_seen_at=at)


def end(*, campaign: Campaign, annotator: User) -> Sitting | None:
    """End the person's sitting: what was labelled in it locks. None when there was no live one."""
    with transaction.atomic():
        live = _locked(campaign.pk, annotator)
        if live is not None:
            _end(live)
        return live


def end_idle() -> int:
    """End the sittings of people who stayed away; return how many."""
    silent_since = timezone.now() - timedelta(minutes=SITTING_IDLE_MINUTES)
    silent = Sitting.objects.filter(ended_at__isnull=True, last_seen_at__lt=silent_since)
    ended = 0
    for sitting in silent.select_related("annotator"):
        with transaction.atomic():
            live = _locked(sitting.campaign_id, sitting.annotator)
            if live is not None and live.last_seen_at < silent_since:
                _end(live)
                ended += 1
    return ended


def lock_eleventh(*, campaign_id: uuid.UUID, annotator: User) -> None:
    """Lock the label that has just left its maker's last ten."""
    with prepared.executed(LOCK_ELEVENTH, [annotator.pk, campaign_id]):
        pass


def lock_corrected(label: Label) -> None:
    """Lock a label that is being corrected, unless it is locked: the correction may not be undone away."""
    LabelLock.objects.bulk_create([LabelLock(label=label, cause=LockCause.CORRECTED)], ignore_conflicts=True)


def _locked(campaign_id: uuid.UUID, annotator: User) -> Sitting | None:
    found = Sitting.objects.raw(LOCK_LIVE, [campaign_id, annotator.pk])
    return next(iter(found), None)


def _end(sitting: Sitting) -> None:
    # It ended when its maker was last seen, not when somebody noticed.
    Sitting.objects.filter(pk=sitting.pk).update(ended_at=F("last_seen_at"))
    with connection.cursor() as cursor:
        cursor.execute(LOCK_REST, [sitting.campaign_id, sitting.annotator_id])
        cursor.execute(DISCARD_DRAFTS_OF_PASSED, [sitting.campaign_id, sitting.annotator_id])
