"""The eight gates of a dataset: every shard is opened, and what is missing is a failure."""

import hashlib
import math
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from datasets_app.compile import sorting
from datasets_app.compile.compiling import MANIFEST, held_out_of
from datasets_app.compile.config import Family, Holdout, NearDuplicates, made_up_of
from datasets_app.compile.contract import SPLITS, UNDECODABLE, GateResult, Manifest, Split, SplitShards
from datasets_app.compile.errors import FULL, CompileError
from datasets_app.compile.manifest import summed
from datasets_app.compile.probe import Probe
from datasets_app.compile.runner import Runner
from datasets_app.compile.shard_check import CheckTask, ShardFacts, check_shard
from datasets_app.storage import Storage, StorageError, storage_at

POOL_SHARES: dict[Split, tuple[float, float]] = {
    "train": (0.90, 0.05),
    "val": (0.05, 0.02),
    "test": (0.05, 0.02),
}
CHANCE_DEVIATIONS = 3  # what a small pool, divided by hashes, may be off by


class NotADatasetError(Exception):
    """There is no manifest that could be verified."""


@dataclass(frozen=True, slots=True)
class Opened:
    """All that the gates look at; `leaks` are sentences about what several splits have in common."""

    storage: Storage
    manifest: Manifest
    families: Mapping[str, Family]
    shards: Sequence[ShardFacts]
    leaks: Sequence[str]

    @property
    def splits(self) -> dict[Split, SplitShards]:
        """The splits as the manifest describes them."""
        return _splits(self.manifest)

    @property
    def codes(self) -> NDArray[np.uint8]:
        """The number of each record's split."""
        sizes = [len(facts.arrays.get("groups", ())) for facts in self.shards]
        return np.repeat(
            np.array([SPLITS.index(facts.split) for facts in self.shards], dtype=np.uint8), sizes
        )

    def array(self, name: str) -> NDArray[Any]:
        """One array over the records of all shards."""
        parts = [facts.arrays[name] for facts in self.shards if facts.arrays]
        return np.concatenate(parts) if parts else np.zeros(0, dtype=np.uint64)


def read_dataset(address: str) -> Manifest:
    """The manifest at a folder or a prefix. Raises NotADatasetError and StorageError."""
    found = storage_at(address).read_pointer(MANIFEST)
    if found is None:
        raise NotADatasetError(f"There is no {MANIFEST} at {address}.")
    try:
        return msgspec.json.decode(found[0], type=Manifest)
    except UNDECODABLE as error:
        raise NotADatasetError(f"{MANIFEST} at {address} does not keep the contract: {error}.") from None


def verify_dataset(address: str, manifest: Manifest, runner: Runner) -> list[GateResult]:
    """Open every shard and try the eight gates. Raises CompileError where there is no room to work in."""
    try:
        families = msgspec.convert(manifest.params["families"], dict[str, Family])
        holdouts = msgspec.convert(manifest.params["holdouts"], list[Holdout])
        near = msgspec.convert(manifest.params["near_duplicates"], NearDuplicates)
    except (KeyError, msgspec.ValidationError):
        finding = "the manifest lacks the parameters that the gates need, or they are damaged"
        return [GateResult(gate=gate, holds=False, findings=[finding]) for gate in GATES]
    with _work_folder() as work:
        tasks = list(_tasks(address, manifest, families, holdouts, near, work))
        evaluated = list(runner.map(check_shard, ((task,) for task in tasks if task.split != "train")))
        sketches = [sketch for facts in evaluated for sketch in facts.sketches]
        probe = Probe(sketches, near, work)
        if sketches:  # else nothing is for val and test, where all is made up
            probe.write()
            tasks = [replace(task, probe=probe) for task in tasks]
        trained = list(runner.map(check_shard, ((task,) for task in tasks if task.split == "train")))
        leaks = list(_leaks(probe, trained, runner)) if sketches else []
    opened = Opened(storage_at(address), manifest, families, [*trained, *evaluated], leaks)
    return [_result(gate, look, opened) for gate, look in GATES.items()]


@contextmanager
def _work_folder() -> Iterator[Path]:
    """A folder for as long as the gates are tried."""
    no_room = CompileError(
        "There is no room to compare the shards in: free some, or set TMPDIR to a folder on a larger disk, "
        "and run the same command again."
    )
    try:
        tempfile.gettempdir()
    except FileNotFoundError:  # where every disk is full
        raise no_room from None
    try:
        with tempfile.TemporaryDirectory(prefix="prometheus-verify-") as work:
            yield Path(work)
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise no_room from None


def verify_local(folder: Path, manifest: Manifest, runner: Runner) -> list[GateResult]:
    """The same for a folder of this machine."""
    return verify_dataset(str(folder), manifest, runner)


def failed(gates: Iterable[GateResult]) -> list[str]:
    """The gates that do not hold; a gate that was not tried does not hold."""
    holding = {gate.gate for gate in gates if gate.holds}
    return [gate for gate in GATES if gate not in holding]


def _splits(manifest: Manifest) -> dict[Split, SplitShards]:
    return {"train": manifest.splits.train, "val": manifest.splits.val, "test": manifest.splits.test}


def _tasks(
    address: str,
    manifest: Manifest,
    families: Mapping[str, Family],
    holdouts: Sequence[Holdout],
    near: NearDuplicates,
    work: Path,
) -> Iterator[CheckTask]:
    held_out = {family: held_out_of(holdouts, family) for family in families}
    made_up = made_up_of(families)
    for split, described in _splits(manifest).items():
        twins = {twin.shard_id: twin for twin in described.parquet_shards}
        for shard in described.shards:
            twin = twins.get(shard.shard_id)
            yield CheckTask(address, split, shard, twin, held_out, made_up, near, work)


def _leaks(probe: Probe, trained: Sequence[ShardFacts], runner: Runner) -> Iterator[str]:
    yield from probe.shared_with((facts.passed for facts in trained), runner)
    yield from probe.shared_within(runner)


def _result(gate: str, look: Callable[[Opened], Iterable[str]], opened: Opened) -> GateResult:
    findings = [found for facts in opened.shards for found in facts.findings.get(gate, ())]
    unsaid = sum(facts.left_unsaid[gate] for facts in opened.shards)
    if unsaid:
        findings.append(f"and {unsaid} more")
    if gate != "hash":
        findings += [f"{facts.shard_id}: not looked at" for facts in opened.shards if not facts.is_readable]
    findings += look(opened)
    return GateResult(gate=gate, holds=not findings, findings=findings)


def _coverage(opened: Opened) -> Iterator[str]:
    counts = sum((facts.families for facts in opened.shards), Counter[str]())
    for name, family in sorted(opened.families.items()):
        if family.is_required and not counts[name]:
            yield f"the required family {name} is empty"
    for name in sorted(set(counts) - set(opened.families)):
        yield f"records are of {name}, which is no family"
    if not counts:
        yield "there is not a single record"


def _leakage(opened: Opened) -> Iterator[str]:
    yield from opened.leaks
    codes = opened.codes
    what = {
        "groups": "groups",
        "sessions": "sessions",
        "scenarios": "scenarios",
        "openings": "opening prompts",
        "contents": "conversations",
    }
    for name, plural in what.items():
        if shared := _in_several(opened.array(name), codes):
            yield f"{plural} in more than one split: {shared}"


def _in_several(values: NDArray[np.uint64], codes: NDArray[np.uint8]) -> int:
    """How many of the values, besides 0, which is none, stand in more than one split."""
    order = sorting.order_of(values)
    ordered, splits = values[order], codes[order]
    is_across = (ordered[1:] == ordered[:-1]) & (splits[1:] != splits[:-1]) & (ordered[1:] != 0)
    return len(np.unique(ordered[1:][is_across]))


def _distribution(opened: Opened) -> Iterator[str]:
    """The pool is what is real and no holdout has sent to test; shares are those of its records."""
    groups, codes = opened.array("groups"), opened.codes
    held_out = np.unique(groups[opened.array("is_held_out").astype(np.bool_)])
    in_pool = ~np.isin(groups, held_out) & ~opened.array("is_made_up").astype(np.bool_)
    size = int(in_pool.sum())
    if not size:
        yield "there is no record besides what is made up or held out"
        return
    counts = np.unique(groups[in_pool], return_counts=True)[1]
    effective = size**2 / float((counts.astype(np.float64) ** 2).sum())
    for split, (wanted, stated) in POOL_SHARES.items():
        share = float((codes[in_pool] == SPLITS.index(split)).sum()) / size
        allowed = max(stated, CHANCE_DEVIATIONS * math.sqrt(wanted * (1 - wanted) / effective))
        if abs(share - wanted) > allowed:
            yield f"{split} has {share:.1%} of the pool, not {wanted:.0%} ± {allowed:.1%}"


def _provenance(opened: Opened) -> Iterator[str]:
    manifest = opened.manifest
    sources = sum((facts.sources for facts in opened.shards), Counter[str]())
    for name in sorted(set(sources) - {given.uri for given in manifest.inputs}):
        yield f"{sources[name]} records are from {name}, which is not among the inputs"
    try:
        data = opened.storage.read(manifest.provenance.uri)
    except StorageError as error:
        yield str(error)
        return
    if hashlib.sha256(data).hexdigest() != manifest.provenance.sha256:
        yield f"the SHA-256 of {manifest.provenance.uri} is not the one in the manifest"
    total = manifest.counters.total
    left_out = total.records - total.kept
    if (listed := data.count(b"\n")) != left_out:
        yield f"{manifest.provenance.uri} lists {listed} records, {left_out} were left out"


def _hash(opened: Opened) -> Iterator[str]:
    has_parquet = bool(opened.manifest.params.get("has_parquet"))
    for split, described in opened.splits.items():
        names = [shard.shard_id for shard in described.shards]
        twins = [shard.shard_id for shard in described.parquet_shards]
        if twins != (names if has_parquet else []):
            yield f"{split}: the Parquet shards are not those of the JSON Lines"


def _statistics(opened: Opened) -> Iterator[str]:
    manifest = opened.manifest
    for split, described in opened.splits.items():
        counted = sum(facts.families.total() for facts in opened.shards if facts.split == split)
        if counted != described.conversations:
            yield f"{split} has {counted} records, {described.conversations} in the manifest"
    counted = sum(facts.families.total() for facts in opened.shards)
    if counted != manifest.total_conversations or counted != manifest.counters.total.kept:
        yield f"there are {counted} records, {manifest.total_conversations} in the manifest"
    tokens = sum(facts.tokens for facts in opened.shards)
    if tokens != manifest.total_tokens_approx:
        yield f"the records have {tokens} tokens, {manifest.total_tokens_approx} in the manifest"
    repeated = counted - len(np.unique(opened.array("contents")))
    if repeated:
        yield f"{repeated} records repeat another"
    yield from _families_off(opened)
    yield from _counters_off(manifest)
    yield from manifest.alarms


def _families_off(opened: Opened) -> Iterator[str]:
    for name in sorted(opened.families.keys() ^ opened.manifest.source_families.keys()):
        yield f"{name} is a family of the parameters alone, or one that is counted alone"
    for name, told in opened.manifest.source_families.items():
        found = {
            split: sum(facts.families[name] for facts in opened.shards if facts.split == split)
            for split in SPLITS
        }
        if found != told.splits or told.conversations != sum(found.values()):
            yield f"{name} has {sum(found.values())} records, {told.conversations} in the manifest"
        if told.shortfall != max(told.target - told.conversations, 0):
            yield f"{name} is short of {max(told.target - told.conversations, 0)}, not of {told.shortfall}"


def _counters_off(manifest: Manifest) -> Iterator[str]:
    counters = manifest.counters
    for name, counts in counters.sources.items():
        outcomes = (counts.exact_duplicates, counts.near_duplicates, counts.decontaminated, counts.not_drawn)
        if counts.records != sum(counts.rejected.values()) + sum(outcomes) + counts.kept:
            yield f"the counts of {name} do not add up to its {counts.records} records"
    if not counters.sources or summed(list(counters.sources.values())) != counters.total:
        yield "the counts of the sources do not add up to the total"
    rows = {given.uri: given.rows for given in manifest.inputs if given.rows}
    if rows != {name: counts.records for name, counts in counters.sources.items()}:
        yield "the rows of the inputs are not the records that were counted"


def _nothing_more(opened: Opened) -> tuple[str, ...]:
    """For gates that look at single records only."""
    return ()


GATES: Mapping[str, Callable[[Opened], Iterable[str]]] = {
    "coverage": _coverage,
    "leakage": _leakage,
    "distribution": _distribution,
    "pii": _nothing_more,
    "provenance": _provenance,
    "hash": _hash,
    "split": _nothing_more,
    "statistics": _statistics,
}
