"""Celery workers make the same dataset as one process, also when they or the compile are killed with -9."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from datasets_app.compile import chunks, workers
from datasets_app.compile.compiling import Given, Request
from datasets_app.compile.config import load_config
from datasets_app.compile.contract import Manifest
from datasets_app.compile.errors import CompileError
from datasets_app.compile.runner import Inline
from datasets_app.distributed import compile_by_workers
from datasets_app.verify import verify_local
from prometheus_site.celery import app
from tests import servers
from tests.datasets_app.compile.making import dialogue, edited, hashes_of, write_dialogues
from tests.fault.compiling import CHUNK_BYTES, compile_it

pytestmark = pytest.mark.fault

PROJECT = Path(__file__).parents[2]
COUNT = 600
READY_WITHIN_SECONDS = 60
# The site's own settings, in the folder of the tests' servers, which the environment names.
ON_THE_TESTS_SERVERS = os.environ | {"DJANGO_SETTINGS_MODULE": "prometheus_site.settings"}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    repeated = [edited(dialogue(number), 0.03) for number in range(40)]
    return write_dialogues(tmp_path / "talks.jsonl", [*map(dialogue, range(COUNT)), *repeated])


@pytest.fixture
def broker() -> Iterator[None]:
    with servers.running_servers():
        app.control.purge()
        yield
        app.control.purge()


@contextmanager
def celery_worker() -> Iterator[subprocess.Popen[bytes]]:
    """A real worker with two processes."""
    order = [sys.executable, "-m", "celery", "--app", "prometheus_site", "worker", "--concurrency", "2"]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(order, cwd=PROJECT, stdout=quiet, stderr=quiet, env=ON_THE_TESTS_SERVERS)
    try:
        yield process
    finally:
        kill_all_of(process)


def kill_all_of(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    for one in family:
        one.kill()
    process.wait()
    psutil.wait_procs(family, timeout=20)


def by_workers(source: Path, out: Path) -> Manifest:
    request = Request((Given(source, "professional_therapeutic"),), load_config(), out, 1)
    return compile_by_workers(request, Inline(), verify_local, lambda step, done: None)


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "CHUNK_BYTES", CHUNK_BYTES)


def test_workers_make_the_same_dataset(source: Path, tmp_path: Path, broker: None) -> None:
    with celery_worker():
        made = by_workers(source, tmp_path / "by-workers")
    alone = compile_it(source, tmp_path / "alone", 1)
    assert made.build_id == alone.build_id
    assert hashes_of(made) == hashes_of(alone)
    assert [gate.gate for gate in made.gates if not gate.holds] == []
    assert not (tmp_path / "by-workers" / ".work" / "orders").exists()


def test_a_worker_that_is_killed_is_replaced_and_nothing_is_lost(
    source: Path, tmp_path: Path, broker: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "NUDGE_AGAIN_SECONDS", 0.5)
    out = tmp_path / "out"
    order = [sys.executable, "-m", "tests.fault.compiling", str(source), str(out), "workers"]
    with subprocess.Popen(
        order, stdout=subprocess.PIPE, text=True, cwd=PROJECT, env=ON_THE_TESTS_SERVERS
    ) as compiling:
        assert compiling.stdout is not None
        with celery_worker():
            assert compiling.stdout.readline().startswith("map")
        with celery_worker():
            rest = compiling.stdout.read()
    assert compiling.returncode == 0
    assert "verify" in rest
    alone = compile_it(source, tmp_path / "alone", 1)
    again = compile_it(source, out, 1)
    assert hashes_of(again) == hashes_of(alone)


def test_a_compile_that_is_killed_goes_on_with_the_same_workers(
    source: Path, tmp_path: Path, broker: None
) -> None:
    out = tmp_path / "out"
    order = [sys.executable, "-m", "tests.fault.compiling", str(source), str(out), "workers"]
    with celery_worker():
        with subprocess.Popen(
            order, stdout=subprocess.PIPE, text=True, cwd=PROJECT, env=ON_THE_TESTS_SERVERS
        ) as compiling:
            assert compiling.stdout is not None
            for _ in range(3):
                assert compiling.stdout.readline().startswith("map")
            compiling.kill()
        made = by_workers(source, out)
    assert hashes_of(made) == hashes_of(compile_it(source, tmp_path / "alone", 1))


def test_where_no_worker_is_the_compile_says_so(
    source: Path, tmp_path: Path, broker: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "NUDGE_AGAIN_SECONDS", 0.1)
    monkeypatch.setattr(workers, "GIVE_UP_SECONDS", 0.5)
    began = time.monotonic()
    with pytest.raises(CompileError, match="No worker has taken up the work"):
        by_workers(source, tmp_path / "out")
    assert time.monotonic() - began < READY_WITHIN_SECONDS
    assert not (tmp_path / "out" / "manifest.json").exists()


def test_what_a_worker_cannot_read_ends_the_compile_with_a_sentence(
    source: Path, tmp_path: Path, broker: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with celery_worker():
        monkeypatch.setattr(workers, "AHEAD", 1)
        request = Request((Given(source, "professional_therapeutic"),), load_config(), tmp_path / "out", 1)

        def vanish(step: str, done: int) -> None:
            source.unlink(missing_ok=True)

        with pytest.raises(CompileError, match=r"talks\.jsonl"):
            compile_by_workers(request, Inline(), verify_local, vanish)
