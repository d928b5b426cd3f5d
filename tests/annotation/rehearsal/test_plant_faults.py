"""Faults planted into simulated clinicians do what they say, repeatably, and nothing else."""

from functools import cache

import pytest

from annotation.rehearsal.clinician import SimulatedClinician
from annotation.rehearsal.faults import FORMS, LAZY_SHARE, Fault, FaultError, parse_fault
from annotation.rehearsal.texts import MadeConversation, made_conversations
from annotation.schemes.answers import Answer, validate_answers
from tests.annotation.rehearsal.schemes import DEFAULT, speakers_of

CRISIS, MODALITY = "crisis_intensity", "modality_primary"
GIVEN = ("biased:1", "lazy:1", "drifting:1", f"swapped:1:{MODALITY}:cbt:supportive", f"merged:{CRISIS}:1:2")


def fault(words: str) -> Fault:
    return parse_fault(words, annotators=5, scheme=DEFAULT)


@cache
def conversations() -> list[MadeConversation]:
    return list(made_conversations(300, seed=5))


def read(*faults: str, progress: float = 0.0, skill: float = 0.9) -> list[dict[str, Answer]]:
    clinician = SimulatedClinician("one", 1, skill, faults=tuple(map(fault, faults)))
    return [
        clinician.read(DEFAULT, each.turns, speakers_of(each.turns), progress=progress)
        for each in conversations()
    ]


def column(answers: list[dict[str, Answer]], key: str) -> list[str]:
    return [str(each.get(key)) for each in answers]


@pytest.mark.parametrize("words", GIVEN)
def test_a_fault_is_read_from_its_words_and_told_in_the_same(words: str) -> None:
    assert str(fault(words)) == words


@pytest.mark.parametrize("words", GIVEN)
def test_a_faulty_clinician_still_gives_answers_that_can_be_recorded_and_repeated(words: str) -> None:
    answers = read(words, progress=0.7)
    assert answers == read(words, progress=0.7)
    for each, made in zip(answers, conversations(), strict=True):
        assert validate_answers(DEFAULT, each, speakers_of(made.turns)) == each


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "there is no fault “”. Give biased:CLINICIAN, "),
        ("bored:1", "there is no fault “bored”"),
        ("biased", "give it as biased:CLINICIAN"),
        ("biased:1:2", "give it as biased:CLINICIAN"),
        ("biased:0", "there is no clinician “0”. Give a number from 1 to 5"),
        ("lazy:6", "there is no clinician “6”"),
        ("drifting:²", "there is no clinician “²”"),
        ("swapped:1:cbt:act", f"give it as {FORMS[fault('biased:1').kind.SWAPPED]}"),
        ("swapped:1:colour:cbt:act", "there is no question “colour”. Give one of crisis_intensity, "),
        ("swapped:1:crisis_types:suicide:other", "there is no question “crisis_types”"),
        (f"swapped:1:{MODALITY}:cbt:cbt", f"give two different codes of {MODALITY}: cbt, dbt, "),
        (f"merged:{CRISIS}:1:6", f"give two different codes of {CRISIS}: 0, 1, "),
    ],
)
def test_a_fault_that_cannot_be_is_refused_with_what_can(words: str, said: str) -> None:
    with pytest.raises(FaultError, match="--fault") as refused:
        fault(words)
    assert said in str(refused.value)


def test_a_biased_clinician_lies_one_level_higher_on_every_ordinal_question() -> None:
    plain, biased = read(skill=1.0), read("biased:1", skill=1.0)
    for key, top in ((CRISIS, 5), ("empathy_global", 5), ("empathy_exploration", 2)):
        levels = [int(each) for each in column(plain, key) if each != "None"]
        moved = [int(each) for each in column(biased, key) if each != "None"]
        assert moved == [min(level + 1, top) for level in levels]
    assert column(biased, MODALITY) == column(plain, MODALITY)


def test_a_drifting_clinician_is_as_before_until_half_is_done() -> None:
    assert read("drifting:1", progress=0.49) == read()
    assert read("drifting:1", progress=0.5) == read("biased:1")


def test_a_lazy_clinician_gives_the_first_codes_where_the_text_was_skimmed_and_reads_the_rest() -> None:
    clinician = SimulatedClinician("one", 1, faults=(fault("lazy:1"),))
    is_skimmed = [clinician.skims(each.turns) for each in conversations()]
    assert sum(is_skimmed) / len(is_skimmed) == pytest.approx(LAZY_SHARE, abs=0.08)
    for lazy, plain, skims in zip(read("lazy:1"), read(), is_skimmed, strict=True):
        if skims:
            assert lazy[CRISIS] == "0"
            assert lazy.get(MODALITY, "cbt") == "cbt"
        else:
            assert lazy == plain


def test_swapped_codes_change_places_and_others_stay() -> None:
    plain, swapped = column(read(), MODALITY), column(read(GIVEN[3]), MODALITY)
    other = {"cbt": "supportive", "supportive": "cbt"}
    assert swapped == [other.get(code, code) for code in plain]
    assert {"cbt", "supportive"} <= set(plain)


def test_merged_codes_are_one_or_the_other_by_chance_and_others_stay() -> None:
    plain, merged = column(read(), CRISIS), column(read(GIVEN[4]), CRISIS)
    drawn = [after for before, after in zip(plain, merged, strict=True) if before in ("1", "2")]
    assert drawn.count("1") / len(drawn) == pytest.approx(0.5, abs=0.15)
    for before, after in zip(plain, merged, strict=True):
        assert after == before or {before, after} == {"1", "2"}


def test_a_fault_befalls_the_one_it_names_or_everybody() -> None:
    assert [fault("biased:2").befalls(number) for number in (1, 2, 3)] == [False, True, False]
    assert all(fault(GIVEN[4]).befalls(number) for number in range(1, 6))
