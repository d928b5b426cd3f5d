"""Handed-out slots with all that a card shows, by a statement that PostgreSQL plans once."""

import uuid
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from django.db.models import Model

from annotation.models import Assignment, Draft, Sample
from datasets_app.models import Conversation
from prometheus_site.core import prepared
from prometheus_site.core.models import DataKey, SealedText


def _in_order(model: type[Model], *wanted: str) -> tuple[type[Model], tuple[str, ...]]:
    """Return the model and these of its columns in declared order, as `from_db` wants the values."""
    return model, tuple(one.attname for one in model._meta.concrete_fields if one.attname in wanted)


_SLOT = ("id", "campaign_id", "sample_id", "annotator_id", "state", "lease_id", "leased_until")
_TEXT = ("number", "is_estimated_severe", "window_start", "window_stop", "conversation_id")
PARTS = {
    "slot": _in_order(Assignment, *_SLOT, "screen_order", "first_shown_at", "opened_at"),
    "sample": _in_order(Sample, "id", *_TEXT, "has_client_turn", "has_assistant_turn"),
    "conversation": _in_order(Conversation, "id", "turn_count", "text_id"),
    "text": _in_order(SealedText, "id", "ciphertext", "data_key_id"),
    "text_key": _in_order(DataKey, "id", "wrapped"),
    "draft": _in_order(Draft, "assignment_id", "sealed", "updated_at", "data_key_id"),
    "draft_key": _in_order(DataKey, "id", "wrapped"),
}
COLUMNS = ", ".join(f"{table}.{column}" for table, (_, columns) in PARTS.items() for column in columns)
# One row after the other, each by its key: a plan kept from when the tables were empty might join them in an
# order that multiplies them.
HANDED = f"""
SELECT {COLUMNS}
FROM (SELECT * FROM annotation_assignment WHERE id = %s LIMIT 1) AS slot
CROSS JOIN LATERAL (SELECT * FROM annotation_sample WHERE id = slot.sample_id LIMIT 1) AS sample
CROSS JOIN LATERAL (
    SELECT * FROM datasets_app_conversation WHERE id = sample.conversation_id LIMIT 1) AS conversation
CROSS JOIN LATERAL (SELECT * FROM core_sealedtext WHERE id = conversation.text_id LIMIT 1) AS text
CROSS JOIN LATERAL (SELECT * FROM core_datakey WHERE id = text.data_key_id LIMIT 1) AS text_key
LEFT JOIN LATERAL (SELECT * FROM annotation_draft WHERE assignment_id = slot.id LIMIT 1) AS draft ON TRUE
LEFT JOIN LATERAL (SELECT * FROM core_datakey WHERE id = draft.data_key_id LIMIT 1) AS draft_key ON TRUE
"""  # noqa: S608  the columns are those above


def handed_rows(chosen: Iterable[uuid.UUID]) -> tuple[Assignment, ...]:
    """Return these slots in their order, each with its sample, its sealed text and its draft.

    One at a time, as nearly always there is one: for a list of unknown length no plan is kept.
    """
    found = (prepared.one_row(HANDED, [slot]) for slot in chosen)
    return tuple(_slot(iter(row)) for row in found if row)


def _slot(values: Iterator[Any]) -> Assignment:
    loaded: list[Any] = [
        model.from_db("default", columns, list(islice(values, len(columns))))
        for model, columns in PARTS.values()
    ]
    slot, sample, conversation, text, text_key, draft, draft_key = loaded
    text.data_key, conversation.text, sample.conversation, slot.sample = text_key, text, conversation, sample
    if draft.pk is None:
        slot._state.fields_cache["draft"] = None  # known to have none, as after select_related
    else:
        draft.data_key, draft.assignment = draft_key, slot
    found: Assignment = slot
    return found
