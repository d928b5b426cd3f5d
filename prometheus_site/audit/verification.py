"""Verify the record: every chain, everything it covers, every anchor, and the copy kept outside."""

import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Exists, Max, Model, OuterRef

from prometheus_site.audit import anchor_log, signing
from prometheus_site.audit import chain as hashes
from prometheus_site.audit.models import Anchor, ChainEntry

BATCH_SIZE = 1000
Payloads = Callable[[Iterable[uuid.UUID]], dict[uuid.UUID, dict[str, Any]]]
_covered: dict[str, tuple[Payloads, type[Model] | None]] = {}


def cover(kind: str, payloads: Payloads, model: type[Model] | None = None) -> None:
    """Say how the payloads of a kind of object are read back; called once, when its app loads.

    With the model given, an object of it that no link covers is a fault too.
    """
    _covered[kind] = payloads, model


@dataclass
class Verdict:
    """What was checked and every fault found, in words that name the place."""

    chains: int = 0
    entries: int = 0
    anchors: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return not self.faults


def verify(anchors_outside: Path | None = None) -> Verdict:
    """Verify everything; reads in batches, so memory does not grow with the record.

    ``anchors_outside`` names the copy of the anchors to compare with: the installation's own, unless a
    restored backup is verified with the copy that belongs to it.
    """
    verdict = Verdict()
    _verify_chains(verdict)
    _verify_coverage(verdict)
    _verify_anchors(verdict, anchors_outside or settings.ANCHOR_LOG)
    return verdict


def _verify_chains(verdict: Verdict) -> None:
    current, expected, previous = None, 1, hashes.GENESIS
    for batch in _batches(ChainEntry.objects.order_by("chain_id", "sequence").iterator(BATCH_SIZE)):
        _verify_payloads(batch, verdict)
        for entry in batch:
            if entry.chain_id != current:
                current, expected, previous = entry.chain_id, 1, hashes.GENESIS
                verdict.chains += 1
            _verify_link(entry, expected, previous, verdict)
            expected, previous = entry.sequence + 1, entry.entry_hash
            verdict.entries += 1


def _verify_link(entry: ChainEntry, expected: int, previous: str, verdict: Verdict) -> None:
    place = f"chain {entry.chain_id}, link {entry.sequence}"
    if entry.sequence != expected:
        verdict.faults.append(f"{place}: link {expected} is missing.")
    elif entry.previous_hash != previous:
        verdict.faults.append(f"{place}: does not follow from the link before it.")
    recomputed = hashes.entry_hash(
        chain=str(entry.chain_id),
        sequence=entry.sequence,
        kind=entry.kind,
        object_id=str(entry.object_id),
        payload=entry.payload_hash,
        previous=entry.previous_hash,
        recorded_at=entry.recorded_at,
    )
    if recomputed != entry.entry_hash:
        verdict.faults.append(f"{place}: the link itself was changed.")


def _verify_payloads(batch: list[ChainEntry], verdict: Verdict) -> None:
    for kind in sorted({entry.kind for entry in batch}):
        entries = [entry for entry in batch if entry.kind == kind]
        if kind not in _covered:
            verdict.faults.append(f"Links of the unknown kind “{kind}”: this version cannot verify them.")
            continue
        payloads = _covered[kind][0](entry.object_id for entry in entries)
        for entry in entries:
            payload = payloads.get(entry.object_id)
            if payload is None:
                verdict.faults.append(f"{kind} {entry.object_id} is in the chain and gone from its table.")
            elif hashes.payload_hash(payload) != entry.payload_hash:
                verdict.faults.append(f"{kind} {entry.object_id} is not what was recorded.")


def _verify_coverage(verdict: Verdict) -> None:
    for kind, (_, model) in sorted(_covered.items()):
        if model is None:
            continue
        links = ChainEntry.objects.filter(kind=kind, object_id=OuterRef("pk"))
        for pk in model._default_manager.filter(~Exists(links)).order_by("pk").values_list("pk", flat=True):
            verdict.faults.append(f"{kind} {pk} is in its table and not in any chain.")


def _verify_anchors(verdict: Verdict, path: Path) -> None:
    outside, newest = _anchors_outside(verdict, path)
    key = _signing_key(verdict)
    previous, expected = hashes.GENESIS, 1
    for anchor in Anchor.objects.order_by("sequence").iterator(BATCH_SIZE):
        place = f"anchor {anchor.sequence}"
        if anchor.sequence != expected or anchor.previous_hash != previous:
            verdict.faults.append(f"{place}: does not follow from anchor {expected - 1}.")
        copy = outside.pop(anchor.sequence, None)
        if copy is None and anchor.sequence < newest:  # the newest may not have been written there yet
            verdict.faults.append(f"{place}: is missing from the copy kept outside the database.")
        elif copy is not None and copy != anchor.anchor_hash:
            verdict.faults.append(f"{place}: differs from the copy kept outside the database.")
        _verify_anchor(anchor, place, key, verdict)
        previous, expected = anchor.anchor_hash, anchor.sequence + 1
        verdict.anchors += 1
    verdict.faults += [f"anchor {sequence}: kept outside, gone from the database." for sequence in outside]


def _verify_anchor(anchor: Anchor, place: str, key: str | None, verdict: Verdict) -> None:
    if key is not None and anchor.key_fingerprint != key:
        verdict.faults.append(f"{place}: is signed with the key {anchor.key_fingerprint}, and ours is {key}.")
    elif key is not None and not signing.is_signed(anchor.anchor_hash, anchor.signature):
        verdict.faults.append(f"{place}: is not signed by this installation's key.")
    recomputed = hashes.anchor_hash(
        sequence=anchor.sequence,
        heads=anchor.heads,
        previous=anchor.previous_hash,
        anchored_at=anchor.anchored_at,
    )
    if recomputed != anchor.anchor_hash:
        verdict.faults.append(f"{place}: was changed.")
        return
    for chain, sequence in _moved_heads(anchor.heads):
        verdict.faults.append(f"{place}: link {sequence} of chain {chain} is not what was anchored.")


def _moved_heads(heads: list[list[Any]]) -> list[tuple[uuid.UUID, int]]:
    """Return the anchored links that are gone or differ; asked per anchor, so that it may be a new one."""
    chains, sequences, entry_hashes = zip(*heads, strict=True) if heads else ((), (), ())
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT h.chain, h.sequence "
            "FROM unnest(%s::uuid[], %s::int[], %s::text[]) AS h(chain, sequence, hash) "
            "LEFT JOIN audit_chainentry e ON e.chain_id = h.chain AND e.sequence = h.sequence "
            "WHERE e.entry_hash IS DISTINCT FROM h.hash",
            [list(chains), list(sequences), list(entry_hashes)],
        )
        return list(cursor.fetchall())


def _anchors_outside(verdict: Verdict, path: Path) -> tuple[dict[int, str], int]:
    """Return the copy outside and the newest anchor at that moment, which alone may be missing from it."""
    newest = Anchor.objects.aggregate(top=Max("sequence"))["top"] or 0
    if not path.exists():
        if newest:
            verdict.faults.append(
                f"There is no copy of the anchors outside the database ({path.name}): put it back from the "
                "backup."
            )
        return {}, 0
    copies, faults = anchor_log.read(path)
    verdict.faults += faults
    return copies, newest


def _signing_key(verdict: Verdict) -> str | None:
    try:
        return signing.key_fingerprint()
    except (OSError, TypeError, ValueError) as error:
        verdict.faults.append(
            f"No signature could be verified: the signing key cannot be read ({type(error).__name__}). Put "
            f"{settings.SIGNING_KEY_FILE.name} back."
        )
        return None


def _batches(entries: Iterator[ChainEntry]) -> Iterator[list[ChainEntry]]:
    while batch := list(islice(entries, BATCH_SIZE)):
        yield batch
