"""The demo conversations cover every class, differ from each other and keep to safe messaging."""

import json
import re
from collections import Counter
from functools import cache
from itertools import combinations, pairwise
from pathlib import Path
from typing import Literal, TypedDict

import pytest

DEMO_FILE = Path(__file__).parents[3] / "annotation" / "demo" / "conversations.jsonl"

CRISIS_TYPES = (
    "suicide",
    "self_injury",
    "violence",
    "abuse_neglect",
    "psychosis_mania",
    "substance_medical",
    "other",
)
MODALITIES = (
    "cbt",
    "dbt",
    "act",
    "motivational_interviewing",
    "psychodynamic",
    "person_centred",
    "solution_focused",
    "trauma_focused",
    "interpersonal_systemic",
    "emotion_focused",
    "psychoeducation",
    "supportive",
    "crisis_intervention",
    "none_unclear",
)
FIELDS = ["key", "theme", "messages", "written_for", "estimated_severe", "is_synthetic"]
WRITTEN_FOR_FIELDS = ["crisis_intensity", "crisis_types", "modality_primary", "empathy_global"]

MIN_CONVERSATIONS = 84
SEVERE_LEVEL = 3
GOOD_EMPATHY = 4
SHORT_MAX_MESSAGES = 14
LONG_MESSAGES = range(24, 41)
OPENING_WORDS = 4
SHARED_SENTENCE_WORDS = 7
NEAR_DUPLICATE_JACCARD = 0.2

# Means, methods, doses, places and stigmatising phrases; whole words, in either role, at any crisis level.
BANNED = re.compile(
    r"""\b(?:
      rope|noose|ligature|hanged|hanging\ (?:my|your|him|her)self|hang\ (?:my|your|him|her)self|gallows
    | gun|guns|pistol|rifle|shotgun|firearms?|bullets?|ammunition|pull(?:ed)?\ the\ trigger
    | shoot|shot\ (?:my|him|her)self
    | knife|knives|blades?|razors?|scalpel|scissors|lighters?|shoelaces?
    | slit|wrists?\ open|cut(?:ting)?\ (?:(?:my|your|her|him)self|(?:my|your|her|his)\ \w+)
    | burn(?:ed|t|ing)?\ (?:my|your|her|him)self|stab(?:bed|bing)?|strangl\w*|suffocat\w*|smother\w*|drown\w*
    | bridge|cliff|roof\ edge|ledge|balcony|multi-storey|railway|rail\ tracks?|platform\ edge|motorway|lorry
    | jump(?:ed|ing)?\ (?:off|from|in\ front)|throw\ (?:my|your)self
    | pills?|tablets\ (?:i|left|saved)|paracetamol|acetaminophen|ibuprofen|aspirin|insulin|opioids?
    | opiates?|morphine|fentanyl|heroin|methadone|oxycodone|benzodiazepines?|diazepam|barbiturates?
    | antifreeze|bleach|poison\w*
    | pesticides?|weedkiller|carbon\ monoxide|exhaust|charcoal|helium|plastic\ bag|stockpil\w*
    | \d+\s?(?:mg|mcg|ml|g|grams?|milligrams?|units?|kg|lbs?|calories|kcal)
    | milligrams?|calories|bmi|purg(?:e|ed|ing)
    | commit(?:s|ted|ting)?\ suicide|(?:un)?successful\ (?:suicide|attempt)|failed\ (?:suicide|attempt)
    | suicide\ (?:bid|pact|epidemic)|took\ (?:his|her|their)\ own\ life|better\ place
    | naked|rap(?:e|ed|ing)|genitals?|penis|vagina|bleed\w*|blood(?:y\ arm|\ on)|gore|corpse
    )\b""",
    re.VERBOSE | re.IGNORECASE,
)
CONTACT_DETAIL = re.compile(r"https?://|www\.|\S+@\S+\.\w|\b(?:\d[ -]?){7,}\b")
HELP_SEEKING = re.compile(r"crisis (?:line|team)|emergency services|call a doctor", re.IGNORECASE)
ASKS_ABOUT_SUICIDE = re.compile(
    r"kill(?:ing)? yourself|end(?:ing)? your (?:own )?life|(?:want\w*|wish\w*)[^.?]* (?:to die|to be dead)"
    r"|wish of your own to die|thoughts? of suicide",
    re.IGNORECASE,
)


class Message(TypedDict):
    role: Literal["user", "assistant"]
    content: str


class WrittenFor(TypedDict):
    crisis_intensity: int
    crisis_types: list[str]
    modality_primary: str | None
    empathy_global: int | None


class Conversation(TypedDict):
    key: str
    theme: str
    messages: list[Message]
    written_for: WrittenFor
    estimated_severe: bool
    is_synthetic: bool


@cache
def conversations() -> list[Conversation]:
    return [json.loads(line) for line in DEMO_FILE.read_text(encoding="utf-8").splitlines()]


def text_of(conversation: Conversation, role: str = "") -> str:
    return "\n".join(m["content"] for m in conversation["messages"] if m["role"].startswith(role))


def has_reply(conversation: Conversation) -> bool:
    return any(m["role"] == "assistant" for m in conversation["messages"])


def words(text: str) -> list[str]:
    return re.findall(r"\w+(?:'\w+)?", text.lower())


def failing(keys: list[str]) -> str:
    return "these conversations break the rule: " + ", ".join(keys)


def test_file_is_one_complete_record_per_line() -> None:
    records = conversations()
    assert len(records) >= MIN_CONVERSATIONS
    assert DEMO_FILE.read_bytes().endswith(b"}\n")
    assert {tuple(r) for r in records} == {tuple(FIELDS)}
    assert {tuple(r["written_for"]) for r in records} == {tuple(WRITTEN_FOR_FIELDS)}


def test_keys_count_up_and_themes_are_unique() -> None:
    records = conversations()
    assert [r["key"] for r in records] == [f"demo-{n:03d}" for n in range(1, len(records) + 1)]
    assert max(Counter(r["theme"] for r in records).values()) == 1


def test_every_conversation_is_marked_synthetic() -> None:
    assert all(r["is_synthetic"] is True for r in conversations())


def test_turns_are_well_formed() -> None:
    for record in conversations():
        messages = record["messages"]
        assert messages[0]["role"] == "user", record["key"]
        assert {m["role"] for m in messages} <= {"user", "assistant"}, record["key"]
        assert all(set(m) == {"role", "content"} for m in messages), record["key"]
        assert all(m["content"] and m["content"] == m["content"].strip() for m in messages), record["key"]
        if has_reply(record):
            assert all(a["role"] != b["role"] for a, b in pairwise(messages)), record["key"]


def test_lengths_are_short_or_long_enough_for_windows() -> None:
    lengths = {r["key"]: len(r["messages"]) for r in conversations() if has_reply(r)}
    odd = [k for k, n in lengths.items() if not (2 <= n <= SHORT_MAX_MESSAGES or n in LONG_MESSAGES)]
    assert not odd, failing(odd)
    assert sum(n in LONG_MESSAGES for n in lengths.values()) >= 6


def test_some_scenarios_have_no_reply() -> None:
    unanswered = [r for r in conversations() if not has_reply(r)]
    assert len(unanswered) >= 8
    assert all(len(r["messages"]) <= SHORT_MAX_MESSAGES for r in unanswered)


def test_modality_and_empathy_are_given_exactly_where_there_is_a_reply() -> None:
    for record in conversations():
        written_for = record["written_for"]
        assert (written_for["modality_primary"] is not None) is has_reply(record), record["key"]
        assert (written_for["empathy_global"] is not None) is has_reply(record), record["key"]


def test_types_are_named_exactly_where_there_is_a_crisis() -> None:
    for record in conversations():
        types = record["written_for"]["crisis_types"]
        assert bool(types) is (record["written_for"]["crisis_intensity"] > 0), record["key"]
        assert set(types) <= set(CRISIS_TYPES), record["key"]
        assert len(set(types)) == len(types), record["key"]


def test_severe_estimate_follows_the_intended_level() -> None:
    wrong = [
        r["key"]
        for r in conversations()
        if r["estimated_severe"] is not (r["written_for"]["crisis_intensity"] >= SEVERE_LEVEL)
    ]
    assert not wrong, failing(wrong)


def test_no_two_severe_conversations_stand_next_to_each_other() -> None:
    pairs = [
        b["key"] for a, b in pairwise(conversations()) if a["estimated_severe"] and b["estimated_severe"]
    ]
    assert not pairs, failing(pairs)


def test_coverage_of_crisis_levels() -> None:
    counts = Counter(r["written_for"]["crisis_intensity"] for r in conversations())
    assert set(counts) == set(range(6))
    assert min(counts.values()) >= 6


def test_coverage_of_crisis_types() -> None:
    counts = Counter(kind for r in conversations() for kind in r["written_for"]["crisis_types"])
    assert set(counts) == set(CRISIS_TYPES)
    assert min(counts.values()) >= 4


def test_coverage_of_modalities() -> None:
    counts = Counter(r["written_for"]["modality_primary"] for r in conversations() if has_reply(r))
    assert set(counts) == set(MODALITIES)
    assert min(counts.values()) >= 4


def test_coverage_of_empathy() -> None:
    counts = Counter(r["written_for"]["empathy_global"] for r in conversations() if has_reply(r))
    assert set(counts) == set(range(1, 6))
    assert min(counts.values()) >= 10


def test_no_two_conversations_open_alike() -> None:
    openings = Counter(" ".join(words(r["messages"][0]["content"])[:OPENING_WORDS]) for r in conversations())
    assert [opening for opening, n in openings.items() if n > 1] == []


def test_no_two_conversations_are_near_duplicates() -> None:
    shingles: dict[str, set[tuple[str, ...]]] = {}
    for record in conversations():
        tokens = words(text_of(record))
        shingles[record["key"]] = set(zip(*(tokens[i:] for i in range(5)), strict=False))
    for (key_a, a), (key_b, b) in combinations(shingles.items(), 2):
        assert len(a & b) / len(a | b) < NEAR_DUPLICATE_JACCARD, f"{key_a} and {key_b} are too alike"


def test_no_stock_sentence_is_used_twice() -> None:
    seen: dict[str, str] = {}
    for record in conversations():
        for sentence in re.split(r"[.?!\n]+", text_of(record)):
            tokens = words(sentence)
            if len(tokens) >= SHARED_SENTENCE_WORDS:
                first = seen.setdefault(" ".join(tokens), record["key"])
                assert first == record["key"], f"{first} and {record['key']} share a whole sentence"


def test_neither_role_names_means_methods_doses_or_places() -> None:
    hits = [
        (r["key"], m.group())
        for r in conversations()
        for m in BANNED.finditer(r["theme"] + "\n" + text_of(r))
    ]
    assert hits == []


@pytest.mark.parametrize(
    "planted",
    [
        "he committed suicide last year",
        "I saved the pills",
        "take 500 mg of it",
        "standing on the bridge",
        "there is a Knife in the drawer",
        "I cut myself",
        "jumped off something",
        "a failed attempt",
        "he went to a better place",
        "under 900 calories",
    ],
)
def test_the_banned_list_catches_what_it_should(planted: str) -> None:
    assert BANNED.search(planted)


@pytest.mark.parametrize("harmless", ["cutting up a melon", "jump out of my skin", "begun", "tablet"])
def test_the_banned_list_leaves_ordinary_words_alone(harmless: str) -> None:
    assert not BANNED.search(harmless)


def test_no_contact_details() -> None:
    hits = [r["key"] for r in conversations() if CONTACT_DETAIL.search(text_of(r))]
    assert not hits, failing(hits)


def test_every_severe_reply_points_to_help() -> None:
    silent = [
        r["key"]
        for r in conversations()
        if r["estimated_severe"] and has_reply(r) and not HELP_SEEKING.search(text_of(r, "assistant"))
    ]
    assert not silent, failing(silent)


def test_good_replies_to_suicidal_clients_ask_directly() -> None:
    indirect = [
        r["key"]
        for r in conversations()
        if "suicide" in r["written_for"]["crisis_types"]
        and r["written_for"]["crisis_intensity"] < 5  # at 5 an act may be under way and help comes first
        and (r["written_for"]["empathy_global"] or 0) >= GOOD_EMPATHY
        and not ASKS_ABOUT_SUICIDE.search(text_of(r, "assistant"))
    ]
    assert not indirect, failing(indirect)
