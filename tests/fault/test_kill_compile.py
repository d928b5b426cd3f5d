"""A compile killed with -9 at ten random points goes on and ends with the same bytes."""

import random
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.datasets_app.compile.making import dialogue, edited, hashes_of, write_dialogues
from tests.fault.compiling import compile_it

pytestmark = pytest.mark.fault

COUNT = 300
KILLS = 10
SEED = 20260605


def start(source: Path, out: Path) -> subprocess.Popen[str]:
    order = [sys.executable, "-m", "tests.fault.compiling", str(source), str(out), "2"]
    return subprocess.Popen(order, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / "builds").rglob("*.*"))}


def test_killed_anywhere_it_goes_on_to_the_same_dataset(tmp_path: Path) -> None:
    repeated = [edited(dialogue(number), 0.03) for number in range(40)]
    source = write_dialogues(tmp_path / "talks.jsonl", [*map(dialogue, range(COUNT)), *repeated])
    with start(source, tmp_path / "whole") as process:
        assert process.stdout is not None
        steps = process.stdout.read().splitlines()
    whole = compile_it(source, tmp_path / "whole", 1)
    assert {step.split()[0] for step in steps} == {"map", "reduce", "compare", "write", "verify"}
    chance = random.Random(SEED)  # noqa: S311 -- the points of the kills
    for kill in range(KILLS):
        out = tmp_path / f"killed-{kill}"
        with start(source, out) as process:
            assert process.stdout is not None
            for _ in range(chance.randint(1, len(steps))):
                process.stdout.readline()
            workers = psutil.Process(process.pid).children()
            process.kill()
        gone, alive = psutil.wait_procs(workers, timeout=20)
        assert (len(gone), alive) == (len(workers), [])
        assert not (out / "manifest.json").exists()
        assert not (out / "builds").exists() or files_of(out) == files_of(tmp_path / "whole")
        again = compile_it(source, out, 1)
        assert again.build_id == whole.build_id
        assert hashes_of(again) == hashes_of(whole)
        assert files_of(out) == files_of(tmp_path / "whole")
        assert [gate.gate for gate in again.gates if not gate.holds] == []
