"""A handed-out sample as the page's script and other programs get it."""

from collections.abc import Sequence
from typing import Any

from annotation.labelling import drafts
from annotation.labelling.selectors import turns_of, turns_present
from annotation.models import Assignment
from prometheus_site.accounts.models import User
from prometheus_site.audit.models import Action
from prometheus_site.audit.services import record_accesses
from prometheus_site.core.sealing import TextErasedError


def cards_of(slots: Sequence[Assignment], reader: User) -> list[dict[str, Any]]:
    """Return the samples in screen order; that their texts left the server is written down.

    A text estimated severe stays here until the person opens it.
    """
    open_ones = [slot for slot in slots if not is_covered(slot)]
    record_accesses(
        actor=reader,
        action=Action.VIEWED,
        obj_type="sample",
        obj_ids=[str(slot.sample_id) for slot in open_ones],
    )
    return [card_of(slot, with_text=slot in open_ones) for slot in slots]


def card_of(slot: Assignment, *, with_text: bool) -> dict[str, Any]:
    """Return one sample; ``turns`` is None where the text is covered."""
    sample = slot.sample
    return {
        "assignment": slot.pk,
        "number": sample.number,
        "screen_order": slot.screen_order,
        "present": sorted(turns_present(sample)),
        "is_severe": sample.is_estimated_severe,
        "is_window": sample.window_stop - sample.window_start < sample.conversation.turn_count,
        "turns": turns_json(slot) if with_text else None,
        "draft": _draft_json(slot),
        "lease": slot.lease_id,
        "leased_until": slot.leased_until,
    }


def turns_json(slot: Assignment) -> list[dict[str, Any]]:
    """Return the turns of the slot's sample."""
    return [{"number": turn.number, "role": turn.role, "text": turn.text} for turn in turns_of(slot.sample)]


def is_covered(slot: Assignment) -> bool:
    """Whether the text is to be opened by the person first: estimated severe and not opened yet."""
    return slot.sample.is_estimated_severe and slot.opened_at is None


def _draft_json(slot: Assignment) -> dict[str, Any] | None:
    if not hasattr(slot, "draft"):
        return None
    try:
        kept = drafts.read(slot.draft)
    except TextErasedError:  # the clinician's key was destroyed
        return None
    return {"answers": kept.answers, "note": kept.note}
