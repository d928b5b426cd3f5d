"""Which records have half of their 13-grams in common with others, of which there may be any number.

It takes three rounds over blocks of records, and what is in memory hangs on a block: a sieve is made of the
13-grams in question, the others' are passed through it, and a table of those that passed gives the shares.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from datasets_app.compile import lookups
from datasets_app.compile.kernel import NGRAM_TOKENS, Hashes, Integers
from datasets_app.compile.store import read_array, write_arrays

LEAKING_NGRAM_SHARE = 0.5  # of a record's 13-grams found in another split


def write_sieve(folder: Path, blocks: Iterable[Hashes], expected: int) -> None:
    """Make the sieve of about so many 13-grams in question."""
    sieve = lookups.sieve_for(expected)
    for ngrams in blocks:
        lookups.let_pass(sieve, ngrams)
    write_arrays(folder, {"sieve": sieve})


def rooms_of(turn_ends: Integers, record_ends: Integers) -> Integers:
    """How many 13-grams each record has at most, by the lengths of its turns."""
    of_turns = np.maximum(np.diff(turn_ends, prepend=0) - NGRAM_TOKENS + 1, 1)
    until = np.concatenate([[0], np.cumsum(of_turns)])
    return np.diff(until[record_ends], prepend=0)


def passing(folder: Path, ngrams: Hashes) -> Hashes:
    """Those of the others' 13-grams that the sieve lets pass, each once."""
    return np.unique(lookups.passing(read_array(folder, "sieve"), ngrams))


def write_table(folder: Path, blocks: Iterable[Hashes]) -> bool:
    """Make the table of all that passed; whether there is any."""
    passed = np.unique(np.concatenate([np.zeros(0, dtype=np.uint64), *blocks]))
    write_arrays(folder, {"table": lookups.hash_table(passed)})
    return len(passed) > 0


def are_sharing(folder: Path, ngrams: Hashes, ends: Integers) -> NDArray[np.bool_]:
    """Which records have half of their 13-grams, which end at `ends`, in the table."""
    held = lookups.held_in(read_array(folder, "table"), ngrams)
    found: NDArray[np.bool_] = lookups.shares_of(held, ends) >= LEAKING_NGRAM_SHARE
    return found
