"""The pass over the bytes of many texts finds what a search of each text for each string finds."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets_app.compile.hints import Hint, Hints

HINTS = [
    Hint(("@",)),
    Hint(("://", "www.")),
    Hint(("-",), digits=3),
    Hint(digits=2),
    Hint(("ame is ", "ame\u2019s ", "all me ")),
    Hint(("Dr", "D.", "ll")),
]
PIECES = [
    "@",
    "www.",
    "://",
    "-",
    "7",
    "12",
    "ame is ",
    "ame\u2019s ",
    "all me",
    " ",
    "D",
    "r",
    ".",
    "é",
    "\n",
]


def searched(text: str, hint: Hint) -> bool:
    has_string = any(string in text for string in hint.strings) or not hint.strings
    return has_string and sum(character in "0123456789" for character in text) >= hint.digits


@settings(deadline=None, max_examples=300)  # the first call compiles
@given(st.lists(st.lists(st.sampled_from(PIECES), max_size=6).map("".join), max_size=6))
def test_every_hint_is_found_where_it_is_and_nowhere_else(texts: list[str]) -> None:
    expected = [sum(searched(text, hint) << bit for bit, hint in enumerate(HINTS)) for text in texts]
    assert Hints(HINTS).suspected(texts) == expected


@pytest.mark.parametrize("text", ["", "www", "ame is", "D"])
def test_half_a_hint_at_the_very_end_is_none(text: str) -> None:
    assert Hints(HINTS).suspected([text, "is . "]) == [0, 0]


def test_a_text_with_the_mark_of_an_end_in_it_does_no_harm() -> None:
    assert len(Hints(HINTS).suspected(["@\0@\0@", "x"])) == 2


def test_the_order_of_texts_is_kept() -> None:
    chance = random.Random(7)  # noqa: S311 -- made-up text
    texts = [chance.choice(["a@b", "nothing here", "1-2-3"]) for _ in range(500)]
    found = Hints(HINTS).suspected(texts)
    assert all((number & 1) == ("@" in text) for number, text in zip(found, texts, strict=True))
