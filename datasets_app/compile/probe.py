"""The records for val and test, which nothing in train, and neither in the other, may resemble.

While a dataset is verified they stand in a folder, so that what train holds is compared with them where it
is opened, and only what is looked up of them is in memory.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datasets_app.compile import kernel, sharing, sorting
from datasets_app.compile.config import NearDuplicates
from datasets_app.compile.contract import Split
from datasets_app.compile.kernel import Hashes, Integers, Tokens
from datasets_app.compile.reducing import (
    candidates_in_memory,
    halves,
    near_duplicates,
    shingles_of_records,
)
from datasets_app.compile.runner import Runner
from datasets_app.compile.store import read_array, write_arrays

MATES = 32  # with how many of those that share a band a record is compared, or many repeats would be too many


@dataclass(frozen=True, slots=True)
class Sketch:
    """The tokens and band keys of some records of a shard, as arrays of a folder."""

    shard_id: str
    split: Split
    count: int
    folder: Path

    def array(self, name: str) -> NDArray[Any]:
        """`band_keys`, a row per band, or what makes up the tokens."""
        return read_array(self.folder, name)

    def tokens(self) -> Tokens:
        """The tokens of the records' turns."""
        return Tokens(*map(self.array, Tokens._fields))

    def ngrams(self) -> tuple[Hashes, Integers]:
        """The records' 13-grams, and where each record's end."""
        return kernel.ngrams_of(self.tokens())


def write_sketch(folder: Path, tokens: Tokens, near: NearDuplicates) -> None:
    """Put a sketch's arrays into its folder."""
    signatures = kernel.signatures_of(tokens, near.shingle_words, near.bands, near.rows)
    write_arrays(folder, {**tokens._asdict(), "band_keys": signatures.band_keys})


@dataclass(frozen=True, slots=True)
class Probe:
    """All sketches, numbered through; its folder holds the sieve of their 13-grams and their sorted keys."""

    sketches: Sequence[Sketch]
    near: NearDuplicates
    folder: Path

    def write(self) -> None:
        """Make what the shards of train are compared with."""
        _write_sieve(self.folder, self.sketches)
        for band in range(self.near.bands):
            keys = np.concatenate([sketch.array("band_keys")[band] for sketch in self.sketches])
            order = sorting.order_of(keys)
            write_arrays(self.folder, {f"keys-{band}": keys[order], f"order-{band}": order.astype(np.int32)})

    def passing(self, tokens: Tokens) -> Hashes:
        """The 13-grams of other records that may be of the probe as well."""
        ngrams, _ends = kernel.ngrams_of(tokens)
        return sharing.passing(self.folder, ngrams)

    def near_to(self, tokens: Tokens) -> Iterator[tuple[str, float]]:
        """The shard of each record of the probe that one of the other records repeats, and how similar."""
        near = self.near
        signatures = kernel.signatures_of(tokens, near.shingle_words, near.bands, near.rows)
        pairs = self._candidates(signatures.band_keys)
        if not len(pairs):
            return
        own, others = halves(pairs)
        used, places = np.unique(own, return_inverse=True)
        shingles, ends = shingles_of_records(self.sketches, used, near.shingle_words)
        similar = kernel.jaccards(
            np.concatenate([shingles, signatures.shingles]),
            np.concatenate([ends, signatures.shingle_ends + len(shingles)]),
            places,
            others + len(used),
        )
        names = self._names(own)
        for at in np.flatnonzero(similar >= near.threshold):
            yield names[at], float(similar[at])

    def _candidates(self, band_keys: Hashes) -> NDArray[np.uint64]:
        """Pairs (of the probe << 32 | other) that share a band, each once."""
        pairs = [np.zeros(0, dtype=np.uint64)]
        for band, keys in enumerate(band_keys):
            known, order = read_array(self.folder, f"keys-{band}"), read_array(self.folder, f"order-{band}")
            begins = np.searchsorted(known, keys, side="left")
            ends = np.searchsorted(known, keys, side="right")
            ends = np.minimum(ends, begins + MATES)
            for record in np.flatnonzero(ends > begins):
                mates = order[begins[record] : ends[record]].astype(np.uint64)
                pairs.append((mates << np.uint64(32)) | np.uint64(record))
        return np.unique(np.concatenate(pairs))

    def shared_with(self, passed: Iterable[Hashes], runner: Runner) -> Iterator[str]:
        """What the probe has in common with records whose passing 13-grams are given."""
        yield from _sharing(self.folder, self.sketches, passed, runner)

    def shared_within(self, runner: Runner) -> Iterator[str]:
        """What val and test have in common."""
        folder = self.folder / "within"
        folder.mkdir()
        val = [(sketch, folder) for sketch in self.sketches if sketch.split == "val"]
        test = [sketch for sketch in self.sketches if sketch.split == "test"]
        _write_sieve(folder, test)
        yield from _sharing(folder, test, runner.map(_passing, val), runner)
        ids = np.arange(sum(sketch.count for sketch in self.sketches))
        left, right = near_duplicates(self.sketches, ids, self.near, candidates_in_memory)
        is_test = np.repeat([sketch.split == "test" for sketch in self.sketches], self._counts)
        across = is_test[left] != is_test[right]
        for one, other in zip(self._names(left[across]), self._names(right[across]), strict=True):
            yield f"{one} and {other} hold near duplicates"

    @property
    def _counts(self) -> list[int]:
        return [sketch.count for sketch in self.sketches]

    def _names(self, ids: Integers) -> list[str]:
        """The shard of each of the records."""
        owners = np.searchsorted(np.cumsum(self._counts), ids, side="right")
        return [self.sketches[owner].shard_id for owner in owners]


def _write_sieve(folder: Path, sketches: Sequence[Sketch]) -> None:
    rooms = (sharing.rooms_of(sketch.array("turn_ends"), sketch.array("record_ends")) for sketch in sketches)
    expected = sum(int(room.sum()) for room in rooms)
    sharing.write_sieve(folder, (sketch.ngrams()[0] for sketch in sketches), expected)


def _sharing(
    folder: Path, sketches: Sequence[Sketch], passed: Iterable[Hashes], runner: Runner
) -> Iterator[str]:
    counts = Counter[str]()
    if sharing.write_table(folder, passed):
        found = runner.map(_count_sharing, ((sketch, folder) for sketch in sketches))
        for sketch, count in zip(sketches, found, strict=True):
            counts[sketch.shard_id] += count
    for name, count in sorted((+counts).items()):
        yield f"{name}: {count} records have half of their 13-grams in common with another split"


def _passing(sketch: Sketch, folder: Path) -> Hashes:
    return sharing.passing(folder, sketch.ngrams()[0])


def _count_sharing(sketch: Sketch, folder: Path) -> int:
    return int(sharing.are_sharing(folder, *sketch.ngrams()).sum())
