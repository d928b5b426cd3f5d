"""Every coefficient equals the independent packages to 1e-9 on random designs, wherever those are defined."""

import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics
import statsmodels.api as sm
import statsmodels.formula.api as smf
import statsmodels.stats.inter_rater as inter_rater
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from irrCAC.raw import CAC

from annotation.agreement import gwet
from annotation.agreement.counts import Ratings
from annotation.agreement.distances import Scale, Weighting, agreement_weights, positions
from annotation.agreement.estimates import Resampling, figures, only
from annotation.agreement.gwet import Chance
from annotation.agreement.pairs import PairSums, confusions, pair_figures
from annotation.agreement.reliability import icc
from annotation.agreement.standard_errors import error_against_chance, error_of_cohen_kappa
from tests.annotation.agreement.designs import Grid, grids, random_codes, ratings_of_codes, ratings_of_grid

FEW = Resampling(100)
DIGITS = 14
weightings = st.sampled_from(Weighting)


@contextmanager
def quietly() -> Iterator[None]:
    """The packages divide nothing by nothing with a warning."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


def value_of_package(compute: Callable[[], Any]) -> float | None:
    """None where the package has no figure, or one that is not a number."""
    with quietly():
        try:
            value = float(compute())
        except (ValueError, ZeroDivisionError, AssertionError, IndexError):
            return None
    return value if math.isfinite(value) else None


def frame_of(ratings: Ratings) -> pd.DataFrame:
    numbers = np.array(ratings.categories, dtype=np.float64)
    return pd.DataFrame(np.where(ratings.codes < 0, np.nan, numbers[ratings.codes]))


def without_silent_raters(grid: Grid) -> Grid:
    return [row for row in grid if any(code is not None for code in row)]


def irrcac(ratings: Ratings, weighting: Weighting) -> CAC:
    name = "identity" if weighting is Weighting.IDENTITY else weighting.value
    with quietly():
        return CAC(frame_of(ratings), weights=name, categories=list(ratings.categories), digits=DIGITS)


def is_defined_in_irrcac(ratings: Ratings) -> bool:
    """Whether there are two labelled items, and two categories on overlap items: else it divides by zero."""
    counts = ratings.counts
    is_varied = bool((counts.matrix[counts.has_overlap].sum(axis=0) > 0).sum() > 1)
    return is_varied and bool((counts.matrix.sum(axis=1) > 0).sum() > 1)


@settings(max_examples=500, deadline=None)
@given(design=grids(), weighting=weightings)
def test_gwet_fleiss_conger_and_brennan_prediger_equal_irrcac(
    design: tuple[Grid, list[int]], weighting: Weighting
) -> None:
    grid, categories = without_silent_raters(design[0]), tuple(design[1])
    assume(len(grid) >= 2)
    ratings = ratings_of_grid(grid, categories)
    assume(is_defined_in_irrcac(ratings))
    plain, weighted = irrcac(ratings, Weighting.IDENTITY), irrcac(ratings, weighting)
    found = figures(
        ratings,
        {
            "gwet": gwet.ac2(Scale.INTERVAL, categories, weighting),
            "fleiss": gwet.fleiss_kappa(categories),
            "conger": gwet.conger_kappa(categories),
            "bp": gwet.brennan_prediger(categories, weighting, Scale.INTERVAL),
        },
        FEW,
    )
    for key, package in (
        ("gwet", weighted.gwet),
        ("fleiss", plain.fleiss),
        ("conger", plain.conger),
        ("bp", weighted.bp),
    ):
        with quietly():
            theirs = float(package()["est"]["coefficient_value"])
        assert only(found[key]).value == pytest.approx(theirs, abs=1e-9), key


@settings(max_examples=100, deadline=None)
@given(design=grids(), weighting=weightings)
def test_gwets_standard_errors_equal_irrcac(design: tuple[Grid, list[int]], weighting: Weighting) -> None:
    categories = tuple(design[1])
    ratings = ratings_of_grid(design[0], categories)
    assume(is_defined_in_irrcac(ratings))
    package = irrcac(ratings, weighting)
    weights = agreement_weights(weighting, positions(Scale.INTERVAL, categories))
    for chance, compute in ((Chance.GWET, package.gwet), (Chance.FLEISS, package.fleiss)):
        with quietly():
            theirs = float(compute()["est"]["se"])
        ours = error_against_chance(ratings.counts.matrix, chance, weights)
        assert ours == pytest.approx(theirs, abs=1e-7)


@st.composite
def complete_grids(draw: st.DrawFn) -> tuple[Grid, list[int]]:
    """A grid without gaps; categories perhaps unused."""
    categories = list(range(draw(st.integers(2, 6))))
    n_items, n_raters = draw(st.integers(1, 15)), draw(st.integers(2, 6))
    cell: st.SearchStrategy[int | None] = st.sampled_from(categories)
    row = st.lists(cell, min_size=n_items, max_size=n_items)
    return draw(st.lists(row, min_size=n_raters, max_size=n_raters)), categories


@settings(max_examples=500, deadline=None)
@given(design=complete_grids())
def test_fleiss_and_randolph_equal_statsmodels(design: tuple[Grid, list[int]]) -> None:
    ratings = ratings_of_grid(*design)
    table = ratings.counts.matrix
    found = figures(
        ratings.counts,
        {
            "fleiss": gwet.fleiss_kappa(ratings.categories),
            "block": gwet.fleiss_kappa_of_complete_block(ratings.counts),
            "randolph": gwet.brennan_prediger(ratings.categories),
        },
        FEW,
    )
    theirs = value_of_package(lambda: inter_rater.fleiss_kappa(table, method="fleiss"))
    assert_same(only(found["fleiss"]).value, theirs)
    assert_same(only(found["block"]).value, theirs)
    randolph = value_of_package(lambda: inter_rater.fleiss_kappa(table, method="randolph"))
    assert_same(only(found["randolph"]).value, randolph)


@settings(max_examples=500, deadline=None)
@given(design=grids(), weighting=st.sampled_from([Weighting.IDENTITY, Weighting.LINEAR, Weighting.QUADRATIC]))
def test_kappas_of_all_pairs_equal_sklearn_and_statsmodels(
    design: tuple[Grid, list[int]], weighting: Weighting
) -> None:
    categories = list(range(len(design[1])))
    place = dict(zip(design[1], categories, strict=True))
    grid: Grid = [[None if code is None else place[code] for code in row] for row in design[0]]
    ratings = ratings_of_grid(grid, categories)
    sums = PairSums(ratings, Scale.ORDINAL, weighting)
    kappas = sums.named(figures(ratings, {"": sums.statistic()}, FEW)[""])
    fast = pair_figures(ratings, Scale.ORDINAL, weighting)
    defined = []
    for a in range(len(grid)):
        for b in range(a + 1, len(grid)):
            both = [(x, y) for x, y in zip(grid[a], grid[b], strict=True) if None not in (x, y)]
            theirs = sklearn_kappa(both, categories, weighting) if both else None
            assert fast.n[a, b] == len(both)
            assert_same(none_if_nan(fast.weighted_kappa[a, b]), theirs)
            if both:
                assert_same(kappas.of_pair[f"r{a}", f"r{b}"].value, theirs)
                assert_same(statsmodels_kappa(confusions(ratings, f"r{a}")[b], weighting), theirs)
            defined += [] if theirs is None else [theirs]
    assert_same(kappas.mean.value, float(np.mean(defined)) if defined else None)


def sklearn_kappa(both: list[tuple[Any, Any]], categories: list[int], weighting: Weighting) -> float | None:
    name = None if weighting is Weighting.IDENTITY else weighting.value
    first, second = zip(*both, strict=True)
    return value_of_package(
        lambda: sklearn.metrics.cohen_kappa_score(first, second, labels=categories, weights=name)
    )


def statsmodels_kappa(table: Any, weighting: Weighting) -> float | None:
    if weighting is Weighting.IDENTITY:
        return value_of_package(lambda: inter_rater.cohens_kappa(table, return_results=False))
    name = "linear" if weighting is Weighting.LINEAR else "quadratic"
    return value_of_package(lambda: inter_rater.cohens_kappa(table, wt=name, return_results=False))


@settings(max_examples=100, deadline=None)
@given(
    cells=st.lists(st.integers(0, 30), min_size=9, max_size=9),
    weighting=st.sampled_from([Weighting.IDENTITY, Weighting.LINEAR]),
)
def test_the_standard_error_of_kappa_equals_statsmodels(cells: list[int], weighting: Weighting) -> None:
    table = np.array(cells).reshape(3, 3)
    name = None if weighting is Weighting.IDENTITY else "linear"
    with quietly():
        theirs = float(inter_rater.cohens_kappa(table, wt=name).std_kappa) if table.any() else math.nan
    ours = error_of_cohen_kappa(table, agreement_weights(weighting, np.arange(3.0)))
    if math.isfinite(theirs) and math.isfinite(ours):
        assert ours == pytest.approx(theirs, abs=1e-7)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("n_items", "n_raters"), [(6, 3), (20, 2), (40, 5)])
def test_intraclass_correlations_equal_the_variance_analysis_of_statsmodels(
    seed: int, n_items: int, n_raters: int
) -> None:
    codes = random_codes(seed, n_items=n_items, n_raters=n_raters, n_categories=6)
    ratings = ratings_of_codes(codes, 6)
    single, panel = icc(ratings, Scale.ORDINAL)
    found = figures(ratings, {"single": single, "panel": panel}, FEW)
    rows = [(i, r, float(code)) for i, row in enumerate(codes) for r, code in enumerate(row)]
    table = pd.DataFrame(rows, columns=["item", "rater", "score"])
    with quietly():
        analysis = sm.stats.anova_lm(smf.ols("score ~ C(item) + C(rater)", table).fit())
    items, raters, error = (
        analysis["mean_sq"]["C(item)"],
        analysis["mean_sq"]["C(rater)"],
        analysis["mean_sq"]["Residual"],
    )
    expected = (items - error) / (items + (n_raters - 1) * error + n_raters * (raters - error) / n_items)
    assert only(found["single"]).value == pytest.approx(expected, abs=1e-9)
    of_panel = (items - error) / (items + (raters - error) / n_items)
    assert only(found["panel"]).value == pytest.approx(of_panel, abs=1e-9)


def none_if_nan(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def assert_same(ours: float | None, theirs: float | None) -> None:
    if theirs is None:
        assert ours is None
    else:
        assert ours == pytest.approx(theirs, abs=1e-9)
