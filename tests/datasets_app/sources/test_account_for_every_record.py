"""Whatever a file holds, each of its records comes out, kept or rejected, at a row where it can be found."""

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets_app.sources.records import Dialogue

from .reading import Records, as_lines, records_of

SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=12)
SPEAKERS = st.sampled_from(["user", "assistant", "system", "Client", "gpt", "nobody", ""])
CELLS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


def either(good: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Mostly what the format asks for, sometimes anything."""
    return st.one_of(good, good, good, SCALARS, st.lists(SCALARS, max_size=2))


def turn_lists(name: str, speaker: str, text: str) -> st.SearchStrategy[Any]:
    turn = st.fixed_dictionaries({}, optional={speaker: either(SPEAKERS), text: either(st.text(max_size=12))})
    return either(st.fixed_dictionaries({}, optional={name: either(st.lists(either(turn), max_size=4))}))


def flat(*names: str) -> st.SearchStrategy[Any]:
    return either(st.fixed_dictionaries({}, optional={name: either(st.text(max_size=12)) for name in names}))


JSON_FORMATS = pytest.mark.parametrize(
    ("format", "record"),
    [
        ("chatml", turn_lists("messages", "role", "content")),
        ("sharegpt", turn_lists("conversations", "from", "value")),
        ("alpaca", flat("instruction", "input", "output")),
        ("prompt_response", flat("prompt", "response", "completion")),
        ("hh_rlhf", flat("chosen", "rejected")),
        ("esconv", turn_lists("dialog", "speaker", "content")),
        ("psy_insight", turn_lists("dialog", "speaker", "content")),
    ],
    ids=["chatml", "sharegpt", "alpaca", "prompt_response", "hh_rlhf", "esconv", "psy_insight"],
)


def check(found: Records, rows: list[int]) -> None:
    assert [record.row for record in found] == rows
    keys = [record.source_key for record in found if isinstance(record, Dialogue)]
    assert len(set(keys)) == len(keys)
    for record in found:
        if isinstance(record, Dialogue):
            assert record.turns
            for turn in record.turns:
                assert turn.content == turn.content.strip() != ""
                assert "\r" not in turn.content
                assert "\0" not in turn.content
                turn.content.encode("utf-8")
        else:
            assert record.remedy


@JSON_FORMATS
@given(data=st.data())
def test_json(format: str, record: st.SearchStrategy[Any], data: st.DataObject) -> None:
    records = data.draw(st.lists(record, min_size=1, max_size=5))
    rows = list(range(1, len(records) + 1))
    # a file whose first line is a list is an array, so lines begin with an object
    lines = as_lines({}, *records).encode("utf-8", "surrogatepass")
    escaped = "".join(json.dumps(r) + "\n" for r in [{}, *records])
    check(records_of(escaped, "made.jsonl", format=format), [1, *(row + 1 for row in rows)])
    check(
        records_of(json.dumps(records, indent=data.draw(st.none() | st.just(1))), "a.json", format=format),
        rows,
    )
    if b"\xed" not in lines:
        check(records_of(lines, "made.jsonl", format=format), [1, *(row + 1 for row in rows)])


@given(
    rows=st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=6).filter(
        lambda rows: all(any(cells) for cells in rows)
    )
)
def test_exchanges(rows: list[tuple[str, str]]) -> None:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows([("q", "a"), *rows])
    found = records_of(out.getvalue(), "made.csv", columns={"prompt": "q", "response": "a"})
    check(found, list(range(2, len(rows) + 2)))
    kept = [bool(q.strip() and a.strip()) and "\0" not in q + a for q, a in rows]
    assert [isinstance(record, Dialogue) for record in found] == kept


@given(
    conversations=st.lists(
        st.lists(st.tuples(SPEAKERS, CELLS), min_size=1, max_size=4), min_size=1, max_size=4
    )
)
def test_turns_in_rows(conversations: list[list[tuple[str, str]]]) -> None:
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerow(("id", "who", "text"))
    spans = []
    row = 1
    for number, turns in enumerate(conversations):
        writer.writerows((f"c{number}", *turn) for turn in turns)
        spans.append(range(row + 1, row + 1 + len(turns)))
        row += len(turns)
    columns = {"conversation": "id", "speaker": "who", "text": "text"}
    found = records_of(out.getvalue(), "made.csv", columns=columns)
    assert len(found) == len(conversations)
    assert all(record.row in span for record, span in zip(found, spans, strict=True))
    known = {"user", "assistant", "system", "Client", "gpt"}
    kept = [
        all(who in known and text.strip() and "\0" not in text for who, text in turns)
        and any(who != "system" for who, _ in turns)
        for turns in conversations
    ]
    assert [isinstance(record, Dialogue) for record in found] == kept


WORDS = st.text(st.characters(categories=["Ll", "Lo", "So"]), min_size=1, max_size=8)


@given(
    conversations=st.lists(
        st.lists(
            st.tuples(st.sampled_from(["Client", "therapist", "Nobody"]), WORDS), min_size=1, max_size=4
        ),
        min_size=1,
        max_size=4,
    )
)
def test_transcripts(conversations: list[list[tuple[str, str]]]) -> None:
    blocks = ["".join(f"{who}: {text}\n" for who, text in turns) for turns in conversations]
    found = records_of("---\n".join(blocks), "made.txt")
    assert [isinstance(record, Dialogue) for record in found] == [
        all(who != "Nobody" for who, _ in turns) for turns in conversations
    ]
    for record, turns in zip(found, conversations, strict=True):
        if isinstance(record, Dialogue):
            assert len(record.turns) == len(turns)
