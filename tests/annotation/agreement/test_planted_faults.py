"""A small fault planted into any coefficient is caught by the published tables or a sum by hand."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from annotation.agreement import distances, gwet, pairs, reliability, standard_errors, statistics
from annotation.agreement.bootstrap import defined_ratio
from annotation.agreement.counts import FloatArray, IntArray
from annotation.agreement.distances import Scale, Weighting, category_pairs
from annotation.agreement.estimates import Resampling, Statistic, figures, only
from tests.annotation.agreement.designs import Grid, ratings_of_grid
from tests.annotation.agreement.test_reference_cases import case_named, computed_error, figure

FOUR_CODERS, BEN_AND_GERRY = "krippendorff2011_C_4coders_missing", "krippendorff2011_B_nominal_2coders"
WEIGHTED, UNWEIGHTED = "gwet_raw4raters_weighted", "gwet_raw4raters_unweighted"
GRID: Grid = [[0, 1, 2, 2, 4, 0, 1], [0, 1, 2, 4, 4, 1, None], [0, 2, 2, 2, 4, 0, 0]]
real_against_chance = gwet._against_chance


def as_many_others_as_labels(matrix: IntArray) -> tuple[IntArray, IntArray]:
    n_labels = matrix.sum(axis=1, keepdims=True)
    return np.where(n_labels >= 2, matrix, 0), np.maximum(n_labels, 1)


def expected_over_all_pairs(observed: FloatArray, by_chance: FloatArray, marginals: FloatArray) -> FloatArray:
    return defined_ratio(observed, by_chance / marginals.sum(axis=-1))


def ranks_without_half_ends(scale: Scale, values: FloatArray, marginals: FloatArray) -> FloatArray:
    if scale is not Scale.ORDINAL:
        return distances.squared_distances(scale, values, marginals)
    first, second = category_pairs(marginals.shape[-1])
    ranks = np.cumsum(marginals, axis=-1)
    return np.square(ranks[..., second] - ranks[..., first])


def plain_distances(scale: Scale, values: FloatArray, marginals: FloatArray) -> FloatArray:
    first, second = category_pairs(marginals.shape[-1])
    return np.abs(values[second] - values[first])


def pairs_with_oneself(matrix: IntArray) -> FloatArray:
    n_labels = np.maximum(matrix.sum(axis=1), 1)
    return np.column_stack([np.square(matrix).sum(axis=1) / n_labels**2, n_labels > 1])


def chance_of_gwet_over_all_cells(chance: Any, weights: FloatArray, shares: FloatArray) -> Any:
    return (shares * (1 - shares)).sum(axis=-1) * float(weights.sum()) / len(weights) ** 2


def chance_of_observed_categories(chance: Any, weights: FloatArray, shares: FloatArray) -> Any:
    n_used = max(int((shares > 0).any(axis=tuple(range(shares.ndim - 1))).sum()), 2)
    return (shares * (1 - shares)).sum(axis=-1) * float(weights.sum()) / (n_used * (n_used - 1))


def overlap_only(*args: Any) -> Statistic:
    return replace(real_against_chance(*args), takes_single_labels=False)


def kappa_by_half_the_chance(credit: FloatArray, by_chance: FloatArray, n: FloatArray) -> FloatArray:
    expected = np.nan_to_num(defined_ratio(by_chance, n * n)) * 0.98
    return defined_ratio(defined_ratio(credit, n) - expected, 1 - expected)


def linear_for_all(weighting: Weighting, places: FloatArray) -> FloatArray:
    return distances.agreement_weights(Weighting.LINEAR, places)


def quadratic_for_all(weighting: Weighting, places: FloatArray) -> FloatArray:
    return distances.agreement_weights(Weighting.QUADRATIC, places)


def on_observed_range(weighting: Weighting, places: FloatArray) -> FloatArray:
    """Distances measured as if the scale ended one point earlier."""
    return np.clip(distances.agreement_weights(weighting, places) * 1.1 - 0.1, 0, 1)


FAULTS: list[tuple[Any, str, Callable[..., Any], str, str]] = [
    (
        statistics,
        "_pairable",
        as_many_others_as_labels,
        FOUR_CODERS,
        "alpha_nominal",
    ),
    (
        statistics,
        "_pairable",
        as_many_others_as_labels,
        FOUR_CODERS,
        "alpha_ordinal",
    ),
    (
        statistics,
        "_pairable",
        as_many_others_as_labels,
        FOUR_CODERS,
        "alpha_interval",
    ),
    (
        statistics,
        "_over_expected",
        expected_over_all_pairs,
        BEN_AND_GERRY,
        "alpha_nominal",
    ),
    (statistics, "squared_distances", ranks_without_half_ends, WEIGHTED, "alpha_ordinal"),
    (
        statistics,
        "squared_distances",
        plain_distances,
        FOUR_CODERS,
        "alpha_interval",
    ),
    (statistics, "squared_distances", plain_distances, FOUR_CODERS, "alpha_ratio"),
    (
        statistics,
        "agreement_weights",
        quadratic_for_all,
        WEIGHTED,
        "alpha_gwet_ordinal_weights",
    ),
    (statistics, "_agreeing_share", pairs_with_oneself, UNWEIGHTED, "percent_agreement"),
    (gwet, "chance_agreement", chance_of_gwet_over_all_cells, UNWEIGHTED, "AC1"),
    (gwet, "chance_agreement", chance_of_gwet_over_all_cells, "fleiss_wikipedia_10x14", "fleiss"),
    (gwet, "chance_agreement", chance_of_gwet_over_all_cells, "gwet_abstractors_3x3", "brennan_prediger"),
    (gwet, "_against_chance", overlap_only, UNWEIGHTED, "fleiss_gwet_missing"),
    (gwet, "agreement_weights", linear_for_all, WEIGHTED, "AC2_ordinal"),
    (gwet, "agreement_weights", linear_for_all, WEIGHTED, "AC2_quadratic"),
    (gwet, "agreement_weights", on_observed_range, WEIGHTED, "AC2_linear"),
    (pairs, "_kappa", kappa_by_half_the_chance, "landis_koch1977_winnipeg", "cohen"),
    (pairs, "agreement_weights", quadratic_for_all, "sas_cohen_3x3", "cohen_linear"),
    (pairs, "agreement_weights", on_observed_range, "sas_cohen_3x3", "cohen_linear"),
]


@pytest.mark.parametrize(
    ("module", "name", "fault", "case", "statistic"),
    FAULTS,
    ids=lambda each: getattr(each, "__name__", str(each)).rsplit(".", 1)[-1],
)
def test_a_fault_moves_a_printed_figure(
    module: Any,
    name: str,
    fault: Callable[..., Any],
    case: str,
    statistic: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = case_named(case)
    printed = table["expected"][statistic]
    assert figure(table, statistic).value == pytest.approx(printed, abs=table["tolerance"])
    monkeypatch.setattr(module, name, fault)
    assert figure(table, statistic).value != pytest.approx(printed, abs=table["tolerance"])


def test_a_prevalence_of_observed_categories_only_moves_ac1(monkeypatch: pytest.MonkeyPatch) -> None:
    ratings = ratings_of_grid(GRID, list(range(6)))

    def ac1() -> float | None:
        return only(figures(ratings, {"": gwet.ac1(ratings.categories)}, Resampling(100))[""]).value

    before = ac1()
    monkeypatch.setattr(gwet, "chance_agreement", chance_of_observed_categories)
    assert ac1() != pytest.approx(before, abs=1e-3)


@pytest.mark.parametrize("name", ["AC1_se", "fleiss_se"])
def test_a_fault_moves_a_printed_error(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    table = case_named("gwet_distrib6raters_15")

    def without_its_part(
        chance: Any, weights: FloatArray, shares: FloatArray, mean: FloatArray
    ) -> FloatArray:
        return np.full(len(shares), gwet.chance_agreement(chance, weights, mean))

    monkeypatch.setattr(standard_errors, "_chance_of_items", without_its_part)
    assert computed_error(table, name) != pytest.approx(table["expected"][name], abs=table["tolerance"])


def test_specific_agreement_is_what_a_sum_by_hand_gives() -> None:
    # 3 of both, 2 and 1 of one only: 2 x 3 / (2 x 3 + 2 + 1).
    grid: Grid = [[1, 1, 1, 1, 1, 0, 0, 0, 0, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]]
    ratings = ratings_of_grid(grid, [0, 1])
    found = figures(ratings, {"": statistics.specific_agreement((0, 1), at_least=(1,))}, Resampling(100))[""]
    assert [each.value for each in found] == pytest.approx([8 / 11, 6 / 9, 6 / 9])


def test_the_panel_is_what_spearman_and_brown_give() -> None:
    ratings = ratings_of_grid(GRID, list(range(6)))
    chosen = {
        "single": statistics.alpha(Scale.ORDINAL, ratings.categories),
        "panel": statistics.panel_reliability(Scale.ORDINAL, ratings.categories, 5),
    }
    found = figures(ratings, chosen, Resampling(100))
    alpha, panel = only(found["single"]).value, only(found["panel"]).value
    assert alpha is not None
    assert panel == pytest.approx(5 * alpha / (1 + 4 * alpha), abs=1e-12)


def test_the_correlation_of_shrout_and_fleiss_is_theirs() -> None:
    # Shrout and Fleiss (1979), table 2: six targets, four judges; ICC(2,1) .29 and ICC(2,4) .62.
    judges: list[list[int | None]] = [
        [9, 6, 8, 7, 10, 6],
        [2, 1, 4, 1, 5, 2],
        [5, 3, 6, 2, 6, 4],
        [8, 2, 8, 6, 9, 7],
    ]
    ratings = ratings_of_grid(judges, list(range(1, 11)))
    single, panel = reliability.icc(ratings, Scale.INTERVAL)
    found = figures(ratings, {"single": single, "panel": panel}, Resampling(100))
    assert only(found["single"]).value == pytest.approx(0.29, abs=0.005)
    assert only(found["panel"]).value == pytest.approx(0.62, abs=0.005)
