"""The whole site as a person starts it: `manage.py up` in a folder of its own, on embedded servers."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.ports import free_port

PROJECT = Path(__file__).resolve().parents[2]
READY_WITHIN_SECONDS = 120


@dataclass
class Site:
    """A running installation."""

    home: Path
    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def output(self) -> str:
        return (self.home.parent / "up.log").read_text()

    def environment(self) -> dict[str, str]:
        return environment(self.home) | {"PORT": str(self.port)}

    def manage(self, *arguments: str) -> str:
        """Run a management command in this installation and return what it printed."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=PROJECT,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"manage.py {arguments[0]}: {done.stdout}\n{done.stderr}"
        return done.stdout

    def password(self, name: str) -> str:
        passwords: dict[str, str] = json.loads((self.home / "keys" / "demo.json").read_text())
        return passwords[f"{name}@demo.localhost"]

    def part(self, words: str) -> list[psutil.Process]:
        """Return the processes below `up` whose command line holds these words."""
        found = []
        for process in psutil.Process(self.process.pid).children(recursive=True):
            try:
                if words in " ".join(process.cmdline()):
                    found.append(process)
            except (psutil.NoSuchProcess, psutil.ZombieProcess):
                continue
        return found

    def is_healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/health/", timeout=5) as answer:  # noqa: S310
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def wait_until_healthy(self) -> None:
        wait_for(self.is_healthy, "the site to answer /health/", self)


def wait_for(condition: "object", what: str, site: Site) -> None:
    """Poll until the condition holds; fail with the site's output when it does not in time."""
    assert callable(condition)
    deadline = time.monotonic() + READY_WITHIN_SECONDS
    while time.monotonic() < deadline:
        if condition():
            return
        assert site.process.poll() is None, f"`up` ended while waiting for {what}:\n{site.output}"
        time.sleep(0.1)
    raise AssertionError(f"waited {READY_WITHIN_SECONDS} s for {what}:\n{site.output}")


def environment(home: Path) -> dict[str, str]:
    """Return an environment that names no server and no setting of the test run."""
    foreign = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE")
    kept = {name: value for name, value in os.environ.items() if name not in foreign}
    return kept | {
        "PROMETHEUS_HOME": str(home),
        "PROMETHEUS_EMBEDDED": "wheels",
        "STATIC_ROOT": str(home / "static"),
    }


@contextmanager
def site_folder() -> Iterator[Path]:
    """A short folder that the servers' user may enter; pytest closes its own when another run starts."""
    made = Path(tempfile.mkdtemp(dir="/tmp", prefix="p-"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made)


@contextmanager
def running_site(folder: Path, port: int = 0) -> Iterator[Site]:
    """Start the site in a folder and stop it as Ctrl-C does; the folder may hold an earlier one's data."""
    home, port = folder / "home", port or free_port()
    with (folder / "up.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "up", "--port", str(port)],
            cwd=PROJECT,
            env=environment(home),
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    site = Site(home, port, process)
    try:
        wait_for(lambda: "Prometheus is at" in site.output, "the address to be printed", site)
        yield site
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(60)
