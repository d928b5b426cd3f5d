"""Which looks a campaign declares, so that all of them together err less than 2.5 % a side. Pure."""

from __future__ import annotations

from annotation.agreement.bootstrap import ROUNDING, TAIL_SHARE
from annotation.agreement.checkpoints import LOOKS_OVERLAP_ITEMS, Look


def looks_to_declare(
    n_planned: int, *, n_complete: int = 0, n_passed: int = 0, spent: float = 0.0
) -> tuple[Look, ...]:
    """Return the looks still to come in a campaign of so many planned overlap items, its end last.

    ``spent`` is the error a side of the looks that have a report: what is left of it is split evenly.
    ``n_complete`` are the items of the dimension with the fewest, ``n_passed`` of that with the most: a size
    that any dimension has passed is not declared any more, because its figure could have been seen. The end
    is, as long as one dimension has not come to it. Empty where nothing is left to look at, or no error to
    look with.
    """
    left = TAIL_SHARE - spent
    if n_planned <= n_complete or left <= ROUNDING:
        return ()
    n_passed = max(n_passed, n_complete)
    sizes = [size for size in LOOKS_OVERLAP_ITEMS if n_passed < size < n_planned] + [n_planned]
    return tuple(Look(size, left / len(sizes)) for size in sizes)
