"""Exact and near duplicates, as one compile finds them."""

import random
import tempfile
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from datasets_app.compile import kernel, sorting
from datasets_app.compile.grouping import candidates_by_duckdb
from datasets_app.compile.reducing import candidates_in_memory, exact_duplicates
from datasets_app.sources.records import ROLES, Turn

from .making import Messages, compiled, dialogue, edited, records_in, write_dialogues

COUNT = 300
TEXTS = st.lists(st.sampled_from("abcdef"), min_size=1, max_size=40).map(" ".join)


def louder(messages: Messages) -> Messages:
    return [{**one, "content": f"  {one['content'].upper().replace(' ', ',  ')} !"} for one in messages]


def kept_of(tmp_path: Path, repeats: list[Messages]) -> tuple[int, int]:
    """How many of the originals and how many of their repeats are kept."""
    originals = [dialogue(number) for number in range(COUNT)]
    path = write_dialogues(tmp_path / "talks.jsonl", originals + repeats)
    out = tmp_path / "out"
    records = records_in(out, compiled(out, [(path, "priority")], has_parquet=False))
    places = [int(record["metadata"]["source_key"].split("/")[1]) for record in records]
    return sum(place <= COUNT for place in places), sum(place > COUNT for place in places)


@pytest.mark.parametrize(
    "repeat",
    [
        lambda number: dialogue(number),
        lambda number: louder(dialogue(number)),
        lambda number: edited(dialogue(number), 0.02, number),
        lambda number: [*dialogue(number), {"role": "user", "content": dialogue(-number)[0]["content"]}],
    ],
    ids=["the same", "other case, spaces and signs", "two of a hundred words replaced", "a turn appended"],
)
def test_every_repeat_is_found_and_no_original_is_lost(tmp_path: Path, repeat: object) -> None:
    assert callable(repeat)
    assert kept_of(tmp_path, [repeat(number) for number in range(COUNT)]) == (COUNT, 0)


def test_five_of_a_hundred_words_replaced_are_nearly_always_found(tmp_path: Path) -> None:
    originals, repeats = kept_of(
        tmp_path, [edited(dialogue(number), 0.05, number) for number in range(COUNT)]
    )
    assert originals == COUNT
    assert repeats <= COUNT * 0.03


def test_other_conversations_are_no_duplicates(tmp_path: Path) -> None:
    assert kept_of(tmp_path, [dialogue(number) for number in range(COUNT, 2 * COUNT)]) == (COUNT, COUNT)


def test_swapped_roles_are_another_conversation(tmp_path: Path) -> None:
    other = {"user": "assistant", "assistant": "user"}
    swapped = [
        [{**message, "role": other[message["role"]]} for message in dialogue(number)]
        for number in range(COUNT)
    ]
    assert kept_of(tmp_path, swapped) == (COUNT, COUNT)


def test_the_list_of_what_was_left_out_names_what_it_repeats(tmp_path: Path) -> None:
    path = write_dialogues(tmp_path / "talks.jsonl", [dialogue(1), dialogue(1), edited(dialogue(1), 0.02)])
    manifest = compiled(tmp_path / "out", [(path, "priority")])
    (kept,) = records_in(tmp_path / "out", manifest)
    listed = (tmp_path / "out" / manifest.provenance.uri).read_text().splitlines()
    root = kept["metadata"]["content_hash"]
    assert kept["metadata"]["provenance"]["dedup_status"] == "first_of_cluster"
    assert [(root in line, "exact" in line, "near" in line) for line in listed] == [
        (True, True, False),
        (True, False, True),
    ]


@settings(deadline=None)  # the first call compiles
@given(first=TEXTS, second=TEXTS)
def test_jaccard_is_that_of_the_sets_of_word_pairs(first: str, second: str) -> None:
    def pairs(text: str) -> set[tuple[str, str]]:
        words = ["(user)", *text.split()]
        return set(pairwise(words))

    tokens = kernel.tokens_of([(Turn("user", first),), (Turn("user", second),)])
    found = kernel.signatures_of(tokens, shingle_words=2, bands=1, rows=1)
    left, right = np.array([0, 1, 0]), np.array([1, 0, 0])
    similarity, turned, own = kernel.jaccards(found.shingles, found.shingle_ends, left, right)
    a, b = pairs(first), pairs(second)
    assert similarity == turned == pytest.approx(len(a & b) / len(a | b))
    assert own == 1


def test_the_signature_estimates_the_jaccard() -> None:
    texts = [
        " ".join(message["content"] for message in said) for said in (dialogue(1), edited(dialogue(1), 0.2))
    ]
    tokens = kernel.tokens_of([(Turn("user", text),) for text in texts])
    found = kernel.signatures_of(tokens, shingle_words=2, bands=2000, rows=1)
    estimate = (found.band_keys[:, 0] == found.band_keys[:, 1]).mean()
    sets = [set(found.shingles[: found.shingle_ends[0]]), set(found.shingles[found.shingle_ends[0] :])]
    assert estimate == pytest.approx(len(sets[0] & sets[1]) / len(sets[0] | sets[1]), abs=0.04)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("I don't know", 4),
        ("Ça va très bien", 4),
        ("你好嗎", 3),
        ("well—no", 2),
        ("", 0),
        ("a.b", 2),
        ("🙂 ok", 2),
    ],
)
def test_words_are_told_apart_in_any_script(text: str, count: int) -> None:
    assert len(kernel.tokens_of([(Turn("user", text),)]).hashes) == count


@settings(deadline=None)
@given(st.lists(st.integers(0, 2**64 - 1), max_size=50), st.lists(st.integers(0, 5), max_size=50))
def test_hashes_are_sorted_as_numpy_sorts_them_and_equal_ones_by_their_place(
    hashes: list[int], repeated: list[int]
) -> None:
    values = np.array([*hashes, *(hashes[one] for one in repeated if one < len(hashes))], dtype=np.uint64)
    assert sorting.order_of(values).tolist() == np.argsort(values, kind="stable").tolist()


def test_what_is_not_spread_as_hashes_are_is_sorted_too() -> None:
    """Sorted by insertion, it would take minutes: each second one would go past half of the others."""
    values = np.arange(600_000, dtype=np.uint64) % np.uint64(2)
    order = sorting.order_of(values)
    assert order.tolist() == [*range(0, 600_000, 2), *range(1, 600_000, 2)]


@settings(deadline=None)
@given(st.lists(st.lists(TEXTS, max_size=3), min_size=1, max_size=4), st.randoms())
def test_the_tokens_of_some_records_are_those_made_of_them_alone(
    records: list[list[str]], chance: random.Random
) -> None:
    said = [tuple(Turn(chance.choice(ROLES), text) for text in record) for record in records]
    which = [chance.randrange(len(said)) for _ in range(3)]
    found = kernel.of_records(kernel.tokens_of(said), np.array(which))
    alone = kernel.tokens_of([said[one] for one in which])
    assert [one.tolist() for one in found] == [one.tolist() for one in alone]


def test_a_text_with_the_mark_of_an_end_in_it_does_no_harm() -> None:
    """No reader lets one through, but the dataset of somebody else may hold it."""
    said = (Turn("user", "one\0two\0three"), Turn("assistant", "four"))
    clean = (Turn("user", "one two three"), Turn("assistant", "four"))
    found, wanted = kernel.tokens_of([said])._asdict(), kernel.tokens_of([clean])._asdict()
    assert {name: array.tolist() for name, array in found.items()} == {
        name: array.tolist() for name, array in wanted.items()
    }


def test_equal_beginnings_of_two_digests_do_not_make_them_one() -> None:
    digests = np.zeros((3, 32), dtype=np.uint8)
    digests[1, 31] = 1
    repeats, (left, right) = exact_duplicates(digests)
    assert repeats.tolist() == [-1, -1, 0]
    assert (left.tolist(), right.tolist()) == ([0], [2])


def test_the_hashes_stay_what_they_were() -> None:
    """Artefacts and band keys are kept between versions: whoever changes these raises KERNEL_VERSION."""
    tokens = kernel.tokens_of([(Turn("user", "One two three"), Turn("assistant", "Four"))])
    found = kernel.signatures_of(tokens, shingle_words=2, bands=1, rows=2)
    assert kernel.KERNEL_VERSION == "2"
    assert int(tokens.hashes[0]) == 1242180705
    assert int(found.shingles[0]) == 1379676550
    assert int(found.band_keys[0, 0]) == 4005663659167839681


class Banded:
    """A mapped chunk of nothing but band keys: a row per band, a column per record."""

    def __init__(self, keys: NDArray[np.uint64]) -> None:
        self._keys = keys
        self.count = keys.shape[1]

    def array(self, name: str) -> NDArray[np.uint64]:
        assert name == "band_keys"
        return self._keys

    def tokens(self) -> kernel.Tokens:
        raise AssertionError("candidates are found by band keys alone")


@given(st.lists(st.integers(0, 30), min_size=1, max_size=4), st.integers(1, 60), st.integers(0, 2**32))
@settings(deadline=None, max_examples=60)
def test_duckdb_finds_the_pairs_that_memory_finds(sizes: list[int], kinds: int, seed: int) -> None:
    chance = np.random.default_rng(seed)
    words = chance.integers(0, 2**64, size=kinds, dtype=np.uint64)  # few, so that buckets are large
    chunks = [Banded(chance.choice(words, size=(3, size))) for size in sizes]
    ids = np.flatnonzero(chance.random(sum(sizes)) < 0.8)
    with tempfile.TemporaryDirectory() as folder:
        found = candidates_by_duckdb(chunks, ids, Path(folder))
        assert list(Path(folder).iterdir()) == []
    assert found.tolist() == candidates_in_memory(chunks, ids).tolist()
