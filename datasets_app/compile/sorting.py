"""The order of many hashes, and of anything else too."""

import numpy as np

from datasets_app.compile.kernel import Hashes, Integers, compiled

MOVES_PER_HASH = 32  # before what is left is done in another way


@compiled
def order_of(hashes: Hashes) -> Integers:
    """What sorts the hashes, equal ones by their place: five times as fast as numpy's stable sort.

    They are dealt out by their first bits, which puts nearly all into their place, and then sorted by
    insertion; what is not spread evenly, as hashes are, is left to numpy.
    """
    bits = 1
    while (1 << bits) < hashes.size:
        bits += 1
    shift = np.uint64(64 - bits)
    starts = np.zeros((1 << bits) + 1, dtype=np.int64)
    for value in hashes:
        starts[np.int64(value >> shift) + 1] += 1
    for bucket in range(1, starts.size):
        starts[bucket] += starts[bucket - 1]
    order = np.empty(hashes.size, dtype=np.int64)
    for at in range(hashes.size):
        own = np.int64(hashes[at] >> shift)
        order[starts[own]] = at
        starts[own] += 1
    moves = 0
    for at in range(1, order.size):
        one, place = order[at], at
        while place > 0 and hashes[order[place - 1]] > hashes[one]:
            order[place] = order[place - 1]
            place -= 1
        order[place] = one
        moves += at - place
        if moves > MOVES_PER_HASH * order.size:
            return np.argsort(hashes, kind="mergesort")
    return order
