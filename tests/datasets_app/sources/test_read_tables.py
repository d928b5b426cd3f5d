"""CSV and TSV by mapping, and the two known tables, whole and broken."""

import csv
import io

import pytest

from datasets_app.sources.records import Dialogue, Reject, RejectReason, SourceError

from .reading import only_dialogue, only_reject, records_of, said

BY_TURN = {"conversation": "dialog", "speaker": "who", "text": "words"}
BY_EXCHANGE = {"prompt": "question", "response": "answer"}
ANNOMI = (
    "transcript_id",
    "mi_quality",
    "video_title",
    "topic",
    "utterance_id",
    "interlocutor",
    "utterance_text",
)
COUNSEL = ("questionID", "questionTitle", "questionText", "topic", "answerText", "upvotes", "split")


def table(*rows: tuple[str, ...], delimiter: str = ",") -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    return out.getvalue()


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_one_row_per_turn(delimiter: str) -> None:
    data = table(
        ("who", "dialog", "words", "subject"),
        ("client", "a", 'I said "no", twice;\r\nthen left', "work"),
        ("Therapist", "a", "How was that?", "work"),
        ("client", "b", "Hello", "home"),
        delimiter=delimiter,
    )
    first, second = records_of(data, "made.csv", columns=BY_TURN | {"topic": "subject"})
    assert isinstance(first, Dialogue)
    assert said(first) == [("user", 'I said "no", twice;\nthen left'), ("assistant", "How was that?")]
    assert (first.source_key, first.row, first.meta) == ("a", 2, {"topic": "work"})
    assert (second.row, isinstance(second, Dialogue)) == (4, True)


def test_one_row_per_exchange() -> None:
    data = table(("nr", "question", "answer"), ("7", "I sleep badly.", "Since when?"), ("7", "Hi", ""))
    first, second = records_of(data, "made.csv", columns=BY_EXCHANGE | {"id": "nr"})
    assert isinstance(first, Dialogue)
    assert said(first) == [("user", "I sleep badly."), ("assistant", "Since when?")]
    assert first.source_key == "7/2"
    assert second == Reject.because(RejectReason.EMPTY_TEXT, row=3, field="answer")


def test_a_fault_in_one_turn_refuses_its_conversation_once() -> None:
    data = table(
        ("dialog", "who", "words"),
        ("a", "client", "Hi"),
        ("a", "Mrs Lund", "Hello"),
        ("a", "nobody", "Hm"),
        ("", "client", "Hi"),
        ("b", "client", "Hi"),
    )
    found = records_of(data, "made.csv", columns=BY_TURN)
    assert found[:2] == [
        Reject.because(RejectReason.UNKNOWN_SPEAKER, row=3, field="who"),
        Reject.because(RejectReason.MISSING_FIELD, row=5, field="dialog"),
    ]
    assert isinstance(found[2], Dialogue)


def test_a_row_with_other_cells_than_the_header_is_refused() -> None:
    data = "question,answer\nHi,Hello\nWell, I do not know,Hm\nalone\n\nHi,Hello\n"
    found = records_of(data, "made.csv", columns=BY_EXCHANGE)
    assert [(r.row, r.reason) for r in found if isinstance(r, Reject)] == [
        (3, RejectReason.BROKEN_ROW),
        (4, RejectReason.BROKEN_ROW),
    ]
    assert [r.row for r in found if isinstance(r, Dialogue)] == [2, 6]


def test_scattered_rows_of_one_conversation_stop_the_file() -> None:
    data = table(
        ("dialog", "who", "words"), ("a", "client", "Hi"), ("b", "client", "Hi"), (" a", "client", "Hi")
    )
    with pytest.raises(SourceError, match="scattered") as caught:
        records_of(data, "made.csv", columns=BY_TURN)
    assert (caught.value.row, caught.value.field) == (4, "dialog")


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        ({}, "no column mapping was given"),
        ({"prompt": "question"}, "the column mapping is not complete"),
        ({"prompt": "question", "response": "answer", "mood": "x"}, "the column mapping is not complete"),
        ({"prompt": "question", "response": "reply"}, "the header lacks the column"),
        ({"prompt": "question", "response": "twice"}, "the header has the column twice"),
    ],
)
def test_a_mapping_that_does_not_fit_is_explained(columns: dict[str, str], problem: str) -> None:
    with pytest.raises(SourceError) as caught:
        records_of("question,answer,twice,twice\nHi,Hello,a,b\n", "made.csv", columns=columns)
    assert caught.value.problem == problem


@pytest.mark.parametrize(
    "broken",
    ['"Hi,Hello\nHi,Hello\n', 'Hi,"Hel"lo\n', 'Hi,"Hello\n"Hi",Hello\n'],
    ids=["open", "inside", "swallowing"],
)
def test_broken_quotes_stop_the_file_and_name_the_line(broken: str) -> None:
    with pytest.raises(SourceError, match="the record that begins on line 3") as caught:
        records_of("question,answer\nHi,Hello\n" + broken, "made.csv", columns=BY_EXCHANGE)
    assert caught.value.row == 3
    assert "Hello" not in str(caught.value)


def test_an_open_quote_cannot_swallow_more_than_the_limit() -> None:
    data = 'question,answer\n"Hi,Hello\n' + "Hi,Hello\n" * 1000
    with pytest.raises(SourceError, match="line 2 is longer than 1000 bytes"):
        records_of(data, "made.csv", columns=BY_EXCHANGE, max_line_bytes=1000)


def test_one_conversation_cannot_take_more_than_the_limit() -> None:
    rows = [("a", "client", "Hi")] * 1000
    with pytest.raises(SourceError, match="begins at row 2 is longer than 1000 bytes"):
        records_of(table(("dialog", "who", "words"), *rows), "made.csv", columns=BY_TURN, max_line_bytes=1000)


def test_a_header_alone_is_a_file_without_conversations() -> None:
    with pytest.raises(SourceError, match="holds no conversations"):
        records_of("question,answer\n", "made.csv", columns=BY_EXCHANGE)


def annomi(*rows: tuple[str, str, str, str]) -> str:
    return table(ANNOMI, *((key, "high", "A film", "rest", nr, who, text) for key, nr, who, text in rows))


def test_annomi_orders_utterances_and_keeps_each() -> None:
    data = annomi(
        ("5", "1", "client", "Sure."),
        ("5", "0", "therapist", "May I look?"),
        ("5", "2", "client", "Go on."),
        ("6", "0", "client", "Hi"),
    )
    first, second = records_of(data, "AnnoMI.csv")
    assert isinstance(first, Dialogue)
    assert said(first) == [("assistant", "May I look?"), ("user", "Sure."), ("user", "Go on.")]
    assert (first.source_key, first.row) == ("5", 2)
    assert first.meta == {"topic": "rest", "mi_quality": "high"}
    assert second.row == 5


def test_annomi_full_repeats_an_utterance_per_annotator() -> None:
    data = annomi(("5", "0", "client", "Hi"), ("5", "0", "client", "Hi"), ("5", "1", "therapist", "Hello"))
    assert said(only_dialogue(records_of(data, "a.csv"))) == [("user", "Hi"), ("assistant", "Hello")]


@pytest.mark.parametrize(
    ("rows", "reason", "row"),
    [
        ([("5", "0", "client", "Hi"), ("5", "2", "client", "Hm")], RejectReason.TURN_ORDER, 3),
        ([("5", "0", "client", "Hi"), ("5", "0", "client", "Hm")], RejectReason.TURN_ORDER, 3),
        ([("5", "x", "client", "Hi")], RejectReason.TURN_ORDER, 2),
        ([("5", "0", "observer", "Hi")], RejectReason.UNKNOWN_SPEAKER, 2),
        ([("5", "0", "client", " ")], RejectReason.EMPTY_TEXT, 2),
        ([("", "0", "client", "Hi")], RejectReason.MISSING_FIELD, 2),
    ],
)
def test_a_faulty_annomi_transcript(
    rows: list[tuple[str, str, str, str]], reason: RejectReason, row: int
) -> None:
    reject = only_reject(records_of(annomi(*rows), "a.csv"))
    assert (reject.reason, reject.row) == (reason, row)


def test_annomi_with_scattered_rows_stops() -> None:
    data = annomi(("5", "0", "client", "Hi"), ("6", "0", "client", "Hi"), ("5", "1", "client", "Hi"))
    with pytest.raises(SourceError, match="scattered"):
        records_of(data, "a.csv")


def test_counsel_chat_is_one_conversation_per_answer() -> None:
    data = table(
        COUNSEL,
        ("3", "Can I rest?", "I am   tired.\r\nVery.", "sleep", "  Yes.\u00a0You can.  ", "2", "train"),
        ("3", "Can I rest?", "", "sleep", "<p>Yes</p>", "0", "test"),
        ("3", "Can I rest?", "Please", "sleep", " ", "0", "test"),
        ("4", "", "", "sleep", "Yes", "0", "test"),
    )
    first, second, third, fourth = records_of(data, "cc.csv")
    assert isinstance(first, Dialogue)
    assert isinstance(second, Dialogue)
    assert said(first) == [
        ("user", "Can I rest?\n\nI am   tired.\nVery."),
        ("assistant", "Yes.\u00a0You can."),
    ]
    assert (first.source_key, first.meta) == ("3/2", {"topic": "sleep", "upvotes": "2", "split": "train"})
    assert said(second) == [("user", "Can I rest?"), ("assistant", "<p>Yes</p>")]
    assert third == Reject.because(RejectReason.EMPTY_TEXT, row=4, field="answerText")
    assert fourth == Reject.because(RejectReason.EMPTY_TEXT, row=5, field="questionText")
