"""Turns out of what a model wrote: labelled lines of any common form, turns of several lines, or JSON.

Speakers are mapped and never guessed: a label that is not known refuses the whole answer. What stands
before the first label, code fences, rules and closing brackets such as `[End]` are no part of it.
"""

import json
import re
from collections.abc import Iterator

from datasets_app.synthesis.dialogue import Turn

CLIENT = ("client", "patient", "user", "caller", "human")
THERAPIST = ("therapist", "counsellor", "counselor", "clinician", "assistant", "psychologist", "helper")
ROLES = {**dict.fromkeys(CLIENT, "user"), **dict.fromkeys(THERAPIST, "assistant")}
PEOPLE = {
    "mother", "mum", "mom", "mummy", "father", "dad", "daddy", "parent", "parents", "husband", "wife",
    "partner", "boyfriend", "girlfriend", "ex", "brother", "sister", "son", "daughter", "child", "aunt",
    "uncle", "grandmother", "grandfather", "gran", "grandma", "grandpa", "cousin", "friend",
    "neighbour", "neighbor", "colleague", "boss", "teacher", "nurse", "doctor", "paramedic", "police",
    "officer", "dispatcher", "operator", "receptionist", "advocate", "interpreter", "translator",
    "caseworker", "supervisor", "narrator", "narration", "voice", "voices", "host", "student",
    "trainee", "everyone", "both", "group",
}  # fmt: skip
HEADINGS = {
    "title", "scene", "setting", "context", "situation", "scenario", "dialogue", "dialog", "transcript",
    "conversation", "session", "note", "notes", "summary", "background", "here", "sure", "okay", "ok",
    "characters", "participants", "warning",
}  # fmt: skip
LABEL = re.compile(
    r"^[\s>#*_\-•]*(?:\d+[.)]\s*)?[*_\[]*"
    r"(?P<label>[^\W\d_](?:[^\W_]|['.&/\-])*(?: (?:[^\W_]|['.&/\-])+){0,3})"
    r"(?P<note>\s*\([^)\n]{0,60}\))?[*_\]]*\s*[:\uff1a][*_]*\s*(?P<said>.*)$"
)
NOT_SAID = re.compile(
    r"^\s*(?:```\w*|[-*_=]{3,}|\[[^\]]{0,60}\]|\((?:end|fin)[^)]{0,40}\))\s*$", re.IGNORECASE
)
OUTER_MARKS = re.compile(r"^[*_]+|[*_]+$")
REFUSALS = re.compile(
    r"\b(?:i(?:'m| am)? (?:sorry|afraid|unable)|i (?:can(?:no|')t|won't|will not)|as an ai)",
    re.IGNORECASE,
)
LONGEST_REFUSAL_CHARACTERS = 1200
LONGEST_LABEL_WORDS = 3


def is_storable(text: str) -> bool:
    """Whether a file and a database can hold the text: no half of a surrogate pair, no NUL."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text


class TranscriptError(ValueError):
    """Why there are no turns in an answer, as a reason that can be counted."""


def turns_in(text: str) -> tuple[Turn, ...]:
    """The turns of an answer, neighbours of one speaker joined. Raises TranscriptError."""
    plain = text.replace("\u2019", "'").replace("\r\n", "\n").strip()
    held = _in_json(plain)
    said = list(held if held is not None else _in_lines(plain))
    if not said:
        is_refusal = len(plain) <= LONGEST_REFUSAL_CHARACTERS and REFUSALS.search(plain)
        raise TranscriptError("refused" if is_refusal else "no_turns")
    turns: list[Turn] = []
    for role, content in said:
        if not content:
            raise TranscriptError("empty_turn")
        if not is_storable(content):
            raise TranscriptError("invalid_text")
        if turns and turns[-1].role == role:
            turns[-1] = Turn(role, f"{turns[-1].content}\n{content}")
        else:
            turns.append(Turn(role, content))
    return tuple(turns)


def _in_lines(text: str) -> Iterator[tuple[str, str]]:
    role, lines = "", list[str]()
    for line in text.splitlines():
        if NOT_SAID.match(line):
            continue
        label = LABEL.match(line)
        known = ROLES.get(label["label"].lower().strip(".")) if label else None
        if label and known:
            if role:
                yield role, _joined(lines)
            role, lines = known, [label["said"]]
        elif label and _is_somebody_else(label["label"], label["said"], is_before=not role):
            raise TranscriptError("unknown_speaker")
        elif role:
            lines.append(line)
    if role:
        yield role, _joined(lines)


def _is_somebody_else(label: str, said: str, *, is_before: bool) -> bool:
    """Whether a label that is not known is a speaker's: as a script writes one, or with a person in it.

    A sentence of small letters with a colon is still what is said, and a heading before the first turn is
    none of it.
    """
    words = [word.removesuffix("'s").strip("'.") for word in re.split(r"[ \-/&]+", label.lower())]
    if is_before and (not said.strip("*_ ") or not HEADINGS.isdisjoint(words)):
        return False
    if any(word in ROLES for word in words):
        return True
    if len(words) > LONGEST_LABEL_WORDS:
        return False
    is_capital = all(word[:1].isupper() for word in re.split(r"[ \-/&]+", label) if word)
    return is_capital or words[-1] in PEOPLE


def _joined(lines: list[str]) -> str:
    tidy = [OUTER_MARKS.sub("", line.strip()).strip() for line in lines]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(tidy)).strip()


def _in_json(text: str) -> list[tuple[str, str]] | None:
    """Turns of a JSON list, or of an object that holds one; None where the text is not JSON."""
    bare = re.sub(r"^```\w*\n|\n?```$", "", text).strip()
    if not bare.startswith(("[", "{")):
        return None
    try:
        held = json.loads(bare)
    except (ValueError, RecursionError):
        return None
    if isinstance(held, dict):
        held = next((value for value in held.values() if isinstance(value, list)), [])
    return [_entry(entry) for entry in held]


def _entry(entry: object) -> tuple[str, str]:
    if not isinstance(entry, dict):
        raise TranscriptError("no_turns")
    speaker = entry.get("role") or entry.get("speaker")
    content = entry.get("content") or entry.get("text") or ""
    role = ROLES.get(str(speaker).strip().lower())
    if role is None:
        raise TranscriptError("unknown_speaker")
    if not isinstance(content, str):
        raise TranscriptError("no_turns")
    return role, content.strip()
