"""The pool: every window that may be picked, and the frame of one per cluster that is drawn from it."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice

import msgspec
import numpy as np
from msgspec import UNSET
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack

from datasets_app.compile import kernel
from datasets_app.compile.contract import UNDECODABLE, Manifest, Record, Shard
from datasets_app.compile.kernel import Integers
from datasets_app.compile.mapping import USER
from datasets_app.selection.lexicon import Heard, Lexicon
from datasets_app.selection.lots import lot_of
from datasets_app.sources.records import Turn
from datasets_app.sources.windows import Window, count_words, windows
from datasets_app.storage import Storage

FEATURES = 2**18  # places that words are hashed to
PART_UNITS = 2_000  # whose turns are in memory together
LABELLED = frozenset({"user", "assistant"})
SYNTHETIC = "synthetic"

Turns = tuple[Turn, ...]
Progress = Callable[[str, int, int], None]  # a step, how far it is, and of how many


def tell_nobody(step: str, done: int, total: int) -> None:
    """Let progress go unseen."""


class DamagedDatasetError(Exception):
    """A shard is not the one that was verified."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One window of a conversation: what a clinician would label. It holds no text."""

    shard_id: str
    line: int  # from 1
    content_hash: str
    family: str
    source: str
    source_key: str
    license_tag: str
    category: str  # as the source declares it, or nothing
    is_synthetic: bool
    group: str
    start: int
    stop: int
    words: int

    @property
    def key(self) -> str:
        """The unit's name in every draw."""
        return f"{self.content_hash}/{self.start}"


@dataclass(frozen=True, slots=True)
class Pool:
    """All units with an entry of each array per unit; `mates` is how many units its cluster has."""

    units: Sequence[Unit]
    words: csr_array  # how often each unit has each hashed word
    heard: Integers
    is_severe: NDArray[np.bool_]
    mates: Integers

    def only(self, rows: Integers) -> "Pool":
        """The pool of these rows."""
        units = [self.units[row] for row in rows]
        return Pool(units, self.words[rows], self.heard[rows], self.is_severe[rows], self.mates[rows])


def read_pool(storage: Storage, manifest: Manifest, lexicon: Lexicon, report: Progress = tell_nobody) -> Pool:
    """The units of train and val. What is for test stays out, and with it every holdout.

    Raises DamagedDatasetError and StorageError.
    """
    shards = [*manifest.splits.train.shards, *manifest.splits.val.shards]
    sizes = [shard.conversation_count for shard in shards]
    before = dict(zip((shard.shard_id for shard in shards), accumulate(sizes, initial=0), strict=False))
    parts = (part for shard in shards for part in _parts(_units_in(shard, storage)))
    return gather(parts, lexicon, lambda last: report("read", before[last.shard_id] + last.line, sum(sizes)))


def gather(
    parts: Iterable[Sequence[tuple[Unit, Turns]]],
    lexicon: Lexicon,
    has_come_to: Callable[[Unit], None] = lambda last: None,
) -> Pool:
    """The pool of units and their turns, part by part; the turns are let go. Raises DamagedDatasetError."""
    units: list[Unit] = []
    words: list[csr_array] = []
    heard: list[Heard] = []
    for part in parts:
        tokens = kernel.tokens_of([turns for _unit, turns in part])
        units += [unit for unit, _turns in part]
        words.append(_counts(tokens))
        heard.append(lexicon.listen(tokens, USER))
        has_come_to(units[-1])
    if not units:
        raise DamagedDatasetError("There is no conversation for train or val to pick from.")
    return Pool(
        units,
        vstack(words).tocsr(),
        np.concatenate([one.categories for one in heard]),
        np.concatenate([one.is_severe for one in heard]),
        _mates([unit.group for unit in units]),
    )


def draw_frame(pool: Pool, seed: int) -> Pool:
    """One unit of each cluster, each with the same chance: mates are never picked together."""
    first: dict[str, tuple[bytes, int]] = {}
    for row, unit in enumerate(pool.units):
        lot = lot_of(seed, "cluster", unit.key)
        if unit.group not in first or lot < first[unit.group][0]:
            first[unit.group] = (lot, row)
    rows = sorted((row for _lot, row in first.values()), key=lambda row: pool.units[row].key)
    return pool.only(np.array(rows, dtype=np.int64))


def read_records(storage: Storage, shard: Shard) -> Iterator[Record]:
    """The records of a shard, which is the one that was verified. Raises DamagedDatasetError."""
    data = storage.read(shard.path)
    if hashlib.sha256(data).hexdigest() != shard.sha256:
        raise DamagedDatasetError(
            f"{shard.path}: the SHA-256 is not the one in the manifest; run verify_final_dataset."
        )
    decoder = msgspec.json.Decoder(Record)
    for number, line in enumerate(data.splitlines(), 1):
        try:
            record = decoder.decode(line)
        except UNDECODABLE:  # whose sentence may quote it
            raise DamagedDatasetError(
                f"{shard.path}: line {number} is not a record of the contract; run verify_final_dataset."
            ) from None
        yield record


def turns_of(record: Record) -> Turns:
    """The turns of a record."""
    return tuple(Turn(message.role, message.content) for message in record.messages)


def _units_in(shard: Shard, storage: Storage) -> Iterator[tuple[Unit, Turns]]:
    for line, record in enumerate(read_records(storage, shard), 1):
        turns = turns_of(record)
        for window in windows(turns):
            said = turns[window.start : window.stop]
            if any(turn.role in LABELLED for turn in said):  # a long instruction has a window of its own
                yield _unit(shard, line, record, window), said


def _parts(found: Iterator[tuple[Unit, Turns]]) -> Iterator[list[tuple[Unit, Turns]]]:
    while part := list(islice(found, PART_UNITS)):
        yield part


def _unit(shard: Shard, line: int, record: Record, window: Window) -> Unit:
    facts = record.metadata
    flags = [] if facts.flags is UNSET else facts.flags
    return Unit(
        shard_id=shard.shard_id,
        line=line,
        content_hash=facts.content_hash,
        family=facts.source_family,
        source=facts.source,
        source_key=facts.source_key,
        license_tag=facts.license_tag,
        category="" if facts.category is UNSET else facts.category,
        is_synthetic=SYNTHETIC in flags,
        group=facts.group,
        start=window.start,
        stop=window.stop,
        words=sum(count_words(message.content) for message in record.messages[window.start : window.stop]),
    )


def _counts(tokens: kernel.Tokens) -> csr_array:
    """How often each record has each hashed word."""
    ends = tokens.turn_ends[tokens.record_ends - 1]
    places = (tokens.hashes & np.uint32(FEATURES - 1)).astype(np.int32)
    ones = np.ones(len(places), dtype=np.float32)
    found = csr_array((ones, places, np.concatenate([[0], ends])), shape=(len(ends), FEATURES))
    found.sum_duplicates()
    return found


def _mates(groups: Sequence[str]) -> Integers:
    _names, places, counts = np.unique(groups, return_inverse=True, return_counts=True)
    mates: Integers = counts[places].astype(np.int64)
    return mates
