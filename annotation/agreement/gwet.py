"""Gwet's AC1 and AC2, Fleiss' kappa and its kin: observed agreement against chance, whatever is missing.

Gwet (2014), Handbook of Inter-Rater Reliability, chapters 2 to 5. Prevalences are taken over every labelled
item, observed agreement over those with two labels or more.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace
from enum import StrEnum
from functools import lru_cache

import numpy as np

from annotation.agreement.bootstrap import Contribute, Evaluate, defined_ratio
from annotation.agreement.counts import Counts, FloatArray, IntArray
from annotation.agreement.distances import (
    Scale,
    Weighting,
    agreement_weights,
    positions,
    reason_not_applicable,
)
from annotation.agreement.estimates import Statistic


class Chance(StrEnum):
    """Whose idea of agreement by chance is subtracted."""

    GWET = "gwet"
    FLEISS = "fleiss"
    BRENNAN_PREDIGER = "brennan_prediger"


def ac1(categories: Sequence[Hashable]) -> Statistic:
    """Gwet's AC1 (2008), which hardly heeds prevalence and so can hide a rare class."""
    return _against_chance("Gwet's AC1", Chance.GWET, Weighting.IDENTITY, Scale.NOMINAL, categories)


def ac2(
    scale: Scale, categories: Sequence[Hashable], weighting: Weighting = Weighting.QUADRATIC
) -> Statistic:
    """Gwet's AC2: AC1 with credit for near misses. Without an order there is none, so AC2 is AC1."""
    if scale is Scale.NOMINAL:
        weighting = Weighting.IDENTITY
    name = f"Gwet's AC2, {weighting} weights"
    statistic = _against_chance(name, Chance.GWET, weighting, scale, categories)
    return replace(statistic, note="Without an order AC2 is AC1.") if scale is Scale.NOMINAL else statistic


def fleiss_kappa(categories: Sequence[Hashable]) -> Statistic:
    """Fleiss' kappa (1971); where items have unequal numbers of labels, Gwet's generalisation of it."""
    return _against_chance("Fleiss' kappa", Chance.FLEISS, Weighting.IDENTITY, Scale.NOMINAL, categories)


def brennan_prediger(
    categories: Sequence[Hashable], weighting: Weighting = Weighting.IDENTITY, scale: Scale = Scale.NOMINAL
) -> Statistic:
    """Brennan and Prediger (1981): every declared category equally likely; Randolph's free-marginal kappa."""
    name = "Brennan-Prediger coefficient"
    return _against_chance(name, Chance.BRENNAN_PREDIGER, weighting, scale, categories)


def fleiss_kappa_of_complete_block(counts: Counts) -> Statistic:
    """Fleiss' kappa (1971) as printed: over the items with as many labels as any item has.

    Fleiss asks for the same number of labels on each item, not for the same raters.
    """
    n_each = int(counts.matrix.sum(axis=1).max(initial=0))
    n_items = int(np.count_nonzero(counts.matrix.sum(axis=1) == n_each))

    def contribute(matrix: IntArray) -> FloatArray:
        is_whole = matrix.sum(axis=1, keepdims=True) == n_each
        whole = np.where(is_whole, matrix, 0)
        agreeing = (whole * (whole - 1)).sum(axis=1, keepdims=True) / max(n_each * (n_each - 1), 1)
        return np.hstack([whole / max(n_each, 1), agreeing, is_whole])

    def evaluate(sums: FloatArray) -> FloatArray:
        shares = defined_ratio(sums[..., :-2], sums[..., -1:])
        by_chance = (shares * shares).sum(axis=-1)
        return _corrected(defined_ratio(sums[..., -2], sums[..., -1]), by_chance)

    return Statistic(
        "Fleiss' kappa, complete block",
        Scale.NOMINAL.value,
        contribute,
        evaluate,
        note=f"Rests on the {n_items} items with {n_each} labels.",
        n_items=n_items,
    )


def conger_kappa(categories: Sequence[Hashable]) -> Statistic:
    """Conger's kappa (1980), Cohen's for more than two raters, with chance from each rater's own habits."""
    n_categories = len(categories)

    def contribute(codes: IntArray) -> FloatArray:
        is_code = codes[:, :, np.newaxis] == np.arange(n_categories)
        counts = is_code.sum(axis=1)
        observed = _observed(counts, np.eye(n_categories))
        return np.hstack([observed, is_code.reshape(len(codes), -1)])

    def evaluate(sums: FloatArray) -> FloatArray:
        given = sums[..., 2:].reshape(*sums.shape[:-1], -1, n_categories)
        habits = defined_ratio(given, given.sum(axis=-1, keepdims=True))
        n_raters = np.count_nonzero(~np.isnan(habits[..., 0]), axis=-1)
        mean = defined_ratio(np.nansum(habits, axis=-2), n_raters[..., np.newaxis].astype(np.float64))
        spread = np.nansum((habits - mean[..., np.newaxis, :]) ** 2, axis=(-2, -1))
        between = defined_ratio(spread, (n_raters * (n_raters - 1)).astype(np.float64))
        return _corrected(defined_ratio(sums[..., 0], sums[..., 1]), (mean * mean).sum(axis=-1) - between)

    return Statistic(
        "Conger's kappa",
        Scale.NOMINAL.value,
        contribute,
        evaluate,
        needs_raters=True,
        takes_single_labels=True,
    )


def _against_chance(
    name: str, chance: Chance, weighting: Weighting, scale: Scale, categories: Sequence[Hashable]
) -> Statistic:
    refusal = reason_not_applicable(scale, categories)
    if len(categories) < 2:
        refusal = "One declared category leaves nothing to agree on."
    places = np.arange(float(len(categories))) if refusal else positions(scale, categories)
    weights = agreement_weights(weighting, places)
    return Statistic(
        name,
        scale.value,
        _contribution(tuple(map(tuple, weights.tolist()))),
        _chance_corrected(chance, weights),
        takes_single_labels=True,
        not_applicable=refusal,
    )


@lru_cache(maxsize=64)
def _contribution(of_weights: tuple[tuple[float, ...], ...]) -> Contribute:
    """The sums of all coefficients with these weights: one object, so that they are drawn once."""
    weights = np.array(of_weights)

    def contribute(matrix: IntArray) -> FloatArray:
        n_labels = np.maximum(matrix.sum(axis=1, keepdims=True), 1)
        return np.hstack([_observed(matrix, weights), matrix / n_labels, np.ones((len(matrix), 1))])

    return contribute


def _observed(matrix: IntArray, weights: FloatArray) -> FloatArray:
    """Each item's weighted share of agreeing rater pairs, and whether it has a pair at all."""
    n_labels = matrix.sum(axis=1)
    n_pairs = n_labels * (n_labels - 1)
    credit = ((matrix @ weights - 1) * matrix).sum(axis=1) / np.maximum(n_pairs, 1)
    return np.column_stack([credit, n_pairs > 0])


def chance_agreement(chance: Chance, weights: FloatArray, shares: FloatArray) -> FloatArray:
    """The agreement expected by chance where the categories have these `shares` [..., category]."""
    n_categories = len(weights)
    if chance is Chance.FLEISS:
        expected: FloatArray = ((shares @ weights) * shares).sum(axis=-1)
        return expected
    if chance is Chance.BRENNAN_PREDIGER:
        return np.full(shares.shape[:-1], weights.sum() / n_categories**2)
    variation: FloatArray = (shares * (1 - shares)).sum(axis=-1)
    return variation * float(weights.sum()) / (n_categories * (n_categories - 1))


def _chance_corrected(chance: Chance, weights: FloatArray) -> Evaluate:
    def evaluate(sums: FloatArray) -> FloatArray:
        shares = defined_ratio(sums[..., 2:-1], sums[..., -1:])
        observed = defined_ratio(sums[..., 0], sums[..., 1])
        return _corrected(observed, chance_agreement(chance, weights, shares))

    return evaluate


def _corrected(observed: FloatArray, by_chance: FloatArray) -> FloatArray:
    return defined_ratio(observed - by_chance, np.nan_to_num(1 - by_chance))
