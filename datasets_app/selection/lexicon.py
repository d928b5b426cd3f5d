"""The lexicon as a judge: which category the client's words speak of, and whether they are severe."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from datasets_app.compile import kernel, lookups
from datasets_app.compile.kernel import Hashes, Integers, Tokens, Words
from datasets_app.sources.records import Turn

LEXICON = Path(__file__).with_name("lexicon.yaml")
LONGEST_PHRASE = 5  # words; also how many consecutive tokens one key is made from
SILENT = -1  # no word of any category was said
_FACTOR = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class Heard:
    """An entry per record: the number of the category, or SILENT, and whether severe words were said."""

    categories: Integers
    is_severe: NDArray[np.bool_]


class Lexicon:
    """The phrases as keys of consecutive tokens; one phrase may speak for several categories."""

    def __init__(self, categories: dict[str, Sequence[str]], severe: Sequence[str], very_high: Sequence[str]):
        self.categories = tuple(categories)
        self.very_high = frozenset(very_high)
        phrases = sorted({phrase for listed in [*categories.values(), severe] for phrase in listed})
        columns = [set(listed) for listed in [*categories.values(), severe]]
        self._lengths, keys = _keys_of(phrases)
        self._order = np.argsort(keys)
        self._keys = keys[self._order]
        member = [[phrase in listed for listed in columns] for phrase in phrases]
        self._members = np.array(member, dtype=np.int64)[self._order]
        self._lengths = self._lengths[self._order]

    def listen(self, tokens: Tokens, client: int) -> Heard:
        """Count the distinct phrases of each category in the turns of the role `client`."""
        count = tokens.record_ends.size
        said, turns = _said_by(tokens, client)
        records = np.searchsorted(tokens.record_ends, turns, side="right")
        found = [self._found(said, turns, records, length) for length in range(1, LONGEST_PHRASE + 1)]
        pairs = np.unique(np.concatenate(found))
        rows, phrases = pairs // len(self._keys), pairs % len(self._keys)
        counts = np.zeros((count, self._members.shape[1]), dtype=np.int64)
        np.add.at(counts, rows, self._members[phrases])
        of_categories = counts[:, :-1]
        best = np.where(of_categories.any(axis=1), of_categories.argmax(axis=1), SILENT)
        return Heard(best.astype(np.int64), counts[:, -1] > 0)

    def _found(self, said: Words, turns: Integers, records: Integers, length: int) -> Integers:
        """Which phrases of so many words stand in which records, as record * phrases + phrase."""
        if said.size < length:
            return np.zeros(0, dtype=np.int64)
        keys = _joined(said, length)
        is_one_turn = turns[: len(keys)] == turns[length - 1 :]
        held = is_one_turn & lookups.held_in(lookups.hash_table(self._keys), keys)
        phrases = np.searchsorted(self._keys, keys[held])
        fits = self._lengths[phrases] == length
        pairs: Integers = records[: len(keys)][held][fits] * len(self._keys) + phrases[fits]
        return pairs


@lru_cache(maxsize=1)
def shipped_lexicon() -> Lexicon:
    """The lexicon of lexicon.yaml."""
    held = yaml.safe_load(LEXICON.read_bytes())
    return Lexicon(held["categories"], held["severe"], held["very_high"])


def _keys_of(phrases: Iterable[str]) -> tuple[Integers, Hashes]:
    tokens = kernel.tokens_of([(Turn("user", phrase),) for phrase in phrases])
    begins = np.concatenate([[0], tokens.turn_ends[:-1]])
    lengths = tokens.turn_ends - begins
    if lengths.min() < 1 or lengths.max() > LONGEST_PHRASE:
        raise ValueError(f"Phrases of the lexicon have 1 to {LONGEST_PHRASE} words.")
    keys = [
        _joined(tokens.hashes[at : at + length], int(length))[0]
        for at, length in zip(begins, lengths, strict=True)
    ]
    return lengths, np.array(keys, dtype=np.uint64)


def _joined(hashes: Words, length: int) -> Hashes:
    """One key for every run of so many tokens."""
    size = hashes.size - length + 1
    keys = hashes[:size].astype(np.uint64)
    for step in range(1, length):
        keys = keys * _FACTOR + hashes[step : step + size]
    return keys


def _said_by(tokens: Tokens, role: int) -> tuple[Words, Integers]:
    """The tokens of the turns of one role, and the turn of each."""
    begins = np.concatenate([[0], tokens.turn_ends[:-1]]).astype(np.int64)
    turns = np.repeat(np.arange(tokens.turn_ends.size), tokens.turn_ends - begins)
    is_said = tokens.roles[turns] == role
    return tokens.hashes[is_said], turns[is_said]
