"""What alpha would have been, had labels been merged, left out or read the right way round: exploratory."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from annotation.agreement import statistics
from annotation.agreement.counts import NO_LABEL, BoolArray, FloatArray, IntArray, Ratings, counts_of_codes
from annotation.agreement.disagreements import DisagreementSums, Material, Measured, Resamples, Tables
from annotation.agreement.excess import RestOfPairs

FIRST_LABELS = 50
EXPLORATORY = "Exploratory: found in the same labels that it is reckoned from, so it promises too much."


class Change(StrEnum):
    """What a what-if changes."""

    MERGE = "merge two codes"
    WITHOUT_RATER = "set aside a clinician"
    WITHOUT_FIRST = "set aside a clinician's first labels"
    SWAP = "count a swapped code the right way"
    CLARIFY = "clarify a clause"


@dataclass(frozen=True, slots=True)
class WhatIf:
    """Alpha after a change, and the gain over alpha as it is, on the same resamples.

    `premise` says the change in words, `words` with what comes of it.
    """

    change: Change
    of: tuple[Hashable, ...]
    alpha: Measured
    gain: Measured
    premise: str
    caution: str = EXPLORATORY

    @property
    def words(self) -> str:
        if self.alpha.value is None or self.gain.value is None:
            return f"{self.premise}, alpha could not be reckoned. {self.alpha.reason or self.gain.reason}"
        bounds = (
            ""
            if self.gain.ci_low is None
            else f", 95 % interval {self.gain.ci_low:+.3f} to {self.gain.ci_high:+.3f}"
        )
        return f"{self.premise}, alpha would be {self.alpha.value:.3f} ({self.gain.value:+.3f}{bounds})."


def merged(ratings: Ratings, first: Hashable, second: Hashable) -> IntArray:
    """The labels with two categories as one."""
    a, b = ratings.categories.index(first), ratings.categories.index(second)
    return np.where(ratings.codes == b, a, ratings.codes)


def without_rater(ratings: Ratings, rater: Hashable) -> IntArray:
    """The labels without those of one rater."""
    codes = ratings.codes.copy()
    codes[:, ratings.raters.index(rater)] = NO_LABEL
    return codes


def without_first(ratings: Ratings, rater: Hashable, order: FloatArray, n_labels: int) -> IntArray:
    """The labels without the first ones of a rater; `order[item, rater]` is NaN where there is no label."""
    codes, column = ratings.codes.copy(), ratings.raters.index(rater)
    is_given = codes[:, column] != NO_LABEL
    places = np.where(is_given, order[:, column], np.inf)
    earliest = np.argsort(places, kind="stable")[: min(n_labels, int(is_given.sum()))]
    codes[earliest, column] = NO_LABEL
    return codes


def swapped(ratings: Ratings, rater: Hashable, first: Hashable, second: Hashable) -> IntArray:
    """The labels with two categories of one rater exchanged."""
    codes, column = ratings.codes.copy(), ratings.raters.index(rater)
    a, b = ratings.categories.index(first), ratings.categories.index(second)
    own = ratings.codes[:, column]
    codes[:, column] = np.where(own == a, b, np.where(own == b, a, own))
    return codes


def recounted(material: Material, variants: Sequence[IntArray]) -> list[tuple[Measured, Measured]]:
    """Alpha of each variant of the labels, and its gain over alpha as it is, on the same resamples."""
    if reason := material.refusal:
        return [(Measured(None, reason=reason),) * 2 for _ in variants]
    if not variants:
        return []
    ratings, n_variants = material.ratings, len(variants)
    alpha = statistics.alpha(material.scale, ratings.categories)
    n_raters = len(ratings.raters)

    def contribute(matrix: IntArray) -> FloatArray:
        grids = matrix.reshape(len(matrix), 1 + n_variants, n_raters)
        counted = [
            counts_of_codes(grids[:, place], len(ratings.categories)) for place in range(1 + n_variants)
        ]
        return np.hstack([alpha.contribute(counts) for counts in counted])

    def evaluate(sums: FloatArray) -> FloatArray:
        alphas = alpha.evaluate(sums.reshape(*sums.shape[:-1], 1 + n_variants, -1))
        return np.concatenate([alphas[..., 1:], alphas[..., 1:] - alphas[..., :1]], axis=-1)

    resamples = Resamples(np.hstack([ratings.codes, *variants]), material, contribute)
    found = resamples.measured(evaluate)
    return list(zip(found[:n_variants], found[n_variants:], strict=True))


def merge_codes(material: Material, pairs: Sequence[tuple[Hashable, Hashable]]) -> list[WhatIf]:
    """What merging each two codes would do."""
    found = recounted(material, [merged(material.ratings, *pair) for pair in pairs])
    return [
        WhatIf(Change.MERGE, pair, *each, f"If {material.in_words(pair)} were one code")
        for pair, each in zip(pairs, found, strict=True)
    ]


def set_aside(material: Material) -> list[WhatIf]:
    """What setting aside each rater would do."""
    ratings = material.ratings
    found = recounted(material, [without_rater(ratings, rater) for rater in ratings.raters])
    return [
        WhatIf(Change.WITHOUT_RATER, (rater,), *each, f"Without the labels of {rater}")
        for rater, each in zip(ratings.raters, found, strict=True)
    ]


def set_aside_first(material: Material, order: FloatArray, n_labels: int = FIRST_LABELS) -> list[WhatIf]:
    """What setting aside each rater's first labels would do; `order` is that of `without_first`."""
    ratings = material.ratings
    found = recounted(material, [without_first(ratings, rater, order, n_labels) for rater in ratings.raters])
    return [
        WhatIf(
            Change.WITHOUT_FIRST,
            (rater, n_labels),
            *each,
            f"Without the first {n_labels} labels of {rater}",
        )
        for rater, each in zip(ratings.raters, found, strict=True)
    ]


def right_swaps(material: Material, swaps: Sequence[tuple[Hashable, Hashable, Hashable]]) -> list[WhatIf]:
    """What counting two codes of one rater the other way round would do, for (rater, code, code)."""
    found = recounted(material, [swapped(material.ratings, *swap) for swap in swaps])
    return [
        WhatIf(
            Change.SWAP,
            swap,
            *each,
            f"If {material.in_words((swap[1], swap[2]))} of {swap[0]} were counted the other way round",
        )
        for swap, each in zip(swaps, found, strict=True)
    ]


def clarify_clauses(material: Material) -> list[WhatIf]:
    """What it would do if the codes of each clause were confused no more than the other codes are.

    A clause's confusions are those between the codes that it defines or, where it defines one code only, of
    that code with any other. They fall to the rate of the other pairs the same number of steps apart
    (`excess.RestOfPairs`), and the expected disagreement stays; a rate that is lower already stays too. A
    clause with every pair of its step has no rest to compare with and is left out.
    """
    if material.refusal or not material.clauses_of:
        return []
    sums = DisagreementSums(material)
    clauses, sets = _pairs_of_clauses(material, sums)
    rest = RestOfPairs(sums)

    def reckon(tables: Tables) -> FloatArray:
        whole = (tables.observed.sum(axis=-2) * tables.price).sum(axis=-1)
        gains = np.stack([rest.gain_of_set(tables, each) for each in sets], axis=-1)
        return np.concatenate([1 - whole[..., np.newaxis] + gains, gains], axis=-1)

    found = Resamples(sums.matrix, material, sums.contribute).measured(sums.of(reckon))
    each_of = zip(clauses, found[: len(clauses)], found[len(clauses) :], strict=True)
    return [
        WhatIf(
            Change.CLARIFY,
            (clause,),
            alpha,
            gain,
            f"If the codes of clause {clause} were confused no more than the others",
        )
        for clause, alpha, gain in each_of
        if gain.value is not None
    ]


def _pairs_of_clauses(material: Material, sums: DisagreementSums) -> tuple[list[str], list[BoolArray]]:
    named = [material.clauses_of.get(category, ()) for category in material.ratings.categories]
    clauses = sorted({clause for each in named for clause in each})
    sets: list[BoolArray] = []
    for clause in clauses:
        is_defined = np.array([clause in each for each in named])
        n_ends = is_defined[sums.category_first].astype(int) + is_defined[sums.category_second]
        sets.append(n_ends == (2 if is_defined.sum() > 1 else 1))
    return clauses, sets
