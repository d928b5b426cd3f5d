"""What our own PostgreSQL and Redis have in common: start, adopt, stop, and never touch another's."""

import fcntl
import os
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import psutil

from prometheus_site.embedded import os_processes
from prometheus_site.embedded.account import server_account
from prometheus_site.embedded.errors import EmbeddedError
from prometheus_site.embedded.home import Home

READY_WITHIN_SECONDS = 120  # after a crash PostgreSQL replays its log and Redis reads its own
REMAINS_GRACE_SECONDS = 2
LOG_TAIL_LINES = 5


class ServerError(EmbeddedError):
    """A server of ours cannot be started."""


class _ServerProcess(subprocess.Popen[bytes]):
    """A child that may outlive us on purpose, so that leaving it running is no mistake to warn of."""

    def __del__(self) -> None:
        self.poll()


class EmbeddedServer(ABC):
    """A server that belongs to one installation.

    It outlives the process that starts it, so that several can share it, unless `dies_with_us` is set.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    program: ClassVar[str]  # the file name of the binary
    stop_signals: ClassVar[tuple[tuple[signal.Signals, float], ...]]  # each with the seconds it is given

    def __init__(self, home: Home, *, dies_with_us: bool = False) -> None:
        self.home = home
        self._dies_with_us = dies_with_us
        self._child: _ServerProcess | None = None
        self._process: psutil.Process | None = None

    @property
    @abstractmethod
    def data(self) -> Path:
        """The data folder, which is also the server's working folder."""

    @property
    @abstractmethod
    def pid_file(self) -> Path:
        """The file in which the server writes its process number, on the first line."""

    @property
    def log(self) -> Path:
        return self.home.logs / f"{self.name}.log"

    @property
    def pid(self) -> int | None:
        """The process number of the server when it runs."""
        process = self._find_live()
        return process.pid if process else None

    def is_running(self) -> bool:
        """Say whether a server of this installation runs, whoever started it."""
        return self._find_live() is not None

    def start(self) -> bool:
        """Start the server, or adopt the one that runs; return only when it answers.

        Returns True when this call started it, False when it was adopted. Raises ServerError with a sentence
        and a remedy when it cannot run.
        """
        with self._alone():
            self._prepare()
            is_adopted = self._adopt()
            if not is_adopted:
                self._clear_remains()
                try:
                    self._spawn()
                except OSError as refused:
                    raise ServerError(
                        f"{self.label} cannot be started: {refused.strerror} ({refused.filename}). Mend "
                        "that, or install the project's requirements again."
                    ) from refused
                self._wait_until_ready()
            self._process = self._find_live()
            self._after_start()
        return not is_adopted

    def stop(self) -> None:
        """Stop the server of this installation, whoever started it; nothing happens when none runs."""
        with self._alone():
            process = self._find_live()
            if process:
                self._stop(process)

    def how_it_ended(self) -> str | None:
        """Say how the server we started or adopted ended, or return None while it runs."""
        if self._child is not None:
            code = self._child.poll()
            return None if code is None else os_processes.describe_end(code)
        if self._process is not None and os_processes.is_alive(self._process):
            return None
        return "it was not our child, so the reason is unknown"

    @abstractmethod
    def _prepare(self) -> None:
        """Make the data folder fit to start from; raises ServerError when it is not ours to use."""

    @abstractmethod
    def _command(self) -> list[str]:
        """The command line; it never carries a secret."""

    @abstractmethod
    def _answers(self) -> bool:
        """Say whether the server answers; raises ServerError when it never will."""

    @abstractmethod
    def _after_start(self) -> None:
        """Put in order what has to be in the running server."""

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Let one process at a time start or stop this server."""
        with (self.home.pids / f"{self.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _find_live(self) -> psutil.Process | None:
        """Return the running server after checking its number, program and folder."""
        if self._child is not None:
            self._child.poll()  # a dead child stays in the process table until it is asked for
        number = self._written_pid()
        if number is None or not psutil.pid_exists(number):
            return None
        try:
            process = psutil.Process(number)
        except psutil.NoSuchProcess:
            return None
        return process if os_processes.runs_in(process, self.program, self.data) else None

    def _written_pid(self) -> int | None:
        try:
            first_line = self.pid_file.read_text().splitlines()[0]
            return int(first_line)
        except (OSError, ValueError, IndexError):
            return None

    def _adopt(self) -> bool:
        process = self._find_live()
        if process is None:
            return False
        if self._child is not None and self._child.pid != process.pid:
            self._child = None  # ours ended, and another command has started this one since
        deadline = time.monotonic() + READY_WITHIN_SECONDS
        is_same_program = os_processes.program_of(process) == os.path.realpath(self._command()[0])
        while is_same_program and os_processes.is_alive(process) and time.monotonic() < deadline:
            if self._answers():
                return True
            time.sleep(os_processes.POLL_SECONDS)
        self._stop(process)  # of another version of ours, or deaf
        return False

    def _clear_remains(self) -> None:
        """Wait for a killed server's helpers, and remove a process number that is now someone else's."""
        remains = os_processes.find_running_in(self.program, self.data)
        left = os_processes.wait_until_gone(remains, REMAINS_GRACE_SECONDS)
        os_processes.send(left, signal.SIGKILL)
        os_processes.wait_until_gone(left, REMAINS_GRACE_SECONDS)
        number = self._written_pid()
        if number is not None and psutil.pid_exists(number):
            self.pid_file.unlink()

    def _spawn(self) -> None:
        account = server_account()
        end_signal = self.stop_signals[0][0]
        os_processes.put_aside_if_large(self.log)
        with self.log.open("ab") as log:
            self._child = _ServerProcess(
                self._command(),
                cwd=self.data,
                env=server_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                umask=0o077,
                user=account.uid if account else None,
                group=account.gid if account else None,
                extra_groups=[] if account else None,
                preexec_fn=os_processes.dies_with_parent(end_signal) if self._dies_with_us else None,
            )

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_WITHIN_SECONDS
        while time.monotonic() < deadline:
            ended = self.how_it_ended()
            if ended:
                raise ServerError(
                    f"{self.label} stopped while starting ({ended}). Its log {self.log} ends with:"
                    f"{os_processes.last_lines(self.log, LOG_TAIL_LINES)}\n"
                    "Mend what it names, or set PROMETHEUS_HOME to another folder to start with no data."
                )
            if self._answers():
                return
            time.sleep(os_processes.POLL_SECONDS)
        if process := self._find_live():
            self._stop(process)
        raise ServerError(
            f"{self.label} started but did not answer within {READY_WITHIN_SECONDS} s. See {self.log}."
        )

    def _stop(self, process: psutil.Process) -> None:
        for signal_number, seconds in self.stop_signals:
            os_processes.send([process], signal_number)
            if self._is_gone_within(process, seconds):
                return

    def _is_gone_within(self, process: psutil.Process, seconds: float) -> bool:
        is_gone = not os_processes.wait_until_gone([process], seconds)
        if is_gone and self._child is not None and self._child.pid == process.pid:
            self._child.wait()
        return is_gone


def server_environment() -> dict[str, str]:
    """The servers' environment: nothing of ours, so neither PG… variables nor secrets reach them."""
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
