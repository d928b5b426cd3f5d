"""Which two levels of crisis intensity are dangerous beside each other, and how soon a senior answers."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Final

from annotation.schemes.severity import ACT_NOW_FROM, SEVERE_FROM

LEVELS: Final = range(6)
HOURS_TO_CHOOSE: Final = (0, 4, 24, 72)  # 0: an ordinary difference, no case
ACT_NOW_HOURS: Final = 24
APART_HOURS: Final = 72

Pair = tuple[int, int]
Hours = Mapping[Pair, int]


def pairs() -> Iterator[Pair]:
    """Yield every two different levels, the lower first."""
    yield from combinations(LEVELS, 2)


def is_dangerous(low: int, high: int) -> bool:
    """Whether two levels are never an ordinary difference.

    One says act now and the other does not, or they lie two levels apart or more and one of them is severe.
    """
    says_act_now = high >= ACT_NOW_FROM > low
    return says_act_now or (high - low >= 2 and high >= SEVERE_FROM)


def default_hours() -> dict[Pair, int]:
    """Return the hours until a senior answers, for every two levels; 0 where a difference is ordinary."""
    return {pair: _default(*pair) for pair in pairs()}


def _default(low: int, high: int) -> int:
    if not is_dangerous(low, high):
        return 0
    return ACT_NOW_HOURS if high >= ACT_NOW_FROM > low else APART_HOURS


def faults(hours: Hours) -> list[Pair]:
    """Return the pairs that are dangerous and would open no case."""
    return [pair for pair in pairs() if is_dangerous(*pair) and not hours.get(pair)]


def most_dangerous(levels: Sequence[int], hours: Hours) -> tuple[Pair, int] | None:
    """Return the two of these levels that want the quickest answer, and in how many hours; None if none do.

    Of pairs with the same hours the one furthest apart stands for the case.
    """
    found = [
        (hours[low, high], low - high, (low, high))
        for low, high in combinations(sorted(set(levels)), 2)
        if hours.get((low, high))
    ]
    if not found:
        return None
    most_urgent, _, pair = min(found)
    return pair, most_urgent
