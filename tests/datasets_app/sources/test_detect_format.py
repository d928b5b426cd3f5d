"""A format is recognised by content and name, or the candidates are named."""

import json

import pytest

from datasets_app.sources.records import SourceError
from datasets_app.sources.registry import FORMATS, detect

from .reading import only_dialogue, records_of, said

ANNOMI = (
    "transcript_id,mi_quality,video_title,video_url,topic,utterance_id,interlocutor,timestamp,utterance_text"
)
COUNSEL = ",questionID,questionTitle,questionText,questionLink,topic,answerText,upvotes,views,split"


@pytest.mark.parametrize(
    ("head", "filename", "expected"),
    [
        ('{"messages": []}', "a.jsonl", "chatml"),
        ('[\n  {"id": 1, "messages": [{"role"', "a.json", "chatml"),
        ('{"conversations": []}', "a", "sharegpt"),
        ('{"instruction": "a", "input": "", "output": "b"}', "a.json.gz", "alpaca"),
        ('{"prompt": "a", "response": "b"}', "a.txt", "prompt_response"),
        ('{"prompt": "a", "completion": "b"}', "a.jsonl", "prompt_response"),
        ('{"text": "see \\"prompt\\": or", "messages": [' + '"x", ' * 100, "a.jsonl", "chatml"),
        ('{"chosen": "a", "rejected": "b"}', "a.jsonl.gz", "hh_rlhf"),
        ('[{"emotion_type": "a", "problem_type": "b", "dialog": [{"sp', "a.json", "esconv"),
        ('[{"dialog_id": "1", "psychotherapy": "", "dialog": [{"sp', "a.json", "psy_insight"),
        (ANNOMI, "a.csv", "annomi"),
        (COUNSEL, "a.csv", "counsel_chat"),
        ("a,b\n1,2", "a.csv", "delimited"),
        ("a\tb\n1\t2", "A.TSV.GZ", "delimited"),
        ("Mother: Hi", "a.txt", "transcript"),
        ("\n[00:12] Client: Hi\n", "session", "transcript"),
    ],
)
def test_a_format_is_recognised(head: str, filename: str, expected: str) -> None:
    assert detect(head.encode(), filename) == expected
    assert detect(head.encode("utf-16"), filename) == expected
    assert expected in FORMATS


def test_a_file_that_could_be_two_formats_names_both() -> None:
    head = json.dumps({"messages": [], "prompt": "a", "response": "b"})
    with pytest.raises(SourceError, match="chatml or prompt_response"):
        detect(head.encode(), "a.jsonl")


@pytest.mark.parametrize("head", ["{}", '{"text": "x"}', "[1, 2]", "hello", "Mother: Hi"])
def test_a_file_of_no_known_format_names_all(head: str) -> None:
    with pytest.raises(SourceError) as caught:
        detect(head.encode(), "a.json")
    assert all(name in caught.value.remedy for name in FORMATS)


def test_a_column_mapping_says_that_a_file_is_a_table() -> None:
    columns = {"prompt": "q", "response": "a"}
    assert said(only_dialogue(records_of("q,a\nHi,Hello\n", "export.dat", columns=columns))) == [
        ("user", "Hi"),
        ("assistant", "Hello"),
    ]


def test_a_format_that_does_not_exist() -> None:
    with pytest.raises(SourceError, match="no reader has the format"):
        records_of("{}", "a.json", format="excel")
