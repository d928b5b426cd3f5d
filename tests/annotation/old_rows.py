"""Labels as they were stored before there were sittings, leases and undos: row and link."""

import uuid
from typing import Any

from django.db import transaction
from django.utils import timezone

from annotation.labelling.record import KIND
from annotation.models import Assignment, AssignmentState, Label
from prometheus_site.audit.services import append_to_chain
from prometheus_site.core import sealing
from tests.annotation.worlds import GOOD_ANSWERS


def old_label(slot: Assignment, *, corrects: Label | None = None) -> Label:
    """Store a label of the slot's sample, or a correction of an old label."""
    campaign, sample, annotator = slot.campaign, slot.sample, slot.annotator
    stored = Label(
        campaign=campaign,
        assignment=slot,
        sample=sample,
        annotator=annotator,
        scheme=campaign.scheme,
        guideline=campaign.guideline,
        answers=GOOD_ANSWERS,
        active_seconds=31,
        idempotency_key=uuid.uuid4(),
        request_digest="0" * 64,
        supersedes=corrects,
        created_at=timezone.now(),
    )
    with transaction.atomic():
        if corrects is not None:
            stored.reason = sealing.seal("misread", f"clinician:{annotator.pk}")
        stored.save(force_insert=True)
        Assignment.objects.filter(pk=slot.pk).update(state=AssignmentState.LABELLED)
        append_to_chain(
            clinician_id=annotator.pk, kind=KIND, object_id=stored.pk, payload=old_payload(stored)
        )
    return stored


def old_payload(label: Label) -> dict[str, Any]:
    """Return what a link covered then, written out: the chains of that time hold for ever."""
    sample, slot = label.sample, label.assignment
    return {
        "label": str(label.id),
        "campaign": str(label.campaign_id),
        "assignment": str(slot.id),
        "sample": str(sample.id),
        "text": bytes(sample.conversation.text.digest).hex(),
        "window": [sample.window_start, sample.window_stop],
        "purpose": slot.purpose,
        "repeat": slot.repeat_number,
        "annotator": str(label.annotator_id),
        "scheme": str(label.scheme_id),
        "guideline": str(label.guideline_id),
        "answers": label.answers,
        "note": None,
        "active_seconds": label.active_seconds,
        "is_simulated": label.is_simulated,
        "idempotency_key": str(label.idempotency_key),
        "request": label.request_digest,
        "supersedes": str(label.supersedes_id) if label.supersedes_id else None,
        "reason": bytes(label.reason.digest).hex() if label.reason else None,
        "created_at": label.created_at.isoformat(timespec="microseconds"),
    }
