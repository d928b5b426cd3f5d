"""The assignment policy: from what is there and what is wanted to the slots to add. Pure and seeded."""

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from uuid import UUID


@dataclass(frozen=True)
class Slot:
    """This annotator labels this sample, as the ``place``-th of what is added to the annotator's queue."""

    sample: UUID
    annotator: UUID
    place: int


@dataclass(frozen=True)
class Plan:
    """What the policy decides on: the samples, the people, and who has which sample already.

    ``standing`` are (sample, annotator) of slots that were labelled or still wait, by people who left too
    when they were labelled.
    """

    samples: Sequence[UUID]
    annotators: Sequence[UUID]
    labels_per_sample: int
    seed: int
    standing: Sequence[tuple[UUID, UUID]] = ()


def slots_to_add(plan: Plan) -> list[Slot]:
    """Return the slots that bring every sample to its number of labels, as far as there are people for it.

    Each sample gets the annotators who carry the least load and share the fewest samples so far, so that
    pairs stay balanced while people come and go. The order in each queue is random from the seed. The same
    plan gives the same slots.
    """
    chooser = random.Random(plan.seed)  # noqa: S311  a reproducible design, not a secret
    annotators = sorted(plan.annotators)
    samples = list(plan.samples)
    chooser.shuffle(samples)
    people_of = _people_by_sample(plan.standing)
    load = Counter(annotator for _, annotator in plan.standing)
    shared = Counter(pair for people in people_of.values() for pair in _pairs(people))
    chosen: dict[UUID, list[UUID]] = {annotator: [] for annotator in annotators}
    for sample in samples:
        people = people_of.get(sample, set())
        for _ in range(plan.labels_per_sample - len(people)):
            free = [annotator for annotator in annotators if annotator not in people]
            if not free:
                break
            chooser.shuffle(free)
            annotator = _least_loaded(free, people, load, shared)
            chosen[annotator].append(sample)
            load[annotator] += 1
            shared.update(_pairs([annotator], people))
            people = people | {annotator}
    return _in_queue_order(chosen, chooser)


def _people_by_sample(standing: Iterable[tuple[UUID, UUID]]) -> dict[UUID, set[UUID]]:
    people: dict[UUID, set[UUID]] = {}
    for sample, annotator in standing:
        people.setdefault(sample, set()).add(annotator)
    return people


def _pairs(ones: Iterable[UUID], others: Iterable[UUID] | None = None) -> list[frozenset[UUID]]:
    if others is None:
        return [frozenset(pair) for pair in combinations(sorted(ones), 2)]
    return [frozenset((one, other)) for one in ones for other in others]


def _least_loaded(
    free: list[UUID], people: set[UUID], load: Counter[UUID], shared: Counter[frozenset[UUID]]
) -> UUID:
    return min(free, key=lambda one: load[one] + _meetings(one, people, shared))


def _meetings(annotator: UUID, people: set[UUID], shared: Counter[frozenset[UUID]]) -> int:
    return sum(shared[frozenset((annotator, other))] for other in people)


def _in_queue_order(chosen: dict[UUID, list[UUID]], chooser: random.Random) -> list[Slot]:
    slots = []
    for annotator, samples in chosen.items():
        chooser.shuffle(samples)
        slots += [Slot(sample, annotator, place) for place, sample in enumerate(samples, start=1)]
    return slots
