"""A run of phase 1, killed or interrupted in the middle, goes on and ends with the same dataset."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from datasets_app.phase1.state import STEPS, read_states
from tests.datasets_app.phase1.making import EDGE_CASES, hashes_in, write_plan, write_sources

pytestmark = pytest.mark.fault

SEED = 20260711
PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("phase1")
    write_sources(folder / "sources")
    write_plan(folder / "plan.yaml", edge_cases=EDGE_CASES)
    return folder


def start(folder: Path, workspace: Path, processes: int) -> subprocess.Popen[str]:
    """The command in a process that says each state it is told."""
    order = [sys.executable, "-m", "tests.fault.phase1", str(folder), str(workspace), str(processes)]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    return subprocess.Popen(order, stdout=subprocess.PIPE, text=True, cwd=PROJECT, env=environment)


def lines_of(folder: Path, workspace: Path) -> list[str]:
    with start(folder, workspace, 1) as process:
        assert process.stdout is not None
        lines = process.stdout.read().splitlines()
    assert process.returncode == 0, lines
    return lines


def test_killed_in_any_step_it_goes_on_to_the_same_dataset(folder: Path, tmp_path: Path) -> None:
    lines = lines_of(folder, tmp_path / "whole")
    whole = hashes_in(tmp_path / "whole")
    chance = random.Random(SEED)  # noqa: S311 -- the points of the kills
    said_in = [line.split()[0] for line in lines]
    assert set(said_in) == set(STEPS)
    for step in STEPS:
        point = chance.choice([at for at, name in enumerate(said_in, 1) if name == step])
        workspace = tmp_path / f"killed-{point}"
        with start(folder, workspace, 2) as process:
            assert process.stdout is not None
            for _ in range(point):
                process.stdout.readline()
            helpers = psutil.Process(process.pid).children()
            process.kill()
        gone, alive = psutil.wait_procs(helpers, timeout=20)
        assert (len(gone), alive) == (len(helpers), [])
        lines_of(folder, workspace)
        assert hashes_in(workspace) == whole
        assert {state.status.value for state in read_states(workspace)} <= {"done", "unchanged"}
        assert not list(workspace.rglob("*.part*"))


def test_interrupted_it_stops_cleanly_and_goes_on(folder: Path, tmp_path: Path) -> None:
    order = [
        sys.executable,
        "manage.py",
        "run_phase1_full",
        "--plan",
        f"{folder}/plan.yaml",
        "--processes",
        "2",
    ]
    order += [
        "--sources",
        f"{folder}/sources",
        "--out",
        f"{tmp_path}/workspace",
        "--to",
        f"{tmp_path}/published",
    ]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(order, cwd=PROJECT, env=environment, start_new_session=True, **pipes) as process:  # type: ignore[call-overload]
        assert process.stdout is not None
        process.stdout.readline()  # the edge cases are there
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the helpers get it too
        said = process.stderr.read()
    assert process.returncode == 1
    assert "was stopped. Run the same command again and it goes on." in said
    assert "Traceback" not in said
    again = subprocess.run(order, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
    assert (again.returncode, again.stderr) == (0, "")
    assert again.stdout.startswith("edge_cases      unchanged")
