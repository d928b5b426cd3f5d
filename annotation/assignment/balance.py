"""Balanced overlap: who takes which sample so that pairs share the same and work stays proportional."""

from bisect import bisect_left, insort
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from itertools import islice
from math import fsum, inf, sqrt
from random import Random

# A newcomer has no overlap open and lacks more than this share, and this many, of what is due: enough that
# passes and rounding make nobody a newcomer.
NEWCOMER_LACKS_SHARE = 0.1
NEWCOMER_LACKS = 3
# How far a person may go beyond the quota of new readings when that keeps pairs balanced.
QUOTA_SLACK = 0.01
# Only this many of the least loaded, or of one person's samples, are compared: with a thousand people the
# work must not grow with the square of their number.
PEOPLE_COMPARED = 16
SAMPLES_COMPARED = 32
FITTING_ROUNDS = 30

_Entry = tuple[float, float, float, int]


@dataclass
class Person:
    """One who may be given samples. Counts are first readings; repeats are not weighed.

    ``capacity`` is relative to the mean of all. ``shared_open`` and ``shared_total`` count what everybody
    reads (training, calibration, anchors); ``overlap`` all overlap samples, ``open`` those not yet shown.
    ``due`` is the overlap the person would have, labelled or not, had all been here from the start, and
    ``meeting_factor`` the person's share in how many samples a pair is expected to have in common.
    """

    capacity: float
    shared_open: int = 0
    shared_total: int = 0
    overlap: int = 0
    due: float = 0.0
    meeting_factor: float = 1.0
    open: set[int] = field(default_factory=set)
    barred: set[int] = field(default_factory=set)

    @property
    def load(self) -> int:
        """Return how many samples the person still has to read."""
        return self.shared_open + len(self.open)

    @property
    def relative_load(self) -> float:
        return self.load / self.capacity


class Board:
    """Who has which overlap sample while a plan is being made.

    People and samples are numbers, and samples are numbered in random order. Numbers beyond ``people``
    stand for those who left: their labels count, but they are given nothing.
    """

    def __init__(self, people: Sequence[Person], wanted: Sequence[int]) -> None:
        self.people = people
        self.wanted = wanted
        self.readers: defaultdict[int, set[int]] = defaultdict(set)
        self._met: Counter[tuple[int, int]] = Counter()

    def place(self, sample: int, reader: int, *, is_open: bool) -> None:
        for other in self.readers[sample]:
            self._met[reader, other] += 1
            self._met[other, reader] += 1
        self.readers[sample].add(reader)
        if reader < len(self.people):
            self.people[reader].overlap += 1
            if is_open:
                self.people[reader].open.add(sample)

    def take_back(self, sample: int, reader: int) -> None:
        self.people[reader].open.remove(sample)
        self.people[reader].overlap -= 1
        self.readers[sample].remove(reader)
        for other in self.readers[sample]:
            self._met[reader, other] -= 1
            self._met[other, reader] -= 1

    def may_take(self, sample: int, reader: int) -> bool:
        return reader not in self.readers[sample] and sample not in self.people[reader].barred

    def meetings(self, sample: int, reader: int) -> float:
        """Return how many samples the reader shares with this sample's others, relative to what is due."""
        met, people = self._met, self.people
        others = [one for one in self.readers[sample] if one != reader and one < len(people)]
        # A set has no order of its own, and a plain sum would depend on it.
        return fsum(met[reader, one] / people[one].meeting_factor for one in others) / (
            people[reader].meeting_factor
        )

    def _set_due(self, readings: int) -> None:
        """Work out the part of so many overlap readings each would have had all been here from the start."""
        for_all = sum(wanted >= len(self.people) for wanted in self.wanted)
        lows = [one.shared_total + max(0, for_all - len(one.barred)) for one in self.people]
        highs = [one.shared_total + len(self.wanted) - len(one.barred) for one in self.people]
        total = sum(one.shared_total for one in self.people) + readings
        level = water_level(self.people, lows, highs, total)
        for one, low, high in zip(self.people, lows, highs, strict=True):
            one.due = min(max(level * one.capacity, low), high) - one.shared_total
        factors = expected_meetings([max(1.0, one.due) for one in self.people])
        for one, factor in zip(self.people, factors, strict=True):
            one.meeting_factor = factor

    def balance(self, chance: Random) -> dict[int, int]:
        """Bring every sample to its number of readers; return how many it still lacks for want of people.

        ``chance`` breaks ties.
        """
        self._trim()
        idle = self._idle()
        shortfall = self._fill(chance)
        self._let_in(idle)
        return shortfall

    def _trim(self) -> None:
        """Take open readings back, from the most loaded, where a sample has more than is wanted."""
        for sample, wanted in enumerate(self.wanted):
            surplus = len(self.readers[sample]) - wanted
            if surplus > 0:
                holders = [one for one in self.readers[sample] if one < len(self.people)]
                holders = [one for one in holders if sample in self.people[one].open]
                holders.sort(key=lambda one: (-self.people[one].relative_load, one))
                for holder in holders[:surplus]:
                    self.take_back(sample, holder)

    def _fill(self, chance: Random) -> dict[int, int]:
        """Give every sample the readers it lacks; return how many it still lacks.

        Each person is due the number of new readings that brings open work nearest to proportional. Among
        those who have had the least of it so far, the one who has met the sample's other readers least
        gets the sample.
        """
        missing = [max(0, wanted - len(self.readers[sample])) for sample, wanted in enumerate(self.wanted)]
        can_be_given = sum(min(count, self._people_without(sample)) for sample, count in enumerate(missing))
        self._set_due(sum(one.overlap for one in self.people) + can_be_given)
        turns = _Turns(self, self._quotas(can_be_given), chance)
        shortfall = {}
        most_wanting_first = sorted(enumerate(missing), key=lambda entry: -entry[1])
        for sample, count in most_wanting_first:
            given = sum(turns.give(sample) for _ in range(count))
            if given < count:
                shortfall[sample] = count - given
        return shortfall

    def _people_without(self, sample: int) -> int:
        return len(self.people) - sum(reader < len(self.people) for reader in self.readers[sample])

    def _quotas(self, readings: int) -> list[float]:
        """Return how many of so many new readings go to each, for open work to become proportional."""
        loads = [one.load for one in self.people]
        room = [max(0, len(self.wanted) - one.overlap - len(one.barred)) for one in self.people]
        highs = [load + more for load, more in zip(loads, room, strict=True)]
        level = water_level(self.people, loads, highs, sum(loads) + readings)
        return [
            min(max(0.0, level * one.capacity - one.load), more)
            for one, more in zip(self.people, room, strict=True)
        ]

    def _let_in(self, idle: Collection[int]) -> None:
        """Move open readings from the most loaded to newcomers until open work is proportional again.

        ``idle`` are those who had no overlap open. Goes on until nothing moves, so that a second look at
        the result finds nothing to move either.
        """
        self._set_due(sum(one.overlap for one in self.people))
        self._move_to(self._newcomers(idle))
        for _ in self.people:
            if not self._move_to(self._newcomers(self._idle())):
                break

    def _idle(self) -> list[int]:
        """Return who has no overlap left to read."""
        return [number for number, one in enumerate(self.people) if not one.open]

    def _newcomers(self, idle: Collection[int]) -> list[int]:
        """Return those of the idle who carry clearly less overlap than is due: who joined or came back."""
        lacking = {one: self.people[one].due - self.people[one].overlap for one in idle}
        return [
            one
            for one in idle
            if lacking[one] >= NEWCOMER_LACKS and lacking[one] > NEWCOMER_LACKS_SHARE * self.people[one].due
        ]

    def _move_to(self, newcomers: list[int]) -> bool:
        lows = [one.shared_open for one in self.people]
        highs: list[float] = [one.load for one in self.people]
        for number in newcomers:
            highs[number] += self.people[number].due - self.people[number].overlap
        level = water_level(self.people, lows, highs, sum(one.load for one in self.people))
        has_moved = False
        for number in newcomers:
            newcomer = self.people[number]
            target = min(level * newcomer.capacity, highs[number])
            for sample, giver in self._offers(number, level):
                if newcomer.load + 1 > target:
                    break
                self.take_back(sample, giver)
                self.place(sample, number, is_open=True)
                has_moved = True
        return has_moved

    def _offers(self, newcomer: int, level: float) -> Iterator[tuple[int, int]]:
        """Yield (sample, giver) for the newcomer: from the most loaded first, down to the level."""
        most_loaded = [(-one.relative_load, number) for number, one in enumerate(self.people)]
        heapify(most_loaded)
        on_offer: dict[int, list[int]] = {}
        while most_loaded:
            _, giver = heappop(most_loaded)
            if giver == newcomer or self.people[giver].load <= level * self.people[giver].capacity:
                continue
            if giver not in on_offer:
                held = sorted(self.people[giver].open)
                on_offer[giver] = [one for one in held if self.may_take(one, newcomer)]
            while on_offer[giver] and not self.may_take(on_offer[giver][-1], newcomer):
                on_offer[giver].pop()  # taken from another of its readers meanwhile
            if on_offer[giver]:
                yield self._pop_sample(on_offer[giver], giver, newcomer), giver
                heappush(most_loaded, (-self.people[giver].relative_load, giver))

    def _pop_sample(self, on_offer: list[int], giver: int, newcomer: int) -> int:
        """Return the sample whose other readers the giver has met most and the newcomer least."""
        last = range(max(0, len(on_offer) - SAMPLES_COMPARED), len(on_offer))
        compared = [at for at in last if self.may_take(on_offer[at], newcomer)]
        others = {
            at: self.meetings(on_offer[at], newcomer) - self.meetings(on_offer[at], giver) for at in compared
        }
        return on_offer.pop(min(others, key=lambda at: (others[at], at)))


class _Turns:
    """Whose turn it is while samples are given out: first who has used the least of the own quota."""

    def __init__(self, board: Board, quotas: Sequence[float], chance: Random) -> None:
        self._board = board
        self._quotas = quotas
        self._chance = chance
        self._given = [0] * len(quotas)
        self._queue = sorted(self._entry(reader) for reader in range(len(quotas)))

    def _entry(self, reader: int) -> _Entry:
        """Order by the share of the quota used with one sample more, then by load, then by chance."""
        quota = self._quotas[reader]
        used = (self._given[reader] + 1) / quota if quota else inf
        return used, self._board.people[reader].relative_load, self._chance.random(), reader

    def give(self, sample: int) -> bool:
        """Give the sample to its next reader; return False when nobody may take it."""
        board = self._board
        able = (entry for entry in self._queue if board.may_take(sample, entry[-1]))
        compared = list(islice(able, PEOPLE_COMPARED if board.readers[sample] else 1))
        within = [entry for entry in compared if self._is_within_quota(entry[-1])] or compared[:1]
        if not within:
            return False
        chosen = min(within, key=lambda entry: (board.meetings(sample, entry[-1]), entry))
        del self._queue[bisect_left(self._queue, chosen)]
        reader = chosen[-1]
        self._given[reader] += 1
        board.place(sample, reader, is_open=True)
        insort(self._queue, self._entry(reader))
        return True

    def _is_within_quota(self, reader: int) -> bool:
        return self._given[reader] < self._quotas[reader] * (1 + QUOTA_SLACK)


def expected_meetings(due: Sequence[float]) -> list[float]:
    """Return a factor per person such that two people are expected to share about the product of theirs.

    The factors fit the pairs to what is due of each, which products of what is due do not when hours are
    unequal (iterative proportional fitting, Deming and Stephan 1940).
    """
    factors = [sqrt(one) for one in due]
    for _ in range(FITTING_ROUNDS):
        total = sum(factors)
        factors = [
            sqrt(factor * one / max(total - factor, factor / len(due)))
            for factor, one in zip(factors, due, strict=True)
        ]
    return factors


def water_level(
    people: Sequence[Person], lows: Sequence[float], highs: Sequence[float], total: float
) -> float:
    """Return the level at which level x capacity, kept between each one's low and high, adds up to total.

    Infinite when the highs do not add up to more than the total.
    """
    bends = [(low / one.capacity, one.capacity) for one, low in zip(people, lows, strict=True)]
    bends += [(high / one.capacity, -one.capacity) for one, high in zip(people, highs, strict=True)]
    level, reached, slope = 0.0, sum(lows), 0.0
    for bend, change in sorted(bends):
        gain = slope * (bend - level) if slope else 0.0
        if reached + gain >= total:
            return level + (total - reached) / slope if gain else level
        level, reached, slope = bend, reached + gain, slope + change
    return inf
