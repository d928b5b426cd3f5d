"""How much disagreement there is beyond the level of the rest, in alpha that would be gained without it."""

from __future__ import annotations

import numpy as np

from annotation.agreement.counts import BoolArray, FloatArray, IntArray
from annotation.agreement.disagreements import DisagreementSums, Tables
from annotation.agreement.distances import Scale
from annotation.agreement.shortfall import members


def above_the_rest(
    observed: FloatArray, exposed: FloatArray, rest: FloatArray, rest_exposed: FloatArray, price: FloatArray
) -> FloatArray:
    """The alpha gained if some disagreement fell to the level of the rest, [...].

    The level is taken for each two categories on its own: disagreements of the rest per pair of labels that
    could be confused, [..., category pair]. What confuses rare codes is thus not blamed on who met more of
    them (direct standardisation). The expected disagreement is held. Where the rest says nothing of two
    categories, nothing is gained on them.
    """
    own = _rate(observed, exposed, np.zeros_like(observed))
    level = _rate(rest, rest_exposed, own)
    gain: FloatArray = ((observed - level * exposed) * price).sum(axis=-1)
    return gain


def gain_of_members(tables: Tables, sets: FloatArray) -> FloatArray:
    """The gain of sets of pairs of raters, sets[pair of raters, set], against all other pairs, [..., set]."""
    total, total_exposed = (
        each.sum(axis=-2)[..., np.newaxis, :] for each in (tables.observed, tables.exposed)
    )
    inside, inside_exposed = (_summed(each, sets) for each in (tables.observed, tables.exposed))
    rest, rest_exposed = total - inside, total_exposed - inside_exposed
    return above_the_rest(inside, inside_exposed, rest, rest_exposed, tables.price[..., np.newaxis, :])


def gain_of_groups(tables: Tables, division: slice) -> FloatArray:
    """The gain of each group of one division of the items against its other groups, [..., group]."""
    inside = tables.observed_in_group[..., division, :]
    exposed = tables.exposed_in_group[..., division, :]
    rest = inside.sum(axis=-2, keepdims=True) - inside
    rest_exposed = exposed.sum(axis=-2, keepdims=True) - exposed
    return above_the_rest(inside, exposed, rest, rest_exposed, tables.price[..., np.newaxis, :])


class RestOfPairs:
    """The gain of two categories against the others, as far as clinicians in general confuse them.

    The level of the rest is that of the other pairs of categories as many steps apart (any two codes of a
    nominal scale are one step apart), or of all others where there is none. What one or two clinicians do to
    a pair of categories must not pass for a fault of the categories: the rate of a pair is that among the
    clinicians without those who confuse it most, up to a minority (a trimmed rate), applied to all.

    On an ordered scale levels two steps apart differ also where a neighbour is confused: who cannot tell 1
    from 2 turns part of the 0-1 disagreements into 0-2. Two labels within {b, c} differ at the rate
    r = 2q(1 - q) if each is written as the other with probability q, so q of the disagreements of a with b
    or c read as a-c. They are no excess of the pair a-c; what they cost beyond a-b is the pair b-c's.
    """

    def __init__(self, sums: DisagreementSums) -> None:
        steps = sums.category_second - sums.category_first
        if sums.scale is Scale.NOMINAL:
            steps = np.ones_like(steps)
        is_other = ~np.eye(len(steps), dtype=bool)
        is_same = (steps[:, np.newaxis] == steps) & is_other
        self.rest: BoolArray = np.where(is_same.any(axis=1)[:, np.newaxis], is_same, is_other)
        self.first, self.second = sums.first, sums.second
        self.members = members(sums.n_raters, sums.first, sums.second)
        self.n_set_aside = (sums.n_raters - 1) // 2
        self.chains = [] if sums.scale is Scale.NOMINAL else _chains(sums)

    def gains(self, tables: Tables) -> FloatArray:
        """The gain of each pair of categories, [..., category pair]."""
        exposed = tables.exposed
        is_kept = self._kept(tables.observed, exposed)
        kept, kept_exposed = (np.where(is_kept, each, 0).sum(axis=-2) for each in (tables.observed, exposed))
        observed, all_exposed = tables.observed.sum(axis=-2), exposed.sum(axis=-2)
        among_kept = _rate(kept, kept_exposed, np.zeros_like(kept))
        rest = self.rest.astype(np.float64).T
        level = _rate(kept @ rest, kept_exposed @ rest, among_kept)
        mistaken = _mistaken(_rate(observed, all_exposed, np.zeros_like(observed)))
        handed_on, cost = np.zeros_like(observed), np.zeros_like(observed)
        for wide, narrow, neighbour in self.chains:
            reached = observed[..., narrow] + observed[..., wide]
            share = mistaken[..., neighbour] * reached
            handed_on[..., wide] = np.maximum(handed_on[..., wide], share)
            beyond = np.maximum(mistaken - _mistaken(level), 0)[..., neighbour] * reached
            dearer = np.maximum(tables.price[..., wide] - tables.price[..., narrow], 0)
            cost += (np.minimum(beyond, observed[..., wide]) * dearer) @ np.eye(cost.shape[-1])[neighbour]
        normal = np.maximum(level * all_exposed, handed_on)
        gain: FloatArray = (np.minimum(among_kept * all_exposed, observed) - normal) * tables.price + cost
        return gain

    def gain_of_set(self, tables: Tables, chosen: BoolArray) -> FloatArray:
        """The gain of a set of category pairs against those outside it, whoever confuses them, [...].

        NaN where every other pair as many steps apart belongs to the set too. A pair that is confused less
        than the rest stays as it is.
        """
        rest = (self.rest & ~chosen[np.newaxis]).astype(np.float64)[chosen]
        observed, exposed = tables.observed.sum(axis=-2), tables.exposed.sum(axis=-2)
        undefined = np.full((*observed.shape[:-1], len(rest)), np.nan)
        level = _rate(observed @ rest.T, exposed @ rest.T, undefined)
        excess = observed[..., chosen] - level * exposed[..., chosen]
        gain: FloatArray = (np.maximum(excess, 0) * tables.price[..., chosen]).sum(axis=-1)
        return gain

    def _kept(self, observed: FloatArray, exposed: FloatArray) -> BoolArray:
        """Which pairs of raters speak for a pair of categories: those without whoever confuses it most."""
        rates = _rate(_summed(observed, self.members), _summed(exposed, self.members), None)
        most_first = np.argsort(-rates, axis=-2, kind="stable")
        rank: IntArray = np.argsort(most_first, axis=-2, kind="stable")
        is_kept = rank >= self.n_set_aside
        both: BoolArray = is_kept[..., self.first, :] & is_kept[..., self.second, :]
        return both


def _mistaken(rate: FloatArray) -> FloatArray:
    """How often a label is written as its neighbour, from how often two labels of the two differ."""
    mistaken: FloatArray = (1 - np.sqrt(1 - 2 * np.clip(rate, 0, 0.5))) / 2
    return mistaken


def _chains(sums: DisagreementSums) -> list[tuple[IntArray, IntArray, IntArray]]:
    """Places of each pair (a, c) two steps or more apart with (a, b) and (b, c), b next to c or next to a."""
    first, second = sums.category_first, sums.category_second
    place = np.zeros((sums.n_categories, sums.n_categories), dtype=np.int64)
    place[first, second] = np.arange(len(first))
    wide = np.flatnonzero(second - first >= 2)
    a, c = first[wide], second[wide]
    return [(wide, place[a, c - 1], place[c - 1, c]), (wide, place[a + 1, c], place[a, a + 1])]


def _summed(values: FloatArray, sets: FloatArray) -> FloatArray:
    """values[..., pair of raters, category pair] summed over sets of pairs, [..., set, category pair]."""
    total: FloatArray = sets.T @ values
    return total


def _rate(observed: FloatArray, exposed: FloatArray, otherwise: FloatArray | None) -> FloatArray:
    out = np.full(np.broadcast_shapes(observed.shape, exposed.shape), -1.0)
    if otherwise is not None:
        out[...] = otherwise
    rate: FloatArray = np.divide(observed, exposed, out=out, where=exposed > 1e-9)
    return rate
