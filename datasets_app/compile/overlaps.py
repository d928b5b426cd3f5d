"""Records for val and test that have half of their 13-grams in common with another split are left out.

Groups keep repeats, quotes and shared openings together; what is pieced together from several records of
train is in no group with them. It is found by the rule of the leakage gate, before the shards are written.
"""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from datasets_app.compile import kernel, sharing
from datasets_app.compile.errors import writing_into
from datasets_app.compile.kernel import Hashes, Integers
from datasets_app.compile.mapping import MappedChunk
from datasets_app.compile.reducing import Decisions, Outcome
from datasets_app.compile.runner import Runner
from datasets_app.compile.splits import TEST, TRAIN, VAL

Which = NDArray[np.bool_]  # an entry per record


@dataclass(frozen=True, slots=True)
class Rows:
    """Some records of one chunk."""

    folder: str
    key: str
    rows: Integers

    def ngrams(self) -> tuple[Hashes, Integers]:
        """The records' 13-grams, and where each record's end."""
        tokens = kernel.of_records(MappedChunk(Path(self.folder), self.key).tokens(), self.rows)
        return kernel.ngrams_of(tokens)


def without_overlaps(
    decisions: Decisions, chunks: Sequence[MappedChunk], runner: Runner, folder: Path
) -> Decisions:
    """Leave out what val and test share with train, and then what test shares with val.

    The folder is for what is looked up meanwhile.
    """
    splits = decisions.splits[decisions.groups]
    is_kept = decisions.outcomes == Outcome.KEPT
    is_train, is_val, is_test = (is_kept & (splits == split) for split in (TRAIN, VAL, TEST))
    with writing_into(folder):
        try:
            folder.mkdir(exist_ok=True)
            is_leaking = _sharing(is_val | is_test, is_train, chunks, runner, folder)
            is_leaking |= _sharing(is_test & ~is_leaking, is_val & ~is_leaking, chunks, runner, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    outcomes = np.where(is_leaking, np.uint8(Outcome.SHARES_TEXT), decisions.outcomes)
    return replace(decisions, outcomes=outcomes)


def _sharing(
    which: Which, others: Which, chunks: Sequence[MappedChunk], runner: Runner, folder: Path
) -> Which:
    """Which of `which` have half of their 13-grams in common with the others."""
    is_sharing = np.zeros(len(which), dtype=np.bool_)
    if not (which.any() and others.any()):
        return is_sharing
    rooms = [sharing.rooms_of(chunk.array("turn_ends"), chunk.array("record_ends")) for chunk in chunks]
    expected = int(np.concatenate(rooms)[which].sum())
    sharing.write_sieve(folder, runner.map(_ngrams, _calls(chunks, which)), expected)
    if sharing.write_table(folder, runner.map(_passing, _calls(chunks, others, folder))):
        is_sharing[which] = np.concatenate(list(runner.map(_are_sharing, _calls(chunks, which, folder))))
    return is_sharing


def _ngrams(rows: Rows) -> Hashes:
    return rows.ngrams()[0]


def _passing(rows: Rows, folder: Path) -> Hashes:
    return sharing.passing(folder, rows.ngrams()[0])


def _are_sharing(rows: Rows, folder: Path) -> Which:
    return sharing.are_sharing(folder, *rows.ngrams())


def _calls(
    chunks: Sequence[MappedChunk], which: Which, *rest: Path
) -> Iterator[tuple[Rows, *tuple[Path, ...]]]:
    """What to read of each chunk that has some of the records."""
    start = 0
    for chunk in chunks:
        rows = np.flatnonzero(which[start : start + chunk.count])
        start += chunk.count
        if len(rows):
            yield Rows(str(chunk.folder), chunk.key, rows), *rest
