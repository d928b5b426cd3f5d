"""Published agreement tables give their printed answers."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from annotation.agreement.counts import Counts, tally_labels
from annotation.agreement.distances import Scale
from annotation.agreement.statistics import Estimate, Status, krippendorff_alpha, percent_agreement
from tests.annotation.agreement.designs import counts_of_grid

CASES: list[dict[str, Any]] = json.loads(Path(__file__).with_name("reference_cases.json").read_text())[
    "cases"
]


def printed_figures() -> Iterator[Any]:
    for case in CASES:
        for statistic, printed in case["expected"].items():
            yield pytest.param(case, statistic, printed, id=f"{case['id']}-{statistic}")


def counts_of_case(case: dict[str, Any]) -> Counts:
    if "ratings" in case:
        return counts_of_grid(case["ratings"], case["categories"])
    if "counts" in case:
        return tally_labels(labels_of_counts(case["counts"], case["categories"]), case["categories"])
    return tally_labels(labels_of_table(case["table"]), range(len(case["table"])))


def labels_of_counts(counts: list[list[int]], categories: list[int]) -> Iterator[tuple[int, int, int]]:
    for item, row in enumerate(counts):
        codes = [code for code, n in zip(categories, row, strict=True) for _ in range(n)]
        yield from ((item, rater, code) for rater, code in enumerate(codes))


def labels_of_table(table: list[list[int]]) -> Iterator[tuple[int, int, int]]:
    cells = [(a, b) for a, row in enumerate(table) for b, n in enumerate(row) for _ in range(n)]
    for item, codes in enumerate(cells):
        yield from ((item, rater, code) for rater, code in enumerate(codes))


def figure(counts: Counts, statistic: str) -> Estimate:
    if statistic == "percent_agreement":
        return percent_agreement(counts)
    return krippendorff_alpha(counts, Scale(statistic.removeprefix("alpha_")))


@pytest.mark.parametrize(("case", "statistic", "printed"), list(printed_figures()))
def test_a_printed_figure_is_reproduced(case: dict[str, Any], statistic: str, printed: float | None) -> None:
    estimate = figure(counts_of_case(case), statistic)
    if printed is None:
        assert estimate.value is None
        assert estimate.status is Status.NOT_ESTIMABLE
        assert estimate.reason
    else:
        assert estimate.value == pytest.approx(printed, abs=case["tolerance"])
        assert estimate.status is (Status.OK if estimate.n_items_overlap >= 50 else Status.COLLECTING)
