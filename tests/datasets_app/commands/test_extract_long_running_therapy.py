"""The command extract_long_running_therapy, in a process without a database."""

from pathlib import Path
from typing import Any

import pytest

from tests.datasets_app.compile.making import dialogue, write_lines

from .test_compile_and_verify import run

SOURCE = ["extract_long_running_therapy", "--source", "talks.jsonl", "--out", "long.jsonl"]


def test_says_what_was_taken_and_why_the_rest_was_not(tmp_path: Path) -> None:
    records: list[dict[str, Any]] = [
        {"messages": dialogue(1, 20)},
        {"messages": dialogue(2, 4)},
        {"messages": 1},
    ]
    write_lines(tmp_path / "talks.jsonl", records)
    done = run(tmp_path, *SOURCE)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "sessions in long.jsonl: 1",
        "  talks.jsonl: 3 read, 1 taken, 1 too short, 0 repeated, 1 rejected (wrong_type 1)",
    ]


def test_nothing_long_or_nothing_readable_or_only_rejects_makes_it_1(tmp_path: Path) -> None:
    short = write_lines(tmp_path / "talks.jsonl", [{"messages": dialogue(1, 4)}])
    done = run(tmp_path, *SOURCE)
    assert (done.returncode, "nothing was written" in done.stderr) == (1, True)
    short.write_text("\n")
    done = run(tmp_path, *SOURCE)
    assert (done.returncode, "talks.jsonl: the file is empty" in done.stderr) == (1, True)
    write_lines(tmp_path / "good.jsonl", [{"messages": dialogue(1, 20)}])
    strangers = [{"role": f"Person {number % 2}", "content": "Hm."} for number in range(20)]
    write_lines(short, [{"messages": strangers}])
    done = run(tmp_path, *SOURCE, "--source", "good.jsonl")
    assert (done.returncode, done.stderr.strip()) == (
        1,
        "CommandError: Every record was rejected of talks.jsonl.",
    )
    assert (tmp_path / "long.jsonl").read_bytes().count(b"\n") == 1


@pytest.mark.parametrize(
    ("order", "said"),
    [
        (["--out", "long.jsonl"], "--source"),
        (["--source", "absent.jsonl", "--out", "long.jsonl"], "There is no source at absent.jsonl"),
        (["--source", "talks.jsonl", "--out", "absent/long.jsonl"], "cannot be read or written"),
        (["--source", "talks.jsonl", "--out", "x.jsonl", "--config", "absent.yaml"], "absent.yaml: the file"),
    ],
)
def test_unusable_arguments_make_it_2(tmp_path: Path, order: list[str], said: str) -> None:
    write_lines(tmp_path / "talks.jsonl", [{"messages": dialogue(1, 20)}])
    done = run(tmp_path, "extract_long_running_therapy", *order)
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr
    assert [one.name for one in tmp_path.iterdir()] == ["talks.jsonl"]
