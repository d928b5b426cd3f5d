"""Simulated clinicians answer any scheme validly, agree as their skill lets them, and repeat themselves."""

from collections.abc import Sequence
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.agreement.counts import tally_labels
from annotation.agreement.distances import Scale
from annotation.agreement.statistics import krippendorff_alpha
from annotation.rehearsal.clinician import SimulatedClinician
from annotation.rehearsal.reading import Turn, impression
from annotation.rehearsal.texts import made_conversations
from annotation.schemes.answers import Answer, validate_answers
from annotation.schemes.definition import Scheme, parse_scheme
from tests.annotation.rehearsal.schemes import CONVERSATIONS, DEFAULT, schemes, speakers, speakers_of, turns

ONE, OTHER = "one", "other"
OWN = parse_scheme(
    {
        "key": "own",
        "version": "1",
        "title": "Another campaign",
        "forms": [
            {
                "key": "form",
                "title": "A form",
                "asks_about": "conversation",
                "dimensions": [
                    {
                        "key": "tone",
                        "title": "Tone",
                        "scale": "nominal",
                        "is_required": True,
                        "is_headline": True,
                        "categories": [{"code": code, "label": code} for code in ("warm", "cool", "flat")],
                    },
                    {
                        "key": "why",
                        "title": "Why",
                        "scale": "nominal",
                        "is_required": True,
                        "shown_when": {"dimension": "tone", "is_one_of": ["cool", "flat"]},
                        "categories": [{"code": code, "label": code} for code in ("haste", "fear")],
                    },
                ],
            }
        ],
    }
)


@given(
    schemes() | st.just(DEFAULT), turns(), speakers(), st.floats(0, 1), st.floats(-1, 1), st.integers(1, 9)
)
def test_answers_to_any_scheme_can_be_recorded_as_they_are(
    scheme: Scheme,
    conversation: tuple[Turn, ...],
    present: frozenset[str],
    skill: float,
    bias: float,
    visit: int,
) -> None:
    answers = SimulatedClinician(ONE, 1, skill, bias).read(scheme, conversation, present, visit)

    assert list(validate_answers(scheme, answers, present).items()) == list(answers.items())


@given(schemes(), turns(), speakers(), st.integers(1, 3))
def test_the_same_visit_gives_the_same_answers(
    scheme: Scheme, conversation: tuple[Turn, ...], present: frozenset[str], visit: int
) -> None:
    once = SimulatedClinician(ONE, 1, 0.5).read(scheme, conversation, present, visit)

    assert once == SimulatedClinician(ONE, 1, 0.5).read(scheme, conversation, present, visit)


@cache
def conversations() -> list[tuple[Turn, ...]]:
    return [made.turns for made in made_conversations(500, seed=5)]


@cache
def readings(name: str, skill: float, bias: float = 0.0, visit: int = 1) -> list[dict[str, Answer]]:
    clinician = SimulatedClinician(name, 1, skill, bias)
    return [clinician.read(DEFAULT, each, speakers_of(each), visit) for each in conversations()]


def alpha(
    one: Sequence[dict[str, Answer]], other: Sequence[dict[str, Answer]], key: str, scheme: Scheme = DEFAULT
) -> float:
    dimension = scheme.dimension(key)
    labels = [
        (number, rater, str(answers[key]))
        for rater, read in ((ONE, one), (OTHER, other))
        for number, answers in enumerate(read)
        if key in answers
    ]
    scale = Scale.ORDINAL if dimension.scale == "ordinal" else Scale.NOMINAL
    value = krippendorff_alpha(tally_labels(labels, dimension.codes), scale, resamples=100).value
    assert value is not None
    return value


def test_two_skilled_clinicians_agree_at_about_nine_tenths() -> None:
    one, other = readings(ONE, 0.95), readings(OTHER, 0.95)

    assert alpha(one, other, "crisis_intensity") == pytest.approx(0.9, abs=0.04)
    assert 0.8 < alpha(one, other, "modality_primary") < 0.95
    assert 0.9 < alpha(one, other, "empathy_global") < 0.99


@pytest.mark.parametrize("key", ["crisis_intensity", "modality_primary", "empathy_global"])
def test_agreement_rises_with_skill(key: str) -> None:
    reached = [alpha(readings(ONE, skill), readings(OTHER, skill), key) for skill in (0.6, 0.8, 0.95)]

    assert reached == sorted(reached)
    assert reached[-1] - reached[0] > 0.2


def test_clinicians_agree_with_themselves_more_than_with_others_but_not_wholly() -> None:
    again = alpha(readings(ONE, 0.8), readings(ONE, 0.8, visit=2), "crisis_intensity")

    assert alpha(readings(ONE, 0.8), readings(OTHER, 0.8), "crisis_intensity") + 0.05 < again < 1


def test_slips_stay_near_what_the_words_deserve() -> None:
    deserved, read = readings(ONE, 1.0), readings(OTHER, 0.8)
    steps = [
        abs(int(str(one["crisis_intensity"])) - int(str(other["crisis_intensity"])))
        for one, other in zip(deserved, read, strict=True)
        if "crisis_intensity" in other
    ]

    assert max(steps) == 2  # a habit and a lapse on one sample
    assert steps.count(2) < 0.03 * len(steps)
    assert 0.15 < sum(steps) / len(steps) < 0.25


@pytest.mark.parametrize(("bias", "sign"), [(0.4, 1), (-0.4, -1)])
def test_a_bias_moves_the_levels_its_own_way(bias: float, sign: int) -> None:
    def mean(read: list[dict[str, Answer]]) -> float:
        levels = [int(str(answers["empathy_global"])) for answers in read if "empathy_global" in answers]
        return sum(levels) / len(levels)

    assert 0.25 < sign * (mean(readings(ONE, 0.95, bias)) - mean(readings(ONE, 0.95))) < 0.4


def test_an_unknown_scheme_is_answered_alike_by_the_skilled() -> None:
    def read(name: str, skill: float) -> list[dict[str, Answer]]:
        clinician = SimulatedClinician(name, 1, skill)
        return [clinician.read(OWN, each, speakers_of(each)) for each in conversations()[:250]]

    skilled, unskilled = (read(ONE, 0.95), read(OTHER, 0.95)), (read(ONE, 0.5), read(OTHER, 0.5))
    for key in ("tone", "why"):
        assert alpha(*skilled, key, OWN) > 0.75
        assert alpha(*unskilled, key, OWN) < 0.5


def test_confusions_of_a_modality_stay_in_its_family_more_often_than_not() -> None:
    family = next(each for each in DEFAULT.groupings if each.dimension == "modality_primary").members
    pairs = [
        (family[str(one["modality_primary"])], family[str(other["modality_primary"])])
        for one, other in zip(readings(ONE, 1.0), readings(OTHER, 0.6), strict=True)
        if "modality_primary" in one and one["modality_primary"] != other["modality_primary"]
    ]

    assert len(pairs) > 100
    assert 0.4 < sum(one == other for one, other in pairs) / len(pairs) < 0.8


def test_full_skill_answers_just_as_the_words_deserve() -> None:
    for conversation in CONVERSATIONS:
        answers = SimulatedClinician(ONE, 1, 1.0).read(DEFAULT, conversation, speakers_of(conversation))
        seen = impression(conversation)
        asked_and_seen = {key for key in answers if key in seen}
        assert {"crisis_intensity", "crisis_confidence"} <= asked_and_seen
        assert {key: answers[key] for key in asked_and_seen} == {key: seen[key] for key in asked_and_seen}


def test_other_seeds_and_names_give_other_slips() -> None:
    def read(name: str, seed: int) -> list[dict[str, Answer]]:
        clinician = SimulatedClinician(name, seed, 0.5)
        return [clinician.read(DEFAULT, each, speakers_of(each)) for each in CONVERSATIONS]

    assert read(ONE, 1) == read(ONE, 1)
    assert read(ONE, 1) != read(ONE, 2)
    assert read(ONE, 1) != read(OTHER, 1)


@pytest.mark.parametrize(("skill", "bias"), [(-0.1, 0.0), (1.1, 0.0), (0.9, 1.5), (float("nan"), 0.0)])
def test_a_skill_or_bias_that_is_no_share_is_refused(skill: float, bias: float) -> None:
    with pytest.raises(ValueError, match="Give a share between"):
        SimulatedClinician(ONE, 1, skill, bias)
