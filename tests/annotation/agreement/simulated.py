"""Campaigns drawn from numbers alone, with the slips of the simulated clinicians, for hundreds of runs."""

from dataclasses import dataclass

import numpy as np

from annotation.agreement.alerts import Course
from annotation.agreement.counts import NO_LABEL, FloatArray, IntArray, Ratings
from annotation.rehearsal.texts import LEVEL_WEIGHTS

N_LEVELS = len(LEVEL_WEIGHTS)
NAMES = ("anna", "ben", "carl", "dora", "emil")
LEVELS = tuple(str(level) for level in LEVEL_WEIGHTS)


@dataclass
class Campaign:
    """Codes and seconds of five clinicians on shared items, in the order of the rows, and repeats."""

    codes: IntArray
    seconds: FloatArray
    words: IntArray
    repeated: dict[str, IntArray]

    def after(self, n_items: int) -> Ratings:
        """The labels of the first items."""
        return Ratings(
            codes=self.codes[:n_items],
            clusters=np.arange(n_items),
            categories=LEVELS,
            items=tuple(f"sample {item + 1}" for item in range(n_items)),
            raters=NAMES,
        )

    def course(self, n_items: int) -> Course:
        """The course of the first items."""
        rows = np.arange(n_items, dtype=np.float64)
        n_repeats = n_items // 20
        return Course(
            order=np.repeat(rows[:, np.newaxis], len(NAMES), axis=1),
            seconds=self.seconds[:n_items],
            words=self.words[:n_items],
            n_planned=len(self.codes),
            repeats={
                name: Ratings(
                    both[:n_repeats],
                    np.arange(n_repeats),
                    LEVELS,
                    tuple(range(n_repeats)),
                    ("first", "again"),
                )
                for name, both in self.repeated.items()
            },
        )


def campaign(seed: int, n_items: int = 500, skill: float = 0.9) -> Campaign:
    """A campaign in which nobody departs from the others."""
    rng = np.random.default_rng(seed)
    weights = np.array(list(LEVEL_WEIGHTS.values()), dtype=np.float64)
    truth = rng.choice(N_LEVELS, n_items, p=weights / weights.sum())
    habits = np.stack([slipped(rng, truth, skill) for _ in NAMES], axis=1)
    codes = np.stack([slipped(rng, habits[:, place], skill) for place in range(len(NAMES))], axis=1)
    words = rng.integers(40, 251, n_items)
    spread = np.exp(rng.normal(0, 0.45, codes.shape))
    n_repeats = n_items // 20
    repeated = {
        name: np.column_stack([codes[:n_repeats, place], slipped(rng, habits[:n_repeats, place], skill)])
        for place, name in enumerate(NAMES)
    }
    return Campaign(codes, (15 + 0.2 * words)[:, np.newaxis] * spread, words, repeated)


def slipped(rng: np.random.Generator, codes: IntArray, skill: float) -> IntArray:
    """One of the two chances to slip to a neighbouring level."""
    step = rng.choice([-1, 1], len(codes))
    moved = np.where((codes + step < 0) | (codes + step >= N_LEVELS), codes - step, codes + step)
    moved = np.where(codes == NO_LABEL, NO_LABEL, moved)
    kept: IntArray = np.where(rng.random(len(codes)) < np.sqrt(skill), codes, moved)
    return kept


def make_biased(made: Campaign, rater: int, share: float, seed: int, first: int = 0, last: int = 0) -> None:
    """A share of the rater's answers one level up; from `first`, growing to the full share at `last`."""
    rng = np.random.default_rng([seed, 1])
    rows = np.arange(len(made.codes))
    grown = np.clip((rows - first) / max(last - first, 1), 0, 1) if last else np.ones(len(rows))
    is_moved = rng.random(len(rows)) < share * grown
    made.codes[is_moved, rater] = np.minimum(made.codes[is_moved, rater] + 1, N_LEVELS - 1)


def make_lazy(made: Campaign, rater: int, share: float, seed: int, code: int = 0) -> None:
    """A share of the rater's answers is the same one."""
    rng = np.random.default_rng([seed, 2])
    made.codes[rng.random(len(made.codes)) < share, rater] = code
