"""Which of many hashes are among given ones: a table that is exact, and a sieve that is small."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from datasets_app.compile.kernel import Hashes, Integers, compiled

_EMPTY = np.uint64(0)


@compiled
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


@compiled
def held_in(table: Hashes, values: Hashes) -> NDArray[np.bool_]:
    """Whether each of the values is in the table."""
    found = np.zeros(values.size, dtype=np.bool_)
    for index in range(values.size):
        place = np.int64(values[index] & np.uint64(table.size - 1))
        while table[place] != _EMPTY and not found[index]:
            found[index] = table[place] == values[index]
            place = (place + 1) & (table.size - 1)
    return found


SIEVE_BITS_PER_VALUE = 16  # so that less than one of a hundred other values passes


def sieve_for(expected: int) -> Hashes:
    """A sieve that nothing passes yet; with more values than expected, more of the others pass.

    A Bloom filter in blocks of a word each: Putze, Sanders and Singler, "Cache-, hash- and space-efficient
    Bloom filters", 2009.
    """
    return np.zeros(expected * SIEVE_BITS_PER_VALUE // 64 + 1, dtype=np.uint64)


@compiled
def let_pass(sieve: Hashes, values: Hashes) -> None:
    """Let each of the values pass from now on."""
    for value in values:
        sieve[_word_of(value, sieve.size)] |= _bits_of(value)


@compiled
def passing(sieve: Hashes, values: Hashes) -> Hashes:
    """Those of the values that the sieve lets pass."""
    found = np.empty(values.size, dtype=np.uint64)
    count = 0
    for value in values:
        bits = _bits_of(value)
        if sieve[_word_of(value, sieve.size)] & bits == bits:
            found[count] = value
            count += 1
    return found[:count].copy()


@compiled
def _word_of(value: Any, words: int) -> Any:
    """The word of the sieve, by the value's first half."""
    return np.int64(((value >> np.uint64(32)) * np.uint64(words)) >> np.uint64(32))


@compiled
def _bits_of(value: Any) -> Any:
    """Four bits of that word, by the value's last 24."""
    bits = np.uint64(0)
    for shift in range(0, 24, 6):
        bits |= np.uint64(1) << ((value >> np.uint64(shift)) & np.uint64(63))
    return bits


@compiled
def shares_of(is_held: NDArray[np.bool_], ends: Integers) -> NDArray[np.float64]:
    """The share of each record's n-grams that are held; 0 for a record without any."""
    shares = np.zeros(ends.size, dtype=np.float64)
    start = 0
    for record in range(ends.size):
        for at in range(start, ends[record]):
            shares[record] += is_held[at]
        shares[record] /= max(ends[record] - start, 1)
        start = ends[record]
    return shares
