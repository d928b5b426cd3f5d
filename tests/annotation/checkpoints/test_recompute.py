"""Figures of a report beside those of independent packages: equal where defined, and a difference shows."""

import math
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from annotation.agreement.battery import figures_of_ratings
from annotation.agreement.counts import NO_LABEL, Ratings
from annotation.agreement.distances import Scale
from annotation.checkpoints.figures import Question, measured
from annotation.checkpoints.labels import labels_at
from annotation.checkpoints.recomputed import ALPHA, FLEISS, ICC, KAPPA, Recomputed, recomputed
from tests.annotation.agreement.designs import random_codes, ratings_of_codes
from tests.annotation.agreement.laid_out import CODES, laid_out


def ours_of(ratings: Ratings, scale: Scale) -> dict[str, float | None]:
    battery = figures_of_ratings(ratings, scale)
    return {
        ALPHA: battery.krippendorff_alpha.value,
        FLEISS: battery.fleiss_kappa_of_complete_block.value,
        KAPPA: battery.pairs.mean.value,
        ICC: battery.icc_2_1.value,
    }


def with_gaps(codes: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
    """Half of the items have the labels of two raters only."""
    found = codes.copy()
    found[::2, 2:] = NO_LABEL
    return found


@pytest.mark.parametrize("scale", [Scale.ORDINAL, Scale.NOMINAL])
def test_every_figure_equals_the_packages(scale: Scale) -> None:
    codes = with_gaps(random_codes(1, n_items=60, n_raters=4, n_categories=5))
    ratings = ratings_of_codes(codes, 6)  # the last category is not used
    ours = ours_of(ratings, scale)
    if scale is Scale.NOMINAL:
        del ours[ICC]
    found = recomputed(ratings, scale, ours)
    assert [each.figure for each in found] == list(ours)
    for each in found:
        assert each.difference == pytest.approx(0, abs=1e-9), each
        assert each.is_same


def test_a_planted_difference_shows() -> None:
    ratings = ratings_of_codes(random_codes(2, n_items=60, n_raters=3, n_categories=4), 4)
    ours = ours_of(ratings, Scale.ORDINAL)
    honest = {each.figure: each.is_same for each in recomputed(ratings, Scale.ORDINAL, ours)}
    assert honest == dict.fromkeys(ours, True)
    for figure, value in ours.items():
        assert value is not None
        found = recomputed(ratings, Scale.ORDINAL, ours | {figure: value + 1e-6})
        differing = [each for each in found if not each.is_same]
        assert [each.figure for each in differing] == [figure]
        assert differing[0].difference == pytest.approx(1e-6, rel=1e-3)


def test_a_figure_that_only_the_package_has_is_a_difference() -> None:
    assert not Recomputed("alpha", "package", None, 0.5).is_same
    assert Recomputed("alpha", "package", 0.5, None, "not defined").is_same


def test_a_figure_of_two_complete_items_is_nowhere_a_number() -> None:
    codes = random_codes(4, n_items=60, n_raters=3, n_categories=3)
    codes[2:, 2] = NO_LABEL
    question = Question("level", "Level", Scale.ORDINAL, {code: code for code in CODES})
    at_the_end = labels_at(laid_out(codes), until=math.inf)
    found = measured(question, at_the_end, error_per_side=0.01, target=0.85, seed=1)
    for name in (FLEISS, ICC):
        [figure] = [each for each in found["figures"] if each["figure"] == name]
        assert (figure["value"], figure["status"]) == (None, "collecting"), name
        assert "2 of 50 items" in figure["reason"]
    assert [each["figure"] for each in found["recomputed"]] == [ALPHA, KAPPA]


def test_what_too_large_a_team_goes_without_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("annotation.checkpoints.figures.MAX_CELLS_OF_PAIRS", 0)
    question = Question("level", "Level", Scale.ORDINAL, {code: code for code in CODES})
    codes = laid_out(random_codes(5, n_items=60, n_raters=3, n_categories=3))
    found = measured(question, labels_at(codes, until=math.inf), error_per_side=0.01, target=0.85, seed=1)
    for name in (KAPPA, ICC):
        [figure] = [each for each in found["figures"] if each["figure"] == name]
        assert (figure["value"], figure["status"]) == (None, "not_applicable"), name
        assert "so many clinicians" in figure["reason"]
    assert [each["figure"] for each in found["recomputed"]] == [ALPHA, FLEISS]


def test_what_a_package_cannot_say_has_its_reason() -> None:
    same = ratings_of_codes(np.zeros((30, 3), dtype=np.int64), 3)
    nothing = replace(same, codes=same.codes[:0], clusters=same.clusters[:0], items=())
    for ratings in (same, nothing):
        for each in recomputed(ratings, Scale.ORDINAL, dict.fromkeys((ALPHA, FLEISS, KAPPA, ICC))):
            assert each.theirs is None
            assert each.reason
            assert each.is_same


def test_the_packages_load_only_when_figures_are_recomputed() -> None:
    """The pages do without them: they would cost every web process a second and a hundred megabytes."""
    code = (
        "import sys, django; django.setup(); import prometheus_site.urls, annotation.tasks; "
        "from django.urls import get_resolver; get_resolver().url_patterns; "
        "print([name for name in ('krippendorff', 'statsmodels', 'pandas', 'scipy') if name in sys.modules])"
    )
    asked = subprocess.run(
        [sys.executable, "-c", code],
        env={"DJANGO_SETTINGS_MODULE": "tests.settings", "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert asked.stdout.strip() == "[]"
