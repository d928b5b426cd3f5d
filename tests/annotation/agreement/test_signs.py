"""Signs keep the error they promise: with few items, and with several items of one conversation."""

import math
from dataclasses import replace

import numpy as np

from annotation.agreement import signs
from annotation.agreement.counts import IntArray, Ratings
from annotation.agreement.distances import Scale
from annotation.agreement.signs import Watched
from tests.annotation.agreement.designs import ratings_of_codes

ERROR = 1e-5


def watched(codes: IntArray, clusters: IntArray | None = None) -> Watched:
    ratings: Ratings = ratings_of_codes(codes, 6)
    if clusters is not None:
        ratings = replace(ratings, clusters=clusters)
    order = np.tile(np.arange(len(codes), dtype=np.float64)[:, np.newaxis], codes.shape[1])
    return Watched(ratings, Scale.ORDINAL, 0, order)


def given_far_from_the_others(n_given: int, n_far: int) -> Watched:
    """The first says 0 throughout; of the items where the others say 3, so many get that 0."""
    codes = np.zeros((200, 4), dtype=np.int64)
    codes[:n_far] = 3
    codes[:n_given, 0] = 0
    return watched(codes)


def test_a_few_answers_far_from_the_others_are_judged_by_their_exact_chance() -> None:
    # Three of six: were one in twenty tolerable, it would happen once in five hundred campaigns.
    chance = sum(math.comb(6, k) * 0.05**k * 0.95 ** (6 - k) for k in range(3, 7))
    assert chance > 100 * ERROR
    assert signs.one_answer(given_far_from_the_others(3, 6), ERROR) is None
    found = signs.one_answer(given_far_from_the_others(6, 6), ERROR)
    assert found is not None
    assert (found.category, found.value) == (0, 1)


def test_a_bias_on_many_items_of_few_conversations_is_judged_by_the_conversations() -> None:
    rng = np.random.default_rng(3)
    lean = np.repeat(rng.choice([0, 1], p=[0.6, 0.4], size=20), 20)
    codes = np.full((400, 4), 2, dtype=np.int64)
    codes[:, 0] += lean
    alone = signs.steady_bias(watched(codes), ERROR, 0.1)
    together = signs.steady_bias(watched(codes, np.repeat(np.arange(20), 20)), ERROR, 0.1)
    assert alone is not None
    assert together is None


def test_a_change_between_a_few_long_conversations_is_no_drift() -> None:
    codes = np.full((400, 4), 2, dtype=np.int64)
    codes[300:, 0] += np.repeat([1, 0, 1, 0, 1], 20)
    assert signs.drift(watched(codes), ERROR, 400) is not None
    assert signs.drift(watched(codes, np.repeat(np.arange(20), 20)), ERROR, 400) is None
