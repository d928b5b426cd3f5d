"""Verify the record: every chain, everything it covers, every anchor, and the copy kept outside."""

import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import orjson
from django.conf import settings

from prometheus_site.audit import chain as hashes
from prometheus_site.audit import signing
from prometheus_site.audit.models import Anchor, ChainEntry

BATCH_SIZE = 1000
Payloads = Callable[[Iterable[uuid.UUID]], dict[uuid.UUID, dict[str, Any]]]
_covered: dict[str, Payloads] = {}


def cover(kind: str, payloads: Payloads) -> None:
    """Say how the payloads of a kind of object are read back; called once, when its app loads."""
    _covered[kind] = payloads


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


def verify() -> Verdict:
    """Verify everything; reads in batches, so memory does not grow with the record."""
    verdict = Verdict()
    heads = _verify_chains(verdict)
    _verify_anchors(verdict, heads)
    return verdict


def _verify_chains(verdict: Verdict) -> dict[tuple[str, int], str]:
    """Verify links and payloads; return entry hashes that anchors may name, by (chain, sequence)."""
    named = {
        (chain, sequence)
        for heads in Anchor.objects.values_list("heads", flat=True).iterator(chunk_size=100)
        for chain, sequence, _ in heads
    }
    found: dict[tuple[str, int], str] = {}
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
            if (str(entry.chain_id), entry.sequence) in named:
                found[str(entry.chain_id), entry.sequence] = entry.entry_hash
    return found


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
        payloads = _covered[kind](entry.object_id for entry in entries)
        for entry in entries:
            payload = payloads.get(entry.object_id)
            if payload is None:
                verdict.faults.append(f"{kind} {entry.object_id} is in the chain and gone from its table.")
            elif hashes.payload_hash(payload) != entry.payload_hash:
                verdict.faults.append(f"{kind} {entry.object_id} is not what was recorded.")


def _verify_anchors(verdict: Verdict, entries: dict[tuple[str, int], str]) -> None:
    outside = _anchors_outside(verdict)
    previous, expected = hashes.GENESIS, 1
    for anchor in Anchor.objects.order_by("sequence").iterator(BATCH_SIZE):
        place = f"anchor {anchor.sequence}"
        recomputed = hashes.anchor_hash(
            sequence=anchor.sequence,
            heads=anchor.heads,
            previous=anchor.previous_hash,
            anchored_at=anchor.anchored_at,
        )
        if anchor.sequence != expected or anchor.previous_hash != previous:
            verdict.faults.append(f"{place}: does not follow from anchor {expected - 1}.")
        if recomputed != anchor.anchor_hash:
            verdict.faults.append(f"{place}: was changed.")
        if not signing.is_signed(anchor.anchor_hash, anchor.signature):
            verdict.faults.append(f"{place}: is not signed by this installation's key.")
        if outside.pop(anchor.sequence, anchor.anchor_hash) != anchor.anchor_hash:
            verdict.faults.append(f"{place}: differs from the copy kept outside the database.")
        for chain, sequence, head in anchor.heads:
            if entries.get((chain, sequence)) != head:
                verdict.faults.append(f"{place}: link {sequence} of chain {chain} is not what was anchored.")
        previous, expected = anchor.anchor_hash, anchor.sequence + 1
        verdict.anchors += 1
    verdict.faults += [f"anchor {sequence}: kept outside, gone from the database." for sequence in outside]


def _anchors_outside(verdict: Verdict) -> dict[int, str]:
    if not settings.ANCHOR_LOG.exists():
        if Anchor.objects.exists():
            verdict.faults.append(
                f"There is no copy of the anchors outside the database ({settings.ANCHOR_LOG.name}): put it "
                "back from the backup."
            )
        return {}
    lines = settings.ANCHOR_LOG.read_bytes().splitlines()
    return {(line := orjson.loads(raw))["sequence"]: line["anchor_hash"] for raw in lines if raw.strip()}


def _batches(entries: Iterator[ChainEntry]) -> Iterator[list[ChainEntry]]:
    while batch := list(islice(entries, BATCH_SIZE)):
        yield batch
