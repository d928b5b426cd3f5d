"""The slot that a save is about, locked, with everything the save asks: one question to the database."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from prometheus_site.accounts.models import User
from prometheus_site.core import prepared

# Written out, because every save asks it: the ORM takes longer to put it together than PostgreSQL to answer.
# Only a person who takes part in the campaign now finds a row. The text itself is not read.
LOCK_SLOT = """
SELECT slot.id, slot.campaign_id, slot.sample_id, slot.purpose, slot.repeat_number, slot.state, slot.lease_id,
       slot.screen_order, slot.first_shown_at,
       sample.is_estimated_severe AND slot.opened_at IS NULL,
       EXISTS (SELECT 1 FROM annotation_draft AS draft WHERE draft.assignment_id = slot.id),
       sample.has_client_turn, sample.has_assistant_turn, sample.window_start, sample.window_stop,
       text.digest,
       campaign.state, campaign.is_simulated, campaign.scheme_id, campaign.guideline_id,
       (SELECT label.id FROM annotation_label AS label
        WHERE label.annotator_id = %(annotator)s AND label.idempotency_key = %(key)s),
       (SELECT max(label.created_at) FROM annotation_label AS label WHERE label.annotator_id = %(annotator)s),
       undone.label_id, undone.id,
       EXISTS (SELECT 1 FROM annotation_labelsopened AS opened
               WHERE opened.campaign_id = slot.campaign_id AND opened.reader_id = %(annotator)s)
FROM annotation_assignment AS slot
JOIN annotation_sample AS sample ON sample.id = slot.sample_id
JOIN datasets_app_conversation AS conversation ON conversation.id = sample.conversation_id
JOIN core_sealedtext AS text ON text.id = conversation.text_id
JOIN annotation_campaign AS campaign ON campaign.id = slot.campaign_id
LEFT JOIN LATERAL (
    SELECT undo.id, undo.label_id
    FROM annotation_label AS label
    JOIN annotation_labelundo AS undo ON undo.label_id = label.id
    WHERE label.assignment_id = slot.id
      AND NOT EXISTS (SELECT 1 FROM annotation_label AS newer WHERE newer.supersedes_id = label.id)
    LIMIT 1
) AS undone ON TRUE
WHERE slot.id = %(slot)s AND slot.annotator_id = %(annotator)s
  AND EXISTS (SELECT 1 FROM annotation_campaignmember AS member
              WHERE member.campaign_id = slot.campaign_id AND member.user_id = %(annotator)s
                AND member.left_at IS NULL)
FOR UPDATE OF slot
"""
MARK_LABELLED = """
UPDATE annotation_assignment SET state = 'labelled', lease_id = NULL, leased_until = NULL WHERE id = %s
"""


@dataclass(frozen=True)
class LockedSlot:
    """A slot of the person's own as it stands while its row is locked, and what bears on labelling it."""

    assignment_id: uuid.UUID
    campaign_id: uuid.UUID
    sample_id: uuid.UUID
    purpose: str
    repeat_number: int
    state: str
    lease_id: uuid.UUID | None
    screen_order: int | None
    first_shown_at: datetime | None
    is_covered: bool
    has_draft: bool
    has_client_turn: bool
    has_assistant_turn: bool
    window_start: int
    window_stop: int
    text_digest: bytes
    campaign_state: str
    is_simulated: bool
    scheme_id: uuid.UUID
    guideline_id: uuid.UUID
    stored_under_key: uuid.UUID | None
    latest_label_at: datetime | None
    undone_label_id: uuid.UUID | None
    undo_id: uuid.UUID | None
    has_read_labels: bool

    @property
    def turns_present(self) -> frozenset[str]:
        """Which speakers the sample has, as the scheme names them."""
        return speakers(has_client=self.has_client_turn, has_assistant=self.has_assistant_turn)


def lock_slot(assignment_id: uuid.UUID, annotator: User, key: uuid.UUID) -> LockedSlot | None:
    """Lock the person's slot and return it; None when it is not, or no longer, the person's.

    Call inside a transaction, with the person's sitting locked before.
    """
    row = prepared.one_row(LOCK_SLOT, {"slot": assignment_id, "annotator": annotator.pk, "key": key})
    return LockedSlot(*row) if row else None


def mark_labelled(slot: LockedSlot) -> None:
    """Note that a locked slot has its label."""
    with prepared.executed(MARK_LABELLED, [slot.assignment_id]):
        pass


def speakers(*, has_client: bool, has_assistant: bool) -> frozenset[str]:
    """Return which speakers a sample has, as the scheme names them."""
    named = {"client": has_client, "assistant": has_assistant}
    return frozenset(name for name, is_there in named.items() if is_there)
