"""Store labels: acknowledged means stored, once, by that clinician, under that guideline version."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

import orjson
from django.apps import apps
from django.db import transaction
from django.utils import timezone

from annotation.labelling import record
from annotation.models import (
    Assignment,
    AssignmentState,
    Campaign,
    CampaignState,
    Label,
    Sample,
)
from annotation.schemes.answers import validate_answers
from annotation.schemes.definition import parse_scheme
from prometheus_site.accounts.models import User
from prometheus_site.audit.services import append_to_chain
from prometheus_site.core import sealing
from prometheus_site.core.models import SealedText


class LabelNotRecordedError(Exception):
    """The label was refused; the text says why and what to do."""


class KeyReusedError(LabelNotRecordedError):
    """The same idempotency key came with other content."""


class AlreadyLabelledError(LabelNotRecordedError):
    """The sample has a label by this person; only a correction can follow."""


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


def turns_present(sample: Sample) -> frozenset[str]:
    """Return which speakers the sample has, as the scheme names them."""
    client = {"client"} if sample.has_client_turn else set()
    return frozenset(client | ({"assistant"} if sample.has_assistant_turn else set()))


def record_label(*, annotator: User, assignment: Assignment, submission: Submission) -> Receipt:
    """Store the first label of an assignment.

    The same submission again returns the stored label. Raises AnswerErrors for answers the scheme does not
    take, KeyReusedError, AlreadyLabelledError, or LabelNotRecordedError.
    """
    with transaction.atomic():
        slot = _lock(assignment, annotator)
        replay = _replay_of(annotator, slot, submission, supersedes=None)
        if replay is not None:
            return Receipt(replay, is_replay=True)
        if slot.state == AssignmentState.LABELLED:
            raise AlreadyLabelledError(
                "You have labelled this sample already. To change it, correct your label."
            )
        if slot.state == AssignmentState.WITHDRAWN or slot.campaign.state != CampaignState.OPEN:
            raise LabelNotRecordedError("This sample is no longer yours to label. Nothing was saved; go on.")
        label = _store(slot, annotator, submission, supersedes=None)
        slot.state, slot.lease_id, slot.leased_until = AssignmentState.LABELLED, None, None
        slot.save(update_fields=["state", "lease_id", "leased_until"])
        return Receipt(label, is_replay=False)


def correct_label(*, annotator: User, label: Label, submission: Submission) -> Receipt:
    """Store a correction that supersedes the label. Raises as record_label does; a reason is required."""
    if not submission.reason.strip():
        raise LabelNotRecordedError("Say in a few words why you correct this label. Nothing was saved yet.")
    with transaction.atomic():
        slot = _lock(label.assignment, annotator)
        replay = _replay_of(annotator, slot, submission, supersedes=label)
        if replay is not None:
            return Receipt(replay, is_replay=True)
        if Label.objects.filter(supersedes=label).exists():
            raise AlreadyLabelledError("This label was corrected already. Open your latest one to change it.")
        if slot.campaign.state != CampaignState.OPEN:
            raise LabelNotRecordedError("The campaign is closed and takes no corrections. Ask the lead.")
        return Receipt(_store(slot, annotator, submission, supersedes=label), is_replay=False)


def _lock(assignment: Assignment, annotator: User) -> Assignment:
    """Lock the assignment's row: everything about one label waits here, and nothing else does."""
    rows = Assignment.objects.visible_to(annotator).filter(pk=assignment.pk)
    slot = (
        rows.select_related("campaign__scheme", "sample__conversation__text")
        .select_for_update(of=("self",))
        .first()
    )
    if slot is None:  # the person left the campaign between opening the page and saving
        raise LabelNotRecordedError(
            "You are no longer in this campaign, so this was not saved. Ask the lead."
        )
    return slot


def _request_digest(slot: Assignment, submission: Submission, supersedes: Label | None, scope: str) -> str:
    canonical = orjson.dumps(
        {
            "assignment": str(slot.pk),
            "answers": submission.answers,
            "note": submission.note,
            "reason": submission.reason,
            "guideline": str(submission.guideline_id),
            "supersedes": str(supersedes.pk) if supersedes else None,
        },
        option=orjson.OPT_SORT_KEYS,
    )
    # Keyed, because the note is in it: nobody may guess a note from its digest.
    return sealing.keyed_digest(canonical.decode(), sealing.data_key_for(scope)).hex()


def _replay_of(
    annotator: User, slot: Assignment, submission: Submission, *, supersedes: Label | None
) -> Label | None:
    stored: Label | None = Label.objects.filter(annotator=annotator, idempotency_key=submission.key).first()
    if stored is None:
        return None
    if stored.request_digest != _request_digest(slot, submission, supersedes, clinician_scope(annotator)):
        raise KeyReusedError(
            "Something else was saved with this key already, and it stands unchanged. Reload the page."
        )
    return stored


def _store(slot: Assignment, annotator: User, submission: Submission, *, supersedes: Label | None) -> Label:
    scheme = slot.campaign.scheme
    answers = validate_answers(
        parse_scheme(scheme.definition), submission.answers, turns_present(slot.sample)
    )
    scope = clinician_scope(annotator)
    label = Label(
        campaign=slot.campaign,
        assignment=slot,
        sample=slot.sample,
        annotator=annotator,
        scheme=scheme,
        guideline_id=_guideline_shown(slot.campaign, submission.guideline_id),
        answers=answers,
        note=_seal(submission.note, scope),
        reason=_seal(submission.reason, scope) if supersedes else None,
        active_seconds=submission.active_seconds,
        is_simulated=slot.campaign.is_simulated,
        idempotency_key=submission.key,
        request_digest=_request_digest(slot, submission, supersedes, scope),
        supersedes=supersedes,
        created_at=timezone.now(),
    )
    label.save(force_insert=True)
    append_to_chain(
        clinician_id=annotator.pk, kind=record.KIND, object_id=label.pk, payload=record.payload_of(label)
    )
    return label


def _guideline_shown(campaign: Campaign, guideline_id: uuid.UUID) -> uuid.UUID:
    """Return the guideline version that was on the clinician's screen; a newer one may have followed."""
    was_current = apps.get_model("annotation", "CampaignEvent").objects.filter(
        pgh_obj_id=campaign.pk, guideline_id=guideline_id
    )
    if guideline_id != campaign.guideline_id and not was_current.exists():
        raise LabelNotRecordedError(
            "The page names a guideline that does not belong here. Reload it and save again."
        )
    return guideline_id


def _seal(text: str, scope: str) -> SealedText | None:
    return sealing.seal(text.strip(), scope) if text.strip() else None
