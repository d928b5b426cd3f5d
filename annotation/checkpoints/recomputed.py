"""The figures of a report recomputed by independent packages, and how far ours differ. Pure.

The packages take time and memory to load, so each is imported when it is asked.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from itertools import combinations
from typing import Any

import numpy as np

from annotation.agreement.counts import NO_LABEL, IntArray, Ratings
from annotation.agreement.distances import Scale

SAME_WITHIN = 1e-9
MAX_CELLS = 2**26  # of a package's largest table; above it the package would need gigabytes
MAX_RATERS = 50
MAX_ITEMS_OF_VARIANCE_ANALYSIS = 1000
ALPHA, FLEISS, KAPPA, ICC = (
    "Krippendorff's alpha",
    "Fleiss' kappa, complete block",
    "Mean pairwise kappa",
    "ICC(2,1)",
)


class NotDefinedError(Exception):
    """The package has no figure for these labels; the text says why."""


@dataclass(frozen=True)
class Recomputed:
    """One figure of ours beside a package's; ``reason`` says why there is nothing to compare."""

    figure: str
    package: str
    ours: float | None
    theirs: float | None
    reason: str = ""

    @property
    def difference(self) -> float | None:
        """How far the two are apart."""
        return None if self.ours is None or self.theirs is None else abs(self.ours - self.theirs)

    @property
    def is_same(self) -> bool:
        """Whether they agree to nine digits, or the package has nothing to compare with."""
        return self.theirs is None if self.difference is None else self.difference <= SAME_WITHIN


def recomputed(ratings: Ratings, scale: Scale, ours: Mapping[str, float | None]) -> list[Recomputed]:
    """Return every figure of ``ours`` that a package knows, beside the package's."""
    known: dict[str, tuple[str, Callable[[], float]]] = {
        ALPHA: ("krippendorff", lambda: _alpha(ratings, scale)),
        FLEISS: ("statsmodels", lambda: _fleiss(ratings)),
        KAPPA: ("statsmodels", lambda: _mean_kappa(ratings, scale)),
        ICC: ("statsmodels", lambda: _icc(ratings)),
    }
    return [_beside(name, *known[name], value) for name, value in ours.items()]


def _beside(figure: str, package: str, compute: Callable[[], float], ours: float | None) -> Recomputed:
    named = f"{package} {version(package)}"
    try:
        with _quietly():
            theirs = float(compute())
    except NotDefinedError as undefined:
        return Recomputed(figure, named, ours, None, str(undefined))
    except (ValueError, ArithmeticError, AssertionError, IndexError) as refusal:
        return Recomputed(figure, named, ours, None, f"The package refuses: {type(refusal).__name__}.")
    if not math.isfinite(theirs):
        return Recomputed(figure, named, ours, None, "The package divides nothing by nothing here.")
    return Recomputed(figure, named, ours, theirs)


@contextmanager
def _quietly() -> Iterator[None]:
    """The packages divide nothing by nothing with a warning."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


def _alpha(ratings: Ratings, scale: Scale) -> float:
    import krippendorff

    n_categories = len(ratings.categories)
    if not len(ratings.codes):
        raise NotDefinedError("No item has labels from two raters.")
    if len(ratings.codes) * n_categories**2 > MAX_CELLS:
        raise NotDefinedError("There are too many items for the package.")
    given = np.where(ratings.codes == NO_LABEL, np.nan, ratings.codes)
    domain = np.arange(n_categories, dtype=np.float64)
    return float(krippendorff.alpha(given.T, value_domain=domain, level_of_measurement=scale.value))


def _fleiss(ratings: Ratings) -> float:
    from statsmodels.stats.inter_rater import aggregate_raters, fleiss_kappa

    is_given = ratings.codes != NO_LABEL
    n_labels = is_given.sum(axis=1)
    if not len(n_labels):
        raise NotDefinedError("No item has labels from two raters.")
    block = n_labels == n_labels.max()
    labels = ratings.codes[block][is_given[block]].reshape(-1, n_labels.max())
    table, _ = aggregate_raters(labels, n_cat=len(ratings.categories))
    return float(fleiss_kappa(table))


def _mean_kappa(ratings: Ratings, scale: Scale) -> float:
    import pandas
    from statsmodels.stats.inter_rater import cohens_kappa

    if len(ratings.raters) > MAX_RATERS:
        raise NotDefinedError("There are too many pairs of raters for the package.")
    weights = None if scale is Scale.NOMINAL else "quadratic"
    every = range(len(ratings.categories))
    kappas = []
    for a, b in combinations(ratings.codes.T, 2):
        both = (a != NO_LABEL) & (b != NO_LABEL)
        if both.any():
            table = pandas.crosstab(a[both], b[both]).reindex(index=every, columns=every, fill_value=0)
            kappas.append(float(cohens_kappa(table.to_numpy(), wt=weights, return_results=False)))
    defined = [kappa for kappa in kappas if math.isfinite(kappa)]
    if not defined:
        raise NotDefinedError("No pair of raters has a defined kappa.")
    return float(np.mean(defined))


def _icc(ratings: Ratings) -> float:
    """From the mean squares of a two-way analysis of variance (Shrout and Fleiss 1979, case 2)."""
    complete = ratings.codes[(ratings.codes != NO_LABEL).all(axis=1)]
    n_items, n_raters = complete.shape
    if n_items < 2 or n_raters < 2:
        raise NotDefinedError("Fewer than two items have a label from every rater.")
    if n_items > MAX_ITEMS_OF_VARIANCE_ANALYSIS:
        raise NotDefinedError("There are too many complete items for the package's analysis of variance.")
    items, raters, error = _mean_squares(complete)
    return float((items - error) / (items + (n_raters - 1) * error + n_raters * (raters - error) / n_items))


def _mean_squares(codes: IntArray) -> tuple[float, float, float]:
    import pandas
    from statsmodels.formula.api import ols
    from statsmodels.stats.anova import anova_lm

    item, rater = np.indices(codes.shape)
    table = pandas.DataFrame({"item": item.ravel(), "rater": rater.ravel(), "score": codes.ravel()})
    analysis: Any = anova_lm(ols("score ~ C(item) + C(rater)", table).fit())["mean_sq"]
    return float(analysis["C(item)"]), float(analysis["C(rater)"]), float(analysis["Residual"])
