"""Made-up conversations are many, short, different, and safe to read; their estimate errs as it should."""

import re
from collections import Counter
from functools import cache
from itertools import islice, pairwise
from pathlib import Path

import pytest

from annotation.rehearsal import wording
from annotation.rehearsal.reading import impression
from annotation.rehearsal.texts import MadeConversation, made_conversations
from annotation.schemes.answers import Answer
from datasets_app.sources.hashing import content_hash
from datasets_app.sources.records import Turn
from datasets_app.sources.windows import windows
from tests.annotation.demo.test_conversations import BANNED, CONTACT_DETAIL

COUNT, READ_COUNT = 5000, 2000
SEVERE_LEVEL = 3
A_CAPITAL_INSIDE = re.compile(
    r"""I|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)days?|January|February|March|April|May|June|July|August
    |September|October|November|December|Canada|Christmas|Dad|Mum""",
    re.VERBOSE,
)


@cache
def made() -> list[MadeConversation]:
    return list(made_conversations(COUNT, seed=1))


@cache
def seen() -> list[dict[str, Answer]]:
    return [impression(conversation.turns) for conversation in made()[:READ_COUNT]]


def levels() -> list[int]:
    return [int(str(each["crisis_intensity"])) for each in seen()]


def test_no_two_are_alike_for_the_importer() -> None:
    turns = [[Turn(role, text) for role, text in conversation.turns] for conversation in made()]

    assert len({content_hash(each) for each in turns}) == COUNT


def test_the_seed_decides_and_a_smaller_count_gives_the_first_ones() -> None:
    assert list(made_conversations(50, seed=1)) == made()[:50]
    assert not {each.turns for each in made_conversations(50, seed=2)} & {each.turns for each in made()}


def test_they_come_one_by_one() -> None:
    assert len(list(islice(made_conversations(10**9, seed=1), 3))) == 3


def test_they_are_short_and_fit_one_window() -> None:
    for conversation in made():
        turns = [Turn(role, text) for role, text in conversation.turns]
        assert 2 <= len(turns) <= 8
        assert 40 <= sum(len(turn.content.split()) for turn in turns) <= 250
        assert len(windows(turns)) == 1


def test_the_client_begins_and_speakers_take_turns_unless_nobody_answers() -> None:
    unanswered = 0
    for conversation in made():
        roles = [role for role, _ in conversation.turns]
        assert roles[0] == "user"
        if "assistant" in roles:
            assert all(one != other for one, other in pairwise(roles))
        else:
            unanswered += 1
    assert 0.05 * COUNT < unanswered < 0.12 * COUNT


def test_levels_occur_as_often_as_in_practice() -> None:
    shares = {level: count / READ_COUNT for level, count in Counter(levels()).items()}

    assert set(shares) == set(range(6))
    assert shares[0] == pytest.approx(0.6, abs=0.03)
    assert sum(shares[level] for level in (3, 4, 5)) == pytest.approx(0.08, abs=0.015)


def test_the_estimate_is_right_for_nine_of_ten_severe_ones_and_rarely_cries_wolf() -> None:
    pairs = Counter(
        (conversation.is_estimated_severe, level >= SEVERE_LEVEL)
        for conversation, level in zip(made(), levels(), strict=False)
    )

    assert 0.8 < pairs[True, True] / (pairs[True, True] + pairs[False, True]) < 0.97
    assert 0 < pairs[True, False] / (pairs[True, False] + pairs[False, False]) < 0.03


def test_replies_cover_every_modality_and_level_of_empathy() -> None:
    assert len({str(each["modality_primary"]) for each in seen() if "modality_primary" in each}) == 14
    assert {each["empathy_global"] for each in seen() if "empathy_global" in each} == set("12345")
    assert {each["reply_safety"] for each in seen() if "reply_safety" in each} == {
        "pass",
        "fail",
        "not_applicable",
    }


def test_no_means_methods_doses_or_places_and_no_contact_details() -> None:
    files = Path(wording.__file__).with_name("phrases").glob("*.yaml")
    texts = [path.read_text(encoding="utf-8") for path in files]
    assert len(texts) == 4
    texts += [text for conversation in made()[:300] for _, text in conversation.turns]

    assert {match.group() for text in texts for match in BANNED.finditer(text)} == set()
    assert not any(CONTACT_DETAIL.search(text) for text in texts)


def test_nobody_has_a_name() -> None:
    capitals: set[str] = set()
    for conversation in made():
        for _, text in conversation.turns:
            for sentence in re.split(r"[.?!]\s+", text):
                capitals |= set(re.findall(r"(?<=\W)[A-Z][a-z]*\b", sentence[1:]))

    assert {word for word in capitals if not A_CAPITAL_INSIDE.fullmatch(word)} == set()


def test_every_slot_is_filled() -> None:
    assert not any("{" in text or "}" in text for each in made() for _, text in each.turns)
