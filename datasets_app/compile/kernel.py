"""The numeric kernel: tokens, shingles, MinHash signatures, n-grams and Jaccard over a chunk's bytes.

MinHash: Broder, "On the resemblance and containment of documents", 1997; bands: Leskovec, Rajaraman and
Ullman, "Mining of Massive Datasets", section 3.4. All hashes are of fixed constants, the same everywhere.
"""

import hashlib
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

from datasets_app.sources.records import ROLES, Turn

KERNEL_VERSION = "1"
NGRAM_TOKENS = 13  # GPT-3's decontamination; Brown et al. 2020, appendix C
SHORTEST_WHOLE_TURN = 8  # tokens of a shorter protected prompt that is only found as a whole turn
TURN_END = "\0"  # no reader lets it through

_FNV_BASIS = np.uint64(0xCBF29CE484222325)
_FNV_PRIME = np.uint64(0x100000001B3)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_EMPTY = np.uint64(0)

Integers = NDArray[np.int64]
Hashes = NDArray[np.uint64]
Shingles = NDArray[np.uint32]
Function = TypeVar("Function", bound=Callable[..., Any])


def _compiled(function: Function) -> Function:
    """`function` as machine code, kept on disk beside it where that folder can be written."""
    try:
        return cast(Function, numba.njit(cache=True, nogil=True)(function))
    except RuntimeError:  # a folder that cannot be written and no home: compiled anew in each process
        return cast(Function, numba.njit(nogil=True)(function))


class Tokens(NamedTuple):
    """The tokens of many turns: their hashes, where each turn ends, its role and where each record ends."""

    hashes: Hashes
    turn_ends: Integers
    roles: NDArray[np.uint8]
    record_ends: Integers  # in turns


class Permutations(NamedTuple):
    """The multipliers and offsets of the hash functions whose minima make the signature."""

    factors: NDArray[np.uint32]
    offsets: NDArray[np.uint32]


def permutations(count: int) -> Permutations:
    """`count` functions x -> a x + b modulo 2^32 with odd a, drawn from a fixed hash."""
    drawn = b"".join(
        hashlib.blake2b(f"minhash {index}".encode(), digest_size=8).digest() for index in range(count)
    )
    pairs = np.frombuffer(drawn, dtype="<u4").reshape(count, 2)
    return Permutations(np.ascontiguousarray(pairs[:, 0] | 1), np.ascontiguousarray(pairs[:, 1]))


def tokens_of(records: list[tuple[Turn, ...]]) -> Tokens:
    """The lower-cased words of every turn; a Chinese, Japanese or Korean character is a word."""
    turns = [turn for record in records for turn in record]
    text = "".join([turn.content + TURN_END for turn in turns]).lower()
    data = np.frombuffer(text.encode(), dtype=np.uint8)
    hashes, turn_ends = _token_hashes(data, len(turns))
    roles = np.fromiter((ROLES.index(turn.role) for turn in turns), dtype=np.uint8, count=len(turns))
    record_ends = np.cumsum(np.fromiter(map(len, records), dtype=np.int64, count=len(records)))
    return Tokens(hashes, turn_ends, roles, record_ends)


@_compiled
def _mixed(value: Any) -> Any:
    """The finaliser of SplitMix64: every bit of the result hangs on every bit of the value."""
    value = (value ^ (value >> np.uint64(30))) * _MIX_1
    value = (value ^ (value >> np.uint64(27))) * _MIX_2
    return value ^ (value >> np.uint64(31))


@_compiled
def _token_hashes(data: NDArray[np.uint8], turn_count: int) -> tuple[Hashes, Integers]:
    hashes = np.empty(data.size, dtype=np.uint64)
    turn_ends = np.empty(turn_count, dtype=np.int64)
    count, turn, at = 0, 0, 0
    current, is_open = _FNV_BASIS, False
    while at < data.size:
        byte = data[at]
        width = 1 if byte < 0xC0 else 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
        # U+2000 to U+2FFF are dashes, quotes and signs; from U+3000 on every character is a word.
        is_word = (48 <= byte <= 57) or (97 <= byte <= 122) or (0xC3 <= byte < 0xE2)
        is_alone = byte >= 0xE3
        if is_open and not is_word:
            hashes[count] = _mixed(current)
            count += 1
            current, is_open = _FNV_BASIS, False
        if is_word or is_alone:
            for place in range(at, min(at + width, data.size)):
                current = (current ^ np.uint64(data[place])) * _FNV_PRIME
            is_open = True
        if is_alone:
            hashes[count] = _mixed(current)
            count += 1
            current, is_open = _FNV_BASIS, False
        if byte == 0:
            turn_ends[turn] = count
            turn += 1
        at += width
    return hashes[:count].copy(), turn_ends


class Signatures(NamedTuple):
    """The shingles of every record, one after the other, and the keys of their bands."""

    shingles: Shingles
    shingle_ends: Integers
    band_keys: Hashes  # one row per band


def signatures_of(tokens: Tokens, shingle_words: int, bands: int, rows: int) -> Signatures:
    """What near duplicates are found by; roles count, so that swapped roles share no shingle."""
    shingles, shingle_ends = _shingles(
        tokens.hashes, tokens.turn_ends, tokens.roles, tokens.record_ends, shingle_words
    )
    factors, offsets = permutations(bands * rows)
    return Signatures(
        shingles, shingle_ends, _band_keys(shingles, shingle_ends, factors, offsets, bands, rows)
    )


@_compiled
def _shingles(
    hashes: Hashes, turn_ends: Integers, roles: NDArray[np.uint8], record_ends: Integers, words: int
) -> tuple[Shingles, Integers]:
    """Runs of `words` tokens, with a mark of the role at the head of every turn."""
    shingles = np.empty(hashes.size + turn_ends.size, dtype=np.uint32)
    shingle_ends = np.empty(record_ends.size, dtype=np.int64)
    line = np.empty(hashes.size + turn_ends.size, dtype=np.uint64)
    role_of = np.empty(hashes.size + turn_ends.size, dtype=np.uint64)
    count, turn, token = 0, 0, 0
    for record in range(record_ends.size):
        length = 0
        while turn < record_ends[record]:
            mark = _mixed(np.uint64(roles[turn] + 1) * _GOLDEN)
            line[length], role_of[length] = mark, mark
            length += 1
            while token < turn_ends[turn]:
                line[length], role_of[length] = hashes[token], mark
                length += 1
                token += 1
            turn += 1
        for start in range(max(length - words + 1, 1)):
            value = role_of[start]
            for place in range(start, min(start + words, length)):
                value = value * _FNV_PRIME + line[place]
            shingles[count] = np.uint32(_mixed(value) >> np.uint64(32))
            count += 1
        shingle_ends[record] = count
    return shingles[:count].copy(), shingle_ends


@_compiled
def _band_keys(
    shingles: Shingles,
    shingle_ends: Integers,
    factors: NDArray[np.uint32],
    offsets: NDArray[np.uint32],
    bands: int,
    rows: int,
) -> Hashes:
    keys = np.empty((bands, shingle_ends.size), dtype=np.uint64)
    minima = np.empty(factors.size, dtype=np.uint32)
    start = 0
    for record in range(shingle_ends.size):
        minima[:] = np.uint32(0xFFFFFFFF)
        for at in range(start, shingle_ends[record]):
            shingle = shingles[at]
            for index in range(factors.size):
                value = np.uint32(shingle * factors[index] + offsets[index])
                minima[index] = min(minima[index], value)
        start = shingle_ends[record]
        for band in range(bands):
            key = np.uint64(band + 1) * _GOLDEN
            for row in range(rows):
                key = _mixed(key ^ np.uint64(minima[band * rows + row])) * _FNV_PRIME
            keys[band, record] = key
    return keys


@_compiled
def sorted_sets(shingles: Shingles, starts: Integers, ends: Integers) -> tuple[Shingles, Integers]:
    """The distinct shingles between each start and end, sorted, one set after the other."""
    sets = np.empty(np.sum(ends - starts), dtype=np.uint32)
    set_ends = np.empty(starts.size, dtype=np.int64)
    count = 0
    for index in range(starts.size):
        ordered = np.sort(shingles[starts[index] : ends[index]])
        for at in range(ordered.size):
            if at == 0 or ordered[at] != ordered[at - 1]:
                sets[count] = ordered[at]
                count += 1
        set_ends[index] = count
    return sets[:count].copy(), set_ends


@_compiled
def jaccards(sets: Shingles, set_ends: Integers, left: Integers, right: Integers) -> NDArray[np.float64]:
    """The exact Jaccard similarity of each pair of sorted sets."""
    found = np.empty(left.size, dtype=np.float64)
    for pair in range(left.size):
        a = set_ends[left[pair] - 1] if left[pair] else 0
        b = set_ends[right[pair] - 1] if right[pair] else 0
        a_end, b_end = set_ends[left[pair]], set_ends[right[pair]]
        union, shared = a_end - a + b_end - b, 0
        while a < a_end and b < b_end:
            if sets[a] == sets[b]:
                shared += 1
                a += 1
                b += 1
            elif sets[a] < sets[b]:
                a += 1
            else:
                b += 1
        found[pair] = shared / (union - shared)
    return found


@_compiled
def bucket_pairs(keys: Hashes, order: Integers, ids: Integers, reach: int) -> Hashes:
    """Pairs of ids that share a key, as one number each: every id with the first and the last few before it.

    `order` sorts `keys`, and ids ascend within equal keys; so a bucket of any size gives few pairs.
    """
    pairs = np.empty(order.size * (reach + 1), dtype=np.uint64)
    count, first = 0, 0
    for at in range(1, order.size):
        if keys[order[at]] != keys[order[first]]:
            first = at
            continue
        later = np.uint64(ids[order[at]])
        pairs[count] = (np.uint64(ids[order[first]]) << np.uint64(32)) | later
        count += 1
        for before in range(max(at - reach, first + 1), at):
            pairs[count] = (np.uint64(ids[order[before]]) << np.uint64(32)) | later
            count += 1
    return pairs[:count].copy()


@_compiled
def first_of_their_kind(count: int, left: Integers, right: Integers) -> NDArray[np.int64]:
    """For each record the earlier kept record it repeats, or -1 where it is kept itself.

    The pairs are sorted by `right`, and left < right in each.
    """
    repeats = np.full(count, -1, dtype=np.int64)
    for pair in range(left.size):
        if repeats[left[pair]] < 0 and repeats[right[pair]] < 0:
            repeats[right[pair]] = left[pair]
    return repeats


@_compiled
def _ngrams(hashes: Hashes, start: int, end: int, length: int) -> Hashes:
    found = np.empty(max(end - start - length + 1, 0), dtype=np.uint64)
    power = np.uint64(1)
    for _ in range(length):
        power = power * _FNV_PRIME
    value = np.uint64(0)
    for at in range(start, end):
        value = value * _FNV_PRIME + hashes[at]
        if at >= start + length:
            value -= hashes[at - length] * power
        if at >= start + length - 1:
            found[at - start - length + 1] = _mixed(value)
    return found


@_compiled
def _whole_turn(hashes: Hashes, start: int, end: int) -> Any:
    value = _GOLDEN
    for at in range(start, end):
        value = _mixed(value * _FNV_PRIME + hashes[at])
    return value


@_compiled
def opening_keys(tokens: Hashes, turn_ends: Integers, roles: Any, record_ends: Integers, user: int) -> Hashes:
    """The hash of each record's first turn of the client, or 0 where that has fewer than 13 tokens."""
    keys = np.zeros(record_ends.size, dtype=np.uint64)
    for record in range(record_ends.size):
        for turn in range(record_ends[record - 1] if record else 0, record_ends[record]):
            if roles[turn] == user:
                start = turn_ends[turn - 1] if turn else 0
                if turn_ends[turn] - start >= NGRAM_TOKENS:
                    keys[record] = _whole_turn(tokens, start, turn_ends[turn])
                break
    return keys


@_compiled
def ngrams_of(hashes: Hashes, turn_ends: Integers, record_ends: Integers) -> tuple[Hashes, Integers]:
    """The 13-grams within the turns of each record; a turn of 8 to 12 tokens counts as a whole."""
    found = np.empty(hashes.size, dtype=np.uint64)
    ends = np.empty(record_ends.size, dtype=np.int64)
    count, turn, start = 0, 0, 0
    for record in range(record_ends.size):
        while turn < record_ends[record]:
            length = turn_ends[turn] - start
            if length >= NGRAM_TOKENS:
                grams = _ngrams(hashes, start, turn_ends[turn], NGRAM_TOKENS)
                found[count : count + grams.size] = grams
                count += grams.size
            elif length >= SHORTEST_WHOLE_TURN:
                found[count] = _whole_turn(hashes, start, turn_ends[turn])
                count += 1
            start = turn_ends[turn]
            turn += 1
        ends[record] = count
    return found[:count].copy(), ends


@_compiled
def hash_table(values: Hashes) -> Hashes:
    """A table of open addressing for `held_in`, a quarter full at most; 0 is the empty place."""
    size = 16
    while size < values.size * 4:
        size *= 2
    table = np.zeros(size, dtype=np.uint64)
    for value in values:
        place = np.int64(value & np.uint64(size - 1))
        while table[place] != _EMPTY and table[place] != value:
            place = (place + 1) & (size - 1)
        table[place] = value
    return table


@_compiled
def held_in(table: Hashes, values: Hashes) -> NDArray[np.bool_]:
    """Whether each of the values is in the table."""
    found = np.zeros(values.size, dtype=np.bool_)
    for index in range(values.size):
        place = np.int64(values[index] & np.uint64(table.size - 1))
        while table[place] != _EMPTY and not found[index]:
            found[index] = table[place] == values[index]
            place = (place + 1) & (table.size - 1)
    return found


SIEVE_BITS_PER_VALUE = 32  # so that about one of 32 other values passes


@_compiled
def sieve_of(values: Hashes) -> Hashes:
    """A sieve that lets each of the values pass, and few others: one bit per value, by its last bits."""
    size = 64
    while size < values.size * SIEVE_BITS_PER_VALUE:
        size *= 2
    sieve = np.zeros(size // 64, dtype=np.uint64)
    for value in values:
        place = value & np.uint64(size - 1)
        sieve[np.int64(place >> np.uint64(6))] |= np.uint64(1) << (place & np.uint64(63))
    return sieve


@_compiled
def passing(sieve: Hashes, values: Hashes) -> Hashes:
    """Those of the values that the sieve lets pass."""
    last = np.uint64(sieve.size * 64 - 1)
    found = np.empty(values.size, dtype=np.uint64)
    count = 0
    for value in values:
        place = value & last
        if (sieve[np.int64(place >> np.uint64(6))] >> (place & np.uint64(63))) & np.uint64(1):
            found[count] = value
            count += 1
    return found[:count].copy()


def shares_of(is_held: NDArray[np.bool_], ends: Integers) -> NDArray[np.float64]:
    """The share of each record's n-grams that are held; 0 for a record without any."""
    held = np.concatenate([[0], np.cumsum(is_held)])
    begins = np.concatenate([[0], ends[:-1]])
    shares: NDArray[np.float64] = (held[ends] - held[begins]) / np.maximum(ends - begins, 1)
    return shares
