"""Reads ESConv and FailedESConv: chats in which one person supports another, with a survey afterwards."""

from collections.abc import Iterator
from typing import Any

from .building import short_fact
from .json_records import Record, TurnList, converted, first_keys, read_objects, with_turns
from .opening import TextSource
from .options import ReadOptions
from .records import Dialogue, Reject, Role

TURNS = TurnList("dialog", "speaker", "content")
# ESConv says seeker and supporter, FailedESConv speaker and listener.
LABELS: dict[str, Role] = {
    "seeker": "user",
    "speaker": "user",
    "supporter": "assistant",
    "listener": "assistant",
}
FACTS = {"problem_type": "topic", "emotion_type": "emotion", "experience_type": "experience"}
FAILED = "failed_support"
MOST_FOR_FAILED = 2  # of five points for empathy, relevance and feedback


def sniff(head: str, filename: str) -> bool:
    """Whether the first record has a dialogue and ESConv's facts about it."""
    return {"dialog", "problem_type", "emotion_type"} <= first_keys(head)


def read(text: TextSource, options: ReadOptions) -> Iterator[Dialogue | Reject]:
    """One conversation per object; one that failed its seeker by the survey is flagged `failed_support`."""
    labelled = options.with_labels(LABELS)

    def conversation(row: int, record: Record) -> Dialogue | Reject:
        facts = {name: short_fact(record.get(field)) for field, name in FACTS.items()}
        if has_failed(record):
            facts["flags"] = FAILED
        builder = with_turns(row, record, labelled, TURNS)
        return builder.finish(None, {name: fact for name, fact in facts.items() if fact})

    return converted(read_objects(text, options), conversation)


def has_failed(record: Record) -> bool:
    """Whether the seeker was not helped, by the rule of those who published FailedESConv.

    With a finished survey: the negative emotion did not become weaker, or empathy or relevance had at most
    2 of 5 points; else: the last feedback during the chat had at most 2.
    """
    survey = _part(_part(record, "survey_score"), "seeker")
    final, initial = _points(survey, "final_emotion_intensity"), _points(survey, "initial_emotion_intensity")
    if final is not None:
        judged = [_points(survey, name) for name in ("empathy", "relevance")]
        is_low = any(points is not None and points <= MOST_FOR_FAILED for points in judged)
        return is_low or (initial is not None and final >= initial)
    turns = record.get(TURNS.list_field)
    said = turns if isinstance(turns, list) else []
    feedback = [_points(_part(turn, "annotation"), "feedback") for turn in said]
    given = [points for points in feedback if points is not None]
    return bool(given) and given[-1] <= MOST_FOR_FAILED


def _part(holder: object, name: str) -> dict[str, Any]:
    part = holder.get(name) if isinstance(holder, dict) else None
    return part if isinstance(part, dict) else {}


def _points(holder: dict[str, Any], name: str) -> int | None:
    written = str(holder.get(name, "")).strip()
    return int(written) if written in {"1", "2", "3", "4", "5"} else None
