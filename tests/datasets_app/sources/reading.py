"""Reading made-up files from memory, as the tests of every format do."""

import io
import json
from typing import Any

from datasets_app.sources.records import Dialogue, Reject, Turn
from datasets_app.sources.registry import ReadOptions, read_source

Records = list[Dialogue | Reject]


def records_of(data: bytes | str, name: str, *, format: str = "auto", **choices: Any) -> Records:
    """All records of a file with these contents."""
    raw = data.encode("utf-8") if isinstance(data, str) else data
    return list(read_source(io.BytesIO(raw), name=name, format=format, options=ReadOptions(**choices)))


def only_dialogue(records: Records) -> Dialogue:
    """The one conversation in `records`."""
    (record,) = records
    assert isinstance(record, Dialogue), record
    return record


def only_reject(records: Records) -> Reject:
    """The one reject in `records`."""
    (record,) = [record for record in records if isinstance(record, Reject)]
    return record


def said(dialogue: Dialogue) -> list[tuple[str, str]]:
    """Roles and texts of a conversation."""
    return [(turn.role, turn.content) for turn in dialogue.turns]


def as_turns(*roles_and_texts: tuple[str, str]) -> tuple[Turn, ...]:
    """Turns for a test, in short."""
    return tuple(Turn(role, text) for role, text in roles_and_texts)  # type: ignore[arg-type]


def as_lines(*records: Any) -> str:
    """JSON Lines."""
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
