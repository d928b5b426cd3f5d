"""The assignment policy: balanced, complete, reproducible, whatever stands already."""

from collections import Counter
from itertools import combinations
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.assignment.policy import Plan, Slot, slots_to_add


def ids(kind: int, count: int) -> list[UUID]:
    return [UUID(int=kind * 1_000_000 + number) for number in range(count)]


def pairs_shared(slots: list[Slot]) -> Counter[frozenset[UUID]]:
    people: dict[UUID, list[UUID]] = {}
    for slot in slots:
        people.setdefault(slot.sample, []).append(slot.annotator)
    return Counter(frozenset(pair) for group in people.values() for pair in combinations(group, 2))


plans = st.builds(
    lambda samples, people, per_sample, seed: Plan(ids(1, samples), ids(2, people), per_sample, seed),
    st.integers(0, 60),
    st.integers(0, 7),
    st.integers(1, 4),
    st.integers(0, 2**32),
)


@given(plans)
@settings(deadline=None)
def test_every_sample_gets_its_labels_as_far_as_there_are_people(plan: Plan) -> None:
    slots = slots_to_add(plan)
    reachable = min(plan.labels_per_sample, len(plan.annotators))
    per_sample = Counter(slot.sample for slot in slots)
    assert all(per_sample[sample] == reachable for sample in plan.samples)
    assert len({(slot.sample, slot.annotator) for slot in slots}) == len(slots)


@given(plans)
@settings(deadline=None)
def test_places_are_one_to_n_for_everybody(plan: Plan) -> None:
    places: dict[UUID, list[int]] = {}
    for slot in slots_to_add(plan):
        places.setdefault(slot.annotator, []).append(slot.place)
    assert all(sorted(own) == list(range(1, len(own) + 1)) for own in places.values())


@given(plans)
@settings(deadline=None)
def test_the_same_plan_gives_the_same_slots(plan: Plan) -> None:
    assert slots_to_add(plan) == slots_to_add(plan)


@given(plans)
@settings(deadline=None)
def test_loads_differ_by_no_more_than_two(plan: Plan) -> None:
    loads = Counter(slot.annotator for slot in slots_to_add(plan))
    counts = [loads[annotator] for annotator in plan.annotators]
    assert not counts or max(counts) - min(counts) <= 2


@given(plans)
@settings(deadline=None)
def test_nothing_is_added_twice(plan: Plan) -> None:
    standing = [(slot.sample, slot.annotator) for slot in slots_to_add(plan)]
    again = Plan(plan.samples, plan.annotators, plan.labels_per_sample, plan.seed, standing)
    assert slots_to_add(again) == []


def test_ten_pairs_of_five_people_share_the_same_within_a_tenth() -> None:
    plan = Plan(ids(1, 4350), ids(2, 5), labels_per_sample=2, seed=1)
    shared = pairs_shared(slots_to_add(plan))
    assert len(shared) == 10
    assert all(391 <= count <= 479 for count in shared.values())


def test_who_joins_gets_what_is_missing_and_nobody_gets_a_sample_twice() -> None:
    first = slots_to_add(Plan(ids(1, 40), ids(2, 1), labels_per_sample=2, seed=1))
    standing = [(slot.sample, slot.annotator) for slot in first]
    added = slots_to_add(Plan(ids(1, 40), ids(2, 2), 2, 1, standing))
    assert {slot.annotator for slot in added} == {ids(2, 2)[1]}
    assert {slot.sample for slot in added} == set(ids(1, 40))
