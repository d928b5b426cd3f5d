"""The turns of a conversation as the one text that is sealed, and back."""

from collections.abc import Iterable

import orjson

from datasets_app.models import Conversation
from datasets_app.sources.records import Turn
from prometheus_site.core.sealing import open_text


def encode_turns(turns: Iterable[Turn]) -> str:
    """Return the canonical JSON of the turns, ``[[role, content], …]``: equal turns give equal text."""
    return orjson.dumps([[turn.role, turn.content] for turn in turns]).decode()


def read_turns(conversation: Conversation) -> list[Turn]:
    """Open the conversation's text. Raises TextErasedError when its source was withdrawn.

    Fetch with ``select_related("text__data_key")``: one query opens a page of conversations.
    """
    return [Turn(role, content) for role, content in orjson.loads(open_text(conversation.text))]
