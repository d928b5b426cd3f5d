"""The turns of a conversation survive being sealed and opened."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets_app.importing.running import run_import
from datasets_app.models import Conversation
from datasets_app.sources.records import Role, Turn
from datasets_app.texts import encode_turns, read_turns
from prometheus_site.accounts.models import User
from tests.datasets_app.importing import files

turns = st.builds(Turn, st.sampled_from(get_args(Role)), st.text(st.characters(exclude_categories=["Cs"])))


@given(st.lists(turns), st.lists(turns))
def test_equal_text_means_equal_turns(some: list[Turn], others: list[Turn]) -> None:
    assert (encode_turns(some) == encode_turns(others)) == (some == others)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "text",
    [  # markup, right to left with a joined emoji, and what JSON escapes
        "<script>alert(1)</script> & <b>bold</b>",
        "\u202b\u05e9\u05dc\u05d5\u05dd\u202c \u0645\u0631\u062d\u0628\u0627 \U0001f469\u200d\U0001f467",
        'a "quote", a \\ backslash\nand a line',
    ],
)
def test_every_character_comes_back(lead: User, text: str) -> None:
    run_import(files.queued(lead, files.chatml_line(text)).pk)

    assert read_turns(Conversation.objects.get())[0] == Turn("user", text)
