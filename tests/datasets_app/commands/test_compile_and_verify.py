"""The commands compile_final_dataset and verify_final_dataset, in a process without a database."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.datasets_app.compile.making import dialogue, write_dialogues

PROJECT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("commands")
    write_dialogues(folder / "talks.jsonl", [dialogue(number) for number in range(200)])
    return folder


def run(folder: Path, *order: str, largest_file: int = -1) -> subprocess.CompletedProcess[str]:
    """Run a command where any use of a database would fail, and a larger file than that as on a full disk."""
    limits = (largest_file, resource.getrlimit(resource.RLIMIT_FSIZE)[1])
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "DATABASE_URL": "postgres://nobody:nothing@127.0.0.1:1/nothing",
    }
    return subprocess.run(
        [sys.executable, str(PROJECT / "manage.py"), *order],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limits),
    )


def compile_talks(folder: Path, family: str, out: str) -> subprocess.CompletedProcess[str]:
    return run(
        folder,
        "compile_final_dataset",
        "--source",
        "talks.jsonl",
        "--family",
        family,
        "--out",
        out,
        "--seed",
        "1",
    )


def test_a_dataset_is_compiled_and_verified(folder: Path) -> None:
    done = compile_talks(folder, "professional_therapeutic", "good")
    assert (done.returncode, done.stderr) == (0, "")
    assert "professional_therapeutic: 200, short of 8000 by 7800" in done.stdout
    for named in ("good", "good/manifest.json"):
        checked = run(folder, "verify_final_dataset", named, "--json")
        assert checked.returncode == 0
        result = json.loads(checked.stdout)
        assert (result["holds"], len(result["gates"])) == (True, 8)


def test_a_gate_that_fails_is_named_and_makes_it_1(folder: Path) -> None:
    done = compile_talks(folder, "sarcasm", "lacking")
    assert done.returncode == 1
    assert "the required family professional_therapeutic is empty" in done.stdout
    assert "These gates do not hold: coverage" in done.stderr
    checked = run(folder, "verify_final_dataset", "lacking", "--json")
    assert checked.returncode == 1
    assert json.loads(checked.stdout)["holds"] is False


def test_no_room_to_compare_in_is_said_and_makes_it_2(folder: Path) -> None:
    compile_talks(folder, "professional_therapeutic", "good")
    checked = run(folder, "verify_final_dataset", "good", largest_file=5_000)
    assert checked.returncode == 2
    assert "CommandError: There is no room to compare the shards in: free some" in checked.stderr
    assert "Traceback" not in checked.stderr


def test_a_compile_that_stops_says_why_and_makes_it_1(folder: Path) -> None:
    (folder / "empty.jsonl").write_text("\n")
    order = ["--source", "empty.jsonl", "--family", "sarcasm", "--out", "none", "--seed", "1"]
    done = run(folder, "compile_final_dataset", *order)
    assert done.returncode == 1
    assert (
        done.stderr.strip()
        == "CommandError: empty.jsonl: the file is empty; choose a file with at least one conversation."
    )


TALKS = ["--source", "talks.jsonl"]
REST = ["--out", "x", "--seed", "1"]


@pytest.mark.parametrize(
    ("order", "said"),
    [
        (["compile_final_dataset", *REST], "--source"),
        (["compile_final_dataset", *TALKS, *TALKS, "--family", "sarcasm", *REST], "needs its --family"),
        (["compile_final_dataset", *TALKS, "--family", "nobody", *REST], "no family"),
        (
            ["compile_final_dataset", *TALKS, "--family", "sarcasm", *REST, "--config", "absent.yaml"],
            "absent.yaml: the file cannot be read",
        ),
        (["verify_final_dataset"], "required"),
        (["verify_final_dataset", "absent"], "There is no manifest.json at absent"),
        (["verify_final_dataset", "s3://"], "names no bucket"),
    ],
)
def test_unusable_arguments_make_it_2(folder: Path, order: list[str], said: str) -> None:
    done = run(folder, *order)
    assert done.returncode == 2
    assert said in done.stderr
    assert not (folder / "x").exists()
