"""Made-up campaigns for the tests of the assignment policy: planned, labelled, and shaken."""

import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from itertools import combinations
from uuid import UUID

from hypothesis import strategies as st

from annotation.assignment.policy import (
    Design,
    Plan,
    PlannedSample,
    Purpose,
    Situation,
    StandingSlot,
    make_plan,
)

REAL_DESIGN = Design(training=50, calibration=100, anchors=500)
PLAIN_DESIGN = Design(repeat_percent=0)


def people(count: int) -> list[UUID]:
    return [UUID(int=2 << 100 | number) for number in range(count)]


def samples(count: int, *, start: int = 0) -> list[PlannedSample]:
    return [
        PlannedSample(UUID(int=1 << 100 | number), is_severe=number % 5 == 0)
        for number in range(start, start + count)
    ]


def begin(design: Design, sample_count: int, annotator_count: int) -> Situation:
    return Situation(design, samples(sample_count), people(annotator_count))


def carry_out(situation: Situation, plan: Plan) -> Situation:
    """Return the situation with the plan's changes made."""
    withdrawn = set(plan.withdrawn)
    assert withdrawn <= set(situation.standing)
    kept = [slot for slot in situation.standing if slot not in withdrawn]
    added = [
        StandingSlot(one.sample, one.annotator, one.purpose, one.repeat_number, True) for one in plan.added
    ]
    with_roles = [replace(one, role=one.role or plan.roles[one.id]) for one in situation.samples]
    return replace(situation, samples=with_roles, standing=[*kept, *added])


def planned(situation: Situation) -> Situation:
    return carry_out(situation, make_plan(situation))


def label(
    situation: Situation, share: float, *, seed: int = 1, by: Iterable[UUID] | None = None
) -> Situation:
    """Close a share of the open slots; a repeat only once its first reading is closed."""
    chance = random.Random(seed)  # noqa: S311  a test that can be repeated
    who = set(situation.annotators if by is None else by)
    standing: list[StandingSlot] = []
    closed: set[tuple[UUID, UUID]] = set()
    for slot in sorted(
        situation.standing, key=lambda slot: (slot.repeat_number, slot.sample, slot.annotator)
    ):
        is_due = not slot.repeat_number or (slot.sample, slot.annotator) in closed
        if slot.is_open and is_due and slot.annotator in who and chance.random() < share:
            slot = replace(slot, is_open=False)
        if not slot.is_open:
            closed.add((slot.sample, slot.annotator))
        standing.append(slot)
    return replace(situation, standing=standing)


def first_readings(situation: Situation, *purposes: Purpose) -> list[StandingSlot]:
    wanted = purposes or tuple(Purpose)
    return [slot for slot in situation.standing if not slot.repeat_number and slot.purpose in wanted]


def open_loads(situation: Situation) -> Counter[UUID]:
    return Counter(slot.annotator for slot in first_readings(situation) if slot.is_open)


def pairs_shared(situation: Situation) -> dict[frozenset[UUID], int]:
    """Return how many overlap samples each pair of today's people shares, 0 included."""
    readers: dict[UUID, list[UUID]] = {}
    for slot in first_readings(situation, Purpose.OVERLAP):
        readers.setdefault(slot.sample, []).append(slot.annotator)
    met = Counter(frozenset(pair) for group in readers.values() for pair in combinations(group, 2))
    return {frozenset(pair): met[frozenset(pair)] for pair in combinations(situation.annotators, 2)}


def spread(counts: Iterable[int]) -> int:
    listed = list(counts)
    return max(listed) - min(listed)


def labels_possible(design: Design, sample: PlannedSample) -> set[int]:
    """Return the numbers of labels that the design may ask of an overlap sample."""
    if sample.is_severe or not design.single_label_percent:
        return {design.labels_per_sample}
    return {1} if design.single_label_percent == 100 else {1, design.labels_per_sample}


def is_unchanged(plan: Plan) -> bool:
    return not (plan.roles or plan.added or plan.withdrawn)


designs = st.builds(
    Design,
    training=st.integers(0, 4),
    calibration=st.integers(0, 4),
    anchors=st.integers(0, 10),
    labels_per_sample=st.integers(1, 4),
    repeat_percent=st.sampled_from([0.0, 4.0, 20.0]),
    single_label_percent=st.sampled_from([0.0, 0.0, 40.0, 100.0]),
    seed=st.integers(0, 2**32),
)
beginnings = st.builds(begin, designs, st.integers(0, 60), st.integers(0, 7))


@st.composite
def histories(draw: st.DrawFn) -> Situation:
    """A campaign in which people have labelled, passed, left, joined and changed hours, and samples came."""
    situation = draw(beginnings)
    crowd = people(9)
    for _ in range(draw(st.integers(0, 4))):
        situation = label(planned(situation), draw(st.floats(0, 1)), seed=draw(st.integers(0, 9)))
        keys = [slot for slot in situation.standing if not slot.is_open]
        passed = draw(st.lists(st.sampled_from(keys), max_size=5)) if keys else []
        opted_out = (
            draw(st.lists(st.tuples(st.sampled_from(situation.samples), st.sampled_from(crowd)), max_size=9))
            if situation.samples
            else []
        )
        situation = replace(
            situation,
            samples=[*situation.samples, *samples(draw(st.integers(0, 8)), start=len(situation.samples))],
            annotators=draw(st.lists(st.sampled_from(crowd), unique=True)),
            standing=[slot for slot in situation.standing if slot not in passed],
            barred={
                *situation.barred,
                *((slot.sample, slot.annotator) for slot in passed),
                *((sample.id, annotator) for sample, annotator in opted_out),
            },
            capacity={one: draw(st.sampled_from([1.0, 1.0, 2.0, 10.0])) for one in crowd},
        )
    return situation
