"""The balance of a plan: pairs share the same, open work is proportional, also when people come and go."""

from collections import Counter
from dataclasses import replace
from itertools import permutations

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from annotation.assignment.balance import Board, Person
from annotation.assignment.policy import READ_BY_ALL, Design, Purpose, make_plan
from tests.annotation.assignment.situations import (
    PLAIN_DESIGN,
    REAL_DESIGN,
    begin,
    carry_out,
    first_readings,
    is_unchanged,
    label,
    open_loads,
    pairs_shared,
    people,
    planned,
    spread,
)


def test_how_often_people_met_does_not_depend_on_the_order_of_placing() -> None:
    """Summed in another order, fractions differ in the last digit, and a tie falls to somebody else."""
    factors = {8: 1 / 0.1, 16: 1 / 0.2, 24: 1 / 0.3}  # 0.1 + (0.2 + 0.3) is not (0.1 + 0.2) + 0.3
    crowd = [Person(1.0, meeting_factor=factors.get(number, 1.0)) for number in range(25)]
    found = set()
    for order in permutations(factors):
        board = Board(crowd, [4] * 25)
        for other in factors:
            board.place(other, other, is_open=True)
            board.place(other, 5, is_open=True)
        for reader in order:
            board.place(0, reader, is_open=True)
        found.add(board.meetings(0, 5))
    assert len(found) == 1


def test_ten_pairs_of_five_people_share_the_same_at_the_real_size() -> None:
    plan = make_plan(begin(REAL_DESIGN, 5000, 5))
    assert Counter(plan.roles.values()) == {
        Purpose.TRAINING: 50,
        Purpose.CALIBRATION: 100,
        Purpose.ANCHOR: 500,
        Purpose.OVERLAP: 4350,
    }
    done = carry_out(begin(REAL_DESIGN, 5000, 5), plan)
    assert plan.shortfall == {}
    assert all(434 <= count <= 436 for count in pairs_shared(done).values())
    assert all(2389 <= load <= 2391 for load in open_loads(done).values())
    assert len(first_readings(done, Purpose.CALIBRATION, Purpose.ANCHOR, Purpose.OVERLAP)) == 11_700
    repeats = Counter(slot.annotator for slot in done.standing if slot.repeat_number)
    assert all(88 <= count <= 91 for count in repeats.values())


@given(st.integers(200, 1500), st.integers(3, 8), st.integers(0, 2**32))
@settings(deadline=None, max_examples=25)
def test_pairs_and_loads_are_balanced(sample_count: int, annotator_count: int, seed: int) -> None:
    done = planned(begin(Design(seed=seed), sample_count, annotator_count))
    assert spread(pairs_shared(done).values()) <= 2
    assert spread(open_loads(done).values()) <= 2


@given(st.lists(st.floats(1, 5), min_size=4, max_size=8), st.integers(300, 800))
@settings(deadline=None, max_examples=25)
def test_open_work_is_proportional_to_hours(hours: list[float], sample_count: int) -> None:
    assume(max(hours) < 0.4 * sum(hours))  # who has most hours can find enough partners
    situation = begin(Design(anchors=20, repeat_percent=0), sample_count, len(hours))
    done = planned(replace(situation, capacity=dict(zip(situation.annotators, hours, strict=True))))
    due = sum(open_loads(done).values()) / sum(hours)
    for one in done.annotators:
        assert abs(open_loads(done)[one] - due * done.capacity[one]) <= 2 + 0.02 * due * done.capacity[one]


def test_every_pair_shares_samples_when_hours_are_unequal() -> None:
    situation = begin(REAL_DESIGN, 5000, 5)
    hours = dict(zip(people(5), [4.0, 4.0, 6.0, 8.0, 10.0], strict=True))
    shared = pairs_shared(planned(replace(situation, capacity=hours)))
    assert min(shared.values()) >= 50


def test_many_people_meet_as_many_different_others_as_can_be() -> None:
    done = planned(begin(PLAIN_DESIGN, 2000, 100))
    assert spread(open_loads(done).values()) <= 1
    assert max(pairs_shared(done).values()) <= 2


def test_who_joins_takes_from_everybody_until_open_work_is_even() -> None:
    before = label(planned(begin(REAL_DESIGN, 5000, 5)), 0.5)
    joined = replace(before, annotators=people(6))
    plan = make_plan(joined)
    after = carry_out(joined, plan)
    newcomer = people(6)[5]
    assert {slot.annotator for slot in plan.added if not slot.repeat_number} == {newcomer}
    for role in READ_BY_ALL:
        mine = [slot for slot in first_readings(after, role) if slot.annotator == newcomer]
        assert len(mine) == REAL_DESIGN.samples_declared(role)
    loads = open_loads(after).values()
    assert spread(loads) <= 0.01 * max(loads)
    shared = pairs_shared(after)
    with_newcomer = [count for pair, count in shared.items() if newcomer in pair]
    without = [count for pair, count in shared.items() if newcomer not in pair]
    assert spread(with_newcomer) <= 0.2 * max(with_newcomer)
    assert spread(without) <= 0.05 * max(without)


def test_what_a_leaver_had_open_goes_to_the_others_and_nothing_else_moves() -> None:
    before = label(planned(begin(REAL_DESIGN, 5000, 5)), 0.5)
    leaver, stayers = people(5)[4], people(5)[:4]
    left = replace(before, annotators=stayers)
    plan = make_plan(left)
    after = carry_out(left, plan)
    assert {slot.annotator for slot in plan.withdrawn if not slot.repeat_number} == {leaver}
    assert plan.shortfall == {}
    loads = open_loads(after)
    assert loads[leaver] == 0
    assert spread(loads.values()) <= 0.02 * max(loads.values())
    assert spread(pairs_shared(after).values()) <= 0.1 * max(pairs_shared(after).values())


def test_who_comes_back_from_a_pause_shares_the_open_work_again() -> None:
    begun = label(planned(begin(PLAIN_DESIGN, 600, 5)), 0.3)
    paused = planned(replace(begun, annotators=people(4)))
    back = planned(replace(paused, annotators=people(5)))
    assert spread(open_loads(back).values()) <= 2


def test_who_has_done_all_gets_nothing_of_the_others() -> None:
    fast = people(5)[0]
    situation = label(planned(begin(PLAIN_DESIGN, 500, 5)), 1.0, by=[fast])
    assert is_unchanged(make_plan(situation))


def test_passes_leave_pairs_balanced_however_fast_people_are() -> None:
    situation = planned(begin(PLAIN_DESIGN, 1000, 5))
    for number, annotator in enumerate(people(5)):
        situation = label(situation, 0.2 * (number + 1), by=[annotator])
    passed = [slot for slot in situation.standing if not slot.is_open][::30]
    situation = planned(
        replace(
            situation,
            standing=[slot for slot in situation.standing if slot not in passed],
            barred={(slot.sample, slot.annotator) for slot in passed},
        )
    )
    assert all(90 <= count <= 110 for count in pairs_shared(situation).values())
