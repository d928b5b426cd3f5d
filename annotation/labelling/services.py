"""Store labels: acknowledged means stored, once, by that clinician, under that guideline version."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

import orjson
from django.apps import apps
from django.db import transaction
from django.utils import timezone

from annotation.assignment import queue, sittings
from annotation.labelling import drafts, record
from annotation.labelling.selectors import scheme_version
from annotation.labelling.slots import LockedSlot, lock_slot, mark_labelled
from annotation.models import Assignment, AssignmentState, CampaignState, Label, LabelUndo, Sitting
from annotation.schemes.answers import validate_answers
from annotation.wellbeing import exposure
from prometheus_site.accounts.models import User
from prometheus_site.audit.models import AccessEvent
from prometheus_site.audit.services import append_to_chain
from prometheus_site.core import sealing
from prometheus_site.core.models import SealedText


class LabelNotRecordedError(Exception):
    """The label was refused; the text says why and what to do."""


class NotYoursError(LabelNotRecordedError):
    """The sample went to somebody else, or the campaign or the person's part in it ended."""


class SlotUnknownError(NotYoursError):
    """The person has no such slot in a campaign that the person takes part in now."""


class CampaignClosedError(NotYoursError):
    """The campaign takes no labels and no changes now."""


class KeyReusedError(LabelNotRecordedError):
    """The same idempotency key came with other content."""


class AlreadyLabelledError(LabelNotRecordedError):
    """The sample has a label by this person; only a correction can follow."""


class LockedError(LabelNotRecordedError):
    """There is nothing that could still be undone."""


class RestFirstError(LabelNotRecordedError):
    """A severe text is not opened now: the limits of care come first."""


@dataclass(frozen=True)
class Submission:
    """What a clinician sent: raw answers by dimension, a note, and the key that makes it one."""

    answers: Mapping[str, object]
    key: uuid.UUID
    guideline_id: uuid.UUID
    note: str = ""
    reason: str = ""
    active_seconds: int | None = None


@dataclass(frozen=True)
class Receipt:
    """Proof of storage: the label, and whether this very submission had been stored before."""

    label: Label
    is_replay: bool


def clinician_scope(user: User) -> str:
    """Return the scope of the key for this clinician's notes and reasons."""
    return f"clinician:{user.pk}"


def record_label(*, annotator: User, assignment: Assignment, submission: Submission) -> Receipt:
    """Store the label of an assignment that has none, or whose label was undone.

    Of the assignment only its key and its campaign are looked at; the rest is read again, locked.

    The same submission again returns the stored label. Raises AnswerErrors for answers the scheme does not
    take, KeyReusedError, AlreadyLabelledError, NotYoursError or LabelNotRecordedError.
    """
    with transaction.atomic():
        # The sitting before the slot, as everywhere: two tabs of one person take turns and never deadlock.
        sitting = sittings.touch(campaign_id=assignment.campaign_id, annotator=annotator)
        slot = _lock(assignment.pk, assignment.campaign_id, annotator, submission.key)
        replay = _replay_of(annotator, slot, submission, corrects=None)
        if replay is not None:
            return Receipt(replay, is_replay=True)
        _refuse_what_cannot_be_labelled(slot, annotator)
        label = _store(slot, annotator, submission, sitting=sitting)
        mark_labelled(slot)
        if slot.has_draft:
            drafts.discard(slot.assignment_id)
        sittings.lock_eleventh(campaign_id=slot.campaign_id, annotator=annotator)
        return Receipt(label, is_replay=False)


def correct_label(*, annotator: User, label: Label, submission: Submission) -> Receipt:
    """Store a correction that supersedes the label. Raises as record_label does; a reason is required."""
    if not submission.reason.strip():
        raise LabelNotRecordedError("Say in a few words why you correct this label. Nothing was saved yet.")
    with transaction.atomic():
        sitting = sittings.touch(campaign_id=label.campaign_id, annotator=annotator)
        slot = _lock(label.assignment_id, label.campaign_id, annotator, submission.key)
        replay = _replay_of(annotator, slot, submission, corrects=label)
        if replay is not None:
            return Receipt(replay, is_replay=True)
        if not Label.objects.current().filter(pk=label.pk).exists():
            raise AlreadyLabelledError("This label was changed already. Open your latest one to change it.")
        if slot.campaign_state != CampaignState.OPEN:
            raise CampaignClosedError("The campaign is closed and takes no corrections. Ask the lead.")
        # From here on it is a correction for good: what it corrects stands as it was given.
        sittings.lock_corrected(label)
        stored = _store(slot, annotator, submission, sitting=sitting, corrects=label)
        return Receipt(stored, is_replay=False)


def undo_label(*, annotator: User, label: Label) -> None:
    """Take a label back before it locks: its sample is on the screen again, the answers as a draft.

    Raises LockedError. The label stays stored, marked as undone.
    """
    with transaction.atomic():
        sittings.touch(campaign_id=label.campaign_id, annotator=annotator)
        slot = _lock(label.assignment_id, label.campaign_id, annotator, label.idempotency_key)
        is_undoable = Label.objects.filter(pk=label.pk, reason=None, undo=None, lock=None, superseded_by=None)
        is_open = slot.campaign_state == CampaignState.OPEN
        # Who has seen what others answered keeps the label that was blind.
        if not is_undoable.exists() or not is_open or slot.has_read_labels:
            raise LockedError("This label is locked. You can still correct it, with a reason.")
        undo = LabelUndo.objects.create(label=label, annotator=annotator, created_at=timezone.now())
        append_to_chain(
            clinician_id=annotator.pk,
            kind=record.UNDO_KIND,
            object_id=undo.pk,
            payload=record.undo_payload_of(undo),
        )
        scope = clinician_scope(annotator)
        drafts.write(slot.assignment_id, scope=scope, answers=label.answers, note=_words_of(label.note))
        queue.put_on_screen(slot.assignment_id)


def _lock(assignment_id: uuid.UUID, campaign_id: uuid.UUID, annotator: User, key: uuid.UUID) -> LockedSlot:
    slot = lock_slot(assignment_id, annotator, key)
    if (
        slot is None or slot.campaign_id != campaign_id
    ):  # the person left the campaign between opening the page and saving
        raise SlotUnknownError("You are no longer in this campaign, so this was not saved. Ask the lead.")
    return slot


def _refuse_what_cannot_be_labelled(slot: LockedSlot, annotator: User) -> None:
    if slot.state == AssignmentState.LABELLED:
        raise AlreadyLabelledError("You have labelled this sample already. To change it, correct your label.")
    if slot.campaign_state != CampaignState.OPEN:
        raise CampaignClosedError("The campaign is closed, so this was not saved. Ask the lead.")
    if slot.has_read_labels:
        raise NotYoursError(
            "You have opened labels that others gave here, so yours would not be blind. It was not saved."
        )
    if slot.state in (AssignmentState.PASSED, AssignmentState.RESTING):
        raise NotYoursError("This sample is not yours to label now. Nothing was saved; go on.")
    # What a clinician has read and labelled is kept, though the plan gave the sample to another meanwhile.
    was_read = slot.first_shown_at is not None or was_sent(slot.sample_id, annotator)
    if not was_read and (slot.state == AssignmentState.WITHDRAWN or _is_kept_back(slot, annotator)):
        raise NotYoursError("This sample is no longer yours to label. Nothing was saved; go on.")
    if slot.is_covered:
        raise LabelNotRecordedError(
            "The text of this sample is still covered. Open it before you label it, or pass the sample."
        )


def _is_kept_back(slot: LockedSlot, annotator: User) -> bool:
    return not Assignment.objects.filter(pk=slot.assignment_id).admitted(annotator).exists()


def was_sent(sample_id: uuid.UUID, annotator: User) -> bool:
    """Whether the sample's text ever went to this person, if only ahead: a page may have worked offline."""
    sent = AccessEvent.objects.filter(object_type="sample", object_id=str(sample_id), actor=annotator)
    return sent.exists()


def _request_digest(slot: LockedSlot, submission: Submission, corrects: Label | None, scope: str) -> str:
    canonical = orjson.dumps(
        {
            "assignment": str(slot.assignment_id),
            "answers": submission.answers,
            "note": submission.note,
            "reason": submission.reason,
            "guideline": str(submission.guideline_id),
            "supersedes": str(corrects.pk) if corrects else None,
        },
        option=orjson.OPT_SORT_KEYS,
    )
    # Keyed, because the note is in it: nobody may guess a note from its digest.
    return sealing.keyed_digest(canonical.decode(), sealing.data_key_for(scope)).hex()


def _replay_of(
    annotator: User, slot: LockedSlot, submission: Submission, *, corrects: Label | None
) -> Label | None:
    if slot.stored_under_key is None:
        return None
    stored: Label = Label.objects.select_related("undo").get(pk=slot.stored_under_key)
    if hasattr(stored, "undo"):
        raise KeyReusedError("What was saved with this key was undone since. Save again with a new key.")
    if stored.request_digest != _request_digest(slot, submission, corrects, clinician_scope(annotator)):
        raise KeyReusedError(
            "Something else was saved with this key already, and it stands unchanged. Reload the page."
        )
    return stored


def _store(
    slot: LockedSlot,
    annotator: User,
    submission: Submission,
    *,
    sitting: Sitting,
    corrects: Label | None = None,
) -> Label:
    scope, scheme = clinician_scope(annotator), scheme_version(slot.scheme_id)
    label = Label(
        campaign_id=slot.campaign_id,
        assignment_id=slot.assignment_id,
        sample_id=slot.sample_id,
        annotator=annotator,
        scheme_id=slot.scheme_id,
        guideline_id=_guideline_shown(slot, submission.guideline_id),
        answers=validate_answers(scheme, submission.answers, slot.turns_present),
        note=_seal(submission.note, scope),
        reason=_seal(submission.reason, scope) if corrects else None,
        active_seconds=submission.active_seconds,
        sitting=sitting,
        is_simulated=slot.is_simulated,
        idempotency_key=submission.key,
        request_digest=_request_digest(slot, submission, corrects, scope),
        created_at=sittings.moment_of_deed(sitting, slot.latest_label_at),
    )
    if corrects is not None:
        label.supersedes = corrects
    else:
        label.lease_id, label.screen_order = slot.lease_id, slot.screen_order
        label.shown_at = slot.first_shown_at
        label.supersedes_id, label.replaces_undone_id = slot.undone_label_id, slot.undo_id
    label.save(force_insert=True)
    read = record.Read(
        text_digest=bytes(slot.text_digest),
        window=(slot.window_start, slot.window_stop),
        purpose=slot.purpose,
        repeat_number=slot.repeat_number,
    )
    append_to_chain(
        clinician_id=annotator.pk,
        kind=record.KIND,
        object_id=label.pk,
        payload=record.payload(label, read),
    )
    exposure.note_judged(annotator, slot.assignment_id, scheme, label.answers)
    return label


def _guideline_shown(slot: LockedSlot, guideline_id: uuid.UUID) -> uuid.UUID:
    """Return the guideline version that was on the clinician's screen; a newer one may have followed."""
    if guideline_id == slot.guideline_id:
        return guideline_id
    was_current = apps.get_model("annotation", "CampaignEvent").objects.filter(
        pgh_obj_id=slot.campaign_id, guideline_id=guideline_id
    )
    if not was_current.exists():
        raise LabelNotRecordedError(
            "The page names a guideline that does not belong here. Reload it and save again."
        )
    return guideline_id


def _words_of(note: SealedText | None) -> str:
    try:
        return sealing.open_text(note) if note else ""
    except sealing.TextErasedError:  # the clinician's key was destroyed; the answers stand
        return ""


def _seal(text: str, scope: str) -> SealedText | None:
    return sealing.seal(text.strip(), scope) if text.strip() else None
