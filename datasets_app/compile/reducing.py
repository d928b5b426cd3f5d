"""The reduce over all chunks: duplicates, decontamination, drawing to a family's limit, groups and splits.

It works on arrays with an entry per record, in the order of sources, chunks and rows, and opens the shingles
of candidates only; so it is the same whoever mapped the chunks.
"""

import hashlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from datasets_app.compile import kernel, sorting
from datasets_app.compile.config import NearDuplicates
from datasets_app.compile.errors import CompileError
from datasets_app.compile.kernel import Integers, Tokens
from datasets_app.compile.splits import TEST, TRAIN

REACH = 4  # besides the first of its bucket, how many before it a record is compared with
MOST_RECORDS = 2**31 - 1
PAIRS_AT_ONCE = 25_000  # so that the shingles in memory stay few


class Outcome(IntEnum):
    """What becomes of a record that the map has kept."""

    KEPT = 0
    EXACT_DUPLICATE = 1
    NEAR_DUPLICATE = 2
    DECONTAMINATED = 3
    NOT_DRAWN = 4
    SHARES_TEXT = 5  # with another split, found by overlaps.py


class Mapped(Protocol):
    """What the reduce needs of a mapped chunk."""

    @property
    def count(self) -> int: ...

    def array(self, name: str) -> NDArray[Any]: ...

    def tokens(self) -> Tokens: ...


Numbers = NDArray[np.int32]  # of records or groups
Candidates = Callable[[Sequence[Mapped], Integers], NDArray[np.uint64]]


@dataclass(frozen=True, slots=True)
class Drawing:
    """How many records of each family may be kept, and the seed they are drawn by."""

    at_most: dict[str, int]
    seed: int


@dataclass(frozen=True, slots=True)
class Families:
    """The family of each chunk, and which families are made up and so for train alone."""

    of_chunks: Sequence[str]
    made_up: Collection[str]


@dataclass(frozen=True, slots=True)
class Decisions:
    """An entry per record: its outcome, the record it repeats (or -1), its group and the group's split.

    `has_repeats` says whether others were removed because of it. It is all that is kept of every record until
    the end, and so it is small: 15 bytes of each.
    """

    outcomes: NDArray[np.uint8]
    repeats: Numbers
    has_repeats: NDArray[np.bool_]
    groups: Numbers
    roots: Numbers  # per group: the record whose digest is the group's name
    splits: NDArray[np.uint8]  # per group; only groups with a kept record have one that counts


def decide(
    chunks: Sequence[Mapped],
    families: Families,
    near_settings: NearDuplicates,
    drawing: Drawing,
    candidates: Candidates,
) -> Decisions:
    """Decide about every record of the chunks; `candidates` finds the pairs that share a band.

    Raises CompileError for more records than can be numbered.
    """
    if sum(chunk.count for chunk in chunks) > MOST_RECORDS:
        raise CompileError(f"More than {MOST_RECORDS:,} records are too many for one dataset: divide them.")
    digests = _joined(chunks, "digests")
    outcomes = np.zeros(len(digests), dtype=np.uint8)
    repeats, exact = exact_duplicates(digests)
    outcomes[repeats >= 0] = Outcome.EXACT_DUPLICATE
    ids = np.flatnonzero(outcomes == Outcome.KEPT)
    near = near_duplicates(chunks, ids, near_settings, candidates)
    found = kernel.first_of_their_kind(len(digests), near[0], near[1])
    outcomes[found >= 0] = Outcome.NEAR_DUPLICATE
    repeats = np.where(found >= 0, found, repeats).astype(np.int32)
    outcomes[(outcomes == Outcome.KEPT) & _joined(chunks, "is_protected")] = Outcome.DECONTAMINATED
    counts = [chunk.count for chunk in chunks]
    for family, at_most in drawing.at_most.items():
        is_own = np.repeat([name == family for name in families.of_chunks], counts)
        _draw(outcomes, digests, is_own, at_most, drawing.seed)
    heads = digests[:, :8].copy().view(">u8").ravel().astype(np.uint64)
    del digests
    names = ("sessions", "scenarios", "openings", "wordings")
    groups = grouped(len(heads), [exact, near, *(_links(_joined(chunks, name)) for name in names)])
    is_made_up = np.repeat([family in families.made_up for family in families.of_chunks], counts)
    by_digest, is_held_out = _joined(chunks, "splits"), _joined(chunks, "is_held_out")
    roots, splits = split_groups(groups, heads, by_digest, is_held_out, is_made_up)
    outcomes[(outcomes == Outcome.KEPT) & is_made_up & (splits[groups] == TEST)] = Outcome.SHARES_TEXT
    has_repeats = np.zeros(len(heads), dtype=np.bool_)
    has_repeats[repeats[repeats >= 0]] = True
    return Decisions(outcomes, repeats, has_repeats, groups, roots, splits)


def exact_duplicates(digests: NDArray[np.uint8]) -> tuple[Numbers, tuple[Integers, Integers]]:
    """For each record the first one of the same digest before it, or -1; and the pairs."""
    keys = digests[:, :8].copy().view(np.uint64).ravel()
    ids = np.arange(len(keys))
    left, right = halves(kernel.bucket_pairs(keys, sorting.order_of(keys), ids, 0))
    is_same = (digests[left] == digests[right]).all(axis=1)  # all 32 bytes, not only the eight
    left, right = left[is_same], right[is_same]
    repeats = np.full(len(keys), -1, dtype=np.int32)
    repeats[right] = left
    return repeats, (left, right)


def near_duplicates(
    chunks: Sequence[Mapped], ids: Integers, settings: NearDuplicates, candidates: Candidates
) -> tuple[Integers, Integers]:
    """Pairs (earlier, later) among `ids` that are as similar as is set or more, sorted by the later."""
    shared = candidates(chunks, ids)
    found: list[NDArray[np.uint64]] = []
    for at in range(0, len(shared), PAIRS_AT_ONCE):
        pairs = shared[at : at + PAIRS_AT_ONCE]
        left, right = halves(pairs)
        used, places = np.unique(np.concatenate([left, right]), return_inverse=True)
        shingles, shingle_ends = shingles_of_records(chunks, used, settings.shingle_words)
        similar = kernel.jaccards(shingles, shingle_ends, places[: len(left)], places[len(left) :])
        found.append(pairs[similar >= settings.threshold])
    left, right = halves(np.concatenate(found) if found else shared)
    order = np.lexsort((left, right))
    return left[order], right[order]


def grouped(count: int, pairs: Sequence[tuple[Integers, Integers]]) -> Numbers:
    """The number of the group of each record: what a chain of pairs connects is one group."""
    left = np.concatenate([pair[0] for pair in pairs])
    right = np.concatenate([pair[1] for pair in pairs])
    graph = coo_array((np.ones(len(left), dtype=np.bool_), (left, right)), shape=(count, count))
    return connected_components(graph, directed=False)[1]  # type: ignore[no-any-return]


def split_groups(
    groups: Numbers,
    heads: NDArray[np.uint64],
    by_digest: NDArray[np.uint8],
    is_held_out: NDArray[np.bool_],
    is_made_up: NDArray[np.bool_],
) -> tuple[Numbers, NDArray[np.uint8]]:
    """The root of each group, which has the smallest digest, and the split of that.

    `heads` are the digests' first eight bytes; `by_digest` has the split of every digest. Groups with
    something made up are train, and before that those with something held out are test.
    """
    roots = np.zeros(int(groups.max(initial=-1)) + 1, dtype=np.int32)
    descending = sorting.order_of(heads)[::-1]
    roots[groups[descending]] = descending  # the last one of a group stays
    splits = by_digest[roots]
    splits[groups[is_made_up]] = TRAIN
    splits[groups[is_held_out]] = TEST
    return roots, splits


def candidates_in_memory(chunks: Sequence[Mapped], ids: Integers) -> NDArray[np.uint64]:
    """Pairs among the ascending `ids` that share a band, each once, as one number (earlier << 32 | later)."""
    if not len(ids):
        return np.zeros(0, dtype=np.uint64)
    pairs = np.zeros(0, dtype=np.uint64)
    for band in range(len(chunks[0].array("band_keys"))):
        # Opened anew for each band, so that of all the keys no more than a band's are in memory.
        keys = np.concatenate([chunk.array("band_keys")[band] for chunk in chunks])[ids]
        order = sorting.order_of(keys)
        pairs = np.union1d(pairs, kernel.bucket_pairs(keys, order, ids, REACH))
    return pairs


def halves(pairs: NDArray[np.uint64]) -> tuple[Integers, Integers]:
    """The earlier and the later of each pair."""
    return (pairs >> np.uint64(32)).astype(np.int64), (pairs & np.uint64(2**32 - 1)).astype(np.int64)


def shingles_of_records(
    chunks: Sequence[Mapped], ids: Integers, shingle_words: int
) -> tuple[kernel.Shingles, Integers]:
    """The shingles of the records `ids` (ascending), one after the other, and where each record's end."""
    shingles: list[kernel.Shingles] = []
    ends: list[Integers] = []
    size = 0
    starts = np.cumsum([0, *[chunk.count for chunk in chunks]])
    owners = np.searchsorted(starts, ids, side="right") - 1
    for owner in np.unique(owners):
        tokens = kernel.of_records(chunks[owner].tokens(), ids[owners == owner] - starts[owner])
        some, some_ends = kernel.shingles_of(tokens, shingle_words)
        shingles.append(some)
        ends.append(some_ends + size)
        size += len(some)
    return np.concatenate(shingles), np.concatenate(ends)


def _draw(
    outcomes: NDArray[np.uint8],
    digests: NDArray[np.uint8],
    is_own: NDArray[np.bool_],
    at_most: int,
    seed: int,
) -> None:
    """Leave at most so many records of a family, by a hash of the seed and the digest."""
    ids = np.flatnonzero(is_own & (outcomes == Outcome.KEPT))
    if len(ids) > at_most:
        key = str(seed).encode()
        lots = [hashlib.blake2b(digests[one].tobytes(), key=key, digest_size=16).digest() for one in ids]
        order = sorted(range(len(ids)), key=lots.__getitem__)
        outcomes[ids[order[at_most:]]] = Outcome.NOT_DRAWN


def _links(names: NDArray[np.uint64]) -> tuple[Integers, Integers]:
    """Pairs of neighbours with the same name; 0 is no name."""
    order = sorting.order_of(names)
    ordered = names[order]
    is_same = (ordered[1:] == ordered[:-1]) & (ordered[1:] != 0)
    return order[:-1][is_same], order[1:][is_same]


def _joined(chunks: Sequence[Mapped], name: str) -> NDArray[Any]:
    return np.concatenate([chunk.array(name) for chunk in chunks])
