"""Plain transcripts: labels, continuation lines, times, separators and what is refused."""

import re
import subprocess
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from datasets_app.sources.records import Dialogue, Reject, RejectReason, SourceError
from datasets_app.sources.transcript import _LABEL, _TIME

from .reading import only_dialogue, only_reject, records_of, said


def conversations(data: str) -> list[list[tuple[str, str]]]:
    return [said(record) for record in records_of(data, "session.txt") if isinstance(record, Dialogue)]


def test_labels_continuation_lines_and_case() -> None:
    data = (
        "Therapist: How are you?\nCLIENT : Tired.\nThe nights, mostly.\n"
        "  Note: indented lines go on\nTherapist:\nI see.\n"
    )
    assert conversations(data) == [
        [
            ("assistant", "How are you?"),
            ("user", "Tired.\nThe nights, mostly.\n  Note: indented lines go on"),
            ("assistant", "I see."),
        ]
    ]


@pytest.mark.parametrize(
    "line",
    [
        "[00:01:23] Client: At 10:30 I slept",
        "(0:12) Client: At 10:30 I slept",
        "00:01:23.450 - Client: At 10:30 I slept",
        "Client [00:12]: At 10:30 I slept",
        "Client (1:02:03): At 10:30 I slept",
        "Client 00:12: At 10:30 I slept",
        "[00:12]\nClient: At 10:30 I slept",
    ],
)
def test_times_are_left_out_of_the_text(line: str) -> None:
    assert conversations(line) == [[("user", "At 10:30 I slept")]]


def test_blank_lines_divide_compact_conversations() -> None:
    data = "Client: One\nTherapist: Two\n\n\nClient: Three\nTherapist: Four\n"
    found = records_of(data, "session.txt")
    assert [(r.row, isinstance(r, Dialogue)) for r in found] == [(1, True), (5, True)]


def test_blank_lines_between_all_turns_are_spacing() -> None:
    data = "Client: One\n\nstill one\n\nTherapist: Two\n\nClient: Three\n"
    assert conversations(data) == [[("user", "One\n\nstill one"), ("assistant", "Two"), ("user", "Three")]]


def test_dashes_divide_and_make_blank_lines_spacing() -> None:
    data = "Client: One\nTherapist: Two\n\nagain two\n-----\n\nClient: Three\n---\n"
    assert conversations(data) == [[("user", "One"), ("assistant", "Two\n\nagain two")], [("user", "Three")]]


@pytest.mark.parametrize("label", ["Mother", "Speaker 2", "Dr Lund", "mum"])
def test_an_unknown_speaker_refuses_the_conversation(label: str) -> None:
    data = f"Client: One\n{label}: Two\nTherapist: Three\n---\nClient: Four\n"
    first, second = records_of(data, "session.txt")
    assert first == Reject.because(RejectReason.UNKNOWN_SPEAKER, row=2, field="speaker")
    assert isinstance(second, Dialogue)


def test_a_mapped_speaker_is_read() -> None:
    found = records_of("T1: How?\nC: So.\n", "session.txt", speakers={"t1": "assistant", "c": "user"})
    assert said(only_dialogue(found)) == [("assistant", "How?"), ("user", "So.")]


def test_text_before_the_first_label_is_refused_not_dropped() -> None:
    reject = only_reject(records_of("Session one\nClient: Hi\n", "session.txt"))
    assert (reject.row, reject.reason) == (1, RejectReason.MISSING_FIELD)


def test_a_label_without_words_is_an_empty_turn() -> None:
    reject = only_reject(records_of("Client: Hi\nTherapist:\nClient: Hm\n", "session.txt"))
    assert (reject.row, reject.reason) == (2, RejectReason.EMPTY_TEXT)


def test_addresses_and_long_clauses_are_no_labels() -> None:
    data = "Client: See\nhttps://example.org/page\nand then I told her this: no\n"
    assert conversations(data) == [[("user", "See\nhttps://example.org/page\nand then I told her this: no")]]


def test_one_conversation_cannot_take_more_than_the_limit() -> None:
    with pytest.raises(SourceError, match="begins on line 1 is longer than 500 bytes"):
        records_of("Client: Hi\n" * 100, "session.txt", max_line_bytes=500)


def test_only_separators_is_a_file_without_conversations() -> None:
    with pytest.raises(SourceError, match="holds no conversations"):
        records_of("---\n\n---\n", "session.txt")


AS_SPECIFIED = re.compile(  # says plainly what a label is, and takes time that grows with a power of the line
    rf"\s*(?:{_TIME}\s*[-–—]?\s*)?"  # noqa: RUF001
    rf"(?P<speaker>[^\W\d_][^\n:：]{{0,39}}?)"  # noqa: RUF001
    rf"\s*(?:{_TIME})?\s*[:：](?P<text>.*)",  # noqa: RUF001
    re.DOTALL,
)
PIECES = [*" \n\t:：aé客1_-–—[](),.", "  ", "00:12", "[1:02:03.5]", "Client", "A b c", "x" * 38, " " * 30]  # noqa: RUF001
LINES = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)


@given(LINES)
@example("a" * 40 + ":")
@example("a" * 41 + ":")
@example("a" * 39 + " :")
@example("a" + " " * 60 + "b:")
@example("  [00:12] -  Dr Lund  (0:12)  : 10:30")
def test_a_label_is_what_it_was_specified_to_be(line: str) -> None:
    found, wanted = _LABEL.fullmatch(line), AS_SPECIFIED.fullmatch(line)
    assert (found and found.groups()) == (wanted and wanted.groups())


@pytest.mark.parametrize(
    "line", ["A{}x", "{}x", "00:12{}x", "A 00:12{}x", "A{}00:12{}x", "A {} b {} c", "00:12 -{}1"]
)
def test_a_line_of_one_hundred_kilobytes_is_read_at_once(line: str) -> None:
    script = (
        "import sys; from datasets_app.sources.transcript import sniff; sniff(sys.stdin.read(), 'made.csv')"
    )
    long = line.replace("{}", " " * (100_000 // line.count("{}")))
    subprocess.run([sys.executable, "-c", script], input=long.encode(), timeout=20, check=True)
