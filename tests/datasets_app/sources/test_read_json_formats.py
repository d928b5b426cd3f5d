"""ChatML, ShareGPT, Alpaca and pairs, in every JSON layout, whole and broken."""

import json
from typing import Any

import pytest

from datasets_app.sources.records import Dialogue, Reject, RejectReason, SourceError

from .reading import as_lines, only_dialogue, only_reject, records_of, said

CHATML = {
    "messages": [
        {"role": "user", "content": "I sleep badly."},
        {"role": "assistant", "content": "Since when?"},
    ]
}
SHAREGPT = {
    "conversations": [{"from": "human", "value": "I sleep badly."}, {"from": "gpt", "value": "Since when?"}]
}
ALPACA = {"instruction": "I sleep badly.", "input": "", "output": "Since when?"}
PAIR = {"prompt": "I sleep badly.", "response": "Since when?"}
COMPLETION = {"prompt": "I sleep badly.", "completion": "Since when?"}
EXPECTED = [("user", "I sleep badly."), ("assistant", "Since when?")]

EACH_FORMAT = pytest.mark.parametrize(
    "record",
    [CHATML, SHAREGPT, ALPACA, PAIR, COMPLETION],
    ids=["chatml", "sharegpt", "alpaca", "pair", "completion"],
)


@EACH_FORMAT
@pytest.mark.parametrize(
    "write",
    [
        lambda record: as_lines(record, record),
        lambda record: json.dumps([record, record]),
        lambda record: json.dumps([record, record], indent=2),
        lambda record: json.dumps(record) + json.dumps(record),
        lambda record: json.dumps(record, indent=2) + "\n" + json.dumps(record, indent=2),
        lambda record: "\n\n" + as_lines(record) + "\n" + as_lines(record).rstrip(),
    ],
    ids=["lines", "array", "indented array", "run on one line", "indented run", "lines with blank ones"],
)
def test_each_format_is_read_in_each_layout(record: dict[str, Any], write: Any) -> None:
    found = records_of(write(record), "made.json")
    dialogues = [record for record in found if isinstance(record, Dialogue)]
    assert [said(dialogue) for dialogue in dialogues] == [EXPECTED, EXPECTED]
    assert len({dialogue.source_key for dialogue in dialogues}) == 2


@EACH_FORMAT
def test_a_broken_line_is_one_reject_and_the_next_line_is_read(record: dict[str, Any]) -> None:
    found = records_of(as_lines(record) + '{"messages": [\n' + as_lines(record, 7), "made.jsonl")
    assert [r.row for r in found] == [1, 2, 3, 4]
    assert isinstance(found[2], Dialogue)
    assert [r.reason for r in found if isinstance(r, Reject)] == [
        RejectReason.BROKEN_JSON,
        RejectReason.NOT_AN_OBJECT,
    ]


@pytest.mark.parametrize(
    ("record", "reason", "field"),
    [
        ({"messages": None}, RejectReason.MISSING_FIELD, "messages"),
        ({"messages": "hello"}, RejectReason.WRONG_TYPE, "messages"),
        ({"messages": []}, RejectReason.NO_TURNS, ""),
        ({"messages": [{"role": "system", "content": "Be kind."}]}, RejectReason.NO_TURNS, ""),
        ({"messages": ["hello"]}, RejectReason.NOT_AN_OBJECT, "messages[0]"),
        ({"messages": [{"content": "hello"}]}, RejectReason.MISSING_FIELD, "messages[0].role"),
        ({"messages": [{"role": 1, "content": "hello"}]}, RejectReason.WRONG_TYPE, "messages[0].role"),
        (
            {"messages": [{"role": "tool", "content": "hello"}]},
            RejectReason.UNKNOWN_SPEAKER,
            "messages[0].role",
        ),
        ({"messages": [{"role": "user"}]}, RejectReason.MISSING_FIELD, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [1]}]}, RejectReason.WRONG_TYPE, "messages[0].content"),
        (
            {"messages": [{"role": "user", "content": " \u00a0\n"}]},
            RejectReason.EMPTY_TEXT,
            "messages[0].content",
        ),
        (
            {"messages": [{"role": "user", "content": "a\0b"}]},
            RejectReason.INVALID_TEXT,
            "messages[0].content",
        ),
    ],
)
def test_a_faulty_record_says_why_and_where(record: Any, reason: RejectReason, field: str) -> None:
    reject = only_reject(records_of(as_lines(CHATML, record), "made.jsonl"))
    assert (reject.row, reject.reason, reject.field) == (2, reason, field)
    assert reject.remedy.endswith(".")


def test_half_a_surrogate_pair_is_refused() -> None:
    line = '{"messages": [{"role": "user", "content": "\\ud83d"}]}\n'
    assert only_reject(records_of(line, "made.jsonl")).reason == RejectReason.INVALID_TEXT


def test_a_reject_holds_no_text_of_the_conversation() -> None:
    record = {"messages": [{"role": "MarkerLabel", "content": "MarkerText"}], "id": "MarkerKey"}
    assert "Marker" not in repr(only_reject(records_of(as_lines(record), "made.jsonl")))


def test_speakers_are_known_in_any_case_and_others_only_when_mapped() -> None:
    record = {"conversations": [{"from": "PATIENT", "value": "Hi"}, {"from": "Dr  Marten", "value": "Hello"}]}
    assert only_reject(records_of(as_lines(record), "a.jsonl")).reason == RejectReason.UNKNOWN_SPEAKER
    mapped = only_dialogue(records_of(as_lines(record), "a.jsonl", speakers={"dr marten": "assistant"}))
    assert said(mapped) == [("user", "Hi"), ("assistant", "Hello")]


def test_turns_of_the_same_speaker_stay_apart() -> None:
    record = {"messages": [{"role": "user", "content": "One"}, {"role": "user", "content": "Two"}]}
    assert said(only_dialogue(records_of(as_lines(record), "a.jsonl"))) == [("user", "One"), ("user", "Two")]


def test_a_record_keeps_its_key_and_its_short_facts_only() -> None:
    record = CHATML | {
        "id": 17,
        "topic": "sleep",
        "notes": "kept out",
        "metadata": {"split": "test", "topic": "other", "language": "x" * 500, "category": "a\0b"},
    }
    dialogue = only_dialogue(records_of(as_lines(record), "a.jsonl"))
    assert dialogue.source_key == "17/1"
    assert dialogue.meta == {"topic": "sleep", "split": "test"}


def test_alpaca_joins_its_input_and_allows_a_scenario_without_a_reply() -> None:
    records = [
        {"instruction": "Help me.", "input": "I sleep badly.", "output": "Since when?"},
        {"instruction": "Help me.", "output": ""},
        {"instruction": "Help me.", "input": None, "output": None},
    ]
    found = records_of(as_lines(*records), "a.jsonl")
    assert [said(r) for r in found if isinstance(r, Dialogue)] == [
        [("user", "Help me.\n\nI sleep badly."), ("assistant", "Since when?")],
        [("user", "Help me.")],
        [("user", "Help me.")],
    ]


@pytest.mark.parametrize(
    ("record", "reason", "field"),
    [
        ({"instruction": "Help me."}, RejectReason.MISSING_FIELD, "output"),
        ({"instruction": "Help me.", "output": 5}, RejectReason.WRONG_TYPE, "output"),
        ({"instruction": "Help me.", "input": ["a"], "output": "b"}, RejectReason.WRONG_TYPE, "input"),
        ({"instruction": None, "input": "a", "output": "b"}, RejectReason.MISSING_FIELD, "instruction"),
        ({"instruction": "", "input": "", "output": "b"}, RejectReason.EMPTY_TEXT, "instruction"),
    ],
)
def test_a_faulty_alpaca_record(record: Any, reason: RejectReason, field: str) -> None:
    reject = only_reject(records_of(as_lines(ALPACA, record), "a.jsonl"))
    assert (reject.reason, reject.field) == (reason, field)


def test_a_pair_needs_both_texts() -> None:
    found = records_of(as_lines(PAIR, {"prompt": "Hi", "response": " "}, {"prompt": "Hi"}), "a.jsonl")
    assert [(r.reason, r.field) for r in found if isinstance(r, Reject)] == [
        (RejectReason.EMPTY_TEXT, "response"),
        (RejectReason.MISSING_FIELD, "response"),
    ]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ('[{"messages": []}, {"messages": [', "the file ends in the middle of the record"),
        ('[{"messages": []},', "the file ends in the middle of the record"),
        ('[{"messages": []}', "the file ends in the middle of the array"),
        ('[{"messages": []}\n{"messages": []}]', "the JSON is broken, , was expected, on line 2"),
        (
            '[{"messages": []},\n{"messages" "hello", "a": 1, "b": 2}]',
            "the JSON is broken (Expecting ':' delimiter)",
        ),
        ('[{"messages": []}] and more', "there is text after the end of the array"),
        ('[{"messages": ' + "[" * 100_000, "the record nests too deeply"),
        (
            '[{"messages": [], "n": ' + "1" * 5000 + "}]",
            "the record nests too deeply or holds too long a number",
        ),
    ],
)
def test_a_broken_array_is_a_failure_of_the_file(data: str, problem: str) -> None:
    with pytest.raises(SourceError) as caught:
        records_of(data, "made.json", format="chatml")
    assert caught.value.problem.startswith(problem)
    assert "hello" not in str(caught.value)
    assert caught.value.file == "made.json"


def test_a_fault_far_behind_names_its_record_and_line() -> None:
    good = json.dumps(CHATML)
    data = "[\n" + f"{good},\n" * 5000 + '{"messages": [oops]},\n' + f"{good},\n" * 5000 + good + "]"
    with pytest.raises(SourceError, match="on line 5002") as caught:
        records_of(data, "made.json")
    assert caught.value.row == 5001


def test_a_record_beyond_the_chunk_size_is_read_whole_and_beyond_the_limit_refused() -> None:
    long = {"messages": [{"role": "user", "content": "word " * 100_000}]}
    data = json.dumps([CHATML, long, CHATML])
    found = records_of(data, "made.json", max_turn_characters=1_000_000)
    assert [r.row for r in found if isinstance(r, Dialogue)] == [1, 2, 3]
    assert only_reject(records_of(data, "made.json")).reason == RejectReason.TURN_TOO_LONG
    with pytest.raises(SourceError, match="longer than 400000 bytes"):
        records_of(data, "made.json", max_line_bytes=400_000)


def test_an_empty_array_is_a_file_without_conversations() -> None:
    with pytest.raises(SourceError, match="holds no conversations"):
        records_of("[]", "made.json", format="chatml")
