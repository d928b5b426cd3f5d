"""What the operating system knows of processes: whose they are, how they end, whom they outlive."""

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import psutil

PR_SET_PDEATHSIG = 1
POLL_SECONDS = 0.02
LOG_LIMIT_BYTES = 10_000_000


def dies_with_parent(signal_number: signal.Signals) -> Callable[[], None]:
    """Return a `preexec_fn` after which the kernel sends the child that signal when its parent dies.

    Linux only, and the parent is the thread that starts the child; elsewhere the next start clears up.
    """
    if sys.platform != "linux":
        return lambda: None
    parent = os.getpid()
    libc = ctypes.CDLL(None, use_errno=True)  # loaded before the fork: the child may not import

    def ask_the_kernel() -> None:
        libc.prctl(PR_SET_PDEATHSIG, int(signal_number), 0, 0, 0)
        if os.getppid() != parent:  # it died before we could ask
            os._exit(1)

    return ask_the_kernel


def is_alive(process: psutil.Process) -> bool:
    """Say whether this very process (not a later one with its number) still runs; a zombie does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def works_in(process: psutil.Process, folder: Path) -> bool:
    """Say whether `folder` is the working folder of a live process that we may look into."""
    try:
        return is_alive(process) and os.path.samefile(process.cwd(), folder)
    except (psutil.Error, OSError):
        return False


def program_of(process: psutil.Process) -> str:
    """Return the path of the program a process runs, or "" when it is gone or not ours to look into."""
    try:
        return str(process.exe())
    except (psutil.Error, OSError):
        return ""


def owner_of(process: psutil.Process) -> int | None:
    """Return the number of the user a process runs as, or None when it is gone."""
    try:
        return int(process.uids().effective)
    except psutil.Error:
        return None


def runs_in(process: psutil.Process, program: str, folder: Path) -> bool:
    """Say whether `process` runs a program of that file name with `folder` as its working folder."""
    name = Path(program_of(process).removesuffix(" (deleted)")).name
    return name == program and works_in(process, folder)


def find_running_in(program: str, folder: Path) -> list[psutil.Process]:
    """List the live processes of `program`, of the folder's owner, whose working folder is `folder`."""
    owner = folder.stat().st_uid  # a first sieve of its own: what is found may be killed, by root even
    mine = (process for process in psutil.process_iter() if owner_of(process) == owner)
    return [process for process in mine if runs_in(process, program, folder)]


def group_members(group: int) -> list[psutil.Process]:
    """List the live processes of a process group."""
    members = []
    for process in psutil.process_iter():
        try:
            if os.getpgid(process.pid) == group and is_alive(process):
                members.append(process)
        except (ProcessLookupError, PermissionError):
            continue
    return members


def wait_until_gone(processes: Iterable[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Wait up to `seconds` for processes to end and return those that did not."""
    left = [process for process in processes if is_alive(process)]
    deadline = time.monotonic() + seconds
    while left and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
        left = [process for process in left if is_alive(process)]
    return left


def send(processes: Iterable[psutil.Process], signal_number: signal.Signals) -> None:
    """Signal each process that is still there."""
    for process in processes:
        try:
            process.send_signal(signal_number)
        except psutil.NoSuchProcess:
            continue


def describe_end(return_code: int) -> str:
    """Say in words how a child ended, from its return code as `subprocess` gives it."""
    return f"signal {-return_code}" if return_code < 0 else f"exit code {return_code}"


def put_aside_if_large(log: Path) -> None:
    """Rename a log over 10 MB to `<name>.log.1`, replacing the one before."""
    if log.exists() and log.stat().st_size > LOG_LIMIT_BYTES:
        log.replace(log.with_suffix(".log.1"))


def last_lines(path: Path, count: int) -> str:
    """Return the last lines of a log, indented; "" when there is none."""
    try:
        with path.open("rb") as log:
            log.seek(max(0, path.stat().st_size - 8192))
            lines = log.read().decode(errors="replace").splitlines()
    except FileNotFoundError:
        return ""
    return "".join(f"\n    {line}" for line in lines[-count:])
