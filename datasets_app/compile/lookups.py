"""Which of many hashes are among given ones: a table that is exact, and a sieve that is small."""

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


SIEVE_BITS_PER_VALUE = 32  # so that about one of 32 other values passes


@compiled
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


@compiled
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
