"""A small supervisor: starts the parts in order, starts a dead one again, stops all in reverse order."""

import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import Protocol

import psutil

from prometheus_site.embedded import os_processes
from prometheus_site.embedded.errors import EmbeddedError
from prometheus_site.embedded.home import Home

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LOOK_EVERY_SECONDS = 0.2
FIRST_DELAY_SECONDS = 0.5
LONGEST_DELAY_SECONDS = 10.0
SETTLED_AFTER_SECONDS = 30.0  # a part that ran this long is no longer counted as failing
FAILURES_BEFORE_LOG_IS_SHOWN = 3
REMAINS_GRACE_SECONDS = 2.0
LOG_TAIL_LINES = 8
CLOCK_SLACK_SECONDS = 5.0  # a process's start time is read off a clock that may be set in between


@dataclass(frozen=True)
class Part:
    """A program to keep running; `grace_seconds` is what it is given to end by itself after SIGTERM."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    folder: Path
    grace_seconds: float = 10.0


class Watched(Protocol):
    """What the supervisor asks of a part or a server."""

    @property
    def name(self) -> str: ...
    @property
    def log(self) -> Path: ...
    @property
    def pid(self) -> int | None: ...
    def start(self) -> object: ...
    def stop(self) -> None: ...
    def how_it_ended(self) -> str | None: ...


class PartProcess:
    """A part as a process group of its own, with a log file and a record of its process number."""

    def __init__(self, part: Part, home: Home) -> None:
        self.part = part
        self.name = part.name
        self.log = home.logs / f"{part.name}.log"
        self._record = home.pids / f"{part.name}.pid"
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child else None

    def start(self) -> None:
        """Start the program; raises EmbeddedError when it cannot be started at all."""
        os_processes.put_aside_if_large(self.log)
        try:
            with self.log.open("ab") as log:
                self._child = subprocess.Popen(
                    self.part.argv,
                    cwd=self.part.folder,
                    env=dict(self.part.env),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    preexec_fn=os_processes.dies_with_parent(signal.SIGTERM),
                )
            started = psutil.Process(self._child.pid).create_time()
            self._record.write_text(f"{self._child.pid} {started}\n")
        except OSError as refused:
            raise EmbeddedError(
                f"{self.name} cannot be started: {refused.strerror} ({refused.filename}). Mend that, or "
                "install the project's requirements again."
            ) from refused

    def how_it_ended(self) -> str | None:
        """Say how the program ended, or return None while it runs; its own children are ended with it."""
        if self._child is None or self._child.poll() is None:
            return None
        _end_group(self._child.pid, REMAINS_GRACE_SECONDS)
        return os_processes.describe_end(self._child.returncode)

    def stop(self) -> None:
        """Ask the program to end, and end its whole group when the grace is over."""
        if self._child is None:
            return
        if self._child.poll() is None:
            self._child.terminate()  # the program alone: a worker's children may be in the middle of a task
            try:
                self._child.wait(self.part.grace_seconds)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
        _end_group(self._child.pid, 0)
        self._record.unlink(missing_ok=True)
        self._child = None


def stop_leftovers(home: Home, folder: Path, grace_seconds: float = 10.0) -> None:
    """Stop what a killed supervisor left of its parts: the recorded process groups, after checking them.

    A group is ours when its leader started when we recorded it, or, if the leader is gone, when its members
    work in `folder`.
    """
    for record in home.pids.glob("*.pid"):
        try:
            number, started = record.read_text().split()
            group = os_processes.group_members(int(number))
            leader = [process for process in group if process.pid == int(number)]
            is_ours = all(abs(p.create_time() - float(started)) < CLOCK_SLACK_SECONDS for p in leader)
        except (ValueError, psutil.NoSuchProcess):
            is_ours, leader, group = False, [], []
        if is_ours and (leader or all(os_processes.works_in(process, folder) for process in group)):
            os_processes.send(leader, signal.SIGTERM)
            os_processes.wait_until_gone(leader, grace_seconds)
            _end_group(int(number), REMAINS_GRACE_SECONDS)
        record.unlink()


def _end_group(group: int, grace_seconds: float) -> None:
    """End what is left of a process group whose leader is gone or will not go."""
    members = os_processes.group_members(group)
    if grace_seconds:
        os_processes.send(members, signal.SIGTERM)
        members = os_processes.wait_until_gone(members, grace_seconds)
    os_processes.send(members, signal.SIGKILL)
    os_processes.wait_until_gone(members, REMAINS_GRACE_SECONDS)


@dataclass
class _Watch:
    """What the supervisor remembers of one part."""

    part: Watched
    started_at: float = 0.0
    failures: int = 0
    ended: str = ""
    start_again_at: float | None = None


class Supervisor:
    """Keeps parts running inside a `with` block; SIGINT, SIGTERM and SIGHUP end its watch.

    Entering starts the parts in order, leaving stops them in reverse order.
    """

    def __init__(self, parts: Sequence[Part | Watched], announce: Callable[[str], None], home: Home) -> None:
        watched = [PartProcess(part, home) if isinstance(part, Part) else part for part in parts]
        self._watches = [_Watch(part) for part in watched]
        self._announce = announce
        self._is_stopping = False
        self._handlers: dict[signal.Signals, object] = {}

    def __enter__(self) -> "Supervisor":
        self._handlers = {number: signal.signal(number, self._on_signal) for number in STOP_SIGNALS}
        try:
            for watch in self._watches:
                self._start(watch)
        except BaseException:
            self._stop_all()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop_all()

    def watch(self, until: Callable[[], bool] | None = None, seconds: float = float("inf")) -> bool:
        """Keep the parts running until `until` holds (True), or time or a signal ends the watch (False)."""
        deadline = time.monotonic() + seconds
        while not self._is_stopping and time.monotonic() < deadline:
            if until is not None and until():
                return True
            for watch in self._watches:
                self._look_after(watch)
            time.sleep(LOOK_EVERY_SECONDS)
        return False

    @property
    def is_stopping(self) -> bool:
        """Say whether a signal has ended the watch."""
        return self._is_stopping

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._is_stopping = True

    def _start(self, watch: _Watch) -> None:
        watch.part.start()
        watch.started_at = time.monotonic()
        watch.start_again_at = None

    def _look_after(self, watch: _Watch) -> None:
        now = time.monotonic()
        if watch.start_again_at is None:
            ended = watch.part.how_it_ended()
            if ended:
                self._plan_restart(watch, ended)
            elif now - watch.started_at > SETTLED_AFTER_SECONDS:
                watch.failures = 0
        elif now >= watch.start_again_at:
            try:
                self._start(watch)
            except EmbeddedError as refused:
                self._plan_restart(watch, str(refused))
            else:
                name = watch.part.name
                self._announce(f"{name} stopped ({watch.ended}); started again as pid {watch.part.pid}")

    def _plan_restart(self, watch: _Watch, ended: str) -> None:
        delay = min(FIRST_DELAY_SECONDS * 2**watch.failures, LONGEST_DELAY_SECONDS)
        watch.failures += 1
        watch.ended = ended
        watch.start_again_at = time.monotonic() + delay
        if watch.failures >= FAILURES_BEFORE_LOG_IS_SHOWN:
            self._announce(
                f"{watch.part.name} stopped {watch.failures} times in a row ({ended}); trying again in "
                f"{delay:g} s. Its log {watch.part.log} ends with:"
                f"{os_processes.last_lines(watch.part.log, LOG_TAIL_LINES)}"
            )

    def _stop_all(self) -> None:
        for watch in reversed(self._watches):
            watch.part.stop()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
