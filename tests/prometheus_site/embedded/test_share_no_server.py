"""Processes that share the tests share no server, no queue and no folder."""

import json
import os
import subprocess
import sys
from pathlib import Path

SAY = """
import json
from tests import settings
places = [settings.ANCHOR_LOG, settings.PHASE1_WORKSPACE, settings.SIGNING_KEY_FILE, settings.STATIC_ROOT]
servers = [settings.DATABASES["default"]["HOST"], settings.CACHES["default"]["LOCATION"]]
print(json.dumps([*map(str, places), *servers, settings.CELERY_BROKER_URL]))
"""


def what_it_has(number: int, home: Path) -> list[str]:
    """The places where a process of the tests keeps things, told of the folder and of its number."""
    own = {"PROMETHEUS_HOME": str(home), "PYTEST_XDIST_WORKER": f"gw{number}"}
    said = subprocess.run(
        [sys.executable, "-c", SAY], env=os.environ | own, stdout=subprocess.PIPE, check=True, text=True
    )
    found: list[str] = json.loads(said.stdout)
    return found


def test_two_processes_share_no_place(folder: Path) -> None:
    first, second = (what_it_has(number, folder / "home") for number in (0, 1))

    assert len(set(first)) == len(first)
    assert not set(first) & set(second)


def test_what_a_process_starts_is_on_its_own_servers(folder: Path) -> None:
    ours = what_it_has(1, folder / "home")

    assert what_it_has(1, folder / "home-test-gw1") == ours
    assert what_it_has(1, folder / "home-test-gw0") == ours  # pytest-xdist's processes are started by one
