"""One shard opened: every record read and recomputed, and what the gates need to know of all shards."""

import hashlib
import io
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from datasets_app.compile import kernel
from datasets_app.compile.config import NearDuplicates
from datasets_app.compile.contract import UNDECODABLE, Record, Shard, Split
from datasets_app.compile.digests import content_hash, legacy_content_hash
from datasets_app.compile.mapping import USER, HeldOut, hashed
from datasets_app.compile.probe import Probe, Sketch, write_sketch
from datasets_app.compile.stages import STEPS, deidentified
from datasets_app.compile.writing import as_table
from datasets_app.sources.records import Turn
from datasets_app.storage import StorageError, storage_at

FINDINGS_KEPT = 20  # of each gate and shard; the rest is only counted
RECORDS_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class CheckTask:
    """A shard to open, its Parquet twin, and where what they are compared with stands."""

    address: str
    split: Split
    shard: Shard
    twin: Shard | None
    held_out: dict[str, HeldOut]
    made_up: frozenset[str]  # families that are for train alone, and whose people keep their names
    near: NearDuplicates
    sketches_folder: Path  # where a shard for val or test leaves its sketches
    probe: Probe | None = None


@dataclass(slots=True)
class ShardFacts:
    """What was found in a shard; the arrays have an entry per record."""

    shard_id: str
    split: Split
    is_readable: bool = True
    findings: dict[str, list[str]] = field(default_factory=dict)
    left_unsaid: Counter[str] = field(default_factory=Counter)
    families: Counter[str] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)
    tokens: int = 0
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)
    sketches: list[Sketch] = field(default_factory=list)  # of a shard for val or test
    passed: NDArray[np.uint64] = field(default_factory=lambda: np.zeros(0, dtype=np.uint64))  # of train

    def find(self, gate: str, finding: str) -> None:
        """Note a finding; of very many only how many there are."""
        known = self.findings.setdefault(gate, [])
        if len(known) < FINDINGS_KEPT:
            known.append(f"{self.shard_id}: {finding}")
        else:
            self.left_unsaid[gate] += 1


def check_shard(task: CheckTask) -> ShardFacts:
    """Open a shard and look at every record of it."""
    facts = ShardFacts(task.shard.shard_id, task.split)
    try:
        data = storage_at(task.address).read(task.shard.path)
    except StorageError as error:
        facts.is_readable = False
        facts.find("hash", str(error))
        return facts
    _check_bytes(facts, data, task.shard)
    if task.twin is not None:
        _check_twin(facts, data, task)
    for numbered in _records(facts, data):
        _look_at(facts, numbered, task)
    if (count := facts.families.total()) != task.shard.conversation_count:
        facts.find("hash", f"{count} records, {task.shard.conversation_count} in the manifest")
    return facts


def _check_bytes(facts: ShardFacts, data: bytes, shard: Shard) -> None:
    if len(data) != shard.size_bytes:
        facts.find("hash", f"{shard.path} has {len(data)} bytes, {shard.size_bytes} in the manifest")
    if hashlib.sha256(data).hexdigest() != shard.sha256:
        facts.find("hash", f"the SHA-256 of {shard.path} is not the one in the manifest")


def _records(facts: ShardFacts, data: bytes) -> Iterator[list[tuple[int, Record]]]:
    """The records with the numbers of their lines, some at a time, so that few are in memory decoded."""
    decoder = msgspec.json.Decoder(Record)
    lines = enumerate(io.BytesIO(data), 1)
    while some := list(islice(lines, RECORDS_AT_ONCE)):
        numbered = []
        for number, line in some:
            try:
                numbered.append((number, decoder.decode(line)))
            except UNDECODABLE as error:
                _problem, _at, place = str(error).rpartition(" - at ")  # the problem may quote the record
                facts.find("provenance", f"line {number} is not a record of the contract {place}".rstrip())
        yield numbered


def _check_twin(facts: ShardFacts, data: bytes, task: CheckTask) -> None:
    """Whether the Parquet file holds the very same records."""
    twin = task.twin
    assert twin is not None  # noqa: S101 -- for the type checker
    try:
        packed = storage_at(task.address).read(twin.path)
    except StorageError as error:
        facts.is_readable = False
        facts.find("hash", str(error))
        return
    _check_bytes(facts, packed, twin)
    try:
        is_same = pq.read_table(io.BytesIO(packed)).equals(as_table(data))
    except pa.ArrowException:
        facts.find("hash", f"{twin.path} cannot be compared with {task.shard.path}: one of them is damaged")
        return
    if not is_same or twin.conversation_count != task.shard.conversation_count:
        facts.find("hash", f"{twin.path} holds other records than {task.shard.path}")


def _look_at(facts: ShardFacts, numbered: Sequence[tuple[int, Record]], task: CheckTask) -> None:
    """Check some of the shard's records, and gather what is compared with other shards."""
    records = [record for _number, record in numbered]
    turns = [tuple(Turn(one.role, one.content) for one in record.messages) for record in records]
    for (number, record), said in zip(numbered, turns, strict=True):
        _check_record(facts, number, record, said, task)
    for keeps_names in (False, True):
        _check_pii(facts, numbered, turns, task, keeps_names=keeps_names)
    tokens = kernel.tokens_of(turns)
    _gather(facts, records, tokens, task)
    if task.split != "train":
        # A name of our own: the shard's is somebody else's word, and could lead elsewhere.
        folder = Path(tempfile.mkdtemp(dir=task.sketches_folder))
        write_sketch(folder, tokens, task.near)
        facts.sketches.append(Sketch(facts.shard_id, facts.split, len(records), folder))
    elif task.probe is not None:
        facts.passed = np.union1d(facts.passed, task.probe.passing(tokens))
        for name, similarity in task.probe.near_to(tokens):
            facts.find("leakage", f"holds a near duplicate of a record of {name} ({similarity:.2f})")


def _check_record(
    facts: ShardFacts, number: int, record: Record, turns: tuple[Turn, ...], task: CheckTask
) -> None:
    metadata = record.metadata
    if metadata.content_hash != content_hash(turns):
        facts.find("hash", f"record {number} has another content hash than its metadata say")
    if metadata.legacy_content_hash != legacy_content_hash(turns):
        facts.find("hash", f"record {number} has another legacy hash than its metadata say")
    if set(metadata.provenance.processing_steps) != set(STEPS):
        facts.find("provenance", f"record {number} has not passed every step")
    if metadata.split != task.split:
        facts.find("split", f"record {number} is marked {metadata.split} in a shard of {task.split}")
    if task.split != "train" and metadata.source_family in task.made_up:
        facts.find("split", f"record {number} is made up and stands in {task.split}")
    if task.split != "test" and _is_held_out(record, task):
        facts.find("split", f"record {number} is held out for test and stands in {task.split}")


def _check_pii(
    facts: ShardFacts,
    numbered: Sequence[tuple[int, Record]],
    turns: Sequence[tuple[Turn, ...]],
    task: CheckTask,
    *,
    keeps_names: bool,
) -> None:
    """Rescan the records whose people keep their names, or the others."""
    numbers, said = [], []
    for (number, record), own in zip(numbered, turns, strict=True):
        metadata = record.metadata
        if (metadata.source_family in task.made_up) == keeps_names:
            rejected = metadata.rejected_reply
            numbers.append(number)
            said.append((*own, Turn("assistant", rejected)) if isinstance(rejected, str) else own)
    for number, found in zip(numbers, deidentified(said, keeps_names=keeps_names), strict=True):
        if found.spans:
            facts.find("pii", f"record {number} still holds {', '.join(sorted(found.spans))}")


def _is_held_out(record: Record, task: CheckTask) -> bool:
    held_out = task.held_out.get(record.metadata.source_family)
    return held_out is not None and held_out.holds(record.metadata.source, record.metadata.session)


def _gather(facts: ShardFacts, records: Sequence[Record], tokens: kernel.Tokens, task: CheckTask) -> None:
    metadata = [record.metadata for record in records]
    facts.families.update(one.source_family for one in metadata)
    facts.sources.update(one.source for one in metadata)
    facts.tokens += sum(one.total_tokens for one in metadata if isinstance(one.total_tokens, int))
    scenarios = [one.scenario if isinstance(one.scenario, str) else "" for one in metadata]
    found = {
        "groups": hashed([one.group for one in metadata]),
        "sessions": hashed([one.session for one in metadata]),
        "scenarios": hashed(scenarios),
        "openings": kernel.opening_keys(*tokens, USER),
        "contents": hashed([one.content_hash for one in metadata]),
        "is_held_out": np.array([_is_held_out(record, task) for record in records], dtype=np.bool_),
        "is_made_up": np.array([one.source_family in task.made_up for one in metadata], dtype=np.bool_),
    }
    for name, array in found.items():
        known = facts.arrays.get(name, array[:0])
        facts.arrays[name] = np.concatenate([known, array])
