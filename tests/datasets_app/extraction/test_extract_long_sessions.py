"""Long sessions: whole, with speakers by a mapping alone, each record accounted for, the same every time."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from datasets_app.compile.config import load_config
from datasets_app.compile.contract import Record
from datasets_app.compile.errors import UnusableError
from datasets_app.extraction.extracting import (
    ExtractionError,
    SourceTally,
    extract_long_sessions,
    left_out_beside,
    report_beside,
)
from tests.datasets_app.compile.making import Messages, compiled, dialogue, records_in, write_lines
from tests.real_data import real_file


def extracted(tmp_path: Path, *paths: Path, config: str = "") -> list[SourceTally]:
    laid = None
    if config:
        laid = tmp_path / "config.yaml"
        laid.write_text(config)
    return extract_long_sessions(list(paths), load_config(laid), tmp_path / "long.jsonl")


def taken(tmp_path: Path) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in (tmp_path / "long.jsonl").read_bytes().splitlines()]


def left_out(tmp_path: Path) -> list[tuple[int, str, str]]:
    lines = left_out_beside(tmp_path / "long.jsonl").read_bytes().splitlines()
    return [(one["row"], one["outcome"], one["field"]) for one in map(orjson.loads, lines)]


def labelled(messages: Messages, user: str, assistant: str) -> Messages:
    labels = {"user": user, "assistant": assistant}
    return [{"role": labels[one["role"]], "content": one["content"]} for one in messages]


def test_twenty_turns_are_enough_and_instructions_are_none(tmp_path: Path) -> None:
    rules: Messages = [{"role": "system", "content": "You listen."}]
    talks = [dialogue(1, 19), dialogue(2, 20), rules + dialogue(3, 19), rules + dialogue(4, 20)]
    path = write_lines(tmp_path / "talks.jsonl", [{"messages": talk} for talk in talks])
    (tally,) = extracted(tmp_path, path)
    assert (tally.records, tally.taken, tally.too_short) == (4, 2, 2)
    assert [record["messages"] for record in taken(tmp_path)] == [talks[1], talks[3]]
    assert left_out(tmp_path) == [(1, "too_short", ""), (3, "too_short", "")]


def test_a_session_is_kept_whole_however_long_it_is(tmp_path: Path) -> None:
    talk = dialogue(1, turns=1_500, words=200)
    extracted(tmp_path, write_lines(tmp_path / "talks.jsonl", [{"messages": talk}]))
    (record,) = taken(tmp_path)
    assert record["messages"] == talk
    assert record["metadata"]["conversation_length"] == 1_500


def test_unknown_speakers_are_rejects_until_somebody_maps_them(tmp_path: Path) -> None:
    talk = dialogue(1, 24)
    known = labelled(dialogue(2, 24), "Client", "Therapist")
    unknown = [labelled(talk, "Person A", "Person B"), labelled(talk, "client", "Dr. B"), known]
    path = write_lines(tmp_path / "talks.jsonl", [{"messages": one} for one in unknown])
    (tally,) = extracted(tmp_path, path)
    assert (tally.taken, tally.rejected) == (1, {"unknown_speaker": 2})
    assert left_out(tmp_path) == [
        (1, "unknown_speaker", "messages[0].role"),
        (2, "unknown_speaker", "messages[1].role"),
    ]
    mapping = "sources: {talks.jsonl: {speakers: {Person A: assistant, person b: user}}}"
    (tally,) = extracted(tmp_path, path, config=mapping)
    assert (tally.taken, tally.rejected) == (2, {"unknown_speaker": 1})
    turned = {"user": "assistant", "assistant": "user"}
    assert [turn["role"] for turn in taken(tmp_path)[0]["messages"]] == [turned[one["role"]] for one in talk]


def test_turns_of_one_speaker_in_a_row_stay_as_they_are(tmp_path: Path) -> None:
    talk = dialogue(1, 24)
    for turn in talk[3:9]:
        turn["role"] = "user"
    extracted(tmp_path, write_lines(tmp_path / "talks.jsonl", [{"messages": talk}]))
    assert taken(tmp_path)[0]["messages"] == talk


def test_one_sided_and_broken_records_are_counted_by_reason(tmp_path: Path) -> None:
    alone = [{**turn, "role": "user"} for turn in dialogue(1, 24)]
    empty = dialogue(2, 24)
    empty[5]["content"] = "\u200b"
    good = dialogue(3, 24)
    records = [{"messages": one} for one in (alone, empty, good, good, 7)]
    path = write_lines(tmp_path / "talks.jsonl", records)
    path.write_bytes(path.read_bytes() + b'{"messages": [{"ro')
    (tally,) = extracted(tmp_path, path)
    rejected = {"one_sided": 1, "empty_text": 1, "wrong_type": 1, "broken_json": 1}
    assert (tally.taken, tally.duplicates, tally.rejected) == (1, 1, rejected)
    assert tally.records == 6
    (counts,) = orjson.loads(report_beside(tmp_path / "long.jsonl").read_bytes())["sources"]
    assert (counts["in"], counts["taken"], counts["rejected"]) == (6, 1, rejected)


def test_records_keep_the_contract_and_say_where_they_come_from(tmp_path: Path) -> None:
    talk = dialogue(1, 22)
    talk[4]["content"] = "Write to ann@example.org."
    metadata = {"source_key": "a7", "session": "s1", "flags": ["failed_support"]}
    path = write_lines(tmp_path / "talks.jsonl", [{"messages": talk, "metadata": metadata}])
    extracted(tmp_path, path, config="sources: {talks.jsonl: {license: CC0-1.0}, other.jsonl: {}}")
    (line,) = (tmp_path / "long.jsonl").read_bytes().splitlines()
    found = msgspec.json.decode(line, type=Record).metadata
    assert "example.org" not in line.decode()
    assert (found.source_family, found.phase) == ("long_running_therapy", "stage4_voice_persona")
    assert (found.source, found.session, found.license_tag) == ("talks.jsonl", "talks.jsonl/s1", "CC0-1.0")
    assert (found.source_key, found.provenance.original_key) == ("talks.jsonl/a7/1", "a7/1")
    assert (found.pii_status, found.flags) == ("scrubbed", ["failed_support"])


def test_sessions_of_one_case_are_in_one_split(tmp_path: Path) -> None:
    records = [
        {"session": f"s{number % 40}", "messages": dialogue(number, 20, words=6)} for number in range(400)
    ]
    extracted(tmp_path, write_lines(tmp_path / "talks.jsonl", records))
    splits: dict[str, set[str]] = {}
    for record in taken(tmp_path):
        splits.setdefault(record["metadata"]["session"], set()).add(record["metadata"]["split"])
    assert len(splits) == 40
    assert all(len(found) == 1 for found in splits.values())


def test_any_readable_source_is_taken_from_and_the_same_again(tmp_path: Path) -> None:
    def said(number: int) -> Messages:
        return dialogue(number, 20, words=8)

    folder = tmp_path / "sources"
    folder.mkdir()
    turns = [(one["role"], one["content"]) for one in said(1)]
    table = "".join(f"c1,{role},{content}\n" for role, content in turns)
    (folder / "table.csv").write_text(f"id,who,text\n{table}")
    spoken = "".join(f"{'Client' if role == 'user' else 'Therapist'}: {text}\n" for role, text in turns[::-1])
    (folder / "talk.txt").write_text(spoken)
    pq.write_table(pa.table({"messages": [said(2)]}), folder / "talks.parquet")
    esconv = {
        "emotion_type": "x",
        "problem_type": "y",
        "dialog": [
            {"speaker": one["role"].replace("user", "seeker").replace("assistant", "supporter"), **one}
            for one in said(3)
        ],
    }
    (folder / "ESConv.json").write_text(json.dumps([esconv]))
    config = "sources: {table.csv: {columns: {conversation: id, speaker: who, text: text}}}"
    names = ["long.jsonl", "long.left-out.jsonl", "long.report.json"]
    made = []
    for _again in range(2):
        tallies = extracted(tmp_path, folder, config=config)
        assert Counter({tally.name: tally.taken for tally in tallies}) == {
            "ESConv.json": 1,
            "table.csv": 1,
            "talk.txt": 1,
            "talks.parquet": 1,
        }
        made.append([(tmp_path / name).read_bytes() for name in names])
    assert made[0] == made[1]


def test_the_compile_takes_what_was_extracted(tmp_path: Path) -> None:
    metadata = {"session": "s1", "flags": ["failed_support"], "license_tag": "CC0-1.0"}
    records = [{"messages": dialogue(number, 20), "metadata": metadata} for number in range(2)]
    extracted(tmp_path, write_lines(tmp_path / "talks.jsonl", records))
    manifest = compiled(tmp_path / "out", [(tmp_path / "long.jsonl", "long_running_therapy")])
    found = [record["metadata"] for record in records_in(tmp_path / "out", manifest)]
    assert {one["session"] for one in found} == {"long.jsonl/talks.jsonl/s1"}
    assert [(one["license_tag"], one["flags"]) for one in found] == [("CC0-1.0", ["failed_support"])] * 2


def test_nothing_is_written_where_no_session_is_long_enough(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "talks.jsonl", [{"messages": dialogue(1, 6)}])
    with pytest.raises(ExtractionError, match=r"No source has a session of 20 turns .*1 too short"):
        extracted(tmp_path, path)
    assert [one.name for one in tmp_path.iterdir()] == ["talks.jsonl"]


def test_a_source_that_cannot_be_read_leaves_the_files_of_before(tmp_path: Path) -> None:
    good = write_lines(tmp_path / "talks.jsonl", [{"messages": dialogue(1, 20)}])
    extracted(tmp_path, good)
    before = (tmp_path / "long.jsonl").read_bytes()
    bad = tmp_path / "table.csv"
    bad.write_text('id,who,text\n"1,client,x\n')
    with pytest.raises(ExtractionError, match=r"^table\.csv: no column mapping was given.* Nothing was writ"):
        extracted(tmp_path, good, bad)
    assert (tmp_path / "long.jsonl").read_bytes() == before
    assert not [one for one in tmp_path.iterdir() if one.name.startswith(".")]


@pytest.mark.parametrize(
    ("change", "sentence"), [("unlink", "vanished"), ("truncate", "changed"), ("append", "changed")]
)
def test_a_source_that_vanishes_mid_run_leaves_nothing(tmp_path: Path, change: str, sentence: str) -> None:
    path = write_lines(
        tmp_path / "talks.jsonl", [{"messages": dialogue(number, 20)} for number in range(200)]
    )

    def at_the_hundredth(source: str, done: int) -> None:
        if done == 100:
            if change == "unlink":
                path.unlink()
            elif change == "truncate":
                path.write_bytes(path.read_bytes()[: path.stat().st_size * 3 // 4])
            else:
                path.write_bytes(path.read_bytes() + b"\n")

    with pytest.raises(
        ExtractionError, match=rf"^talks\.jsonl: the source {sentence} while it was read; put"
    ):
        extract_long_sessions([path], load_config(), tmp_path / "long.jsonl", at_the_hundredth)
    assert [one.name for one in tmp_path.iterdir()] == ([] if change == "unlink" else ["talks.jsonl"])


def test_two_sources_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    paths = [tmp_path / "talks.jsonl", tmp_path / "other" / "talks.jsonl"]
    for path in paths:
        write_lines(path, [{"messages": dialogue(1, 20)}])
    with pytest.raises(UnusableError, match="Two sources are called"):
        extracted(tmp_path, *paths)


def test_the_published_files(tmp_path: Path) -> None:
    failed = real_file("esconv/FailedESConv.json")
    long = sum(len(record["dialog"]) >= 20 for record in json.loads(failed.read_bytes()))
    paths = [real_file("annomi/AnnoMI-simple.csv"), failed, real_file("psy-insight/en_data_version7.json")]
    annomi, esconv, psy_insight = extracted(tmp_path, *paths)
    assert (annomi.records, annomi.taken, annomi.rejected.total()) == (133, 113, 0)
    assert (esconv.records, esconv.taken, esconv.flags) == (196, long, {"failed_support": long})
    assert (psy_insight.records, psy_insight.taken, psy_insight.too_short) == (520, 79, 441)
    assert len(taken(tmp_path)) == annomi.taken + esconv.taken + psy_insight.taken


def test_no_source_is_overwritten_by_what_is_taken_out_of_it(tmp_path: Path) -> None:
    talks = write_lines(tmp_path / "talks.jsonl", [{"messages": dialogue(1, 20)}, {"messages": dialogue(2)}])
    before = talks.read_bytes()
    with pytest.raises(UnusableError, match="would be read and overwritten"):
        extract_long_sessions([talks], load_config(), talks)
    assert talks.read_bytes() == before


@pytest.mark.parametrize("place", ["long.jsonl", "deeper/long.jsonl", "../sources/long.jsonl"])
def test_nothing_is_written_among_the_sources_where_the_next_run_would_read_it(
    tmp_path: Path, place: str
) -> None:
    folder = tmp_path / "sources"
    (folder / "deeper").mkdir(parents=True)
    write_lines(folder / "talks.jsonl", [{"messages": dialogue(1, 20)}])
    with pytest.raises(UnusableError, match=r"lies in the folder of sources .*sources, .*: write it outside"):
        extract_long_sessions([folder], load_config(), folder / place)
    assert [one.name for one in folder.rglob("*") if one.is_file()] == ["talks.jsonl"]
    for _again in range(2):
        [tally] = extract_long_sessions([folder], load_config(), tmp_path / "long.jsonl")
        assert (tally.name, tally.taken) == ("talks.jsonl", 1)
