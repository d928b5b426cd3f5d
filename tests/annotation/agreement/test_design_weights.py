"""Design weights turn the figures of an enriched sample into those of the population it was drawn from."""

import numpy as np
import pytest

from annotation.agreement import gwet, statistics
from annotation.agreement.counts import FloatArray, IntArray
from annotation.agreement.distances import Scale
from annotation.agreement.estimates import Estimate, Resampling, figures
from annotation.agreement.statistics import krippendorff_alpha, percent_agreement
from tests.annotation.agreement.designs import counts_of_matrix, random_matrix

FEW = Resampling(400)


def all_figures(
    matrix: IntArray, weights: FloatArray | None = None, clusters: IntArray | None = None
) -> dict[str, Estimate]:
    counts = counts_of_matrix(matrix, clusters)
    categories = counts.categories
    found = figures(
        counts,
        {
            "alpha": statistics.alpha(Scale.ORDINAL, categories),
            "nominal alpha": statistics.alpha(Scale.NOMINAL, categories),
            "percent": statistics.percent(),
            "ac1": gwet.ac1(categories),
            "fleiss": gwet.fleiss_kappa(categories),
            "specific": statistics.specific_agreement(categories, at_least=(3,)),
        },
        FEW,
        weights,
    )
    return {f"{name} {place}": each for name, some in found.items() for place, each in enumerate(some)}


def enriched(seed: int) -> tuple[IntArray, IntArray, FloatArray]:
    """A population, and a sample of it with the severe items certain and the others one in five."""
    population = random_matrix(seed, n_items=20_000, n_raters=3, n_categories=6)
    is_severe = population[:, 3:].sum(axis=1) >= 2
    chance = np.where(is_severe, 1.0, 0.2)
    is_taken = np.random.default_rng([seed, 1]).random(20_000) < chance
    return population, population[is_taken], 1 / chance[is_taken]


def test_weighted_figures_are_those_of_the_population_and_plain_ones_are_not() -> None:
    population, sample, weights = enriched(1)
    truth, plain, weighted = all_figures(population), all_figures(sample), all_figures(sample, weights)
    for name, estimate in truth.items():
        assert weighted[name].value == pytest.approx(estimate.value, abs=0.02), name
    assert plain["alpha 0"].value is not None
    assert truth["alpha 0"].value is not None
    assert plain["alpha 0"].value > truth["alpha 0"].value + 0.02


def test_a_weighted_interval_holds_the_population_in_most_samples() -> None:
    n_held = 0
    for seed in range(40):
        population, sample, weights = enriched(seed)
        some = slice(0, 600)
        truth = all_figures(population)["alpha 0"].value
        found = krippendorff_alpha(
            counts_of_matrix(sample[some]), Scale.ORDINAL, resamples=400, weights=weights[some]
        )
        assert found.ci_low is not None
        assert found.ci_high is not None
        assert truth is not None
        n_held += found.ci_low <= truth <= found.ci_high
    assert n_held >= 33


@pytest.mark.parametrize("factor", [1.0, 0.003, 700.0])
def test_equal_weights_change_nothing_whatever_their_size(factor: float) -> None:
    matrix = random_matrix(2, n_items=120, n_raters=4, n_categories=5, share_missing=0.3)
    matrix = matrix[matrix.sum(axis=1) > 0]
    plain, weighted = all_figures(matrix), all_figures(matrix, np.full(len(matrix), factor))
    for name, estimate in plain.items():
        assert weighted[name].value == pytest.approx(estimate.value, abs=1e-9)
        assert weighted[name].ci_low == pytest.approx(estimate.ci_low, abs=1e-9)
        assert "design-weighted" in weighted[name].statistic


@pytest.mark.parametrize("per_cluster", [1, 4])
def test_a_weight_of_two_is_the_item_twice(per_cluster: int) -> None:
    matrix = random_matrix(3, n_items=80, n_raters=3, n_categories=4)
    doubled = np.vstack([matrix, matrix[:40]])
    weights = np.where(np.arange(80) < 40, 2.0, 1.0)
    weighted = all_figures(matrix, weights, np.arange(80) // per_cluster)
    for name, estimate in all_figures(doubled).items():
        # Alpha's small-sample correction counts the labels there are.
        assert weighted[name].value == pytest.approx(estimate.value, abs=2e-3), name


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf])
def test_a_weight_is_a_positive_number(bad: float) -> None:
    counts = counts_of_matrix(random_matrix(4, n_items=60, n_raters=2, n_categories=3))
    weights = np.ones(60)
    weights[7] = bad
    with pytest.raises(ValueError, match="positive numbers"):
        percent_agreement(counts, weights=weights)
    with pytest.raises(ValueError, match="one per item"):
        percent_agreement(counts, weights=np.ones(59))
