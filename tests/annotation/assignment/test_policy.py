"""The assignment policy: complete, reproducible and steady, whoever comes and goes."""

import random
from collections import Counter
from dataclasses import replace
from itertools import product
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.assignment.policy import READ_BY_ALL, Design, Purpose, Situation, StandingSlot, make_plan
from tests.annotation.assignment.situations import (
    PLAIN_DESIGN,
    REAL_DESIGN,
    begin,
    beginnings,
    carry_out,
    first_readings,
    histories,
    is_unchanged,
    label,
    labels_possible,
    people,
    planned,
    samples,
)


@given(beginnings)
@settings(deadline=None)
def test_roles_are_drawn_in_turn_and_the_rest_is_overlap(situation: Situation) -> None:
    roles = make_plan(situation).roles
    drawn, left = Counter(roles.values()), len(situation.samples)
    for role in READ_BY_ALL:
        declared = situation.design.samples_declared(role)
        assert drawn[role] == min(declared, left)
        left -= drawn[role]
    assert drawn[Purpose.OVERLAP] == left
    assert roles.keys() == {one.id for one in situation.samples}


def test_roles_are_random_and_follow_the_seed() -> None:
    def training(seed: int) -> set[UUID]:
        roles = make_plan(begin(Design(training=20, seed=seed), 200, 1)).roles
        return {sample for sample, role in roles.items() if role == Purpose.TRAINING}

    assert training(1) == training(1)
    assert len(training(1) & training(2)) < 10


def test_later_samples_are_overlap_unless_a_role_is_short() -> None:
    situation = planned(begin(Design(training=4, calibration=4, anchors=4), 10, 2))
    arrived = replace(situation, samples=[*situation.samples, *samples(10, start=10)])
    assert Counter(make_plan(arrived).roles.values()) == {Purpose.ANCHOR: 2, Purpose.OVERLAP: 8}


@given(histories())
@settings(deadline=None)
def test_everybody_who_may_reads_what_is_for_all(situation: Situation) -> None:
    done = planned(situation)
    read = {(slot.sample, slot.annotator) for slot in first_readings(done)}
    for_all = [one.id for one in done.samples if one.role in READ_BY_ALL]
    assert read >= set(product(for_all, done.annotators)) - set(done.barred)


@given(histories())
@settings(deadline=None)
def test_every_sample_gets_its_labels_as_far_as_there_are_people(situation: Situation) -> None:
    plan = make_plan(situation)
    done = carry_out(situation, plan)
    slots: dict[UUID, list[StandingSlot]] = {one.id: [] for one in done.samples}
    for slot in first_readings(done):
        slots[slot.sample].append(slot)
    for sample in done.samples:
        readers = {slot.annotator for slot in slots[sample.id]}
        assert len(readers) == len(slots[sample.id])
        if sample.role != Purpose.OVERLAP:
            continue
        closed = sum(not slot.is_open for slot in slots[sample.id])
        lacking = plan.shortfall.get(sample.id, 0)
        wanted = labels_possible(done.design, sample)
        assert max(len(readers), closed) + lacking in {max(closed, count) for count in wanted}
        if lacking:
            assert {one for one in done.annotators if (sample.id, one) not in done.barred} <= readers


@given(histories())
@settings(deadline=None)
def test_only_open_slots_are_taken_back_and_only_people_who_may_read_get_any(situation: Situation) -> None:
    plan = make_plan(situation)
    assert all(slot.is_open for slot in plan.withdrawn)
    assert all(one.annotator in situation.annotators for one in plan.added)
    assert not {(one.sample, one.annotator) for one in plan.added} & set(situation.barred)
    for slot in carry_out(situation, plan).standing:
        if slot.is_open:
            assert slot.annotator in situation.annotators
            assert (slot.sample, slot.annotator) not in situation.barred


@given(histories())
@settings(deadline=None)
def test_a_plan_made_again_changes_nothing(situation: Situation) -> None:
    assert is_unchanged(make_plan(planned(situation)))


@given(beginnings, st.lists(st.sampled_from([1.0, 2.0, 5.0]), min_size=7, max_size=7), st.data())
@settings(deadline=None)
def test_labelling_alone_moves_nothing(situation: Situation, hours: list[float], data: st.DataObject) -> None:
    if not situation.design.single_label_percent:
        situation = replace(situation, capacity=dict(zip(people(7), hours, strict=True)))
    situation = planned(situation)
    for annotator in situation.annotators:
        pace = data.draw(st.sampled_from([0.0, 0.3, 0.9, 1.0]))
        situation = label(situation, pace, by=[annotator])
        assert is_unchanged(make_plan(situation))


@given(histories(), st.randoms(use_true_random=False))
@settings(deadline=None)
def test_the_order_of_the_lists_does_not_matter(situation: Situation, chance: random.Random) -> None:
    shuffled = replace(
        situation,
        samples=chance.sample(situation.samples, len(situation.samples)),
        annotators=chance.sample(situation.annotators, len(situation.annotators)),
        standing=chance.sample(situation.standing, len(situation.standing)),
        barred=chance.sample(sorted(situation.barred), len(situation.barred)),
    )
    assert make_plan(shuffled) == make_plan(situation)


def test_a_passed_sample_goes_to_somebody_else_and_nothing_else_moves() -> None:
    situation = label(planned(begin(PLAIN_DESIGN, 300, 5)), 0.4)
    passed = next(slot for slot in situation.standing if not slot.is_open)
    plan = make_plan(
        replace(
            situation,
            standing=[slot for slot in situation.standing if slot != passed],
            barred={(passed.sample, passed.annotator)},
        )
    )
    assert plan.withdrawn == []
    assert [slot.sample for slot in plan.added] == [passed.sample]
    assert plan.added[0].annotator != passed.annotator


def test_fewer_labels_per_sample_take_open_slots_back() -> None:
    situation = label(planned(begin(replace(PLAIN_DESIGN, labels_per_sample=3), 90, 5)), 0.3)
    done = planned(replace(situation, design=PLAIN_DESIGN))
    closed = Counter(slot.sample for slot in situation.standing if not slot.is_open)
    per_sample = Counter(slot.sample for slot in done.standing)
    assert all(per_sample[one.id] == max(2, closed[one.id]) for one in done.samples)


def test_samples_that_are_gone_are_taken_back() -> None:
    situation = label(planned(begin(REAL_DESIGN, 80, 3)), 0.5)
    plan = make_plan(replace(situation, samples=situation.samples[:-1]))
    gone = situation.samples[-1].id
    assert {slot for slot in situation.standing if slot.is_open and slot.sample == gone} <= set(
        plan.withdrawn
    )
    assert gone not in {slot.sample for slot in plan.added}


def test_single_labels_are_drawn_outside_severe_only() -> None:
    done = planned(begin(Design(single_label_percent=30, repeat_percent=0), 2000, 4))
    labels = Counter(slot.sample for slot in done.standing)
    severe = [labels[one.id] for one in done.samples if one.is_severe]
    others = [labels[one.id] for one in done.samples if not one.is_severe]
    assert set(severe) == {2}
    assert 0.26 < others.count(1) / len(others) < 0.34


@given(histories())
@settings(deadline=None)
def test_repeats_are_the_share_of_own_anchors_and_overlap(situation: Situation) -> None:
    done = planned(situation)
    own = {
        (slot.sample, slot.annotator) for slot in first_readings(done, Purpose.ANCHOR, Purpose.OVERLAP)
    } & set(product((one.id for one in done.samples), done.annotators))
    assert own >= {
        (slot.sample, slot.annotator) for slot in done.standing if slot.repeat_number and slot.is_open
    }
    repeats = [slot for slot in done.standing if slot.repeat_number and (slot.sample, slot.annotator) in own]
    assert all((slot.purpose, slot.repeat_number) == (Purpose.REPEAT, 1) for slot in repeats)
    closed = Counter(slot.annotator for slot in repeats if not slot.is_open)
    for annotator in done.annotators:
        number = sum(slot.annotator == annotator for slot in repeats)
        share = done.design.repeat_percent / 100 * sum(person == annotator for _, person in own)
        assert number <= max(closed[annotator], share + 0.5)
        if not done.barred:
            assert number >= share - 0.5


def test_repeats_stay_where_they_are_when_the_plan_grows() -> None:
    situation = planned(begin(REAL_DESIGN, 1000, 3))
    grown = replace(situation, samples=[*situation.samples, *samples(500, start=1000)])
    plan = make_plan(grown)
    assert plan.withdrawn == []
    assert sum(slot.repeat_number for slot in plan.added) == pytest.approx(0.04 * 500 * 2, abs=3)


@pytest.mark.parametrize(
    "numbers",
    [{"training": -1}, {"labels_per_sample": 0}, {"repeat_percent": 101.0}, {"single_label_percent": -1.0}],
)
def test_a_design_that_makes_no_sense_is_refused(numbers: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="design"):
        Design(**numbers)  # type: ignore[arg-type]


def test_a_person_without_capacity_is_refused() -> None:
    with pytest.raises(ValueError, match="capacity is 0 or less"):
        Situation(PLAIN_DESIGN, [], people(1), capacity={people(1)[0]: 0.0})
