"""Bootstrap intervals over items, or over whole conversations, for statistics of additive sums.

Items are resampled whole and the statistic is computed anew each time. The algorithm distributed with
Hayes and Krippendorff (2007), Answering the call for a standard reliability measure for coding data, draws
single coincidences and keeps the expected disagreement fixed; but the pairs of one item are not independent,
and an interval that takes them so is too narrow.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from annotation.agreement.counts import FloatArray, IntArray

TAIL_SHARE = 0.025
"""What a 95 % interval leaves out on each side."""
MIN_RESAMPLES = 100
_ROUNDING = 1e-12
_CELLS_PER_CHUNK = 2**22
_UNITS_PER_ROW_FOR_MULTINOMIAL = 12

Contribute = Callable[[IntArray], FloatArray]
"""From counts[item, category] to the sums' share of each item, [item, sum]."""
Evaluate = Callable[[FloatArray], FloatArray]
"""From sums[..., sum] to the statistic [...], NaN where it is undefined."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A 95 % interval, or the reason why there is none; `n_undefined` resamples had no value."""

    low: float | None
    high: float | None
    n_undefined: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ResamplingUnits:
    """What is drawn: distinct rows of sums, and how many items or conversations have each."""

    sums: FloatArray
    multiplicities: IntArray

    @property
    def n_units(self) -> int:
        return int(self.multiplicities.sum())

    @property
    def total(self) -> FloatArray:
        """The sums over everything, from which the point estimate follows."""
        return self.multiplicities @ self.sums


def distinct_patterns(matrix: IntArray) -> tuple[IntArray, IntArray]:
    """The distinct rows of a count matrix and how often each occurs.

    Rows are compared by one integer each (mixed radix), compacted whenever the next digit would not fit.
    """
    codes = np.zeros(len(matrix), dtype=np.int64)
    n_codes = 1
    for digits in matrix.T:
        radix = int(digits.max(initial=0)) + 1
        if n_codes * radix > np.iinfo(np.int64).max:
            seen, codes = np.unique(codes, return_inverse=True)
            n_codes = len(seen)
        codes = codes * radix + digits
        n_codes *= radix
    _, rows, multiplicities = np.unique(codes, return_index=True, return_counts=True)
    return matrix[rows], multiplicities.astype(np.int64)


def resampling_units(matrix: IntArray, clusters: IntArray, contribute: Contribute) -> ResamplingUnits:
    """Items collapsed to their distinct count patterns; whole clusters where items share one."""
    order = np.argsort(clusters, kind="stable")
    starts = np.flatnonzero(np.diff(clusters[order], prepend=-1))
    if len(starts) == len(matrix):
        patterns, multiplicities = distinct_patterns(matrix)
        return ResamplingUnits(contribute(patterns), multiplicities)
    sums = np.add.reduceat(contribute(matrix[order]), starts, axis=0)
    return ResamplingUnits(sums, np.ones(len(starts), dtype=np.int64))


def bootstrap_interval(
    units: ResamplingUnits, evaluate: Evaluate, *, resamples: int, rng: np.random.Generator
) -> Interval:
    """The 95 % BCa interval (Efron 1987) of a statistic of additive sums.

    Resamples without a value (no variation) are left out and counted; when they are more than one tail of the
    interval, or when no resample differs from the others, there is no interval but a reason.
    Raises ValueError for fewer than MIN_RESAMPLES resamples.
    """
    if resamples < MIN_RESAMPLES:
        raise ValueError(
            f"{resamples} resamples are too few for an interval. Ask for at least {MIN_RESAMPLES}."
        )
    if units.n_units < 2:
        return Interval(None, None, reason="No interval: all labels come from one item or one conversation.")
    drawn = resampled_values(units, evaluate, resamples=resamples, rng=rng)
    values = drawn[~np.isnan(drawn)]
    n_undefined = resamples - len(values)
    left_out = _leave_one_out_values(units, evaluate)
    if n_undefined > TAIL_SHARE * resamples or np.isnan(left_out).any():
        reason = f"No interval: {n_undefined} of {resamples} resamples had labels of one category only."
        return Interval(None, None, n_undefined, reason)
    if np.ptp(values) < _ROUNDING:
        return Interval(None, None, reason="No interval: every resample gives the same value.")
    estimate = float(evaluate(units.total))
    low, high = np.quantile(values, _bca_levels(values, estimate, left_out, units.multiplicities))
    return Interval(float(low), float(high), n_undefined)


def resampled_values(
    units: ResamplingUnits, evaluate: Evaluate, *, resamples: int, rng: np.random.Generator
) -> FloatArray:
    """The statistic of each resample, NaN where it is undefined."""
    cells = min(units.n_units, _UNITS_PER_ROW_FOR_MULTINOMIAL * len(units.multiplicities))
    chunk = max(1, _CELLS_PER_CHUNK // cells)
    return np.concatenate(
        [
            evaluate(_draw_weights(units.multiplicities, min(chunk, resamples - start), rng) @ units.sums)
            for start in range(0, resamples, chunk)
        ]
    )


def _draw_weights(multiplicities: IntArray, resamples: int, rng: np.random.Generator) -> FloatArray:
    """How often each row is drawn, [resample, row], when as many units are drawn as there are."""
    n_units, n_rows = int(multiplicities.sum()), len(multiplicities)
    if n_units >= _UNITS_PER_ROW_FOR_MULTINOMIAL * n_rows:
        return rng.multinomial(n_units, multiplicities / n_units, size=resamples).astype(np.float64)
    # One draw per unit is quicker than one binomial per row where few units share a row.
    row_of_unit = np.repeat(np.arange(n_rows), multiplicities)
    drawn = row_of_unit[rng.integers(n_units, size=(resamples, n_units))]
    drawn += np.arange(resamples)[:, np.newaxis] * n_rows
    weights = np.bincount(drawn.ravel(), minlength=resamples * n_rows)
    return weights.reshape(resamples, n_rows).astype(np.float64)


def _leave_one_out_values(units: ResamplingUnits, evaluate: Evaluate) -> FloatArray:
    total, chunk = units.total, max(1, _CELLS_PER_CHUNK // units.sums.shape[1])
    return np.concatenate(
        [evaluate(total - units.sums[start : start + chunk]) for start in range(0, len(units.sums), chunk)]
    )


def _bca_levels(
    values: FloatArray, estimate: float, left_out: FloatArray, multiplicities: IntArray
) -> tuple[float, float]:
    """The two quantile levels, corrected for bias and acceleration.

    Efron (1987), Better bootstrap confidence intervals; the acceleration by leaving out each unit once.
    """
    normal = NormalDist()
    # Few patterns make many resamples equal the estimate but for rounding; a tie counts half.
    is_tie = np.abs(values - estimate) < _ROUNDING
    share_below = float(np.mean((values < estimate) & ~is_tie) + np.mean(is_tie) / 2)
    half_a_resample = 0.5 / len(values)
    bias = normal.inv_cdf(min(max(share_below, half_a_resample), 1 - half_a_resample))
    influence = np.average(left_out, weights=multiplicities) - left_out
    spread = float(multiplicities @ influence**2)
    acceleration = float(multiplicities @ influence**3) / (6 * spread**1.5) if spread > 0 else 0.0

    def level(tail: float) -> float:
        shifted = bias + normal.inv_cdf(tail)
        return normal.cdf(bias + shifted / (1 - acceleration * shifted))

    return level(TAIL_SHARE), level(1 - TAIL_SHARE)
