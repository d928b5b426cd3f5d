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
class Allocation:
    """Picks per stratum: by size alone, with the categories' floor, and with the floor of the severe too."""

    by_size: Integers
    with_categories: Integers
    picks: Integers
    category_floor: int  # what was wanted of every category, or as much of it as there is room for


def allocate(
    sizes: Integers, categories: Integers, is_severe: NDArray[np.bool_], floors: Floors, total: int
) -> Allocation:
    """Divide `total` picks, or all there is if that is fewer, over strata of a category and severity each."""
    total = min(total, int(sizes.sum()))
    roots = np.sqrt(sizes)
    nothing = np.zeros_like(sizes)
    by_size = spread(total, roots, nothing, sizes)
    floor = _affordable(np.bincount(categories, weights=sizes).astype(np.int64), floors.category, total)
    least = nothing.copy()
    for category in np.unique(categories):
        strata = categories == category
        wanted = min(floor, int(sizes[strata].sum()))
        least[strata] = spread(wanted, roots[strata], nothing[strata], sizes[strata])
    with_categories = spread(total, roots, least, sizes)
    room = total - int(least.sum())
    severe = min(floors.severe, int(sizes[is_severe].sum()), int(least[is_severe].sum()) + room)
    least[is_severe] = spread(severe, roots[is_severe], least[is_severe], sizes[is_severe])
    return Allocation(by_size, with_categories, spread(total, roots, least, sizes), floor)


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


def _affordable(sizes: Integers, floor: int, total: int) -> int:
    """The highest floor up to `floor` that all categories together can be given."""
    while floor and np.minimum(sizes, floor).sum() > total:
        floor -= 1
    return floor
