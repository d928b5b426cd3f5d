"""Facility location: lazily found picks are those of the plain greedy rule."""

import numpy as np
import pytest
from numpy.typing import NDArray

from datasets_app.selection import coverage
from datasets_app.selection.coverage import SCORE_BONUS, cover, nearest
from datasets_app.selection.features import Vectors


def made(count: int, seed: int) -> tuple[Vectors, NDArray[np.float64]]:
    chance = np.random.default_rng(seed)
    vectors = chance.normal(size=(count, 6)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True), chance.random(count)


def plainly(vectors: Vectors, scores: NDArray[np.float64], count: int) -> list[int]:
    similar = np.maximum(vectors @ vectors.T, 0)
    covered = np.zeros(len(vectors), dtype=np.float32)
    picks: list[int] = []
    for _ in range(count):
        gains = np.maximum(similar - covered, 0).sum(axis=1, dtype=np.float64) * (1 + SCORE_BONUS * scores)
        gains[picks] = -1
        picks.append(int(gains.argmax()))
        covered = np.maximum(covered, similar[picks[-1]])
    return picks


@pytest.mark.parametrize("seed", range(5))
def test_lazy_is_greedy(seed: int) -> None:
    vectors, scores = made(80, seed)
    assert cover(vectors, scores, 25).tolist() == plainly(vectors, scores, 25)


@pytest.mark.parametrize("count", [80, 79, 70])
def test_lazy_is_greedy_until_few_are_left(count: int) -> None:
    vectors, scores = made(80, 7)
    assert cover(vectors, scores, count).tolist() == plainly(vectors, scores, count)


@pytest.mark.parametrize("count", [20, 12])
def test_nothing_is_picked_twice_where_nothing_adds_anything(count: int) -> None:
    for vectors in (np.zeros((20, 4), dtype=np.float32), np.ones((20, 1), dtype=np.float32)):
        assert len(set(cover(vectors, np.linspace(0, 1, 20), count).tolist())) == count


def test_everything_may_be_wanted_and_nothing() -> None:
    vectors, scores = made(9, 1)
    assert sorted(cover(vectors, scores, 9)) == list(range(9))
    assert cover(vectors, scores, 0).tolist() == []


def test_a_large_stratum_is_covered_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coverage, "LARGEST_BLOCK", 50)
    vectors, scores = made(400, 2)
    picks = cover(vectors, scores, 40)
    assert len(set(picks.tolist())) == 40
    drawn = np.random.default_rng(1).choice(400, 40, replace=False)
    assert nearest(vectors, vectors[picks]).mean() > nearest(vectors, vectors[drawn]).mean()


def test_a_score_breaks_the_tie_of_equal_texts() -> None:
    vectors = np.ones((4, 1), dtype=np.float32)
    assert cover(vectors, np.array([0.1, 0.9, 0.2, 0.3]), 1).tolist() == [1]
