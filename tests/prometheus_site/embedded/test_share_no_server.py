"""Processes that share the tests share no server, no queue, no folder and no port."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

SAY = """
import json
from tests import settings
places = [settings.ANCHOR_LOG, settings.PHASE1_WORKSPACE, settings.SIGNING_KEY_FILE, settings.STATIC_ROOT]
servers = [settings.DATABASES["default"]["HOST"], settings.CACHES["default"]["LOCATION"]]
print(json.dumps([*map(str, places), *servers, settings.CELERY_BROKER_URL]))
"""
SAY_PORTS = """
import json
from tests import ports
print(json.dumps([ports.free_port() for _ in range(20)]))
"""
LENT = Path("/proc/sys/net/ipv4/ip_local_port_range")


def what_it_says(script: str, number: int, **environment: str) -> Any:
    """What a process of the tests, one of two, says in JSON."""
    own = {"PYTEST_XDIST_WORKER": f"gw{number}", "PYTEST_XDIST_WORKER_COUNT": "2", **environment}
    order = [sys.executable, "-c", script]
    said = subprocess.run(order, env=os.environ | own, stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(said.stdout)


def what_it_has(number: int, home: Path) -> list[str]:
    """The places where a process of the tests keeps things, told of the folder and of its number."""
    places: list[str] = what_it_says(SAY, number, PROMETHEUS_HOME=str(home))
    return places


def test_two_processes_share_no_place(folder: Path) -> None:
    first, second = (what_it_has(number, folder / "home") for number in (0, 1))

    assert len(set(first)) == len(first)
    assert not set(first) & set(second)


def test_what_a_process_starts_is_on_its_own_servers(folder: Path) -> None:
    ours = what_it_has(1, folder / "home")

    assert what_it_has(1, folder / "home-test-gw1") == ours
    assert what_it_has(1, folder / "home-test-gw0") == ours  # pytest-xdist's processes are started by one


def test_ports_are_those_of_one_process_and_lent_to_no_client() -> None:
    first, second = (
        [n for port in what_it_says(SAY_PORTS, number) for n in (port, port + 1)] for number in (0, 1)
    )

    assert len({*first, *second}) == 80
    if LENT.exists():
        assert max(*first, *second) < int(LENT.read_text().split()[0])
