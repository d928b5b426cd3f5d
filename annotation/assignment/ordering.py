"""The order of one annotator's queue: parts in turn, anchors spread, no two severe samples in a row."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import floor
from uuid import UUID

from annotation.assignment.chance import draw
from annotation.assignment.policy import READ_BY_ALL, Purpose

# Severe samples stand in the first part of the queue, so that others are left to stand between those that
# come later: new samples, and repeats when they are due.
SEVERE_WITHIN = 0.95


@dataclass(frozen=True, slots=True)
class OpenSlot:
    """An open slot of the annotator whose queue is put in order."""

    sample: UUID
    purpose: Purpose
    is_severe: bool
    repeat_number: int = 0


def queue_order(
    slots: Iterable[OpenSlot], *, annotator: UUID, seed: int, was_last_severe: bool = False
) -> list[OpenSlot]:
    """Return the annotator's open slots in the order in which they are to be shown.

    Training comes first, then calibration, then overlap with the anchors spread evenly among it, then
    repeats, which are put back when they are due. What everybody reads comes in the same order for all, so
    that whole blocks are complete early; overlap is in an order of the annotator's own. Samples of one kind
    keep their order when slots come and go.

    No severe sample follows another while others are left to stand between; the first does not follow the
    one shown last when ``was_last_severe``. A severe sample that finds no other in its part stands early in
    the next part; one that finds none there either goes back among the anchors and overlap.
    """
    waiting = _in_random_order(slots, annotator, seed)
    order: list[OpenSlot] = []
    surplus: list[OpenSlot] = []
    for purpose in (Purpose.TRAINING, Purpose.CALIBRATION):
        surplus = _append(order, waiting[purpose], surplus, was_last_severe)
    start = len(order)
    for part in (_merge(waiting[Purpose.ANCHOR], waiting[Purpose.OVERLAP]), waiting[Purpose.REPEAT]):
        surplus = _append(order, part, surplus, was_last_severe)
    follows_severe = order[start - 1].is_severe if start else was_last_severe
    return order[:start] + _put_back(order[start:], surplus, follows_severe)


def _in_random_order(slots: Iterable[OpenSlot], annotator: UUID, seed: int) -> dict[Purpose, list[OpenSlot]]:
    def key(slot: OpenSlot) -> tuple[int, int]:
        names = [slot.sample] if slot.purpose in READ_BY_ALL else [slot.sample, annotator]
        return draw(seed, "queue", *names), slot.repeat_number

    waiting: dict[Purpose, list[OpenSlot]] = {purpose: [] for purpose in Purpose}
    for slot in sorted(slots, key=key):
        waiting[slot.purpose].append(slot)
    return waiting


def _merge(anchors: Sequence[OpenSlot], overlap: Sequence[OpenSlot]) -> list[OpenSlot]:
    """Spread the anchors evenly among the overlap, severe ones and others each for themselves.

    Spreading severe samples over the whole then leaves the anchors spread.
    """
    merged = []
    for is_severe in (True, False):
        kinds = ([slot for slot in kind if slot.is_severe == is_severe] for kind in (anchors, overlap))
        merged += _evenly(*kinds)
    return merged


def _evenly(few: Sequence[OpenSlot], many: Sequence[OpenSlot]) -> list[OpenSlot]:
    placed = [
        ((at + 0.5) / len(kind), kind is many, slot) for kind in (few, many) for at, slot in enumerate(kind)
    ]
    placed.sort(key=lambda entry: entry[:2])
    return [slot for _, _, slot in placed]


def _append(
    order: list[OpenSlot], part: Sequence[OpenSlot], surplus: Sequence[OpenSlot], was_last_severe: bool
) -> list[OpenSlot]:
    """Add a part to the order, severe ones in gaps between its others; return the severe left over.

    There is a gap before each other and one behind the last. The surplus of the parts before takes the
    first gaps, the part's own severe samples are spread evenly over the rest.
    """
    others = [slot for slot in part if not slot.is_severe]
    severe = [*surplus, *(slot for slot in part if slot.is_severe)]
    first_gap = int(order[-1].is_severe if order else was_last_severe)
    gaps = len(others) + 1 - first_gap
    early = min(len(surplus), gaps)
    spread = min(len(severe), gaps) - early
    room = max(spread, floor((gaps - early) * SEVERE_WITHIN))
    taken = [first_gap + number for number in range(early)]
    taken += [first_gap + early + (2 * number + 1) * room // (2 * spread) for number in range(spread)]
    start = 0
    for gap, slot in zip(taken, severe, strict=False):
        order += [*others[start:gap], slot]
        start = gap
    order += others[start:]
    return severe[len(taken) :]


def _put_back(order: Sequence[OpenSlot], surplus: Sequence[OpenSlot], follows_severe: bool) -> list[OpenSlot]:
    """Return the order with the surplus severe samples in its free gaps, from the end backwards."""
    left = list(surplus)
    backwards: list[OpenSlot] = []
    for slot in reversed(order):
        if left and not slot.is_severe and not (backwards and backwards[-1].is_severe):
            backwards.append(left.pop())
        backwards.append(slot)
    if left and not follows_severe and not (backwards and backwards[-1].is_severe):
        backwards.append(left.pop())
    return backwards[::-1] + left
