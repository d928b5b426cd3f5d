"""Drafts: answers and notes that are not a label yet, encrypted under the clinician's key."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import orjson
from django.utils import timezone

from annotation.models import Assignment, Draft
from prometheus_site.core import sealing


@dataclass(frozen=True)
class Unsaved:
    """What a clinician had answered and noted so far."""

    answers: Mapping[str, object]
    note: str
    saved_at: datetime | None = None


def write(assignment_id: uuid.UUID, *, scope: str, answers: Mapping[str, object], note: str) -> Draft:
    """Keep what was answered so far under the clinician's key; a newer draft replaces the older one."""
    data_key = sealing.data_key_for(scope)
    plain = orjson.dumps({"answers": _of_known_shape(answers), "note": note})
    sealed = sealing.seal_bytes(plain, data_key, _bound_to(assignment_id))
    draft, _ = Draft.objects.update_or_create(
        assignment_id=assignment_id,
        defaults={"data_key": data_key, "sealed": sealed, "updated_at": timezone.now()},
    )
    return draft


def read(draft: Draft) -> Unsaved:
    """Open a draft. Raises TextErasedError when the clinician's key was destroyed."""
    plain = sealing.open_bytes(bytes(draft.sealed), draft.data_key, _bound_to(draft.assignment_id))
    kept = orjson.loads(plain)
    return Unsaved(answers=kept["answers"], note=kept["note"], saved_at=draft.updated_at)


def draft_of(slot: Assignment) -> Unsaved | None:
    """Return the slot's draft, opened; None where there is none or its key was destroyed."""
    found = Draft.objects.select_related("data_key").filter(assignment=slot).first()
    try:
        return read(found) if found else None
    except sealing.TextErasedError:
        return None


def discard(assignment_id: uuid.UUID) -> None:
    """Remove the slot's draft: what was in it is a label now, or was passed."""
    Draft.objects.filter(assignment_id=assignment_id).delete()


def _of_known_shape(answers: Mapping[str, object]) -> dict[str, object]:
    """Leave out what no question could be answered with: the page could not show it."""
    return {key: answer for key, answer in answers.items() if _is_known_shape(answer)}


def _is_known_shape(answer: object) -> bool:
    if isinstance(answer, list):
        return all(isinstance(code, str) for code in answer)
    return isinstance(answer, str | bool)


def _bound_to(assignment_id: uuid.UUID) -> bytes:
    return b"draft:" + assignment_id.bytes
