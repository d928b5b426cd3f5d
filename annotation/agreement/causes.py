"""What stands between a dimension and its target: causes of disagreement, ranked by the alpha they cost."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import combinations, permutations

import numpy as np

from annotation.agreement.bootstrap import defined_ratio
from annotation.agreement.counts import FloatArray, IntArray
from annotation.agreement.disagreements import DisagreementSums, Material, Measured, Resamples, Tables
from annotation.agreement.distances import Scale
from annotation.agreement.excess import RestOfPairs, gain_of_groups, gain_of_members
from annotation.agreement.pairs import confusions
from annotation.agreement.shortfall import clauses_of_pair
from annotation.agreement.what_if import recounted, swapped

MIN_SWAPPED_LABELS = 5
"""Fewer disagreements in either direction are no habit."""
MIN_RATERS_FOR_A_REST = 3
MIN_RATERS_FOR_A_CAMP = 5
LEAN_STANDARD_ERRORS = 3.0
MIN_SHARE_OF_LEAN = 0.5
"""Two who lean to one side are one cause only if the lesser lean is at least this share of the greater."""


class CauseKind(StrEnum):
    """What the disagreement is put down to."""

    SWAPPED_CODES = "two codes used the wrong way round"
    CONFUSED_CODES = "two codes confused"
    CLINICIAN = "one clinician"
    TWO_CLINICIANS = "two clinicians who lean the same way"
    GROUP = "a group of items"


@dataclass(frozen=True, slots=True)
class Cause:
    """One cause: `gain` is the alpha gained without it, `share` how much of all disagreement it is part of.

    `of` names the rater and codes, the codes, the rater or raters, or the division and its group;
    `headline` says it in words, `words` with the figures.
    """

    kind: CauseKind
    of: tuple[Hashable, ...]
    gain: Measured
    share: float
    clauses: tuple[str, ...]
    headline: str

    @property
    def words(self) -> str:
        bounds = "" if self.gain.ci_low is None else f" ({self.gain.ci_low:.3f} to {self.gain.ci_high:.3f})"
        cited = f"; clause{'s' if len(self.clauses) > 1 else ''} {', '.join(self.clauses)}"
        worth = "unknown" if self.gain.value is None else f"{self.gain.value:.3f}{bounds}"
        share = f"{self.share:.0%}".replace("%", " %")
        return (
            f"{self.headline}: {share} of all disagreement, alpha to be gained "
            f"{worth}{cited if self.clauses else ''}."
        )


@dataclass(frozen=True, slots=True)
class Causes:
    """The causes that cost alpha, the costliest first, or the reason why there are none to be named.

    Those whose interval lies above zero stand before those that could be chance.
    """

    ranked: tuple[Cause, ...]
    reason: str = ""


def causes(material: Material) -> Causes:
    """Rank what the disagreement is due to, by the alpha gained if it fell to the level of the rest.

    The level of the rest is defined in `excess`: other pairs of categories for two codes, the other
    clinicians among themselves for one or two of them, the other items of the division for a group, always
    with the same two categories compared. A disagreement is put down to the narrowest cause that explains
    it. Two codes that one clinician uses the wrong way round are counted the right way first, and their gain
    is that of the recount; the other causes are reckoned from the righted labels. What one or two clinicians
    do to two codes is theirs, not the codes'. The gains of different causes overlap and do not add up.
    """
    if reason := material.refusal:
        return Causes((), reason)
    found, righted = _swaps(material)
    original = _Reckoning(material)
    ranked = [_of_swap(original, swap, gain) for swap, gain in found]
    if not righted.refusal:
        ranked += _Broad(_Reckoning(righted), original).causes()
    ranked.sort(key=lambda cause: (not cause.gain.is_above_zero, -(cause.gain.value or 0)))
    few = len(material.ratings.raters) < MIN_RATERS_FOR_A_REST
    reason = "With two clinicians nobody can say which of them departs from the rest." if few else ""
    return Causes(tuple(cause for cause in ranked if (cause.gain.value or 0) > 0), reason)


Swap = tuple[Hashable, Hashable, Hashable]


def swap_candidates(material: Material) -> list[Swap]:
    """Who says b where others say a, and a where others say b, more often than they say the same.

    Both ways, so that a clinician who merely reads higher is none.
    """
    ratings = material.ratings
    if len(ratings.raters) < MIN_RATERS_FOR_A_REST:
        return []
    found: list[Swap] = []
    for column, rater in enumerate(ratings.raters):
        tables = confusions(ratings, rater)
        table = tables.sum(axis=0) - tables[column]
        agreed = np.diag(table)
        is_wrong = (table > agreed[np.newaxis]) & (table >= MIN_SWAPPED_LABELS)
        for a, b in zip(*np.nonzero(np.triu(is_wrong & is_wrong.T, k=1)), strict=True):
            found.append((rater, ratings.categories[a], ratings.categories[b]))
    return found


def _swaps(material: Material) -> tuple[list[tuple[Swap, Measured]], Material]:
    """The swaps whose righting gains alpha beyond doubt, and the labels with them righted."""
    candidates = swap_candidates(material)
    gains = recounted(material, [swapped(material.ratings, *each) for each in candidates])
    clear = [(each, gain) for each, (_, gain) in zip(candidates, gains, strict=True) if gain.is_above_zero]
    for swap, _ in clear:
        ratings = replace(material.ratings, codes=swapped(material.ratings, *swap))
        material = replace(material, ratings=ratings)
    return clear, material


class _Reckoning:
    """The labels with their sums, resamples and tables, and shares of all their disagreement."""

    def __init__(self, material: Material) -> None:
        self.material = material
        self.sums = DisagreementSums(material)
        self.resamples = Resamples(self.sums.matrix, material, self.sums.contribute)
        self.tables: Tables = self.sums.tables(self.resamples.units.total)
        self.priced: FloatArray = self.tables.observed * self.tables.price
        self.whole = float(self.priced.sum())

    def share(self, raters: Sequence[Hashable], pair: tuple[Hashable, Hashable] | None = None) -> float:
        """The share of all disagreement that any of these raters (or anybody) has part in."""
        sums, ratings = self.sums, self.material.ratings
        columns = [ratings.raters.index(rater) for rater in raters]
        is_theirs = np.isin(sums.first, columns) | np.isin(sums.second, columns) | (not raters)
        priced = self.priced[is_theirs]
        if pair is not None:
            a, b = sorted(ratings.categories.index(code) for code in pair)
            priced = priced[:, (sums.category_first == a) & (sums.category_second == b)]
        return float(priced.sum()) / self.whole if self.whole else 0.0

    def share_of_group(self, index: int) -> float:
        """The share of all disagreement that lies on the items of one group."""
        part = float((self.tables.observed_in_group[index] * self.tables.price).sum())
        return part / self.whole if self.whole else 0.0


def _of_swap(original: _Reckoning, swap: Swap, gain: Measured) -> Cause:
    rater, *codes = swap
    pair = (codes[0], codes[1])
    share, clauses = original.share([rater], pair), clauses_of_pair(original.material, pair)
    headline = f"{rater} uses {_codes(original.material, pair)} the wrong way round"
    return Cause(CauseKind.SWAPPED_CODES, swap, gain, share, clauses, headline)


class _Broad:
    """The causes that are not a swap, from righted labels; shares are of the labels as they were given."""

    def __init__(self, righted: _Reckoning, original: _Reckoning) -> None:
        self.righted, self.original = righted, original
        self.material, self.sums = righted.material, righted.sums
        self.rest = RestOfPairs(righted.sums)
        self.bias = _biases(righted)
        self.camps = self._camps()
        n_pairs, cells = len(self.sums.category_first), np.unique(self.sums.used % self.sums.n_cells)
        self.used: IntArray = cells[cells < n_pairs]

    def causes(self) -> list[Cause]:
        """Every broad cause with its gain."""
        gains = iter(self.righted.resamples.measured(self.sums.of(self._gains)))
        categories = self.material.ratings.categories
        found = []
        for index in self.used:
            pair = categories[self.sums.category_first[index]], categories[self.sums.category_second[index]]
            found.append(self._of_codes(pair, next(gains)))
        for members in self._sets():
            found.append(self._of_raters(members, next(gains)))
        for index, (division, group) in enumerate(self.sums.groups):
            gain, share = next(gains), self.original.share_of_group(index)
            headline = (
                f"{division.capitalize()} {group}: the same answers are confused more often than elsewhere"
            )
            found.append(Cause(CauseKind.GROUP, (division, group), gain, share, (), headline))
        return found

    def _gains(self, tables: Tables) -> FloatArray:
        parts = [self.rest.gains(tables)[..., self.used]]
        if sets := self._sets():
            masks = np.stack([self._touched(members) for members in sets], axis=1)
            parts.append(gain_of_members(tables, masks))
        parts += [gain_of_groups(tables, division) for division in self._divisions()]
        return np.concatenate(parts, axis=-1)

    def _sets(self) -> list[tuple[int, ...]]:
        if self.sums.n_raters < MIN_RATERS_FOR_A_REST:
            return []
        return [(rater,) for rater in range(self.sums.n_raters)] + self.camps

    def _touched(self, members: tuple[int, ...]) -> FloatArray:
        touched: FloatArray = (np.isin(self.sums.first, members) | np.isin(self.sums.second, members)).astype(
            np.float64
        )
        return touched

    def _divisions(self) -> list[slice]:
        names = [name for name, _ in self.sums.groups]
        return [
            slice(names.index(name), names.index(name) + names.count(name)) for name in dict.fromkeys(names)
        ]

    def _camps(self) -> list[tuple[int, ...]]:
        """Two who both lie above, or both below, the rest by about as much, each beyond doubt."""
        n_raters = self.sums.n_raters
        if n_raters < MIN_RATERS_FOR_A_CAMP or self.material.scale is Scale.NOMINAL:
            return []
        ordered = list(permutations(range(n_raters), 2))

        def reckon(tables: Tables) -> FloatArray:
            return np.stack([self._lean(tables, one, other) for one, other in ordered], axis=-1)

        leans = self.righted.resamples.values(self.sums.of(reckon))
        errors = self.righted.resamples.errors(self.sums.of(reckon))
        of, error = dict(zip(ordered, leans, strict=True)), dict(zip(ordered, errors, strict=True))
        return [
            (one, other)
            for one, other in combinations(range(n_raters), 2)
            if of[one, other] * of[other, one] > 0
            and abs(of[one, other]) > LEAN_STANDARD_ERRORS * error[one, other]
            and abs(of[other, one]) > LEAN_STANDARD_ERRORS * error[other, one]
            and min(abs(of[one, other]), abs(of[other, one]))
            >= MIN_SHARE_OF_LEAN * max(abs(of[one, other]), abs(of[other, one]))
        ]

    def _lean(self, tables: Tables, one: int, without: int) -> FloatArray:
        """How many places one rater lies above the others but for one of them."""
        sums = self.sums
        is_counted = (sums.first != without) & (sums.second != without)
        sign = np.where(sums.first == one, 1.0, np.where(sums.second == one, -1.0, 0.0)) * is_counted
        return np.nan_to_num(defined_ratio(tables.lean @ sign, tables.n_common @ np.abs(sign)))

    def _of_codes(self, pair: tuple[Hashable, Hashable], gain: Measured) -> Cause:
        share, clauses = self.original.share([], pair), clauses_of_pair(self.material, pair)
        headline = f"{_codes(self.material, pair, starts=True)} are confused"
        return Cause(CauseKind.CONFUSED_CODES, pair, gain, share, clauses, headline)

    def _of_raters(self, members: tuple[int, ...], gain: Measured) -> Cause:
        raters = tuple(self.material.ratings.raters[member] for member in members)
        share = self.original.share(raters)
        lean = ""
        if self.material.scale is not Scale.NOMINAL:
            lean = f" (signed bias {' and '.join(f'{self.bias[member]:+.2f}' for member in members)})"
        if len(members) == 1:
            headline = f"{raters[0]} differs from the others more than they do among themselves{lean}"
            return Cause(CauseKind.CLINICIAN, raters, gain, share, (), headline)
        where = "above" if self.bias[members[0]] > 0 else "below"
        headline = f"{raters[0]} and {raters[1]} both lie {where} the others{lean}"
        return Cause(CauseKind.TWO_CLINICIANS, raters, gain, share, (), headline)


def _biases(reckoning: _Reckoning) -> FloatArray:
    """How many places each rater lies above the mean of the others."""
    sums, every = reckoning.sums, np.arange(reckoning.sums.n_raters)
    sign = (sums.first[:, np.newaxis] == every) * 1.0 - (sums.second[:, np.newaxis] == every)
    tables = reckoning.tables
    return np.nan_to_num(defined_ratio(tables.lean @ sign, tables.n_common @ np.abs(sign)))


def _codes(material: Material, pair: tuple[Hashable, Hashable], *, starts: bool = False) -> str:
    noun = "codes" if material.scale is Scale.NOMINAL else "levels"
    return f"{noun.capitalize() if starts else noun} {material.in_words(pair)}"
