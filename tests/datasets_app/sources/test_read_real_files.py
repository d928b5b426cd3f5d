"""The published files, counted a second time with nothing but the standard library."""

import csv
import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

from datasets_app.sources.records import Dialogue, Reject, RejectReason
from datasets_app.sources.registry import ReadOptions, read_source
from datasets_app.sources.windows import windows
from tests.real_data import real_file


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def dialogues_of(path: Path) -> list[Dialogue]:
    with path.open("rb") as stream:
        records = list(read_source(stream, name=path.name, options=ReadOptions()))
    assert not [record for record in records if isinstance(record, Reject)]
    return [record for record in records if isinstance(record, Dialogue)]


def test_annomi() -> None:
    path = real_file("annomi/AnnoMI-simple.csv")
    rows = rows_of(path)
    dialogues = dialogues_of(path)
    assert {d.source_key: len(d.turns) for d in dialogues} == Counter(row["transcript_id"] for row in rows)
    roles = Counter(turn.role for dialogue in dialogues for turn in dialogue.turns)
    speakers = Counter(row["interlocutor"] for row in rows)
    assert (roles["assistant"], roles["user"]) == (speakers["therapist"], speakers["client"])
    assert {(d.source_key, d.meta["mi_quality"], d.meta["topic"]) for d in dialogues} == {
        (row["transcript_id"], row["mi_quality"], row["topic"].strip()) for row in rows
    }
    spans = [window for dialogue in dialogues for window in windows(dialogue.turns)]
    assert sum(window.stop - window.start for window in spans) == len(rows)


def test_counsel_chat() -> None:
    path = real_file("counsel-chat/20200325_counsel_chat.csv")
    rows = rows_of(path)
    dialogues = dialogues_of(path)
    assert all(row["answerText"].strip() for row in rows)
    assert [d.source_key for d in dialogues] == [f"{row['questionID']}/{n}" for n, row in enumerate(rows, 2)]
    assert Counter(d.meta["split"] for d in dialogues) == Counter(row["split"] for row in rows)
    for dialogue, row in zip(dialogues, rows, strict=True):
        question, answer = dialogue.turns
        assert question.content.startswith(row["questionTitle"].strip())
        assert "".join(answer.content.split()) == "".join(row["answerText"].split())


def json_of(path: Path) -> list[dict[str, Any]]:
    return list(json.loads(path.read_bytes()))


def test_failed_esconv() -> None:
    path = real_file("esconv/FailedESConv.json")
    records = json_of(path)
    dialogues = dialogues_of(path)
    assert [len(one.turns) for one in dialogues] == [len(record["dialog"]) for record in records]
    speakers = Counter(turn["speaker"] for record in records for turn in record["dialog"])
    roles = Counter(turn.role for one in dialogues for turn in one.turns)
    assert roles == {"user": speakers["speaker"], "assistant": speakers["listener"]}
    assert {one.meta["flags"] for one in dialogues} == {"failed_support"}


def test_psy_insight() -> None:
    path = real_file("psy-insight/en_data_version7.json")
    records = json_of(path)
    dialogues = dialogues_of(path)
    assert [one.source_key.partition("/")[0] for one in dialogues] == [one["dialog_id"] for one in records]
    roles = Counter(turn.role for one in dialogues for turn in one.turns)
    speakers = Counter(turn["speaker"] for record in records for turn in record["dialog"])
    assert roles == {"user": speakers["Seeker"], "assistant": speakers["Supporter"]}
    goes_on = sum(record["is_same_session"] or record["is_same_qa"] for record in records[1:])
    assert len({one.meta["session"] for one in dialogues}) == len(records) - goes_on


def test_hh_rlhf() -> None:
    path = real_file("hh-rlhf/test.jsonl.gz")
    pairs = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    with path.open("rb") as stream:
        records = list(read_source(stream, name=path.name, options=ReadOptions()))
    assert len(records) == len(pairs)
    for record, pair in zip(records, pairs, strict=True):
        labels = [pair[side].count("\n\nAssistant:") for side in ("chosen", "rejected")]
        if isinstance(record, Dialogue):
            assert record.turns[-1].content == pair["chosen"].rpartition("\n\nAssistant:")[2].strip()
            assert record.rejected_reply == pair["rejected"].rpartition("\n\nAssistant:")[2].strip()
        elif record.reason == RejectReason.NO_PAIR:
            assert labels[0] != labels[1]
        else:
            assert pair["chosen"].endswith("\n\nAssistant:") or pair["chosen"].endswith("\n\nAssistant: ")
    reasons = Counter(record.reason for record in records if isinstance(record, Reject))
    assert reasons == {RejectReason.NO_PAIR: 5, RejectReason.EMPTY_TEXT: 4}
