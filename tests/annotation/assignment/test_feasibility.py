"""The feasibility check: the printed numbers, what binds, and remedies that truly help."""

from collections.abc import Sequence
from dataclasses import replace
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.assignment.feasibility import (
    Clinician,
    Feasibility,
    Limit,
    Proposal,
    RemedyKind,
    check_feasibility,
)
from annotation.assignment.policy import Design, Purpose, Situation, make_plan
from tests.annotation.assignment.situations import people, samples

DEFAULT_SAMPLES = {
    Purpose.TRAINING: 50,
    Purpose.CALIBRATION: 100,
    Purpose.ANCHOR: 500,
    Purpose.OVERLAP: 4350,
}
TWO_HOURS_DAILY = Clinician(hours_per_week=14)
DEFAULT = Proposal(
    samples=DEFAULT_SAMPLES,
    severe_share=0.1,
    design=Design(training=50, calibration=100, anchors=500),
    clinicians=[TWO_HOURS_DAILY] * 5,
    seconds_per_label=45,
    days=14,
)
BLIND_ONLY = replace(
    DEFAULT,
    samples={**DEFAULT_SAMPLES, Purpose.TRAINING: 0},
    design=Design(calibration=100, anchors=500, repeat_percent=0),
)

clinicians = st.builds(
    Clinician,
    hours_per_week=st.floats(0.5, 40),
    minutes_per_day=st.floats(10, 240),
    severe_per_day=st.integers(1, 40),
    severe_per_sitting=st.integers(1, 20),
)
proposals = st.builds(
    Proposal,
    samples=st.fixed_dictionaries(
        {
            Purpose.TRAINING: st.integers(0, 50),
            Purpose.CALIBRATION: st.integers(0, 100),
            Purpose.ANCHOR: st.integers(0, 500),
            Purpose.OVERLAP: st.integers(0, 5000),
        }
    ),
    severe_share=st.floats(0, 1),
    design=st.builds(
        Design,
        labels_per_sample=st.integers(1, 4),
        repeat_percent=st.floats(0, 10),
        single_label_percent=st.sampled_from([0.0, 0.0, 30.0, 100.0]),
    ),
    clinicians=st.lists(clinicians, max_size=6),
    seconds_per_label=st.floats(5, 200),
    days=st.none() | st.integers(0, 60),
    repeat_after_days=st.sampled_from([0, 0, 7]),
)


def remedy_sentences(found: Feasibility) -> dict[RemedyKind, str]:
    return {one.kind: one.sentence for one in found.remedies}


def test_the_last_silent_repeat_rests_after_the_last_first_reading() -> None:
    resting = check_feasibility(replace(DEFAULT, repeat_after_days=7))
    without = check_feasibility(replace(DEFAULT, design=replace(DEFAULT.design, repeat_percent=0)))
    assert resting.days == pytest.approx(without.days + 7)
    assert resting.limit == Limit.REPEATS
    hopeless = check_feasibility(replace(DEFAULT, repeat_after_days=7, days=6))
    assert "silent repeats rest 7 days" in remedy_sentences(hopeless)[RemedyKind.MORE_CLINICIANS]


def test_the_default_design_has_11_700_blind_labels() -> None:
    found = check_feasibility(DEFAULT)
    assert found.blind_labels == 11_700
    assert (
        found.total_labels == 11_700 + 250 + 448
    )  # training, and 4 % of 2,500 anchor and 8,700 overlap labels
    assert [part.labels for part in found.parts] == [2480] * 5


def test_14_days_of_two_hours_leave_43_seconds_for_each_of_2_340_labels() -> None:
    found = check_feasibility(BLIND_ONLY)
    assert [part.labels for part in found.parts] == [2340] * 5
    assert found.seconds_allowed == pytest.approx(43.08, abs=0.01)
    assert found.parts[0].hours == pytest.approx(2340 * 45 / 3600)
    assert not found.is_feasible
    assert check_feasibility(replace(BLIND_ONLY, seconds_per_label=43)).is_feasible


def test_25_severe_readings_a_day_are_1_750_for_five_people_in_two_weeks() -> None:
    found = check_feasibility(DEFAULT)
    assert sum(part.severe_allowed or 0 for part in found.parts) == 1750


@pytest.mark.parametrize(
    ("clinician", "severe_share", "limit"),
    [
        (Clinician(hours_per_week=7), 0.0, Limit.HOURS),
        (Clinician(hours_per_week=40), 0.0, Limit.DAILY_LIMIT),
        (Clinician(hours_per_week=40), 0.5, Limit.SEVERE_READINGS),
    ],
)
def test_what_takes_longest_is_named(clinician: Clinician, severe_share: float, limit: Limit) -> None:
    found = check_feasibility(replace(DEFAULT, clinicians=[clinician] * 5, severe_share=severe_share))
    assert found.limit == limit


def test_severe_readings_decide_the_days() -> None:
    found = check_feasibility(replace(BLIND_ONLY, severe_share=0.5, seconds_per_label=10))
    assert found.days == pytest.approx(2340 * 0.5 / 25)


def test_a_short_day_has_room_for_one_sitting_of_severe_samples() -> None:
    assert Clinician(hours_per_week=3.5).severe_readings_per_day == 10
    assert Clinician(hours_per_week=14).severe_readings_per_day == 25
    assert Clinician(hours_per_week=14, severe_per_sitting=2).severe_readings_per_day == 8


def test_capacity_is_what_the_daily_limit_leaves() -> None:
    assert Clinician(hours_per_week=40).capacity == pytest.approx(14)
    assert Clinician(hours_per_week=5).capacity == pytest.approx(5)


def test_without_a_date_every_plan_that_ends_is_feasible() -> None:
    found = check_feasibility(replace(DEFAULT, days=None))
    assert found.is_feasible
    assert found.seconds_allowed is None
    assert found.parts[0].severe_allowed is None


def test_an_infeasible_date_comes_with_three_remedies() -> None:
    sentences = remedy_sentences(check_feasibility(DEFAULT))
    assert sentences == {
        RemedyKind.MORE_CLINICIANS: (
            "1 more clinician with 14 hours a week would be enough: it takes 14 days."
        ),
        RemedyKind.LATER_DATE: "A date 2 days later, 16 days from now, would be enough.",
        RemedyKind.LESS_OVERLAP: (
            "One label only for 30 % of the overlap samples not estimated severe would be enough: "
            "it takes 14 days."
        ),
    }


def test_too_many_samples_for_everybody_leave_only_the_date() -> None:
    crowded = replace(DEFAULT, samples={Purpose.ANCHOR: 5000}, design=Design(anchors=5000))
    more, later, less = check_feasibility(crowded).remedies
    assert (more.amount, more.proposal) == (None, None)
    assert "because everybody reads the training, calibration and anchor samples" in more.sentence
    assert later.amount is not None
    assert "no overlap" in less.sentence


def test_severe_readings_are_not_helped_by_less_overlap_elsewhere() -> None:
    found = check_feasibility(replace(DEFAULT, severe_share=0.5, seconds_per_label=10))
    less = found.remedies[2]
    assert less.amount is None
    assert "is not enough: it takes" in less.sentence


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_clinicians_than_labels_never_end(count: int) -> None:
    found = check_feasibility(replace(DEFAULT, clinicians=[TWO_HOURS_DAILY] * count))
    assert (found.limit, found.days, found.is_feasible) == (Limit.CLINICIANS, inf, False)
    assert "fewer clinicians than labels" in remedy_sentences(found)[RemedyKind.LATER_DATE]
    assert found.remedies[0].amount is not None


def test_who_reads_no_severe_samples_never_ends() -> None:
    careful = replace(TWO_HOURS_DAILY, severe_per_day=0)
    found = check_feasibility(replace(DEFAULT, clinicians=[careful] * 5))
    assert (found.limit, found.days) == (Limit.SEVERE_READINGS, inf)
    assert {one.amount for one in found.remedies} == {None}


@given(proposals)
@settings(deadline=None)
def test_every_remedy_is_feasible(proposal: Proposal) -> None:
    found = check_feasibility(proposal)
    assert len(found.remedies) == (0 if found.is_feasible else 3)
    for remedy in found.remedies:
        assert (remedy.proposal is None) == (remedy.amount is None)
        if remedy.proposal is not None:
            assert check_feasibility(remedy.proposal).is_feasible


@given(proposals, st.floats(1, 40), st.integers(1, 6))
@settings(deadline=None)
def test_no_smaller_remedy_is_enough_among_equals(proposal: Proposal, hours: float, count: int) -> None:
    proposal = replace(proposal, clinicians=[Clinician(hours)] * count)
    for remedy in check_feasibility(proposal).remedies:
        if remedy.proposal is not None and remedy.amount is not None and remedy.amount > 1:
            assert not check_feasibility(one_less(remedy.kind, remedy.proposal)).is_feasible


def one_less(kind: RemedyKind, proposal: Proposal) -> Proposal:
    if kind == RemedyKind.MORE_CLINICIANS:
        return replace(proposal, clinicians=proposal.clinicians[:-1])
    if kind == RemedyKind.LATER_DATE:
        assert proposal.days is not None
        return replace(proposal, days=proposal.days - 1)
    single = proposal.design.single_label_percent - 1
    return replace(proposal, design=replace(proposal.design, single_label_percent=single))


@given(
    st.lists(st.floats(2, 10), min_size=2, max_size=6),
    st.integers(0, 40),
    st.integers(100, 600),
    st.sampled_from([0.0, 40.0]),
)
@settings(deadline=None, max_examples=25)
def test_the_check_foretells_what_the_policy_gives(
    hours: Sequence[float], anchors: int, overlap: int, single_label_percent: float
) -> None:
    design = Design(anchors=anchors, single_label_percent=single_label_percent)
    plan = make_plan(
        Situation(
            design,
            samples(anchors + overlap),
            people(len(hours)),
            capacity=dict(zip(people(len(hours)), hours, strict=True)),
        )
    )
    severe = sum(one.is_severe for one in samples(anchors + overlap)) / (anchors + overlap)
    foretold = check_feasibility(
        Proposal(
            {Purpose.ANCHOR: anchors, Purpose.OVERLAP: overlap},
            severe,
            design,
            [Clinician(one) for one in hours],
            seconds_per_label=45,
        )
    )
    assert foretold.total_labels == pytest.approx(len(plan.added), rel=0.08)
    for annotator, part in zip(people(len(hours)), foretold.parts, strict=True):
        given_to = sum(slot.annotator == annotator for slot in plan.added)
        assert part.labels == pytest.approx(given_to, rel=0.08, abs=10)


@pytest.mark.parametrize("hours", [0.0, -1.0])
def test_a_clinician_without_time_is_refused(hours: float) -> None:
    with pytest.raises(ValueError, match="no time at all"):
        Clinician(hours)


def test_numbers_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="outside 0 to 1"):
        replace(DEFAULT, severe_share=20.0)
    with pytest.raises(ValueError, match="Seconds per label"):
        replace(DEFAULT, seconds_per_label=0)
    with pytest.raises(ValueError, match="below 0"):
        Clinician(5, severe_per_day=-1)
