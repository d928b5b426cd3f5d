"""What must hold before anything is started: the Python version, the ports, and no other `up`."""

import errno
import fcntl
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from prometheus_site.embedded.binaries import WHEEL_PYTHONS
from prometheus_site.embedded.errors import EmbeddedError
from prometheus_site.embedded.home import Home

LAST_PORT = 65535


def check_python(running: tuple[int, int] = sys.version_info[:2]) -> None:
    """Raise EmbeddedError when this Python is not one that the servers' wheels are made for."""
    if running not in WHEEL_PYTHONS:
        raise EmbeddedError(
            f"Prometheus needs Python 3.11 or 3.12, and this is Python {running[0]}.{running[1]}: PostgreSQL "
            "and Redis come in packages made for those. Make the virtual environment anew with one of them."
        )


@contextmanager
def only_one_up(home: Home) -> Iterator[None]:
    """Hold the installation's lock inside the block; raises EmbeddedError when another `up` holds it."""
    with home.up_lock.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as taken:
            lock.seek(0)
            raise EmbeddedError(
                f"Prometheus already runs here, as process {lock.read().strip() or 'unknown'} (folder "
                f"{home.path}). Stop that one with Ctrl-C, or set PROMETHEUS_HOME to another folder to run a "
                "second installation beside it."
            ) from taken
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


def check_ports(host: str, port: int) -> None:
    """Raise EmbeddedError unless `port` (pages) and the one after it (streams) can be opened."""
    if not 1 <= port < LAST_PORT:
        raise EmbeddedError(f"There is no port {port}. Use --port with a number from 1 to {LAST_PORT - 1}.")
    # A browser looks up localhost as ::1 first: a stranger there would be shown instead of us.
    for address, number in ((host, port), ("::1", port), ("127.0.0.1", port + 1)):
        refused = _refusal(address, number)
        if refused is None or (address == "::1" and refused.errno != errno.EADDRINUSE):
            continue
        if refused.errno == errno.EADDRINUSE:
            raise EmbeddedError(
                f"Port {number} is taken by {_holder_of(number)}; use --port {_free_port(host, port)}."
            )
        raise EmbeddedError(
            f"Port {number} cannot be opened on {address}: {refused.strerror}. Use another --port or --host."
        )


def _refusal(address: str, port: int) -> OSError | None:
    """Return the error of opening a port, or None when it can be opened."""
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(where)
    except OSError as refused:
        return refused
    return None


def _holder_of(port: int) -> str:
    try:
        for connection in psutil.net_connections(kind="tcp"):
            is_listening = connection.status == psutil.CONN_LISTEN
            if is_listening and connection.pid and connection.laddr and connection.laddr.port == port:
                return f"process {connection.pid} ({psutil.Process(connection.pid).name()})"
    except psutil.Error:
        pass
    return "another program"


def _free_port(host: str, port: int) -> int:
    for candidate in range(port + 2, LAST_PORT, 2):
        if _refusal(host, candidate) is None and _refusal("127.0.0.1", candidate + 1) is None:
            return candidate
    return port + 2
