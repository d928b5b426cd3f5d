"""Reads plain transcripts: a speaker's label and a colon before each turn."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from .building import DialogueBuilder
from .json_records import is_json
from .opening import TextSource
from .options import ReadOptions
from .records import Dialogue, Reject, RejectReason, SourceError

MAX_LABEL_WORDS = 3

_TIME = r"[\[(]?\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d{1,3})?[\])]?"
# White space may be taken by one part of it only: two that both could would try every division between them.
_LABEL = re.compile(
    rf"\s*(?:{_TIME}\s*(?:[-–—]\s*)?)?"  # noqa: RUF001 -- transcripts have all three dashes
    rf"(?P<speaker>[^\W\d_](?:[^\n:：]{{0,38}}?[^\s:：])??)"  # noqa: RUF001 -- the wide colon of Chinese and Japanese
    rf"\s*(?:{_TIME}\s*)?[:：](?P<text>.*)",  # noqa: RUF001
    re.DOTALL,
)
_TIME_ALONE = re.compile(rf"\s*{_TIME}\s*")
_RULE = re.compile(r"\s*-{3,}\s*")


@dataclass(slots=True)
class _Part:
    """What one speaker said, line by line; `speaker` is None before the first label."""

    row: int
    speaker: str | None
    lines: list[str] = field(default_factory=list)


def sniff(head: str, filename: str) -> bool:
    """Whether the file is called .txt, or begins with a turn of a speaker known by name."""
    if is_json(head):
        return False
    if filename.lower().removesuffix(".gz").endswith(".txt"):
        return True
    first = next((line for line in head.split("\n") if line.strip()), "")
    return _is_known(first, ReadOptions())


def read(text: TextSource, options: ReadOptions) -> Iterator[Dialogue | Reject]:
    """Conversations between lines of three or more dashes, or between blank lines.

    Blank lines divide conversations unless the first 64 KiB of the file have such a line of dashes, or no
    two turns there follow each other without a blank line: then they are only spacing. A line without a
    label goes on with the turn before it, and so does an indented line; a line that holds only a time is
    left out. A label nobody has mapped refuses its conversation.
    """
    for block in _blocks(text, options):
        builder = DialogueBuilder(block[0].row, options)
        for part in block:
            if part.speaker is None:
                builder.refuse(RejectReason.MISSING_FIELD, "speaker", row=part.row)
            builder.add(part.speaker, "\n".join(part.lines), row=part.row)
        yield builder.finish()


def _blocks(text: TextSource, options: ReadOptions) -> Iterator[list[_Part]]:
    blank_divides = _blank_lines_divide(text.head, options)
    block: list[_Part] = []
    size = 0
    for line in text:
        is_blank = line.isspace()
        if _RULE.fullmatch(line) or (is_blank and blank_divides):
            if block:
                yield block
            block, size = [], 0
            continue
        if (is_blank and not block) or _TIME_ALONE.fullmatch(line):
            continue
        size += len(line)
        if size > options.max_line_bytes:
            raise SourceError(
                text.file,
                f"the conversation that begins on line {block[0].row} is longer than "
                f"{options.max_line_bytes} bytes",
                "put a line of three dashes between conversations",
                row=text.line_number,
            )
        _append(block, line, text.line_number, options)
    if block:
        yield block


def _append(block: list[_Part], line: str, row: int, options: ReadOptions) -> None:
    if found := _labelled(line, options):
        block.append(_Part(row, found[0], [found[1].rstrip("\n")]))
        return
    if not block:
        block.append(_Part(row, None))
    block[-1].lines.append(line.rstrip("\n"))


def _labelled(line: str, options: ReadOptions) -> tuple[str, str] | None:
    """The speaker's label and the text behind it, or None for a line that goes on with a turn.

    A known label always counts. Anything else that looks like one counts as well and is refused later:
    taking it for text would put one person's words into another's mouth. To keep such a line as text,
    indent it.
    """
    match = _LABEL.fullmatch(line)
    if match is None:
        return None
    speaker, rest = match["speaker"].strip(), match["text"]
    if options.role_of(speaker) is not None:
        return speaker, rest
    is_indented = line[:1].isspace()
    is_time_or_address = rest[:1].isdigit() or rest.startswith("/")
    if is_indented or is_time_or_address or len(speaker.split()) > MAX_LABEL_WORDS:
        return None
    return speaker, rest


def _is_known(line: str, options: ReadOptions) -> bool:
    found = _labelled(line, options)
    return found is not None and options.role_of(found[0]) is not None


def _blank_lines_divide(head: str, options: ReadOptions) -> bool:
    lines = head.split("\n")
    if any(_RULE.fullmatch(line) for line in lines):
        return False
    return any(turns > 1 for turns in _turns_per_paragraph(lines, options))


def _turns_per_paragraph(lines: Iterable[str], options: ReadOptions) -> Iterator[int]:
    turns = 0
    for line in lines:
        if not line.strip():
            yield turns
            turns = 0
        elif _labelled(line, options):
            turns += 1
    yield turns
