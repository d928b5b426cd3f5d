"""Ports for what the tests start: none that the system lends to clients, none of another process."""

import errno
import os
import socket
from itertools import cycle, islice

FIRST, BEHIND_LAST = 20_000, 32_000  # the system lends those from 32,768 on, and to a browser many
_number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_share = (BEHIND_LAST - FIRST) // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")) // 2 * 2
_own = range(FIRST + _number * _share, FIRST + (_number + 1) * _share, 2)
# Each is handed out once, and another run of the tests on this machine begins elsewhere.
_waiting = islice(cycle(_own), os.getpid() % len(_own), None)


def free_port() -> int:
    """Return a free port whose successor, where a site's streams listen, is free as well."""
    for port in islice(_waiting, len(_own)):
        if all(_is_free(number) for number in (port, port + 1)):
            return port
    raise AssertionError(f"no two free ports from {_own.start} to {_own.stop}")


def _is_free(port: int) -> bool:
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        try:
            with socket.socket(family) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((address, port))
        except OSError as refused:
            if refused.errno == errno.EADDRINUSE:
                return False
    return True
