"""Published agreement tables give their printed answers, to the printed digit."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from annotation.agreement import gwet, statistics
from annotation.agreement.battery import figures_of_ratings
from annotation.agreement.consensus import dawid_skene_of_labels
from annotation.agreement.counts import Ratings, rate_labels
from annotation.agreement.distances import Scale, Weighting, agreement_weights
from annotation.agreement.estimates import Estimate, Resampling, Statistic, Status, figures, only
from annotation.agreement.gwet import Chance
from annotation.agreement.pairs import cohen_kappa_of_table, confusions, pair_figures, pair_kappas
from annotation.agreement.standard_errors import error_against_chance, error_of_cohen_kappa
from tests.annotation.agreement.designs import Grid, ratings_of_grid

CASES: list[dict[str, Any]] = json.loads(Path(__file__).with_name("reference_cases.json").read_text())[
    "cases"
]
FEW = Resampling(100)
OF_CATEGORIES: dict[str, Callable[[tuple[Any, ...]], Statistic]] = {
    "percent_agreement": lambda _: statistics.percent(),
    "AC1": gwet.ac1,
    "AC2_linear": lambda codes: gwet.ac2(Scale.ORDINAL, codes, Weighting.LINEAR),
    "AC2_ordinal": lambda codes: gwet.ac2(Scale.ORDINAL, codes, Weighting.ORDINAL),
    "AC2_quadratic": lambda codes: gwet.ac2(Scale.ORDINAL, codes, Weighting.QUADRATIC),
    "fleiss": gwet.fleiss_kappa,
    "fleiss_gwet_missing": gwet.fleiss_kappa,
    "scott_pi": gwet.fleiss_kappa,  # Scott's pi is Fleiss' kappa of two raters
    "conger": gwet.conger_kappa,
    "brennan_prediger": gwet.brennan_prediger,
    "randolph_free_marginal": gwet.brennan_prediger,
    "alpha_gwet_linear": lambda codes: statistics.weighted_alpha(Weighting.LINEAR, Scale.ORDINAL, codes),
    "alpha_gwet_ordinal_weights": lambda codes: statistics.weighted_alpha(
        Weighting.ORDINAL, Scale.ORDINAL, codes
    ),
    **{f"alpha_{scale.value}": lambda codes, scale=scale: statistics.alpha(scale, codes) for scale in Scale},  # type: ignore[misc]
}


def printed_figures() -> Iterator[Any]:
    for case in CASES:
        for statistic, printed in case["expected"].items():
            yield pytest.param(case, statistic, printed, id=f"{case['id']}-{statistic}")


def case_named(name: str) -> dict[str, Any]:
    (case,) = (case for case in CASES if case["id"] == name)
    return case


def ratings_of_case(case: dict[str, Any]) -> Ratings:
    if "ratings" in case:
        return ratings_of_grid(case["ratings"], case["categories"])
    if "counts" in case:
        return rate_labels(labels_of_counts(case["counts"], case["categories"]), case["categories"])
    return ratings_of_table(case["table"])


def labels_of_counts(counts: list[list[int]], categories: list[int]) -> Iterator[tuple[int, int, int]]:
    for item, row in enumerate(counts):
        codes = [code for code, n in zip(categories, row, strict=True) for _ in range(n)]
        yield from ((item, rater, code) for rater, code in enumerate(codes))


def ratings_of_table(table: list[list[int]]) -> Ratings:
    cells = [(a, b) for a, row in enumerate(table) for b, n in enumerate(row) for _ in range(n)]
    grid: Grid = [[a for a, _ in cells], [b for _, b in cells]]
    return ratings_of_grid(grid, list(range(len(table))))


def figure(case: dict[str, Any], name: str) -> Estimate:
    ratings = ratings_of_case(case)
    if name in ("cohen", "cohen_linear"):
        weighting = Weighting.LINEAR if name == "cohen_linear" else Weighting.IDENTITY
        return pair_kappas(ratings, Scale.ORDINAL, weighting, FEW).mean
    return only(figures(ratings, {"": OF_CATEGORIES[name](ratings.categories)}, FEW)[""])


def computed_error(case: dict[str, Any], name: str) -> float:
    counts, n_categories = ratings_of_case(case).counts.matrix, len(ratings_of_case(case).categories)
    if name.startswith("cohen"):
        weighting = Weighting.LINEAR if "linear" in name else Weighting.IDENTITY
        table = np.array(case["table"])
        return error_of_cohen_kappa(table, agreement_weights(weighting, np.arange(float(n_categories))))
    chance = Chance.FLEISS if name.startswith("fleiss") else Chance.GWET
    return error_against_chance(counts, chance, np.eye(n_categories))


@pytest.mark.parametrize(("case", "name", "printed"), list(printed_figures()))
def test_a_printed_figure_is_reproduced(case: dict[str, Any], name: str, printed: Any) -> None:
    if name.endswith("_se"):
        assert computed_error(case, name) == pytest.approx(printed, abs=case["tolerance"])
    elif name.endswith("_ci"):
        assert_printed_interval(case, name.removesuffix("_ci"), printed)
    elif name == "dawid_skene_prevalence":
        assert_printed_prevalence(case, printed)
    elif name == "cohen_custom_weighted":
        weights = 1 - np.array(case["disagreement"]) / np.max(case["disagreement"])
        kappa = float(cohen_kappa_of_table(np.array(case["table"]), weights))
        assert kappa == pytest.approx(printed, abs=case["tolerance"])
    else:
        assert_printed_figure(case, name, printed)


def assert_printed_figure(case: dict[str, Any], name: str, printed: float | None) -> None:
    estimate = figure(case, name)
    if printed is None:
        assert estimate.value is None
        assert estimate.status is Status.NOT_ESTIMABLE
        assert estimate.reason
    else:
        assert estimate.value == pytest.approx(printed, abs=case["tolerance"])
        assert estimate.status is (Status.OK if estimate.n_items_overlap >= 50 else Status.COLLECTING)


def assert_printed_interval(case: dict[str, Any], name: str, printed: list[float]) -> None:
    """The printed intervals are those of large samples; Gwet's reach by Student's t and end at 1."""
    value, error = figure(case, name).value, computed_error(case, name)
    assert value is not None
    n_items = len(ratings_of_case(case).codes)
    reach = {"cohen": 1.959964, "AC1": 2.200985}[name]  # normal; t with 11 degrees of freedom
    assert n_items == (19 if name == "cohen" else 12)
    bounds = [value - reach * error, min(value + reach * error, 1)]
    assert bounds == pytest.approx(printed, abs=case["tolerance"])


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def assert_printed_prevalence(case: dict[str, Any], printed: list[float]) -> None:
    pytest.importorskip("crowdkit", reason="the extra crowd-kit is not installed")
    items, raters, codes = np.array(case["long"]).T
    found = dawid_skene_of_labels(items, raters, codes - 1, len(case["categories"]), n_iterations=200)
    assert found.status is Status.OK
    assert found.prevalence is not None
    assert found.prevalence.tolist() == pytest.approx(printed, abs=case["tolerance"])


@pytest.mark.parametrize("case", [case for case in CASES if "table" in case], ids=lambda case: case["id"])
def test_the_matrix_of_all_pairs_holds_the_printed_table(case: dict[str, Any]) -> None:
    pairs = pair_figures(ratings_of_case(case), Scale.ORDINAL, Weighting.LINEAR)
    assert confusions(ratings_of_case(case), "r0")[1].tolist() == case["table"]
    assert confusions(ratings_of_case(case), "r1")[0].tolist() == np.transpose(case["table"]).tolist()
    for name, figures_of_pairs in (
        ("cohen", pairs.kappa),
        ("cohen_linear", pairs.weighted_kappa),
        ("percent_agreement", pairs.percent_agreement),
    ):
        if name in case["expected"]:
            assert figures_of_pairs[0, 1] == pytest.approx(case["expected"][name], abs=case["tolerance"])


def test_the_whole_battery_says_what_the_single_figures_say() -> None:
    case = case_named("fleiss1971_psychiatrists_30x6")
    battery = figures_of_ratings(ratings_of_case(case), Scale.NOMINAL, resampling=FEW)
    assert battery.fleiss_kappa.value == pytest.approx(0.430, abs=0.0006)
    assert battery.fleiss_kappa_of_complete_block.value == pytest.approx(
        battery.fleiss_kappa.value, abs=1e-12
    )
    assert battery.percent_agreement.value == pytest.approx(0.556, abs=0.0006)
    # Printed by the R package irr: the kappa of each diagnosis and Light's mean of the pairs.
    assert battery.pairs.mean.value == pytest.approx(0.459, abs=0.0006)
