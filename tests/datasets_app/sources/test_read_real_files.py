"""The published files, counted a second time with nothing but the csv module."""

import csv
from collections import Counter
from pathlib import Path

from datasets_app.sources.records import Dialogue, Reject
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
