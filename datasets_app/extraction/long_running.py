"""Long sessions out of any readable source, each whole, as records of the dataset contract."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from msgspec import UNSET

from datasets_app.compile.chunks import SourceFile
from datasets_app.compile.contract import SPLITS, Message, Metadata, Provenance, Record
from datasets_app.compile.digests import content_hash, legacy_content_hash
from datasets_app.compile.mapping import CHARACTERS_PER_TOKEN, session_of
from datasets_app.compile.splits import split_of
from datasets_app.compile.stages import (
    LEAST_LONG_TURNS,
    Deidentified,
    deidentified,
    fault_of,
    is_long,
    normalise,
)
from datasets_app.sources.records import Dialogue, Reject

FAMILY = "long_running_therapy"
LEAST_TURNS = LEAST_LONG_TURNS
PIPELINE = "prometheus extract_long_running_therapy 1"
STEPS = ["read", "select_long", "normalise", "validate", "deidentify", "exact_dedup", "split"]
TOO_SHORT = "too_short"
DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True)
class Left:
    """A record that was not taken: where it stands and why, never its text."""

    row: int
    outcome: str
    field: str = ""


def long_sessions(
    found: Iterator[Dialogue | Reject], source: SourceFile, phase: str, known: set[str]
) -> Iterator[Record | Left]:
    """What becomes of each record of a source; `known` are the hashes of all that was taken before."""
    for one in found:
        taken = _taken(one, source, phase)
        if isinstance(taken, Record):
            if taken.metadata.content_hash in known:
                taken = Left(one.row, DUPLICATE)
            else:
                known.add(taken.metadata.content_hash)
        yield taken


def _taken(found: Dialogue | Reject, source: SourceFile, phase: str) -> Record | Left:
    if isinstance(found, Reject):
        return Left(found.row, found.reason.value, found.field)
    if not is_long(found.turns):
        return Left(found.row, TOO_SHORT)
    turns = normalise(found.turns)
    if fault := fault_of(turns):
        return Left(found.row, fault)
    (clean,) = deidentified([turns])
    return _record(found, source, phase, clean)


def _record(found: Dialogue, source: SourceFile, phase: str, clean: Deidentified) -> Record:
    session = session_of(found, source.name)
    root = hashlib.sha256(session.encode()).digest()
    license_tag = source.facts.license
    if license_tag == "unknown":
        license_tag = found.meta.get("license_tag", license_tag)
    metadata = Metadata(
        source_family=FAMILY,
        source_key=f"{source.name}/{found.source_key}",
        content_hash=content_hash(clean.turns),
        legacy_content_hash=legacy_content_hash(clean.turns),
        pii_status=clean.status,
        license_tag=license_tag,
        phase=phase,
        source=source.name,
        session=session,
        scenario=found.meta.get("scenario", UNSET),
        conversation_length=len(clean.turns),
        total_tokens=sum(len(turn.content) for turn in clean.turns) // CHARACTERS_PER_TOKEN,
        flags=sorted(set(found.meta["flags"].split(","))) if "flags" in found.meta else UNSET,
        provenance=Provenance(
            original_key=found.source_key,
            processing_pipeline=PIPELINE,
            processing_steps=STEPS,
            dedup_status="unique",
        ),
        group=root.hex(),
        split=SPLITS[split_of(root)],
    )
    messages = [Message(role=turn.role, content=turn.content) for turn in clean.turns]
    return Record(messages=messages, metadata=metadata)
