"""Records for val and test that have half of their 13-grams in common with another split are left out.

Groups keep repeats, quotes and shared openings together; what is pieced together from several records of
train is in no group with them. It is found by the rule of the leakage gate, before the shards are written.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from datasets_app.compile import kernel, lookups
from datasets_app.compile.kernel import Hashes, Integers
from datasets_app.compile.mapping import MappedChunk
from datasets_app.compile.reducing import Decisions, Outcome
from datasets_app.compile.runner import Runner
from datasets_app.compile.splits import TEST, TRAIN

LEAKING_NGRAM_SHARE = 0.5  # of a record's 13-grams found in another split


class _Evaluated(NamedTuple):
    """The records for val and test: their ids and their 13-grams, one record's after the other's."""

    ids: Integers
    ngrams: Hashes
    ends: Integers

    def sharing(self, others: Hashes) -> NDArray[np.bool_]:
        """Which of the records share half of their 13-grams with the others."""
        held = lookups.held_in(lookups.hash_table(others), self.ngrams)
        is_leaking: NDArray[np.bool_] = lookups.shares_of(held, self.ends) >= LEAKING_NGRAM_SHARE
        return is_leaking

    def ngrams_of(self, which: NDArray[np.bool_]) -> Hashes:
        """The distinct 13-grams of some of the records."""
        lengths = np.diff(self.ends, prepend=0)
        found: Hashes = np.unique(self.ngrams[np.repeat(which, lengths)])
        return found


def without_overlaps(
    decisions: Decisions, chunks: Sequence[MappedChunk], runner: Runner, sieve_path: Path
) -> Decisions:
    """Leave out what val and test share with train, and then what test shares with val."""
    splits = decisions.splits[decisions.groups]
    is_kept = decisions.outcomes == Outcome.KEPT
    evaluated = _evaluated(chunks, is_kept & (splits != TRAIN), runner)
    if not len(evaluated.ngrams):
        return decisions
    np.save(sieve_path, lookups.sieve_of(evaluated.ngrams))
    calls = ((*call, str(sieve_path)) for call in _calls(chunks, is_kept & (splits == TRAIN)))
    of_train = [found for found in runner.map(ngrams_that_pass, calls) if len(found)]
    is_leaking = np.zeros(len(evaluated.ids), dtype=np.bool_)
    if of_train:
        is_leaking |= evaluated.sharing(np.unique(np.concatenate(of_train)))
    is_test = splits[evaluated.ids] == TEST
    of_val = evaluated.ngrams_of(~is_test & ~is_leaking)
    is_leaking |= is_test & evaluated.sharing(of_val)
    outcomes = decisions.outcomes.copy()
    outcomes[evaluated.ids[is_leaking]] = Outcome.SHARES_TEXT
    sieve_path.unlink()
    return replace(decisions, outcomes=outcomes)


def ngrams_in(folder: str, key: str, rows: Integers) -> tuple[Hashes, Integers]:
    """The 13-grams of some records of a chunk, and where each record's end."""
    tokens = kernel.of_records(MappedChunk(Path(folder), key).tokens(), rows)
    return kernel.ngrams_of(tokens.hashes, tokens.turn_ends, tokens.record_ends)


def ngrams_that_pass(folder: str, key: str, rows: Integers, sieve_path: str) -> Hashes:
    """The distinct 13-grams of some records of a chunk that the sieve lets pass."""
    ngrams, _ends = ngrams_in(folder, key, rows)
    return np.unique(lookups.passing(np.load(sieve_path), ngrams))


def _evaluated(chunks: Sequence[MappedChunk], which: NDArray[np.bool_], runner: Runner) -> _Evaluated:
    found = list(runner.map(ngrams_in, _calls(chunks, which)))
    shifts = np.cumsum([0, *[len(ngrams) for ngrams, _ in found]])
    return _Evaluated(
        np.flatnonzero(which),
        np.concatenate([ngrams for ngrams, _ in found] or [np.zeros(0, dtype=np.uint64)]),
        np.concatenate(
            [np.zeros(0, dtype=np.int64)]
            + [ends + shift for (_, ends), shift in zip(found, shifts, strict=False)]
        ),
    )


def _calls(chunks: Sequence[MappedChunk], which: NDArray[np.bool_]) -> list[tuple[str, str, Integers]]:
    """What to read of each chunk that has some of the records."""
    starts = np.cumsum([chunk.count for chunk in chunks])
    rows = [np.flatnonzero(own) for own in np.split(which, starts[:-1])]
    return [(str(chunk.folder), chunk.key, own) for chunk, own in zip(chunks, rows, strict=True) if len(own)]
