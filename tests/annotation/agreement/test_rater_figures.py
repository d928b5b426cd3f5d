"""One rater's bias, influence, habits, course and repeats are found where they were planted."""

import numpy as np
import pytest

from annotation.agreement.counts import NO_LABEL, IntArray, Ratings
from annotation.agreement.distances import Scale
from annotation.agreement.estimates import Resampling, Status
from annotation.agreement.raters import WINDOW_ITEMS, figures_of_raters, retest, rolling_figures
from annotation.agreement.statistics import krippendorff_alpha
from tests.annotation.agreement.designs import random_codes, ratings_of_codes

FEW = Resampling(400)


def codes_of_five(share_missing: float = 0.0) -> IntArray:
    return random_codes(1, n_items=600, n_raters=5, n_categories=8, share_missing=share_missing)


def test_a_steady_shift_is_a_signed_bias_that_alpha_hardly_shows() -> None:
    codes = np.clip(codes_of_five(), 0, 6)
    codes[:, 2] += 1
    found = figures_of_raters(ratings_of_codes(codes, 8), Scale.ORDINAL, resampling=FEW)
    biases = [found[f"r{rater}"].signed_bias for rater in range(5)]
    assert biases[2].value == pytest.approx(1.0, abs=0.1)
    assert biases[2].ci_low is not None
    assert biases[2].ci_low > 0.8
    for rater in (0, 1, 3, 4):
        assert biases[rater].value == pytest.approx(-0.25, abs=0.1)


def test_the_bias_is_the_mean_difference_by_hand() -> None:
    codes = np.array([[0, 2, 1], [3, 3, NO_LABEL], [1, NO_LABEL, NO_LABEL], [4, 0, 2]])
    found = figures_of_raters(ratings_of_codes(codes, 5), Scale.ORDINAL, resampling=FEW)
    by_hand = [(-1.5 + 0 + 3) / 3, (1.5 + 0 - 3) / 3, (0 + 0) / 2]
    assert [found[f"r{rater}"].signed_bias.value for rater in range(3)] == pytest.approx(by_hand)


def test_a_guessing_rater_stands_out_by_leave_one_out_and_mean_kappa() -> None:
    codes = codes_of_five(share_missing=0.2)
    guesses = np.random.default_rng(3).integers(0, 8, 600)
    codes[:, 4] = np.where(codes[:, 4] == NO_LABEL, NO_LABEL, guesses)
    found = figures_of_raters(ratings_of_codes(codes, 8), Scale.ORDINAL, resampling=FEW)
    gains = {rater: each.leave_one_out for rater, each in found.items()}
    assert max(gains, key=lambda rater: gains[rater].value or 0) == "r4"
    assert gains["r4"].ci_low is not None
    assert gains["r4"].ci_low > 0.1
    kappas = {rater: each.mean_pairwise_kappa.value or 0 for rater, each in found.items()}
    assert min(kappas, key=lambda rater: kappas[rater]) == "r4"


@pytest.mark.parametrize("scale", [Scale.ORDINAL, Scale.NOMINAL, Scale.INTERVAL])
def test_the_change_without_a_rater_is_that_of_the_alpha_without_the_column(scale: Scale) -> None:
    codes = codes_of_five(share_missing=0.5)
    found = figures_of_raters(ratings_of_codes(codes, 8), scale, resampling=FEW)
    whole = krippendorff_alpha(ratings_of_codes(codes, 8), scale, resamples=100).value
    for rater in range(5):
        rest = ratings_of_codes(np.delete(codes, rater, axis=1), 8)
        without = krippendorff_alpha(rest, scale, resamples=100).value
        assert whole is not None
        assert without is not None
        assert found[f"r{rater}"].leave_one_out.value == pytest.approx(without - whole, abs=1e-12)


def test_the_marginals_are_the_shares_of_each_category() -> None:
    codes = codes_of_five(share_missing=0.3)
    found = figures_of_raters(ratings_of_codes(codes, 8), Scale.ORDINAL, resampling=FEW)
    own = codes[(codes != NO_LABEL).sum(axis=1) >= 2, 3]
    own = own[own != NO_LABEL]
    shares = np.bincount(own, minlength=8) / len(own)
    assert [each.value for each in found["r3"].marginals] == pytest.approx(shares.tolist())
    assert found["r3"].n_overlap_labels == len(own)


def test_a_nominal_scale_has_no_bias() -> None:
    found = figures_of_raters(ratings_of_codes(codes_of_five(), 8), Scale.NOMINAL, resampling=FEW)
    assert found["r0"].signed_bias.status is Status.NOT_APPLICABLE
    assert "no direction" in found["r0"].signed_bias.reason


def test_a_drift_shows_in_the_windows_in_which_it_happened() -> None:
    codes = np.clip(codes_of_five(), 0, 6)
    codes[300:, 1] += 1
    windows = rolling_figures(ratings_of_codes(codes, 8), "r1", Scale.ORDINAL, resampling=FEW)
    assert [window.last_item for window in windows[:2]] == [WINDOW_ITEMS, WINDOW_ITEMS + 10]
    assert windows[-1].last_item == 600
    first, last = windows[0], windows[-1]
    assert first.bias is not None
    assert last.bias is not None
    assert first.bias[0] == pytest.approx(0, abs=0.2)
    assert last.bias[0] == pytest.approx(1, abs=0.2)
    assert last.bias[1] is not None
    assert first.bias[2] is not None
    assert last.bias[1] > first.bias[2]
    for window in windows:
        mean, low, high = window.agreement
        assert low is not None
        assert high is not None
        assert low <= mean <= high


def test_a_window_holds_only_items_shared_with_others() -> None:
    codes = codes_of_five()[:, :2]
    codes[:501, 1] = NO_LABEL
    assert rolling_figures(ratings_of_codes(codes, 8), "r0", Scale.ORDINAL, resampling=FEW) == []
    codes = codes_of_five()[:, :2]
    codes[:500, 1] = NO_LABEL
    windows = rolling_figures(ratings_of_codes(codes, 8), "r0", Scale.NOMINAL, resampling=FEW)
    assert len(windows) == 1
    assert windows[0].bias is None
    assert windows[0].agreement[0] == pytest.approx(float((codes[500:, 0] == codes[500:, 1]).mean()))


def test_windows_of_one_conversation_are_no_independent_evidence() -> None:
    # Twenty conversations of five windows, in each of which the two always agree or never do.
    rng = np.random.default_rng(0)
    first = rng.integers(0, 4, 100)
    codes = np.stack([first, np.where(np.repeat(rng.random(20) < 0.6, 5), first, (first + 1) % 4)], axis=1)

    def latest(clusters: IntArray) -> tuple[float, float | None, float | None]:
        ratings = ratings_of_codes(codes, 4, clusters=clusters)
        return rolling_figures(ratings, "r0", Scale.NOMINAL)[-1].agreement

    value, low, high = latest(np.arange(100))
    value_of_20, low_of_20, high_of_20 = latest(np.repeat(np.arange(20), 5))
    assert value_of_20 == value
    assert low is not None
    assert high is not None
    assert low_of_20 is not None
    assert high_of_20 is not None
    # Five times the variance, and a little more for so few conversations.
    assert 5**0.5 <= (high_of_20 - low_of_20) / (high - low) <= 1.2 * 5**0.5
    assert latest(np.zeros(100, dtype=np.int64)) == (value, None, None)


def test_repeats_are_compared_with_the_first_time() -> None:
    first = codes_of_five()[:, 0]
    again = first.copy()
    again[:60] = (again[:60] + 1) % 8
    both = Ratings(
        codes=np.column_stack([first, again]),
        clusters=np.arange(600),
        categories=tuple(range(8)),
        items=tuple(range(600)),
        raters=("first", "again"),
    )
    kappa, percent = retest({"anna": both}, Scale.ORDINAL, resampling=FEW)["anna"]
    assert percent.value == pytest.approx(0.9)
    assert kappa.value is not None
    assert 0.7 < kappa.value < 1
    assert kappa.ci_low is not None
