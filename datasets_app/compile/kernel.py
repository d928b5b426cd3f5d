"""The numeric kernel: tokens, shingles, MinHash signatures, n-grams and Jaccard over a chunk's bytes.

MinHash: Broder, "On the resemblance and containment of documents", 1997; bands: Leskovec, Rajaraman and
Ullman, "Mining of Massive Datasets", section 3.4. All hashes are of fixed constants, the same everywhere.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

from datasets_app.sources.records import ROLES, Turn

KERNEL_VERSION = "2"
NGRAM_TOKENS = 13  # GPT-3's decontamination; Brown et al. 2020, appendix C
SHORTEST_WHOLE_TURN = 8  # tokens of a shorter protected prompt that is only found as a whole turn
TURN_END = "\0"  # no reader lets it through

_FNV_BASIS = np.uint64(0xCBF29CE484222325)
_FNV_PRIME = np.uint64(0x100000001B3)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)

Integers = NDArray[np.int64]
Hashes = NDArray[np.uint64]
Words = NDArray[np.uint32]
Shingles = NDArray[np.uint32]
_CODES = {role: code for code, role in enumerate(ROLES)}
Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """`function` as machine code, kept on disk beside it where that folder can be written."""
    try:
        return cast(Function, numba.njit(cache=True, nogil=True)(function))
    except RuntimeError:  # a folder that cannot be written and no home: compiled anew in each process
        return cast(Function, numba.njit(nogil=True)(function))


class Tokens(NamedTuple):
    """The tokens of many turns: their hashes, where each turn ends, its role and where each record ends."""

    hashes: Words
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
    text = ended([turn.content for turn in turns]).lower()
    if text.count(TURN_END) != len(turns):  # somebody else's dataset: it would end a turn before its end
        text = ended([turn.content.replace(TURN_END, " ") for turn in turns]).lower()
    data = np.frombuffer(text.encode(), dtype=np.uint8)
    hashes, turn_ends = _token_hashes(data, len(turns))
    roles = np.array([_CODES[turn.role] for turn in turns], dtype=np.uint8)
    record_ends = np.cumsum(np.fromiter(map(len, records), dtype=np.int64, count=len(records)))
    return Tokens(hashes, turn_ends, roles, record_ends)


def ended(texts: Sequence[str]) -> str:
    """The texts one after the other, each with its end."""
    return TURN_END.join([*texts, ""])


def of_records(tokens: Tokens, which: Integers) -> Tokens:
    """The tokens of some of the records, in the order of `which`."""
    turns, record_ends = _inside(tokens.record_ends, which)
    places, turn_ends = _inside(tokens.turn_ends, turns)
    return Tokens(tokens.hashes[places], turn_ends, tokens.roles[turns], record_ends)


@compiled
def _inside(ends: Integers, which: Integers) -> tuple[Integers, Integers]:
    """Of parts that end at `ends`: all places inside of those in `which`, and where each one's end there."""
    found_ends = np.empty(which.size, dtype=np.int64)
    size = 0
    for at in range(which.size):
        size += ends[which[at]] - (ends[which[at] - 1] if which[at] else 0)
        found_ends[at] = size
    places = np.empty(size, dtype=np.int64)
    count = 0
    for part in which:
        for place in range(ends[part - 1] if part else 0, ends[part]):
            places[count] = place
            count += 1
    return places, found_ends


@compiled
def _mixed(value: Any) -> Any:
    """The finaliser of SplitMix64: every bit of the result hangs on every bit of the value."""
    value = (value ^ (value >> np.uint64(30))) * _MIX_1
    value = (value ^ (value >> np.uint64(27))) * _MIX_2
    return value ^ (value >> np.uint64(31))


@compiled
def _token_hashes(data: NDArray[np.uint8], turn_count: int) -> tuple[Words, Integers]:
    hashes = np.empty(data.size, dtype=np.uint32)
    turn_ends = np.empty(turn_count, dtype=np.int64)
    count, turn, at = 0, 0, 0
    current, is_open = _FNV_BASIS, False
    while at < data.size:
        byte = data[at]
        if (97 <= byte <= 122) or (48 <= byte <= 57):  # most of the bytes, by the shortest way
            current, is_open = (current ^ np.uint64(byte)) * _FNV_PRIME, True
            at += 1
            continue
        width = 1 if byte < 0xC0 else 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
        # U+2000 to U+2FFF are dashes, quotes and signs; from U+3000 on every character is a word.
        is_word = 0xC3 <= byte < 0xE2
        is_alone = byte >= 0xE3
        if is_open and not is_word:
            hashes[count] = np.uint32(_mixed(current))
            count += 1
            current, is_open = _FNV_BASIS, False
        if is_word or is_alone:
            for place in range(at, min(at + width, data.size)):
                current = (current ^ np.uint64(data[place])) * _FNV_PRIME
            is_open = True
        if is_alone:
            hashes[count] = np.uint32(_mixed(current))
            count += 1
            current, is_open = _FNV_BASIS, False
        if byte == 0 and turn < turn_count:
            turn_ends[turn] = count
            turn += 1
        at += width
    return hashes[:count].copy(), turn_ends


class Signatures(NamedTuple):
    """The shingles of every record, one after the other, and the keys of their bands."""

    shingles: Shingles
    shingle_ends: Integers
    band_keys: Hashes  # one row per band


def shingles_of(tokens: Tokens, shingle_words: int) -> tuple[Shingles, Integers]:
    """The shingles of every record and where each record's end; swapped roles share none."""
    return _shingles(*tokens, shingle_words)


def signatures_of(tokens: Tokens, shingle_words: int, bands: int, rows: int) -> Signatures:
    """What near duplicates are found by."""
    shingles, shingle_ends = shingles_of(tokens, shingle_words)
    factors, offsets = permutations(bands * rows)
    return Signatures(
        shingles, shingle_ends, _band_keys(shingles, shingle_ends, factors, offsets, bands, rows)
    )


@compiled
def _shingles(
    hashes: Words, turn_ends: Integers, roles: NDArray[np.uint8], record_ends: Integers, words: int
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


@compiled
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


@compiled
def jaccards(shingles: Shingles, ends: Integers, left: Integers, right: Integers) -> NDArray[np.float64]:
    """The exact Jaccard similarity of the sets of shingles of each pair of records.

    The shingles of both go into a table of open addressing, of which only the part is used that a pair needs;
    what stands there of an earlier pair counts as empty.
    """
    size = 0
    for pair in range(left.size):
        size = max(size, _room_for(ends, left[pair], right[pair]))
    table, owners = np.empty(size, dtype=np.uint32), np.full(size, -1, dtype=np.int64)
    is_open = np.empty(size, dtype=np.bool_)  # of the left record, and not met in the right one yet
    found = np.empty(left.size, dtype=np.float64)
    for pair in range(left.size):
        size = _room_for(ends, left[pair], right[pair])
        union, shared = 0, 0
        for record in (left[pair], right[pair]):
            for at in range(ends[record] - _length(ends, record), ends[record]):
                place = np.int64(shingles[at]) & (size - 1)
                while owners[place] == pair and table[place] != shingles[at]:
                    place = (place + 1) & (size - 1)
                if owners[place] != pair:
                    table[place], owners[place], is_open[place] = shingles[at], pair, record == left[pair]
                    union += 1
                elif is_open[place] and record == right[pair]:
                    is_open[place] = False
                    shared += 1
        found[pair] = shared / union
    return found


@compiled
def _length(ends: Integers, record: int) -> Any:
    return ends[record] - (ends[record - 1] if record else 0)


@compiled
def _room_for(ends: Integers, one: int, other: int) -> Any:
    """The size of a table, a power of two, that two records fill to a half at most."""
    size = 16
    while size < 2 * (_length(ends, one) + _length(ends, other)):
        size *= 2
    return size


@compiled
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


@compiled
def first_of_their_kind(count: int, left: Integers, right: Integers) -> NDArray[np.int64]:
    """For each record the earlier kept record it repeats, or -1 where it is kept itself.

    The pairs are sorted by `right`, and left < right in each.
    """
    repeats = np.full(count, -1, dtype=np.int64)
    for pair in range(left.size):
        if repeats[left[pair]] < 0 and repeats[right[pair]] < 0:
            repeats[right[pair]] = left[pair]
    return repeats


@compiled
def _ngrams(hashes: Words, start: int, end: int, length: int) -> Hashes:
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


@compiled
def _whole_turn(hashes: Words, start: int, end: int) -> Any:
    value = _GOLDEN
    for at in range(start, end):
        value = _mixed(value * _FNV_PRIME + hashes[at])
    return value


@compiled
def opening_keys(tokens: Words, turn_ends: Integers, roles: Any, record_ends: Integers, user: int) -> Hashes:
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


def ngrams_of(tokens: Tokens) -> tuple[Hashes, Integers]:
    """The 13-grams within the turns of each record, and where each record's end.

    A turn of 8 to 12 tokens counts as a whole.
    """
    return _ngrams_of_records(tokens.hashes, tokens.turn_ends, tokens.record_ends)


@compiled
def _ngrams_of_records(hashes: Words, turn_ends: Integers, record_ends: Integers) -> tuple[Hashes, Integers]:
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
