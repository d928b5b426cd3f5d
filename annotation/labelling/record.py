"""What the hash chain says about a label: every fact of it, texts by their keyed digest."""

import uuid
from collections.abc import Iterable
from typing import Any

from annotation.models import Label

KIND = "label"


def payload_of(label: Label) -> dict[str, Any]:
    """Return the facts of a label that its chain link covers, with what the clinician read and why.

    Sample, conversation and assignment may change in their own tables; what the label was about may not.
    Changing this breaks every stored chain.
    """
    sample, assignment = label.sample, label.assignment
    return {
        "label": str(label.id),
        "campaign": str(label.campaign_id),
        "assignment": str(label.assignment_id),
        "sample": str(label.sample_id),
        "text": bytes(sample.conversation.text.digest).hex(),
        "window": [sample.window_start, sample.window_stop],
        "purpose": assignment.purpose,
        "repeat": assignment.repeat_number,
        "annotator": str(label.annotator_id),
        "scheme": str(label.scheme_id),
        "guideline": str(label.guideline_id),
        "answers": label.answers,
        "note": bytes(label.note.digest).hex() if label.note else None,
        "active_seconds": label.active_seconds,
        "is_simulated": label.is_simulated,
        "idempotency_key": str(label.idempotency_key),
        "request": label.request_digest,
        "supersedes": str(label.supersedes_id) if label.supersedes_id else None,
        "reason": bytes(label.reason.digest).hex() if label.reason else None,
        "created_at": label.created_at.isoformat(timespec="microseconds"),
    }


def payloads_of(label_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, dict[str, Any]]:
    """Return the payloads of stored labels by id, for the verifier; a missing label is a missing key."""
    labels = Label.objects.filter(pk__in=list(label_ids)).select_related(
        "note", "reason", "assignment", "sample__conversation__text"
    )
    return {label.id: payload_of(label) for label in labels}
