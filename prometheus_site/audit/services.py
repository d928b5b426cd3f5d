"""Write the record: access events, chain links and anchors."""

import uuid
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from prometheus_site.audit import anchor_log, signing
from prometheus_site.audit import chain as hashes
from prometheus_site.audit.models import AccessEvent, Action, Anchor, ChainEntry
from prometheus_site.observability.logs import request_id as current_request_id

if TYPE_CHECKING:
    from prometheus_site.accounts.models import User

# First halves of two-part advisory lock keys, one per subject, so that they never meet.
CHAIN_LOCK, ANCHOR_LOCK = 71001, 71002
# Written out, as it is asked with every save.
LAST_LINK = """
SELECT sequence, entry_hash FROM audit_chainentry WHERE chain_id = %s ORDER BY sequence DESC LIMIT 1
"""


def record_access(
    *, actor: "User | None", action: Action, obj_type: str, obj_id: str = "", request_id: str | None = None
) -> None:
    """Write down that a person did something to an object; ids only."""
    named = request_id or current_request_id.get() or None
    AccessEvent.objects.create(
        actor=actor, action=action, object_type=obj_type, object_id=obj_id, request_id=named
    )


def record_accesses(*, actor: "User", action: Action, obj_type: str, obj_ids: Sequence[str]) -> None:
    """Write down the same deed on several objects at once."""
    named = current_request_id.get() or None
    AccessEvent.objects.bulk_create(
        AccessEvent(actor=actor, action=action, object_type=obj_type, object_id=obj_id, request_id=named)
        for obj_id in obj_ids
    )


def append_to_chain(
    *, clinician_id: uuid.UUID, kind: str, object_id: uuid.UUID, payload: Mapping[str, Any]
) -> ChainEntry:
    """Add a link to the clinician's chain. Call inside the transaction that stores the object itself.

    Only writers of the same chain wait for each other, never for anybody else's.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("A chain link is written in the transaction of the object it covers.")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [CHAIN_LOCK, str(clinician_id)])
        # In a statement of its own: one sees what was there when it began, and this must see the last link.
        cursor.execute(LAST_LINK, [clinician_id])
        sequence, previous = cursor.fetchone() or (0, hashes.GENESIS)
    sequence += 1
    now = timezone.now()
    covered = hashes.payload_hash(payload)
    return ChainEntry.objects.create(
        chain_id=clinician_id,
        sequence=sequence,
        kind=kind,
        object_id=object_id,
        payload_hash=covered,
        previous_hash=previous,
        entry_hash=hashes.entry_hash(
            chain=str(clinician_id),
            sequence=sequence,
            kind=kind,
            object_id=str(object_id),
            payload=covered,
            previous=previous,
            recorded_at=now,
        ),
        recorded_at=now,
    )


def current_heads() -> list[list[Any]]:
    """Return [chain id, sequence, entry hash] of the last link of every chain, sorted by chain id."""
    heads = (
        ChainEntry.objects.order_by("chain_id", "-sequence")
        .distinct("chain_id")
        .values_list("chain_id", "sequence", "entry_hash")
    )
    return [[str(chain), sequence, head] for chain, sequence, head in heads]


def anchor_heads() -> Anchor | None:
    """Hash and sign the heads of all chains together; None when nothing moved since the last anchor.

    The anchor is also appended to a file outside the database, so that somebody who rewrites the whole
    database, chains and anchors alike, is still found out.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, 0)", [ANCHOR_LOCK])
        last = Anchor.objects.order_by("-sequence").first()
        heads = current_heads()
        if not heads or (last is not None and last.heads == heads):
            return None
        sequence = (Anchor.objects.aggregate(top=Max("sequence"))["top"] or 0) + 1
        now = timezone.now()
        previous = last.anchor_hash if last else hashes.GENESIS
        digest = hashes.anchor_hash(sequence=sequence, heads=heads, previous=previous, anchored_at=now)
        signature, key = signing.sign(digest)
        anchor = Anchor.objects.create(
            sequence=sequence,
            heads=heads,
            previous_hash=previous,
            anchor_hash=digest,
            signature=signature,
            key_fingerprint=key,
            anchored_at=now,
        )
        transaction.on_commit(lambda: anchor_log.append_up_to(anchor, settings.ANCHOR_LOG))
        return anchor
