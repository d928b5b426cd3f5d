"""The order of a queue: parts in turn, anchors spread, no severe samples in a row, steady under change."""

from collections.abc import Sequence
from itertools import pairwise
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.assignment.ordering import OpenSlot, queue_order
from annotation.assignment.policy import Purpose

ANNOTATOR, COLLEAGUE = UUID(int=1), UUID(int=2)
PARTS = {
    Purpose.TRAINING: 0,
    Purpose.CALIBRATION: 1,
    Purpose.ANCHOR: 2,
    Purpose.OVERLAP: 2,
    Purpose.REPEAT: 3,
}


def slots(purpose: Purpose, others: int, severe: int = 0) -> list[OpenSlot]:
    start = list(Purpose).index(purpose) * 100_000
    return [
        OpenSlot(
            UUID(int=start + number), purpose, is_severe=number < severe, repeat_number=purpose == "repeat"
        )
        for number in range(others + severe)
    ]


@st.composite
def queues(draw: st.DrawFn) -> list[OpenSlot]:
    counts = st.integers(0, 12)
    return [slot for purpose in Purpose for slot in slots(purpose, draw(counts), draw(counts))]


def order(open_slots: Sequence[OpenSlot], *, seed: int = 1, was_last_severe: bool = False) -> list[OpenSlot]:
    return queue_order(open_slots, annotator=ANNOTATOR, seed=seed, was_last_severe=was_last_severe)


def severe_in_a_row(ordered: Sequence[OpenSlot], *, was_last_severe: bool = False) -> int:
    severity = [was_last_severe, *(slot.is_severe for slot in ordered)]
    return sum(one and other for one, other in pairwise(severity))


@given(queues(), st.integers(0, 2**32), st.booleans())
@settings(deadline=None)
def test_every_slot_comes_once(open_slots: list[OpenSlot], seed: int, was_last_severe: bool) -> None:
    ordered = order(open_slots, seed=seed, was_last_severe=was_last_severe)
    assert len(ordered) == len(open_slots)
    assert set(ordered) == set(open_slots)


@given(queues())
@settings(deadline=None)
def test_the_order_of_the_list_does_not_matter(open_slots: list[OpenSlot]) -> None:
    assert order(open_slots[::-1]) == order(open_slots)


@given(queues())
@settings(deadline=None)
def test_others_keep_to_their_parts(open_slots: list[OpenSlot]) -> None:
    parts = [PARTS[slot.purpose] for slot in order(open_slots) if not slot.is_severe]
    assert parts == sorted(parts)


@given(queues(), st.booleans())
@settings(deadline=None)
def test_training_and_calibration_come_first_when_severe_samples_can_be_parted(
    open_slots: list[OpenSlot], was_last_severe: bool
) -> None:
    for purpose in Purpose:
        own = [slot for slot in open_slots if slot.purpose == purpose]
        if 2 * sum(slot.is_severe for slot in own) > len(own):
            return
    ordered = order(open_slots, was_last_severe=was_last_severe)
    parts = [PARTS[slot.purpose] for slot in ordered]
    assert parts == sorted(parts)
    assert severe_in_a_row(ordered, was_last_severe=was_last_severe) == 0


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 12), st.integers(0, 12), st.booleans())
@settings(deadline=None)
def test_two_severe_are_in_a_row_only_when_others_are_too_few(
    others: int, severe: int, other_repeats: int, severe_repeats: int, was_last_severe: bool
) -> None:
    open_slots = slots(Purpose.OVERLAP, others, severe) + slots(Purpose.REPEAT, other_repeats, severe_repeats)
    ordered = order(open_slots, was_last_severe=was_last_severe)
    lacking = severe + severe_repeats - (others + other_repeats)
    in_a_row = severe_in_a_row(ordered, was_last_severe=was_last_severe)
    assert in_a_row == max(0, lacking - (not was_last_severe))


def test_severe_training_that_finds_no_other_comes_early_in_calibration() -> None:
    ordered = order(slots(Purpose.TRAINING, 0, 3) + slots(Purpose.CALIBRATION, 40, 4))
    assert severe_in_a_row(ordered) == 0
    training = [at for at, slot in enumerate(ordered) if slot.purpose == Purpose.TRAINING]
    assert training == [0, 2, 4]


def test_severe_samples_are_spread_and_leave_others_at_the_end() -> None:
    ordered = order(slots(Purpose.OVERLAP, 800, 200))
    places = [at for at, slot in enumerate(ordered) if slot.is_severe]
    steps = [later - earlier for earlier, later in pairwise(places)]
    assert max(steps) - min(steps) <= 1
    assert max(places) < 0.96 * len(ordered)


def test_anchors_are_spread_over_the_whole_campaign() -> None:
    ordered = order(slots(Purpose.ANCHOR, 400, 100) + slots(Purpose.OVERLAP, 1400, 340))
    places = [at for at, slot in enumerate(ordered) if slot.purpose == Purpose.ANCHOR]
    for tenth in range(10):
        inside = [at for at in places if at * 10 // len(ordered) == tenth]
        assert 45 <= len(inside) <= 55


def test_overlap_has_an_order_of_its_own_for_everybody_and_what_all_read_the_same() -> None:
    open_slots = slots(Purpose.CALIBRATION, 30) + slots(Purpose.OVERLAP, 100)
    mine, other = order(open_slots), queue_order(open_slots, annotator=COLLEAGUE, seed=1)
    assert mine[:30] == other[:30] != open_slots[:30]
    assert sum(one == another for one, another in zip(mine[30:], other[30:], strict=True)) < 10
    assert order(open_slots, seed=2) != mine


@given(st.integers(0, 2**32), st.data())
@settings(deadline=None)
def test_what_stays_keeps_its_order_when_slots_come_and_go(seed: int, data: st.DataObject) -> None:
    everything = [slot for purpose in Purpose for slot in slots(purpose, 20, 5)]
    staying = data.draw(st.sets(st.sampled_from(everything)))
    before, after = order(everything, seed=seed), order(sorted(staying, key=everything.index), seed=seed)
    for purpose in Purpose:
        kind = [slot for slot in before if slot in staying and slot.purpose == purpose and not slot.is_severe]
        assert kind == [slot for slot in after if slot.purpose == purpose and not slot.is_severe]
