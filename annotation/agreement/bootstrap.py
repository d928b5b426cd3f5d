"""Bootstrap intervals over items, or over whole conversations, for statistics of additive sums.

Items are resampled whole and the statistic is computed anew each time. The algorithm distributed with
Hayes and Krippendorff (2007), Answering the call for a standard reliability measure for coding data, draws
single coincidences and keeps the expected disagreement fixed; but the pairs of one item are not independent,
and an interval that takes them so is too narrow.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from statistics import NormalDist

import numpy as np

from annotation.agreement.counts import NO_LABEL, FloatArray, IntArray
from annotation.agreement.patterns import distinct_rows, kinds_of_rows

TAIL_SHARE = 0.025
"""What a 95 % interval leaves out on each side."""
MIN_RESAMPLES = 100
ROUNDING = 1e-12
_CELLS_PER_CHUNK = 2**21
_DRAWS_PER_BLOCK = 2**17
_ROWS_WORTH_A_BLOCK = 32
_UNITS_OF_A_HEAVY_ROW = 24
_UNITS_IN_THE_LIMIT = 2**15

Contribute = Callable[[IntArray], FloatArray]
"""From the rows of a matrix to the sums' share of each, [row, sum]."""
Evaluate = Callable[[FloatArray], FloatArray]
"""From sums[..., sum] to one statistic [...] or several [..., value], NaN where one is undefined."""


@dataclass(frozen=True, slots=True)
class Interval:
    """An interval, or the reason why there is none; `n_undefined` resamples had no value."""

    low: float | None
    high: float | None
    n_undefined: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ResamplingUnits:
    """What is drawn: distinct rows of sums, and how many items or conversations have each.

    Rows of one kind tend to have their zeros in the same columns: it makes products faster, no more.
    """

    sums: FloatArray
    multiplicities: IntArray
    kinds: IntArray | None = None

    @property
    def n_units(self) -> int:
        return int(self.multiplicities.sum())

    @property
    def total(self) -> FloatArray:
        """The sums over everything, from which the point estimate follows."""
        return self.multiplicities @ self.sums


def resampling_units(
    matrix: IntArray, clusters: IntArray, contribute: Contribute, weights: FloatArray | None = None
) -> ResamplingUnits:
    """Items collapsed to the distinct rows of their matrix; whole clusters where items share one.

    `weights[item]` multiply an item's sums: with inverse inclusion probabilities the sums are those of the
    population from which the items were drawn (Horvitz and Thompson 1952).
    """
    order = np.argsort(clusters, kind="stable")
    starts = np.flatnonzero(np.diff(clusters[order], prepend=-1))
    if len(starts) == len(matrix):
        rows, multiplicities = distinct_rows(matrix, weights)
        sums = contribute(matrix[rows])
        if weights is not None:
            sums *= weights[rows, np.newaxis]
        return ResamplingUnits(sums, multiplicities, kinds_of_rows(matrix[rows] == NO_LABEL))
    sums = contribute(matrix[order])
    if weights is not None:
        sums = sums * weights[order, np.newaxis]
    sums = np.add.reduceat(sums, starts, axis=0)
    return ResamplingUnits(sums, np.ones(len(starts), dtype=np.int64))


def bca_intervals(
    units: ResamplingUnits,
    evaluate: Evaluate,
    estimate: FloatArray,
    drawn: FloatArray,
    tail: float = TAIL_SHARE,
) -> list[Interval]:
    """The BCa interval (Efron 1987) of each value that `evaluate` gives, from the sums of each resample.

    `estimate` are the values themselves; `tail` is what the interval leaves out on each side; from few units
    it is widened by `reach_of_interval`. Resamples without a value (no variation) are left out and counted;
    when they are more than one tail of the interval, or when no resample differs from the others, there is
    no interval but a reason.
    """
    if units.n_units < 2:
        reason = "No interval: all labels come from one item or one conversation."
        return [Interval(None, None, reason=reason)] * len(estimate)
    values = np.sort(_columns(evaluate(drawn), len(drawn)), axis=0)  # NaN last
    n_defined = np.count_nonzero(~np.isnan(values), axis=0)
    left_out = _leave_one_out_values(units, evaluate)
    is_lost = (len(drawn) - n_defined > tail * len(drawn)) | np.isnan(left_out).any(axis=0)
    reach = reach_of_interval(tail, units.n_units)
    levels = _bca_levels(values, n_defined, estimate, left_out, units.multiplicities, reach)
    lows, highs = (_quantiles(values, n_defined, level) for level in levels)
    spread = np.where(n_defined > 0, values[np.maximum(n_defined - 1, 0), np.arange(len(estimate))], 0)
    return [
        _interval(lows[i], highs[i], len(drawn), n_defined[i], spread[i] - values[0, i], is_lost[i])
        for i in range(len(estimate))
    ]


def reach_of_interval(tail: float, n_units: int) -> float:
    """How many standard errors an interval goes to each side so that it is wide enough for few units.

    Hesterberg (2015), What teachers should know about the bootstrap: a resample varies too little by
    (n - 1) / n, and the quantile belongs to Student's t, here by Abramowitz and Stegun (1964), 26.7.5.
    """
    z, freedom = -NormalDist().inv_cdf(tail), n_units - 1
    t = z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
    return float(t * (n_units / freedom) ** 0.5)


def resampled_values(
    units: ResamplingUnits, evaluate: Evaluate, *, resamples: int, rng: np.random.Generator
) -> FloatArray:
    """The statistic of each resample, NaN where it is undefined."""
    return evaluate(drawn_sums(units, resamples=resamples, rng=rng))


def drawn_sums(units: ResamplingUnits, *, resamples: int, rng: np.random.Generator) -> FloatArray:
    """The sums of each resample, [resample, sum], when as many units are drawn as there are.

    Every statistic of the same items can be evaluated on the same draws. Raises ValueError for fewer than
    MIN_RESAMPLES resamples.
    """
    if resamples < MIN_RESAMPLES:
        raise ValueError(
            f"{resamples} resamples are too few for an interval. Ask for at least {MIN_RESAMPLES}."
        )
    # Rows that many units share are drawn by one binomial each; the others by one draw per unit.
    by_weight = np.argsort(-units.multiplicities, kind="stable")
    n_heavy = int(np.count_nonzero(units.multiplicities >= _UNITS_OF_A_HEAVY_ROW))
    multiplicities = units.multiplicities[by_weight]
    if int(multiplicities[n_heavy:].sum()) + n_heavy > _UNITS_IN_THE_LIMIT:
        return _sums_in_the_limit(units, resamples, rng)
    shares = np.append(multiplicities[:n_heavy], multiplicities[n_heavy:].sum()) / units.n_units
    heavy = rng.multinomial(units.n_units, shares, size=resamples)
    rows_of, blocks = _blocks(units)
    place = np.argsort(rows_of)[by_weight]
    row_of_unit = np.repeat(place[n_heavy:], multiplicities[n_heavy:])
    chunk = max(1, _CELLS_PER_CHUNK // len(multiplicities))
    drawn = np.zeros((units.sums.shape[1], resamples))
    for start in range(0, resamples, chunk):
        weights = _weights_of_rows(heavy[start : start + chunk], place[:n_heavy], row_of_unit, rng)
        for rows, columns, sums, which in blocks:
            drawn[columns, start : start + chunk] += (sums.T @ weights[:, rows].T)[which]
    return drawn.T


_Block = tuple[slice, IntArray, FloatArray, list[int]]


def _blocks(units: ResamplingUnits) -> tuple[IntArray, list[_Block]]:
    """The rows in an order that brings those of one kind together, and what their products need.

    Each block is a slice of the rows so ordered, the columns that are not zero there, the distinct ones among
    these, and which of the distinct each is.
    """
    kinds = np.zeros(len(units.sums), dtype=np.int64) if units.kinds is None else units.kinds
    n_alike = np.bincount(kinds)
    kinds = np.where(n_alike[kinds] < _ROWS_WORTH_A_BLOCK, len(n_alike), kinds)
    order = np.argsort(kinds, kind="stable")
    starts = np.flatnonzero(np.diff(kinds[order], prepend=-1))
    blocks = []
    for start, stop in pairwise([*starts.tolist(), len(kinds)]):
        sums = units.sums[order[start:stop]]
        columns = np.flatnonzero(sums.any(axis=0))
        seen: dict[bytes, int] = {}
        which = [seen.setdefault(sums[:, column].tobytes(), len(seen)) for column in columns]
        distinct = columns[np.unique(which, return_index=True)[1]]
        blocks.append((slice(start, stop), columns, sums[:, distinct], which))
    return order, blocks


def _weights_of_rows(
    heavy: IntArray, place: IntArray, row_of_unit: IntArray, rng: np.random.Generator
) -> FloatArray:
    """How often each row is drawn, [resample, row].

    `heavy` says it of the heavy rows, which stand at `place`, and in its last column how many units fall on
    the light ones; `row_of_unit` is the row of each of their units.
    """
    n_units, n_rows = len(row_of_unit), max(place.max(initial=-1), row_of_unit.max(initial=-1)) + 1
    weights = np.empty((len(heavy), n_rows))
    block = max(1, _DRAWS_PER_BLOCK // max(n_units, 1))
    for start in range(0, len(heavy), block):
        n_drawn = heavy[start : start + block, -1]
        drawn = row_of_unit[rng.integers(max(n_units, 1), size=int(n_drawn.sum()))]
        drawn += np.repeat(np.arange(len(n_drawn)) * n_rows, n_drawn)
        on_light = np.bincount(drawn, minlength=len(n_drawn) * n_rows)
        weights[start : start + block] = on_light.reshape(len(n_drawn), n_rows)
    weights[:, place] = heavy[:, :-1]
    return weights


def _sums_in_the_limit(units: ResamplingUnits, resamples: int, rng: np.random.Generator) -> FloatArray:
    """Sums over so many units that their resamples follow the normal distribution of the same moments."""
    total = units.total
    centred = units.sums - total / units.n_units
    variances, axes = np.linalg.eigh((centred * units.multiplicities[:, np.newaxis]).T @ centred)
    steps = rng.standard_normal((resamples, len(total))) * np.sqrt(np.maximum(variances, 0))
    drawn: FloatArray = total + steps @ axes.T
    return drawn


def _columns(values: FloatArray, n_rows: int) -> FloatArray:
    """One column per statistic, also where there is a single one."""
    return values.reshape(n_rows, -1)


def _leave_one_out_values(units: ResamplingUnits, evaluate: Evaluate) -> FloatArray:
    total, chunk = units.total, max(1, 2**22 // units.sums.shape[1])
    parts = (units.sums[start : start + chunk] for start in range(0, len(units.sums), chunk))
    return np.concatenate([_columns(evaluate(total - part), len(part)) for part in parts])


def _bca_levels(
    values: FloatArray,
    n_defined: IntArray,
    estimate: FloatArray,
    left_out: FloatArray,
    multiplicities: IntArray,
    reach: float,
) -> tuple[FloatArray, FloatArray]:
    """The two quantile levels of each statistic, corrected for bias and acceleration.

    Efron (1987), Better bootstrap confidence intervals; the acceleration by leaving out each unit once.
    """
    # Few patterns make many resamples equal the estimate but for rounding; a tie counts half.
    n_below = np.count_nonzero(values < estimate - ROUNDING, axis=0)
    n_tied = np.count_nonzero(np.abs(values - estimate) <= ROUNDING, axis=0)
    half_a_resample = 0.5 / np.maximum(n_defined, 1)
    share_below = (n_below + n_tied / 2) / np.maximum(n_defined, 1)
    share_below = np.clip(share_below, half_a_resample, 1 - half_a_resample)
    influence = multiplicities @ left_out / multiplicities.sum() - left_out
    squares = influence * influence
    spread, cubes = multiplicities @ squares, multiplicities @ (squares * influence)
    skew = np.divide(cubes, 6 * spread**1.5, out=np.zeros_like(spread), where=spread > 0)
    normal = NormalDist()

    def level(share: float, acceleration: float, at: float) -> float:
        bias = normal.inv_cdf(share)
        shifted = bias + at
        return normal.cdf(bias + shifted / max(1 - acceleration * shifted, ROUNDING))

    pairs = list(zip(share_below.tolist(), np.nan_to_num(skew).tolist(), strict=True))
    low = np.array([level(share, acceleration, -reach) for share, acceleration in pairs])
    high = np.array([level(share, acceleration, reach) for share, acceleration in pairs])
    return low, high


def _quantiles(values: FloatArray, n_defined: IntArray, levels: FloatArray) -> FloatArray:
    """The quantile of each sorted column at its own level, by linear interpolation."""
    places = levels * np.maximum(n_defined - 1, 0)
    below = np.floor(places).astype(np.int64)
    above = np.minimum(below + 1, np.maximum(n_defined - 1, 0))
    columns = np.arange(values.shape[1])
    low, high = values[below, columns], values[above, columns]
    quantiles: FloatArray = low + (high - low) * (places - below)
    return quantiles


def _interval(
    low: float, high: float, n_resamples: int, n_defined: int, spread: float, is_lost: bool
) -> Interval:
    n_undefined = n_resamples - int(n_defined)
    if is_lost:
        reason = f"No interval: {n_undefined} of {n_resamples} resamples had no value."
        return Interval(None, None, n_undefined, reason)
    if spread < ROUNDING:
        return Interval(None, None, reason="No interval: every resample gives the same value.")
    return Interval(float(low), float(high), n_undefined)


def defined_ratio(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """The ratio, NaN where the denominator is zero but for rounding."""
    undefined = np.full(np.broadcast_shapes(numerator.shape, denominator.shape), np.nan)
    ratio: FloatArray = np.divide(numerator, denominator, out=undefined, where=denominator > ROUNDING)
    return ratio
