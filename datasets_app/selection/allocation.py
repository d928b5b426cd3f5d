"""How many picks each stratum gets: by the square root of its size, above floors, below what there is."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from datasets_app.compile.kernel import Integers

HALVINGS = 100


@dataclass(frozen=True, slots=True)
class Floors:
    """The fewest picks wanted of every category, and of what is estimated severe."""

    category: int
    severe: int


@dataclass(frozen=True, slots=True)
class Kinds:
    """An entry per stratum: its category, whether that is a crisis, and whether the stratum is severe."""

    categories: Integers
    is_crisis: NDArray[np.bool_]
    is_severe: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Allocation:
    """Picks per stratum: by size alone, with the categories' floor, and with the floor of the severe too."""

    by_size: Integers
    with_categories: Integers
    picks: Integers
    category_floor: int  # what was wanted of every crisis category, or as much of it as there is room for
    topic_floor: int  # the same of every other category, out of the room that is left


def allocate(sizes: Integers, strata: Kinds, floors: Floors, total: int) -> Allocation:
    """Divide `total` picks, or all there is if that is fewer, over strata.

    The floors of the crisis categories go first, then that of the severe, and then those of the topics that
    sources name, of which there may be any number.
    """
    total = min(total, int(sizes.sum()))
    roots = np.sqrt(sizes)
    nothing = np.zeros_like(sizes)
    by_size = spread(total, roots, nothing, sizes)
    of_crisis = np.unique(strata.categories[strata.is_crisis])
    topics = np.unique(strata.categories[~strata.is_crisis])
    least, category_floor = _lifted(nothing, sizes, strata, of_crisis, floors.category, total)
    is_severe = strata.is_severe
    room = total - int(least.sum())
    severe = min(floors.severe, int(sizes[is_severe].sum()), int(least[is_severe].sum()) + room)
    lifted = least.copy()
    lifted[is_severe] = spread(severe, roots[is_severe], least[is_severe], sizes[is_severe])
    lifted, topic_floor = _lifted(lifted, sizes, strata, topics, floors.category, total)
    least, _floor = _lifted(least, sizes, strata, topics, topic_floor, total)
    return Allocation(
        by_size,
        spread(total, roots, least, sizes),
        spread(total, roots, lifted, sizes),
        category_floor,
        topic_floor,
    )


def _lifted(
    least: Integers, sizes: Integers, strata: Kinds, categories: Integers, floor: int, total: int
) -> tuple[Integers, int]:
    """The leasts with the highest floor up to `floor` that all of these categories together can be given."""
    has = np.bincount(strata.categories, weights=least).astype(np.int64)[categories]
    most = np.bincount(strata.categories, weights=sizes).astype(np.int64)[categories]
    room = total - int(least.sum())
    while floor and np.maximum(np.minimum(most, floor) - has, 0).sum() > room:
        floor -= 1
    lifted = least.copy()
    for category, size, there in zip(categories, most, has, strict=True):
        of_it = strata.categories == category
        wanted = max(min(floor, int(size)), int(there))
        lifted[of_it] = spread(wanted, np.sqrt(sizes[of_it]), least[of_it], sizes[of_it])
    return lifted, floor


def spread(total: int, shares: NDArray[np.float64], least: Integers, most: Integers) -> Integers:
    """Whole numbers proportional to `shares`, each between its `least` and `most`, that add up to `total`.

    Where the leasts alone add up to more, or the mosts to less, those are the answer.
    """
    if int(least.sum()) >= total or not len(shares):
        return least.copy()
    if int(most.sum()) <= total:
        return most.copy()
    low, high = 0.0, float(most.max()) / float(shares[shares > 0].min())
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if np.clip(middle * shares, least, most).sum() < total:
            low = middle
        else:
            high = middle
    exact = np.clip(high * shares, least, most)
    whole: Integers = np.floor(exact + 1e-9).astype(np.int64)
    left = total - int(whole.sum())
    order = np.argsort(-np.where(whole < most, exact - whole, -1.0), kind="stable")  # largest remainders
    whole[order[:left]] += 1
    return whole
