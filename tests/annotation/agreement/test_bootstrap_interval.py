"""Bootstrap intervals match slow resampling, respect conversations and admit what they cannot say."""

from collections.abc import Callable, Sequence

import krippendorff
import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from annotation.agreement import bootstrap
from annotation.agreement.bootstrap import (
    TAIL_SHARE,
    drawn_sums,
    reach_of_interval,
    resampled_values,
    resampling_units,
)
from annotation.agreement.counts import FloatArray, IntArray
from annotation.agreement.distances import Scale
from annotation.agreement.patterns import distinct_patterns
from annotation.agreement.statistics import (
    Estimate,
    Status,
    alpha_of_sums,
    item_coincidences,
    krippendorff_alpha,
    percent_agreement,
)
from tests.annotation.agreement.designs import counts_of_matrix, random_matrix


def width(estimate: Estimate) -> float:
    assert estimate.ci_low is not None
    assert estimate.ci_high is not None
    return estimate.ci_high - estimate.ci_low


def fast_alphas(matrix: IntArray, clusters: IntArray, resamples: int) -> FloatArray:
    values = np.arange(matrix.shape[1], dtype=np.float64)
    return resampled_values(
        resampling_units(matrix, clusters, item_coincidences),
        lambda sums: alpha_of_sums(sums, Scale.ORDINAL, values),
        resamples=resamples,
        rng=np.random.default_rng(1),
    )


def slow_alphas(matrix: IntArray, clusters: IntArray, resamples: int) -> FloatArray:
    """Draw whole clusters with replacement, lay their items side by side, ask the independent package."""
    rng = np.random.default_rng(2)
    members = [np.flatnonzero(clusters == cluster) for cluster in np.unique(clusters)]
    return np.array(
        [
            alpha_of_package(
                matrix, np.concatenate([members[i] for i in rng.integers(len(members), size=len(members))])
            )
            for _ in range(resamples)
        ]
    )


def alpha_of_package(matrix: IntArray, items: IntArray) -> float:
    return float(krippendorff.alpha(value_counts=matrix[items], level_of_measurement="ordinal"))


@pytest.mark.parametrize(
    ("n_items", "n_raters", "n_categories", "cluster_size"),
    [
        pytest.param(60, 3, 4, 1, id="many-patterns"),
        pytest.param(200, 2, 2, 1, id="few-patterns"),
        pytest.param(120, 3, 4, 3, id="conversations"),
    ],
)
def test_resampled_alphas_are_distributed_as_slow_resampling_gives_them(
    n_items: int, n_raters: int, n_categories: int, cluster_size: int
) -> None:
    matrix = random_matrix(5, n_items=n_items, n_raters=n_raters, n_categories=n_categories)
    clusters = np.arange(n_items) // cluster_size
    fast, slow = fast_alphas(matrix, clusters, 20_000), slow_alphas(matrix, clusters, 3_000)
    for level in (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975):
        density = scipy.stats.norm.pdf(scipy.stats.norm.ppf(level)) / slow.std()
        standard_error = np.sqrt(level * (1 - level) * (1 / len(fast) + 1 / len(slow))) / density
        assert np.quantile(fast, level) == pytest.approx(np.quantile(slow, level), abs=4 * standard_error)


def bca_bounds(
    units: FloatArray | IntArray, statistic: Callable[..., FloatArray], resamples: int
) -> tuple[float, float]:
    outside = scipy.stats.norm.sf(reach_of_interval(TAIL_SHARE, len(units)))
    interval = scipy.stats.bootstrap(
        (units,),
        statistic,
        n_resamples=resamples,
        method="BCa",
        confidence_level=1 - 2 * outside,
        random_state=np.random.default_rng(3),
    ).confidence_interval
    return float(interval.low), float(interval.high)


def test_the_interval_of_alpha_is_the_bca_interval_of_an_independent_implementation() -> None:
    matrix = random_matrix(11, n_items=60, n_raters=2, n_categories=4)
    ours = krippendorff_alpha(counts_of_matrix(matrix), Scale.ORDINAL, resamples=50_000)

    def alphas(items: IntArray, axis: int) -> FloatArray:
        return np.apply_along_axis(lambda drawn: alpha_of_package(matrix, drawn), axis, items)

    # A bound from 4,000 resamples is itself uncertain by about 2 % of the interval's width.
    low, high = bca_bounds(np.arange(60), alphas, 4_000)
    assert ours.ci_low == pytest.approx(low, abs=0.08 * width(ours))
    assert ours.ci_high == pytest.approx(high, abs=0.08 * width(ours))


def test_a_skewed_figure_gets_the_corrections_of_an_independent_implementation() -> None:
    near_agreement = (
        [[9, 0, 0]] * 3 + [[8, 0, 0]] * 3 + [[8, 1, 0], [7, 1, 0], [6, 1, 0], [6, 0, 1], [5, 1, 0]]
    )
    matrix = np.array([*near_agreement, [3, 2, 2], [4, 3, 1], [2, 2, 2]])
    ours = percent_agreement(counts_of_matrix(matrix), resamples=1_000_000)
    n_labels = matrix.sum(axis=1)
    shares = (np.square(matrix).sum(axis=1) - n_labels) / (n_labels * (n_labels - 1))
    # A bound from 200,000 resamples is uncertain by about 0.15 % of the interval's width.
    low, high = bca_bounds(shares, np.mean, 200_000)
    assert ours.ci_low == pytest.approx(low, abs=0.006 * width(ours))
    assert ours.ci_high == pytest.approx(high, abs=0.006 * width(ours))


@pytest.mark.parametrize("seed", range(5))
def test_the_interval_holds_the_figure_in_ordinary_data(seed: int) -> None:
    matrix = random_matrix(seed, n_items=150, n_raters=4, n_categories=6, share_missing=0.3)
    counts = counts_of_matrix(matrix)
    for estimate in (krippendorff_alpha(counts, Scale.ORDINAL), percent_agreement(counts)):
        assert estimate.status is Status.OK
        assert estimate.value is not None
        assert estimate.ci_low is not None
        assert estimate.ci_high is not None
        assert estimate.ci_low < estimate.value < estimate.ci_high < 1


def test_the_same_seed_gives_the_same_interval() -> None:
    counts = counts_of_matrix(random_matrix(6, n_items=80, n_raters=3, n_categories=4))
    first, again, other = (krippendorff_alpha(counts, Scale.ORDINAL, seed=seed) for seed in (7, 7, 8))
    assert first == again
    assert (first.ci_low, first.ci_high) != (other.ci_low, other.ci_high)


def test_copies_within_a_conversation_add_no_certainty() -> None:
    once = random_matrix(7, n_items=60, n_raters=3, n_categories=5)
    copies = np.repeat(once, 4, axis=0)
    conversations = np.repeat(np.arange(60), 4)
    original = width(krippendorff_alpha(counts_of_matrix(once), Scale.ORDINAL))
    over_items = width(krippendorff_alpha(counts_of_matrix(copies), Scale.ORDINAL))
    by_conversation = krippendorff_alpha(counts_of_matrix(copies, conversations), Scale.ORDINAL)
    assert by_conversation.n_clusters == 60
    assert over_items < 0.6 * original
    assert width(by_conversation) == pytest.approx(original, rel=0.1)


def test_the_order_of_conversations_is_irrelevant_to_the_width() -> None:
    matrix = random_matrix(8, n_items=120, n_raters=3, n_categories=4)
    together, scattered = np.arange(120) // 3, np.tile(np.arange(40), 3)
    order = np.argsort(scattered, kind="stable")
    one = krippendorff_alpha(counts_of_matrix(matrix[order], together), Scale.ORDINAL)
    other = krippendorff_alpha(counts_of_matrix(matrix, scattered), Scale.ORDINAL)
    assert (one.value, one.ci_low, one.ci_high) == (other.value, other.ci_low, other.ci_high)


def rare_class(n_items: int, n_discordant: int) -> IntArray:
    return np.array([[2, 0]] * (n_items - n_discordant) + [[1, 1]] * n_discordant)


def test_a_class_seen_once_gives_a_figure_without_an_interval() -> None:
    estimate = krippendorff_alpha(counts_of_matrix(rare_class(100, 1)), Scale.NOMINAL)
    assert estimate.value == pytest.approx(0, abs=0.01)
    assert (estimate.ci_low, estimate.ci_high) == (None, None)
    # The one item is absent from (1 - 1/100) ** 100 = 36.6 % of resamples.
    assert 300 < estimate.n_resamples_undefined < 430
    assert f"{estimate.n_resamples_undefined} of 1000 resamples" in estimate.reason


def test_a_class_missing_from_more_resamples_than_a_tail_holds_gives_no_interval() -> None:
    estimate = krippendorff_alpha(counts_of_matrix(rare_class(100, 2)), Scale.NOMINAL)
    assert estimate.n_resamples_undefined > 25
    assert (estimate.ci_low, estimate.ci_high) == (None, None)


def test_a_few_resamples_without_variation_are_left_out_and_counted() -> None:
    estimate = krippendorff_alpha(counts_of_matrix(rare_class(100, 5)), Scale.NOMINAL)
    assert 0 < estimate.n_resamples_undefined <= 25
    assert width(estimate) > 0


def test_agreement_without_a_single_disagreement_has_no_interval() -> None:
    counts = counts_of_matrix(np.array([[3, 0], [0, 3]] * 40))
    for estimate in (krippendorff_alpha(counts, Scale.NOMINAL), percent_agreement(counts)):
        assert (estimate.value, estimate.ci_low, estimate.ci_high) == (1, None, None)
        assert estimate.status is Status.OK
        assert "every resample gives the same value" in estimate.reason


def test_a_single_conversation_has_no_interval() -> None:
    matrix = random_matrix(9, n_items=60, n_raters=2, n_categories=3)
    estimate = krippendorff_alpha(counts_of_matrix(matrix, np.zeros(60, dtype=np.int64)), Scale.ORDINAL)
    assert estimate.value is not None
    assert (estimate.ci_low, estimate.n_clusters) == (None, 1)
    assert "one conversation" in estimate.reason


def test_too_few_resamples_are_refused() -> None:
    counts = counts_of_matrix(random_matrix(9, n_items=60, n_raters=2, n_categories=3))
    with pytest.raises(ValueError, match="Ask for at least 100"):
        percent_agreement(counts, resamples=99)


@pytest.mark.parametrize("cluster_size", [1, 4])
def test_working_in_chunks_changes_nothing(cluster_size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    matrix = random_matrix(10, n_items=80, n_raters=3, n_categories=4)
    counts = counts_of_matrix(matrix, np.arange(80) // cluster_size)
    at_once = krippendorff_alpha(counts, Scale.ORDINAL)
    monkeypatch.setattr(bootstrap, "_CELLS_PER_CHUNK", 500)
    in_chunks = krippendorff_alpha(counts, Scale.ORDINAL)
    assert in_chunks.ci_low == pytest.approx(at_once.ci_low, abs=1e-12)
    assert in_chunks.ci_high == pytest.approx(at_once.ci_high, abs=1e-12)


@given(
    rows=st.lists(
        st.lists(st.sampled_from([0, 1, 2, 40_000]), min_size=25, max_size=25), min_size=1, max_size=12
    ),
    picks=st.lists(st.integers(0, 11), max_size=20),
)
def test_patterns_are_the_distinct_rows_however_wide(rows: Sequence[list[int]], picks: list[int]) -> None:
    matrix = np.array([*rows, *(rows[pick % len(rows)] for pick in picks)])
    patterns, multiplicities = distinct_patterns(matrix)
    expected, expected_counts = np.unique(matrix, axis=0, return_counts=True)
    found = dict(zip(map(tuple, patterns.tolist()), multiplicities.tolist(), strict=True))
    assert found == dict(zip(map(tuple, expected.tolist()), expected_counts.tolist(), strict=True))


@pytest.mark.parametrize("n_units", [8, 25, 100, 500])
def test_an_interval_from_few_units_reaches_as_far_as_students_t(n_units: int) -> None:
    expected = scipy.stats.t.isf(TAIL_SHARE, n_units - 1) * np.sqrt(n_units / (n_units - 1))
    assert reach_of_interval(TAIL_SHARE, n_units) == pytest.approx(expected, rel=0.005)


def test_sums_in_the_normal_limit_are_distributed_as_drawn_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    matrix = random_matrix(12, n_items=2000, n_raters=3, n_categories=4)
    units = resampling_units(matrix, np.arange(2000), item_coincidences)
    drawn = drawn_sums(units, resamples=4000, rng=np.random.default_rng(1))
    monkeypatch.setattr(bootstrap, "_UNITS_IN_THE_LIMIT", 0)
    limit = drawn_sums(units, resamples=4000, rng=np.random.default_rng(2))
    spread = drawn.std(axis=0)
    assert limit.mean(axis=0) == pytest.approx(drawn.mean(axis=0), abs=0.1 * float(spread.max()))
    covariance, expected = np.cov(limit.T), np.cov(drawn.T)
    assert np.abs(covariance - expected).max() < 0.1 * float(spread.max()) ** 2


@pytest.mark.parametrize("threshold", [1, 10**9])
def test_heavy_and_light_rows_are_drawn_alike(threshold: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "_UNITS_OF_A_HEAVY_ROW", threshold)
    multiplicities = np.array([40, 1, 7, 30, 2])
    units = bootstrap.ResamplingUnits(np.eye(5), multiplicities)
    drawn = drawn_sums(units, resamples=20_000, rng=np.random.default_rng(3))
    assert (drawn.sum(axis=1) == 80).all()
    shares = multiplicities / 80
    assert drawn.mean(axis=0) == pytest.approx(multiplicities, abs=0.15)
    assert drawn.var(axis=0) == pytest.approx(80 * shares * (1 - shares), rel=0.06)
