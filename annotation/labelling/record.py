"""What the hash chain says about a label: every fact of it, texts by their keyed digest."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from annotation.models import Label, LabelUndo

KIND = "label"
UNDO_KIND = "undo"


@dataclass(frozen=True)
class Read:
    """What the clinician read and why: may change in its own tables, and the link says what it was."""

    text_digest: bytes
    window: tuple[int, int]
    purpose: str
    repeat_number: int


def payload(label: Label, read: Read) -> dict[str, Any]:
    """Return the facts of a label that its chain link covers. Changing this breaks every stored chain."""
    facts = {
        "label": str(label.id),
        "campaign": str(label.campaign_id),
        "assignment": str(label.assignment_id),
        "sample": str(label.sample_id),
        "text": read.text_digest.hex(),
        "window": [*read.window],
        "purpose": read.purpose,
        "repeat": read.repeat_number,
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
    # Facts that older labels do not have are covered where they are there, so that older links still hold.
    newer = {
        "sitting": label.sitting_id and str(label.sitting_id),
        "lease": label.lease_id and str(label.lease_id),
        "screen_order": label.screen_order,
        "shown_at": label.shown_at and label.shown_at.isoformat(timespec="microseconds"),
        "replaces_undone": label.replaces_undone_id and str(label.replaces_undone_id),
    }
    return facts | {name: value for name, value in newer.items() if value is not None}


def payload_of(label: Label) -> dict[str, Any]:
    """Return the payload of a stored label, read back from the tables."""
    sample, assignment = label.sample, label.assignment
    read = Read(
        text_digest=bytes(sample.conversation.text.digest),
        window=(sample.window_start, sample.window_stop),
        purpose=assignment.purpose,
        repeat_number=assignment.repeat_number,
    )
    return payload(label, read)


def undo_payload_of(undo: LabelUndo) -> dict[str, Any]:
    """Return the facts of an undo that its chain link covers."""
    return {
        "undo": str(undo.id),
        "label": str(undo.label_id),
        "annotator": str(undo.annotator_id),
        "created_at": undo.created_at.isoformat(timespec="microseconds"),
    }


def undo_payloads_of(undo_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, dict[str, Any]]:
    """Return the payloads of stored undos by id, for the verifier."""
    undos = LabelUndo.objects.filter(pk__in=list(undo_ids))
    return {undo.id: undo_payload_of(undo) for undo in undos}


def payloads_of(label_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, dict[str, Any]]:
    """Return the payloads of stored labels by id, for the verifier; a missing label is a missing key."""
    labels = Label.objects.filter(pk__in=list(label_ids)).select_related(
        "note", "reason", "assignment", "sample__conversation__text"
    )
    return {label.id: payload_of(label) for label in labels}
