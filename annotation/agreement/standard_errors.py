"""Large-sample standard errors as the literature prints them, to be shown beside the bootstrap."""

from __future__ import annotations

import numpy as np

from annotation.agreement.counts import FloatArray, IntArray
from annotation.agreement.gwet import Chance, chance_agreement


def error_of_cohen_kappa(table: IntArray, weights: FloatArray) -> float:
    """The standard error of Cohen's kappa of one confusion table, NaN where kappa is undefined.

    Fleiss, Cohen and Everitt (1969), Large sample standard errors of kappa and weighted kappa.
    """
    n = int(table.sum())
    shares = table / max(n, 1)
    rows, columns = shares.sum(axis=1), shares.sum(axis=0)
    observed, by_chance = float((shares * weights).sum()), float(rows @ weights @ columns)
    if n == 0 or 1 - by_chance <= 0:
        return float("nan")
    habits = (weights @ columns)[:, np.newaxis] + rows @ weights
    terms = weights * (1 - by_chance) - habits * (1 - observed)
    centre = observed * by_chance - 2 * by_chance + observed
    variance = (float((shares * terms**2).sum()) - centre**2) / (n * (1 - by_chance) ** 4)
    return float(np.sqrt(max(variance, 0)))


def error_against_chance(matrix: IntArray, chance: Chance, weights: FloatArray) -> float:
    """The standard error of a coefficient of `gwet`, NaN where it is undefined.

    Gwet (2008), Computing inter-rater reliability and its variance in the presence of high agreement, over
    the labelled items of counts[item, category].
    """
    matrix = matrix[matrix.sum(axis=1) > 0]
    n_items, n_labels = len(matrix), matrix.sum(axis=1)
    n_pairs = n_labels * (n_labels - 1)
    n_overlap = int(np.count_nonzero(n_pairs))
    if n_items < 2 or n_overlap == 0:
        return float("nan")
    shares = matrix / n_labels[:, np.newaxis]
    prevalence = shares.mean(axis=0)
    by_chance = float(chance_agreement(chance, weights, prevalence))
    if by_chance >= 1:
        return float("nan")
    agreeing = ((matrix @ weights - 1) * matrix).sum(axis=1) / np.maximum(n_pairs, 1)
    coefficient = (agreeing.sum() / n_overlap - by_chance) / (1 - by_chance)
    of_item = n_items / n_overlap * (agreeing - by_chance * (n_pairs > 0)) / (1 - by_chance)
    expected = _chance_of_items(chance, weights, shares, prevalence)
    moved = of_item - 2 * (1 - coefficient) * (expected - by_chance) / (1 - by_chance)
    variance = ((moved - coefficient) ** 2).sum() / (n_items * (n_items - 1))
    return float(np.sqrt(variance))


def _chance_of_items(
    chance: Chance, weights: FloatArray, shares: FloatArray, prevalence: FloatArray
) -> FloatArray:
    """Each item's part of the agreement by chance; the mean is the whole."""
    n_categories = len(weights)
    if chance is Chance.FLEISS:
        return shares @ ((weights + weights.T) @ prevalence) / 2
    if chance is Chance.BRENNAN_PREDIGER:
        return np.full(len(shares), weights.sum() / n_categories**2)
    return shares @ (1 - prevalence) * float(weights.sum()) / (n_categories * (n_categories - 1))
