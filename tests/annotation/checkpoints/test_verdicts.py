"""The target as a whole: met only where every dimension is, and the first look that decides stands."""

import math

import numpy as np
import pytest

from annotation.agreement.checkpoints import RESAMPLES_AT_A_LOOK
from annotation.agreement.counts import NO_LABEL
from annotation.agreement.dimension_labels import DimensionLabels
from annotation.agreement.estimates import Estimate, Resampling
from annotation.agreement.statistics import krippendorff_alpha
from annotation.checkpoints.declaring import looks_to_declare
from annotation.checkpoints.figures import deciding_figure, standing_of, verdict_at, verdict_of_target
from annotation.checkpoints.labels import labels_at
from tests.annotation.obstacles.made import labels_of, noisy

MET, NOT_MET, UNDECIDED, NOT_MEASURED = "met", "not met", "undecided", "not measured"


@pytest.mark.parametrize(
    ("standing", "target"),
    [
        ([MET, MET, MET], MET),
        ([MET, MET, UNDECIDED], UNDECIDED),
        ([MET, MET, NOT_MET], NOT_MET),
        ([MET, MET, NOT_MEASURED], UNDECIDED),
        ([NOT_MEASURED, NOT_MET, MET], NOT_MET),
        ([NOT_MEASURED, UNDECIDED, MET], UNDECIDED),
        ([NOT_MEASURED, NOT_MEASURED, NOT_MEASURED], NOT_MEASURED),
        ([MET], MET),
    ],
)
def test_the_target_is_met_only_if_every_dimension_is(standing: list[str], target: str) -> None:
    assert verdict_of_target({str(place): verdict for place, verdict in enumerate(standing)}) == target


@pytest.mark.parametrize(
    ("verdicts", "stands"),
    [
        ([UNDECIDED, MET, NOT_MET], MET),
        ([NOT_MET, MET], NOT_MET),
        ([NOT_MEASURED, UNDECIDED], UNDECIDED),
        ([UNDECIDED, NOT_MEASURED], NOT_MEASURED),
    ],
)
def test_the_first_look_that_decides_stands(verdicts: list[str], stands: str) -> None:
    assert standing_of(verdicts) == stands


def looked_at(labels: DimensionLabels, n_planned: int) -> list[Estimate]:
    """What decides at each look of that plan that the labels have come to."""
    return [
        deciding_figure(
            labels_at(labels, math.inf, look.n_overlap_items),
            labels.scale,
            Resampling(RESAMPLES_AT_A_LOOK, 1, look.tail),
        )
        for look in looks_to_declare(n_planned)
        if look.n_overlap_items <= len(labels.overlap_items)
    ]


def test_a_look_counts_overlap_items_in_their_order_at_its_own_level() -> None:
    codes = noisy(2, n_items=600, n_raters=3)
    alone = codes.copy()
    alone[:, 1:] = NO_LABEL
    found = looked_at(labels_of(np.vstack([codes, alone])), 5000)
    assert [each.n_items_overlap for each in found] == [200, 500]
    plain = krippendorff_alpha(labels_of(codes[:200]).ratings, labels_of(codes).scale)
    assert found[0].value == pytest.approx(plain.value, abs=1e-12)
    assert found[0].ci_low is not None
    assert plain.ci_low is not None
    assert found[0].ci_low < plain.ci_low, "a quarter of the error makes a wider interval"


def test_later_labels_change_no_earlier_look() -> None:
    codes = noisy(3, n_items=1200, n_raters=2)
    late = looked_at(labels_of(codes), 1200)
    assert looked_at(labels_of(codes[:600]), 1200) == late[:2]
    assert len(late) == 4


def test_with_design_weights_the_weighted_figure_decides() -> None:
    codes = np.array([[0, 0], [3, 3]] * 400 + [[0, 0], [0, 3]] * 400)
    codes = codes[np.random.default_rng(1).permutation(1600)]
    weights = np.where(codes[:, 0] != codes[:, 1], 0.01, 1.0).tolist()
    plain, weighted = looked_at(labels_of(codes), 1600), looked_at(labels_of(codes, weights=weights), 1600)
    assert standing_of([verdict_at(each, 0.85) for each in plain]) == NOT_MET
    assert standing_of([verdict_at(each, 0.85) for each in weighted]) == MET
    assert "design-weighted" in weighted[0].statistic
