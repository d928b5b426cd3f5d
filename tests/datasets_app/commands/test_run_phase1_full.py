"""The command run_phase1_full and its script, in a process without a database."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.datasets_app.phase1.making import EDGE_CASES, write_plan, write_sources

PROJECT = Path(__file__).resolve().parents[3]
SCRIPT = PROJECT / "scripts" / "run_phase1_full.sh"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("phase1")
    write_sources(folder / "sources")
    write_plan(folder / "plan.yaml", edge_cases=EDGE_CASES)
    return folder


def run(folder: Path, *order: str) -> subprocess.CompletedProcess[str]:
    """Call the script where any use of a database would fail."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "DATABASE_URL": "postgres://nobody:nothing@127.0.0.1:1/nothing",
        "PYTHON": sys.executable,
    }
    return subprocess.run(
        [str(SCRIPT), *order], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_all_of_it_by_one_command(folder: Path) -> None:
    order = [
        "--plan",
        f"{folder}/plan.yaml",
        "--sources",
        f"{folder}/sources",
        "--out",
        f"{folder}/workspace",
    ]
    done = run(folder, *order)
    assert (done.returncode, done.stderr) == (0, "")
    assert "520 conversations of 60,000 wanted" in done.stdout
    assert "edge_case_synthetic            160 of 10,000, short by 9,840" in done.stdout
    assert "statistics: holds" in done.stdout
    assert f"Published at {folder}/published" in done.stdout
    again = run(folder, *order)
    assert again.returncode == 0
    assert [line.split(";")[0].split()[1] for line in again.stdout.splitlines()[:8]] == ["unchanged"] * 8


def test_a_gate_that_does_not_hold_makes_it_1(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_text("edge_cases: {count: 2, categories: [suicidality]}")
    done = run(
        folder, "--plan", f"{tmp_path}/plan.yaml", "--out", f"{tmp_path}/workspace", "--only", "edge_cases"
    )
    assert done.returncode == 1
    assert "edge_cases: These gates do not hold: pairs of levels not hit." in done.stderr


@pytest.mark.parametrize(
    ("order", "said"),
    [
        ([], "--out"),
        (["--out", "x", "--only", "everything"], "invalid choice"),
        (["--out", "x", "--plan", "absent.yaml"], "absent.yaml: the file cannot be read"),
        (["--out", "x", "--processes", "0"], "--processes 0"),
        (["--out", "/dev/null/x"], "cannot be written"),
    ],
)
def test_unusable_arguments_make_it_2(folder: Path, order: list[str], said: str) -> None:
    done = run(folder, *order)
    assert done.returncode == 2
    assert said in done.stderr
    assert not (PROJECT / "x").exists()
