"""The assignment policy: from what is there and what is wanted to the slots to add and to take back."""

from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice, product
from random import Random
from uuid import UUID

from annotation.assignment.balance import Board, Person
from annotation.assignment.chance import draw, falls_within

Pair = tuple[UUID, UUID]  # (sample, annotator)
Key = tuple[UUID, UUID, int]  # (sample, annotator, repeat number)


class Purpose(StrEnum):
    """Why a slot exists; the same values as the model's. Also the role of a sample, but for REPEAT."""

    TRAINING = "training"
    CALIBRATION = "calibration"
    ANCHOR = "anchor"
    OVERLAP = "overlap"
    REPEAT = "repeat"


READ_BY_ALL = (Purpose.TRAINING, Purpose.CALIBRATION, Purpose.ANCHOR)
REPEATABLE = (Purpose.ANCHOR, Purpose.OVERLAP)
FIRST_READING, FIRST_REPEAT = 0, 1


@dataclass(frozen=True)
class Design:
    """What the lead declares.

    ``training``, ``calibration`` and ``anchors`` are numbers of samples that everybody reads; the rest is
    overlap, read by ``labels_per_sample`` different people each. ``repeat_percent`` of a person's own anchor
    and overlap samples come back once. ``single_label_percent`` of the overlap samples that are not
    estimated severe get one label only. Raises ValueError when a number makes no sense.
    """

    training: int = 0
    calibration: int = 0
    anchors: int = 0
    labels_per_sample: int = 2
    repeat_percent: float = 4.0
    single_label_percent: float = 0.0
    seed: int = 1

    def __post_init__(self) -> None:
        if min(self.training, self.calibration, self.anchors) < 0 or self.labels_per_sample < 1:
            raise ValueError(
                "A design needs 0 or more training, calibration and anchor samples "
                "and 1 label or more per sample."
            )
        if not (0 <= self.repeat_percent <= 100 and 0 <= self.single_label_percent <= 100):
            raise ValueError("The percents of a design lie between 0 and 100.")

    def samples_declared(self, role: Purpose) -> int:
        """Return how many samples everybody is to read in this role."""
        return {
            Purpose.TRAINING: self.training,
            Purpose.CALIBRATION: self.calibration,
            Purpose.ANCHOR: self.anchors,
        }[role]


@dataclass(frozen=True)
class PlannedSample:
    """A sample of the campaign; ``role`` as an earlier planning gave it, None for a new one."""

    id: UUID
    is_severe: bool
    role: Purpose | None = None


@dataclass(frozen=True)
class StandingSlot:
    """A slot that stands. Open: it waits and was never shown; else it is labelled or on screen now."""

    sample: UUID
    annotator: UUID
    purpose: Purpose
    repeat_number: int
    is_open: bool


@dataclass(frozen=True)
class Situation:
    """What the policy decides on.

    ``annotators`` may be given samples now. ``standing`` holds no slot that was passed or taken back.
    ``barred`` (sample, annotator) are never planned: opted out, passed, in conflict. ``capacity`` is
    relative, such as hours a week; 1 where not given. Raises ValueError for a capacity of 0 or less.
    """

    design: Design
    samples: Sequence[PlannedSample]
    annotators: Sequence[UUID]
    standing: Sequence[StandingSlot] = ()
    barred: Collection[Pair] = ()
    capacity: Mapping[UUID, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if any(self.capacity.get(one, 1.0) <= 0 for one in self.annotators):
            raise ValueError("A capacity is 0 or less. Leave out who cannot be given samples now.")


@dataclass(frozen=True, slots=True)
class Slot:
    """This annotator is to label this sample; ``repeat_number`` is 0 for the first reading."""

    sample: UUID
    annotator: UUID
    purpose: Purpose
    repeat_number: int = FIRST_READING


@dataclass(frozen=True)
class Plan:
    """What is to change: roles for the samples that had none, slots to add, open slots to take back.

    ``shortfall`` counts, per overlap sample, the labels that nobody is left to give.
    """

    roles: Mapping[UUID, Purpose]
    added: Sequence[Slot]
    withdrawn: Sequence[StandingSlot]
    shortfall: Mapping[UUID, int]


def make_plan(situation: Situation) -> Plan:
    """Return what brings the standing slots to the design, moving as little as possible.

    Everybody gets all training, calibration and anchor samples. Overlap samples go to people so that all
    pairs share about the same number and open work is proportional to capacity. Open slots of people who
    may not read them are taken back and refilled; whoever joins or comes back takes open overlap slots from
    the most loaded, and again once these are done while still far behind the others. Labelling moves
    nothing else, and closed slots are never touched.

    The same situation gives the same plan, in whatever order its parts are listed; a plan made again once
    the first is carried out changes nothing.
    """
    frame = _Frame(situation)
    first = {
        (slot.sample, slot.annotator): slot.is_open
        for slot in situation.standing
        if slot.repeat_number == FIRST_READING and slot.sample in frame.roles and frame.stands(slot)
    }
    first.update((pair, True) for pair in _missing_of_all(frame, first))
    overlap, shortfall = _balanced_overlap(frame, first)
    first = {pair: is_open for pair, is_open in first.items() if frame.roles[pair[0]] != Purpose.OVERLAP}
    first.update(overlap)
    wanted = {(*pair, FIRST_READING) for pair, is_open in first.items() if is_open}
    wanted.update(_open_repeats(frame, first))
    return _difference(frame, wanted, shortfall)


class _Frame:
    """The situation, sorted: people by id, samples in the random order of the seed, every one with a role."""

    def __init__(self, situation: Situation) -> None:
        self.design = situation.design
        self.standing = situation.standing
        self.people = sorted(set(situation.annotators))
        self.capacity = [situation.capacity.get(one, 1.0) for one in self.people]
        self.barred = frozenset(situation.barred)
        self.samples = {
            one.id: one
            for one in sorted(situation.samples, key=lambda one: draw(self.design.seed, "order", one.id))
        }
        self.new_roles = _draw_roles(self.design, list(self.samples.values()))
        self.roles = {one.id: one.role or self.new_roles[one.id] for one in self.samples.values()}
        self._is_here = frozenset(self.people)

    def stands(self, slot: StandingSlot) -> bool:
        """Return whether its person and sample let the slot stay; closed ones always do."""
        return not slot.is_open or (
            slot.annotator in self._is_here
            and slot.sample in self.roles
            and (slot.sample, slot.annotator) not in self.barred
        )

    def in_role(self, *roles: Purpose) -> list[UUID]:
        return [sample for sample, role in self.roles.items() if role in roles]

    def labels_wanted(self, sample: UUID) -> int:
        design = self.design
        may_be_single = design.single_label_percent > 0 and not self.samples[sample].is_severe
        if may_be_single and falls_within(design.single_label_percent, design.seed, "single label", sample):
            return 1
        return design.labels_per_sample


def _draw_roles(design: Design, samples: Sequence[PlannedSample]) -> dict[UUID, Purpose]:
    """Give the new samples, in their random order, the roles that are short of their declared number."""
    new = iter([one.id for one in samples if one.role is None])
    roles: dict[UUID, Purpose] = {}
    for role in READ_BY_ALL:
        short = design.samples_declared(role) - sum(one.role == role for one in samples)
        roles.update((sample, role) for sample in islice(new, max(0, short)))
    roles.update((sample, Purpose.OVERLAP) for sample in new)
    return roles


def _missing_of_all(frame: _Frame, first: Collection[Pair]) -> list[Pair]:
    everyone = product(frame.in_role(*READ_BY_ALL), frame.people)
    return [pair for pair in everyone if pair not in first and pair not in frame.barred]


def _balanced_overlap(frame: _Frame, first: Mapping[Pair, bool]) -> tuple[dict[Pair, bool], dict[UUID, int]]:
    """Return the overlap readings as they are to be, and the labels each sample will lack."""
    samples = frame.in_role(Purpose.OVERLAP)
    number_of = {sample: number for number, sample in enumerate(samples)}
    readers = [*frame.people, *sorted({annotator for _, annotator in first} - set(frame.people))]
    reader_of = {annotator: number for number, annotator in enumerate(readers)}
    board = Board(_people_of(frame, first, number_of), [frame.labels_wanted(sample) for sample in samples])
    for (sample, annotator), is_open in first.items():
        if sample in number_of:
            board.place(number_of[sample], reader_of[annotator], is_open=is_open)
    shortfall = board.balance(Random(frame.design.seed))  # noqa: S311  a design that can be repeated
    overlap = {
        (samples[number], readers[reader]): reader < len(frame.people) and number in board.people[reader].open
        for number, of_sample in board.readers.items()
        for reader in of_sample
    }
    return overlap, {samples[number]: count for number, count in shortfall.items()}


def _people_of(frame: _Frame, first: Mapping[Pair, bool], number_of: Mapping[UUID, int]) -> list[Person]:
    mean = sum(frame.capacity) / max(1, len(frame.capacity))
    people = {
        one: Person(capacity / mean) for one, capacity in zip(frame.people, frame.capacity, strict=True)
    }
    for (sample, annotator), is_open in first.items():
        if annotator in people and sample not in number_of:
            people[annotator].shared_total += 1
            people[annotator].shared_open += is_open
    for sample, annotator in frame.barred:
        if annotator in people and sample in number_of:
            people[annotator].barred.add(number_of[sample])
    return list(people.values())


def _open_repeats(frame: _Frame, first: Collection[Pair]) -> list[Key]:
    """Return the repeats that are to wait: each one's share of own readings, standing ones before new."""
    own: dict[UUID, list[Pair]] = {annotator: [] for annotator in frame.people}
    for pair in first:
        if pair[1] in own and frame.roles[pair[0]] in REPEATABLE:
            own[pair[1]].append(pair)
    standing = [slot for slot in frame.standing if slot.repeat_number and frame.stands(slot)]
    closed = {(slot.sample, slot.annotator) for slot in standing if not slot.is_open}
    waiting = {(slot.sample, slot.annotator): slot.repeat_number for slot in standing if slot.is_open}
    repeats: list[Key] = []
    for pairs in own.values():
        wanted = round(frame.design.repeat_percent * len(pairs) / 100)
        wanted -= sum(pair in closed for pair in pairs)
        free = [pair for pair in pairs if pair not in closed and pair not in frame.barred]
        free.sort(key=lambda pair: (pair not in waiting, draw(frame.design.seed, "repeat", *pair)))
        repeats += [(*pair, waiting.get(pair, FIRST_REPEAT)) for pair in free[: max(0, wanted)]]
    return repeats


def _difference(frame: _Frame, wanted: AbstractSet[Key], shortfall: Mapping[UUID, int]) -> Plan:
    """Compare the open slots as they are to be with those that stand."""
    standing = {
        (slot.sample, slot.annotator, slot.repeat_number): slot for slot in frame.standing if slot.is_open
    }
    return Plan(
        roles=frame.new_roles,
        added=[
            Slot(sample, annotator, Purpose.REPEAT if number else frame.roles[sample], number)
            for sample, annotator, number in sorted(wanted - standing.keys(), key=_as_numbers)
        ],
        withdrawn=[standing[key] for key in sorted(standing.keys() - wanted, key=_as_numbers)],
        shortfall=shortfall,
    )


def _as_numbers(key: Key) -> tuple[int, int, int]:
    """Return what sorts like the key, and many times faster."""
    return key[0].int, key[1].int, key[2]
