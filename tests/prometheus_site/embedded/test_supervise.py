"""The supervisor keeps small programs running, says what happened, and leaves nothing behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from prometheus_site.embedded import os_processes
from prometheus_site.embedded.home import Home
from prometheus_site.embedded.processes import stop_leftovers
from tests.prometheus_site.embedded.waiting import wait_until

WAIT = "import time; time.sleep(60)"
WITH_CHILD = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {WAIT!r}]).wait()"
DEAF = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {WAIT}"
FAILS = "print('the reason', flush=True); raise SystemExit(3)"
LAST_WORDS = (
    "import signal, sys, time\n"
    "def end(*_: object) -> None:\n"
    "    open('order', 'a').write(sys.argv[1] + ' '); sys.exit()\n"
    "signal.signal(signal.SIGTERM, end)\n"
    "print('ready', flush=True); time.sleep(60)"
)

SUPERVISOR = """
import sys
from pathlib import Path
from prometheus_site.embedded.home import Home
from prometheus_site.embedded.processes import Part, Supervisor
home = Home(Path(sys.argv[1]))
parts = [
    Part(name, [sys.executable, "-c", program, name], {}, home.path, grace_seconds=1)
    for name, program in zip(sys.argv[2::2], sys.argv[3::2], strict=True)
]
with Supervisor(parts, lambda sentence: print(sentence, flush=True), home) as supervisor:
    print("watching", flush=True)
    supervisor.watch()
print("done", flush=True)
"""


class Running:
    """A supervisor in a process of its own, and what it has said."""

    def __init__(self, home: Home, parts: dict[str, str]) -> None:
        self.home = home
        self._said = home.logs / "supervisor.said"
        arguments = [text for pair in parts.items() for text in pair]
        with self._said.open("w") as said:
            command = [sys.executable, "-c", SUPERVISOR, str(home.path), *arguments]
            self.process = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT)
        wait_until(lambda: "watching" in self.said)

    @property
    def said(self) -> str:
        return self._said.read_text()

    def group(self, name: str) -> list[psutil.Process]:
        record = (self.home.pids / f"{name}.pid").read_text()
        return os_processes.group_members(int(record.split()[0]))

    def pid(self, name: str) -> int:
        return int((self.home.pids / f"{name}.pid").read_text().split()[0])


@pytest.fixture
def supervise(home: Home) -> Iterator[Callable[[dict[str, str]], Running]]:
    """Start a supervisor over programs given by name."""
    started: list[Running] = []

    def start(parts: dict[str, str]) -> Running:
        started.append(Running(home, parts))
        return started[-1]

    yield start
    for running in started:
        running.process.kill()
        running.process.wait()
    stop_leftovers(home, home.path, grace_seconds=0)


@pytest.mark.fault
def test_killed_part_is_started_again_and_announced(
    supervise: Callable[[dict[str, str]], Running],
) -> None:
    running = supervise({"worker": WAIT, "web": WAIT})
    killed, untouched = running.pid("worker"), running.pid("web")
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: "started again" in running.said)
    assert running.pid("worker") != killed
    assert f"worker stopped (signal 9); started again as pid {running.pid('worker')}\n" in running.said
    assert running.pid("web") == untouched
    assert psutil.pid_exists(untouched)


@pytest.mark.fault
def test_children_of_a_killed_part_go_with_it(supervise: Callable[[dict[str, str]], Running]) -> None:
    """The children of a killed web server would keep its port."""
    running = supervise({"web": WITH_CHILD})
    wait_until(lambda: len(running.group("web")) == 2)
    before = running.group("web")
    os.kill(running.pid("web"), signal.SIGKILL)
    wait_until(lambda: "started again" in running.said)
    assert not any(os_processes.is_alive(process) for process in before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_stops_all_in_reverse_order(
    supervise: Callable[[dict[str, str]], Running], home: Home, number: signal.Signals
) -> None:
    names = ["first", "second", "third"]
    running = supervise(dict.fromkeys(names, LAST_WORDS))
    wait_until(lambda: all("ready" in (home.logs / f"{name}.log").read_text() for name in names))
    running.process.send_signal(number)
    assert running.process.wait(timeout=15) == 0
    assert running.said.endswith("done\n")
    assert (home.path / "order").read_text() == "third second first "
    assert list(home.pids.glob("*.pid")) == []


def test_deaf_part_and_its_children_are_killed_after_the_grace(
    supervise: Callable[[dict[str, str]], Running],
) -> None:
    running = supervise({"deaf": DEAF, "parent": WITH_CHILD})
    wait_until(lambda: len(running.group("parent")) == 2)
    processes = running.group("deaf") + running.group("parent")
    running.process.terminate()
    assert running.process.wait(timeout=15) == 0
    assert not any(os_processes.is_alive(process) for process in processes)


def test_part_that_keeps_failing_waits_longer_and_shows_its_log(
    supervise: Callable[[dict[str, str]], Running],
) -> None:
    running = supervise({"web": FAILS})
    wait_until(lambda: "stopped 3 times in a row" in running.said)
    assert "web stopped 3 times in a row (exit code 3); trying again in 2 s. Its log" in running.said
    assert running.said.rstrip().endswith("the reason")
    assert running.said.count("started again") == 2


def test_missing_program_is_named(supervise: Callable[[dict[str, str]], Running], home: Home) -> None:
    script = SUPERVISOR.replace("[sys.executable,", "['/nowhere/program',")
    command = [sys.executable, "-c", script, str(home.path), "web", WAIT]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "web cannot be started: No such file or directory (/nowhere/program)." in done.stderr


@pytest.mark.fault
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the next start clears up")
def test_parts_die_with_a_killed_supervisor(supervise: Callable[[dict[str, str]], Running]) -> None:
    running = supervise({"worker": WAIT, "web": WAIT})
    processes = running.group("worker") + running.group("web")
    assert len(processes) == 2
    running.process.kill()
    wait_until(lambda: not any(os_processes.is_alive(process) for process in processes))


@pytest.mark.fault
def test_next_start_stops_what_a_killed_supervisor_left(
    supervise: Callable[[dict[str, str]], Running], home: Home
) -> None:
    """A deaf part outlives its supervisor, and so does the child of one whose leader died."""
    running = supervise({"deaf": DEAF, "parent": WITH_CHILD})
    wait_until(lambda: len(running.group("parent")) == 2)
    wait_until(lambda: _ignores_terminate(running.pid("deaf")))
    processes = running.group("deaf") + running.group("parent")
    running.process.kill()
    running.process.wait()
    wait_until(lambda: not psutil.pid_exists(running.pid("parent")) or len(running.group("parent")) == 1)
    assert sum(os_processes.is_alive(process) for process in processes) == 2
    stop_leftovers(home, home.path, grace_seconds=0.2)
    assert not any(os_processes.is_alive(process) for process in processes)
    assert list(home.pids.glob("*.pid")) == []


def test_record_that_names_a_stranger_is_forgotten_and_the_stranger_left_alone(
    home: Home, folder: Path
) -> None:
    stranger = subprocess.Popen([sys.executable, "-c", WAIT], cwd=home.path, start_new_session=True)
    try:
        (home.pids / "web.pid").write_text(f"{stranger.pid} {time.time() - 3600}\n")
        (home.pids / "worker.pid").write_text("half a rec")
        stop_leftovers(home, home.path)
        assert stranger.poll() is None
        assert list(home.pids.glob("*.pid")) == []
    finally:
        stranger.kill()
        stranger.wait()


def test_large_log_is_put_aside(supervise: Callable[[dict[str, str]], Running], home: Home) -> None:
    (home.logs / "web.log").write_bytes(b"x" * 10_000_001)
    supervise({"web": LAST_WORDS})
    wait_until(lambda: (home.logs / "web.log").read_text() == "ready\n")
    assert (home.logs / "web.log.1").stat().st_size == 10_000_001


def _ignores_terminate(pid: int) -> bool:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("SigIgn:"):
            return bool(int(line.split()[1], 16) & (1 << (signal.SIGTERM - 1)))
    return False
