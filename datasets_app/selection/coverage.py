"""Facility location: picks that are together near to everything in their stratum.

The marginal gain of a pick never grows, so a bound that was once computed holds for ever and few are computed
anew: Minoux 1978; Krause and Golovin, "Submodular function maximization", 2014.
"""

import numpy as np
from numpy.typing import NDArray

from datasets_app.compile.kernel import Integers
from datasets_app.selection.allocation import spread
from datasets_app.selection.features import Vectors

LARGEST_BLOCK = 2_000  # records compared with each other; larger strata are divided where they spread most
AT_ONCE = 16  # gains computed anew in one go
SCORE_BONUS = 0.5  # a record of score 1 counts 1.5 times what it covers
AT_A_TIME = 2_048


def cover(vectors: Vectors, scores: NDArray[np.float64], count: int) -> Integers:
    """The places of `count` records, in the order in which they add most."""
    blocks = _blocks(vectors)
    sizes = np.array([len(block) for block in blocks], dtype=np.int64)
    counts = spread(count, sizes.astype(np.float64), np.zeros_like(sizes), sizes)
    picks: list[Integers] = []
    gains: list[NDArray[np.float64]] = []
    for block, wanted in zip(blocks, counts, strict=True):
        found, gained = _greedy(vectors[block], scores[block], int(wanted))
        picks.append(block[found])
        gains.append(gained)
    order = np.argsort(-np.concatenate(gains), kind="stable")
    chosen: Integers = np.concatenate(picks)[order]
    return chosen


def nearest(vectors: Vectors, chosen: Vectors) -> NDArray[np.float64]:
    """How similar each record is to the chosen one that is most like it."""
    found = [
        (vectors[at : at + AT_A_TIME] @ chosen.T).max(axis=1) for at in range(0, len(vectors), AT_A_TIME)
    ]
    similar: NDArray[np.float64] = np.concatenate(found).astype(np.float64)
    return similar


def _greedy(
    vectors: Vectors, scores: NDArray[np.float64], count: int
) -> tuple[Integers, NDArray[np.float64]]:
    similar = np.maximum(vectors @ vectors.T, 0)
    worth = 1 + SCORE_BONUS * scores
    bounds = similar.sum(axis=1, dtype=np.float64) * worth
    covered = np.zeros(len(vectors), dtype=np.float32)
    computed = np.zeros(len(vectors), dtype=np.int64)  # how many picks there were then
    picks = np.empty(count, dtype=np.int64)
    gains = np.empty(count)
    for number in range(count):
        while computed[best := int(bounds.argmax())] != number:
            highest = np.argpartition(-bounds, min(AT_ONCE, len(bounds) - 1))[:AT_ONCE]
            stale = np.append(highest[computed[highest] != number], best)
            more = np.maximum(similar[stale] - covered, 0).sum(axis=1, dtype=np.float64)
            bounds[stale] = more * worth[stale]
            bounds[picks[:number]] = -1  # where few are left, those picked before are among the stale
            computed[stale] = number
        picks[number], gains[number] = best, bounds[best]
        covered = np.maximum(covered, similar[best])
        bounds[best] = -1
    return picks, gains


def _blocks(vectors: Vectors) -> list[Integers]:
    """The records in parts of bounded size, each cut at the median of the direction it spreads most in."""
    waiting = [np.arange(len(vectors))]
    blocks = []
    while waiting:
        block = waiting.pop()
        if len(block) <= LARGEST_BLOCK:
            blocks.append(block)
            continue
        widest = int(vectors[block].var(axis=0).argmax())
        order = np.argsort(vectors[block, widest], kind="stable")
        waiting += [block[order[len(block) // 2 :]], block[order[: len(block) // 2]]]
    return blocks
