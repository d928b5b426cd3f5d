"""Objects out of JSON arrays, JSON Lines and runs of JSON objects, without holding the whole file."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple

import msgspec

from .building import DialogueBuilder, fault_of, is_plain, known_facts, short_fact, tidy
from .opening import TextSource
from .options import ReadOptions
from .records import Dialogue, Reject, RejectReason, SourceError, Turn

CHUNK_CHARACTERS = 64 * 1024
LONGEST_TOKEN = 16  # characters in which JSON's longest word or escape fits, cut anywhere
Layout = Literal["array", "lines", "values"]
Record = dict[str, Any]
Found = tuple[int, Record] | Reject

_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\n\r]*")
_KEY = re.compile(r'(?<!\\)"(\w{1,40})"\s*:')


class TurnList(NamedTuple):
    """Where a record holds its turns: a list of objects, each with a speaker and a text."""

    list_field: str
    speaker_field: str
    text_field: str


def read_objects(text: TextSource, options: ReadOptions) -> Iterator[Found]:
    """Each record with its row, or its reject; a fault that hides where records begin is a SourceError."""
    layout = layout_of(text.head)
    found = _lines(text) if layout == "lines" else _values(text, layout, options.max_line_bytes)
    for row, value in found:
        if isinstance(value, Reject):
            yield value
        elif isinstance(value, dict):
            yield row, value
        else:
            yield Reject.because(RejectReason.NOT_AN_OBJECT, row=row)


def converted(
    records: Iterator[Found], convert: Callable[[int, Record], Dialogue | Reject]
) -> Iterator[Dialogue | Reject]:
    """What `convert` makes of each record; rejects pass."""
    for found in records:
        yield found if isinstance(found, Reject) else convert(*found)


def turn_lists(
    records: Iterator[Found], options: ReadOptions, names: TurnList
) -> Iterator[Dialogue | Reject]:
    """Conversations from records that hold their turns as a list of objects."""
    for found in records:
        if isinstance(found, Reject):
            yield found
        else:
            row, record = found
            yield finish_record(with_turns(row, record, options, names), record, row)


def with_turns(row: int, record: Record, options: ReadOptions, names: TurnList) -> DialogueBuilder:
    """The turns of a record, not finished yet."""
    builder = DialogueBuilder(row, options)
    turns = record.get(names.list_field)
    if turns is None:
        builder.refuse(RejectReason.MISSING_FIELD, names.list_field)
    elif not isinstance(turns, list):
        builder.refuse(RejectReason.WRONG_TYPE, names.list_field)
    elif faultless := _faultless(turns, options, names):
        builder.take(faultless)
    else:
        for index, turn in enumerate(turns):
            place = f"{names.list_field}[{index}]"
            if not isinstance(turn, dict):
                builder.refuse(RejectReason.NOT_AN_OBJECT, place)
                break
            builder.add(
                turn.get(names.speaker_field),
                turn.get(names.text_field),
                speaker_field=f"{place}.{names.speaker_field}",
                text_field=f"{place}.{names.text_field}",
            )
    return builder


def _faultless(turns: list[Any], options: ReadOptions, names: TurnList) -> list[Turn]:
    """The turns where none has a fault, else nothing; `DialogueBuilder.add` then says which, and is slow."""
    roles, speaker, text = options.roles, names.speaker_field, names.text_field
    try:
        found = [Turn(roles[turn[speaker]], turn[text].strip()) for turn in turns]
    except (LookupError, TypeError, AttributeError):
        return []
    texts, limit = [turn.content for turn in found], options.max_turn_characters
    if is_plain("".join(texts)):
        return found if all(texts) and len(max(texts, key=len, default="")) <= limit else []
    found = [Turn(turn.role, tidy(turn.content)) for turn in found]
    return [] if any(fault_of(turn.content, limit) for turn in found) else found


def finish_record(builder: DialogueBuilder, record: Record, row: int) -> Dialogue | Reject:
    """The conversation of `record`, with its own key before the row and what it states beside its turns."""
    metadata = record.get("metadata")
    key = short_fact(record.get("id"))
    if isinstance(metadata, dict):
        key = key or short_fact(metadata.get("source_key"))
        if (rejected := metadata.get("rejected_reply")) is not None:
            builder.add_rejected_reply(rejected, field="metadata.rejected_reply")
    return builder.finish(f"{key}/{row}" if key else None, known_facts(record, metadata))


def first_keys(head: str) -> frozenset[str]:
    """The keys of the first record in `head`, or nothing where `head` is not JSON."""
    if not is_json(head):
        return frozenset()
    start = head.index("{") if "{" in head else len(head)
    try:
        first, _end = _DECODER.raw_decode(head, start)
    except (ValueError, RecursionError):  # longer than the head, or broken: any key in sight must do
        return frozenset(_KEY.findall(head))
    return frozenset(first)


def is_json(head: str) -> bool:
    """Whether `head` begins as JSON does; a transcript may begin with a time in brackets."""
    return re.match(r'\s*(\{|\[\s*([\[{"\]]|$))', head) is not None


def layout_of(head: str) -> Layout:
    """How the records follow each other; `head` may end in the middle of one."""
    text = head.lstrip()
    if text.startswith("["):
        return "array"
    first, _newline, rest = text.partition("\n")
    try:
        _value, end = _DECODER.raw_decode(first)
    except (ValueError, RecursionError):
        rest = rest.lstrip("\n")
        return "values" if rest and not rest.startswith("{") else "lines"
    return "values" if first[end:].strip() else "lines"


def _lines(text: TextSource) -> Iterator[tuple[int, Any]]:
    for line in text:
        if line.isspace():
            continue
        row = text.line_number
        try:
            yield row, _decoded(line)
        except (ValueError, RecursionError):
            yield row, Reject.because(RejectReason.BROKEN_JSON, row=row)


def _decoded(line: str) -> Any:
    try:
        return msgspec.json.decode(line)  # twice as fast, and stricter
    except (ValueError, RecursionError):
        return json.loads(line)


def _values(text: TextSource, layout: Layout, max_characters: int) -> Iterator[tuple[int, Any]]:
    window = _Window(text, max_characters)
    if layout == "array":
        window.take("[")
    position = 0
    while (ahead := window.next_character()) and not (layout == "array" and ahead == "]"):
        if layout == "array" and position:
            window.take(",")
            window.next_character()
        position += 1
        yield position, window.value(position)
    if layout == "array":
        window.take("]")
        if window.next_character():
            raise window.error("there is text after the end of the array", "remove it")


class _Window:
    """The part of a file that has been read and not been decoded yet."""

    def __init__(self, text: TextSource, max_characters: int) -> None:
        self._text = text
        self._max_characters = max_characters
        self._buffer = ""
        self._start = 0
        self._lines_before = 0
        self._characters_before = 0

    def next_character(self) -> str:
        """The next character that is not white space, left in place; nothing at the end of the file."""
        while True:
            space = _SPACE.match(self._buffer, self._start)
            self._start = space.end() if space else self._start
            if self._start < len(self._buffer):
                return self._buffer[self._start]
            if not self._extend():
                return ""

    def take(self, expected: str) -> None:
        """Step over `expected`; anything else in its place means that the file is damaged."""
        found = self.next_character()
        if not found:
            raise self.error("the file ends in the middle of the array", "copy or download it again, whole")
        if found != expected:
            raise self.error(f"the JSON is broken, {expected} was expected", "correct the file there")
        self._start += 1

    def value(self, position: int) -> Any:
        """The value that begins here; `position` is its place among the records."""
        while True:
            fault_at = None
            try:
                value, end = _DECODER.raw_decode(self._buffer, self._start)
            except json.JSONDecodeError as error:
                fault_at, end = error.pos, len(self._buffer)
                if not self._may_go_on(fault_at):
                    raise self.error(
                        f"the JSON is broken ({error.msg})", "correct it there", row=position, at=fault_at
                    ) from None
            except (ValueError, RecursionError):
                raise self.error(
                    "the record nests too deeply or holds too long a number", "simplify it", row=position
                ) from None
            if end - self._start > self._max_characters:
                raise self.error(
                    f"the record is longer than {self._max_characters} bytes", "divide it", row=position
                )
            if fault_at is None and (end < len(self._buffer) or not self._extend()):
                self._start = end
                return value
            if fault_at is not None and not self._extend():
                raise self.error(
                    "the file ends in the middle of the record",
                    "copy or download it again, whole",
                    row=position,
                )

    def error(
        self, problem: str, remedy: str, *, row: int | None = None, at: int | None = None
    ) -> SourceError:
        place = self._start if at is None else at
        line = self._lines_before + self._buffer.count("\n", 0, place) + 1
        character = self._characters_before + place + 1
        return SourceError(
            self._text.file, f"{problem}, on line {line}, character {character} of the file", remedy, row=row
        )

    def _may_go_on(self, fault_at: int) -> bool:
        """Whether the fault may only be that the rest of the value has not been read yet."""
        if fault_at >= len(self._buffer) - LONGEST_TOKEN:
            return True
        if self._buffer[fault_at] != '"':
            return False
        try:
            _DECODER.raw_decode(self._buffer, fault_at)
        except ValueError:  # the string has no end yet
            return True
        return False

    def _extend(self) -> bool:
        """Read on, by as much as is waiting, so that a long record is tried a few times only."""
        more = self._text.read(max(CHUNK_CHARACTERS, len(self._buffer) - self._start))
        if more:
            self._lines_before += self._buffer.count("\n", 0, self._start)
            self._characters_before += self._start
            self._buffer, self._start = self._buffer[self._start :] + more, 0
        return bool(more)
