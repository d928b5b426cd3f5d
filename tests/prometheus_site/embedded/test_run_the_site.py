"""`manage.py up` with everything real: it survives kills, refuses a twin, stops, and keeps the data."""

import http.client
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from prometheus_site.embedded import os_processes
from prometheus_site.embedded.home import PROJECT, Home
from prometheus_site.embedded.postgres import EmbeddedPostgres
from prometheus_site.embedded.redis import EmbeddedRedis
from prometheus_site.embedded.startup import is_healthy
from tests.ports import free_port
from tests.prometheus_site.embedded.waiting import wait_until

pytestmark = pytest.mark.fault
START_SECONDS = 120.0
PARTS = ["web", "streams", "worker", "sweeper"]


class Site:
    """One installation in a folder of its own, and the `up` that runs it."""

    def __init__(self, folder: Path) -> None:
        self.home = Home(folder / "home")
        self.port = free_port()
        self._output = folder / "said"
        self._environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "prometheus_site.settings",
            "PROMETHEUS_HOME": str(self.home.path),
            "PROMETHEUS_EMBEDDED": "wheels",
            "STATIC_ROOT": str(folder / "static"),
        }
        self.process = self.up()

    @property
    def said(self) -> str:
        return self._output.read_text()

    def up(self) -> "subprocess.Popen[bytes]":
        """Start `up` and return when it has printed the address."""
        command = [sys.executable, str(PROJECT / "manage.py"), "up", "--port", str(self.port)]
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                command, env=self._environment, stdout=output, stderr=subprocess.STDOUT
            )
        address = f"http://localhost:{self.port}"
        wait_until(lambda: address in self.said or self.process.poll() is not None, START_SECONDS)
        assert address in self.said, self.said
        return self.process

    def second_up(self) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, str(PROJECT / "manage.py"), "up", "--port", str(self.port)]
        return subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False)

    def pid(self, name: str) -> int:
        servers = {"postgres": EmbeddedPostgres, "redis": EmbeddedRedis}
        if name in servers:
            return servers[name](self.home).pid or 0
        return int((self.home.pids / f"{name}.pid").read_text().split()[0])

    def processes(self) -> list[psutil.Process]:
        """Every live process that `up` started, their children included."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=60)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    folder = Path(tempfile.mkdtemp(dir="/tmp", prefix="p-"))
    folder.chmod(0o711)
    running = Site(folder)
    yield running
    if running.process.poll() is None:
        running.stop()
    shutil.rmtree(folder)


@pytest.mark.parametrize("name", [*PARTS, "postgres", "redis"])
def test_killed_part_is_back_and_the_site_answers(site: Site, name: str) -> None:
    before = site.pid(name)
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: f"{name} stopped (signal 9); started again as pid {site.pid(name)}" in site.said, 60)
    assert site.pid(name) != before
    wait_until(lambda: is_healthy("127.0.0.1", site.port), START_SECONDS)


def test_demo_logins_are_printed_once_per_role(site: Site) -> None:
    wait_until(lambda: "manage.py demo_code" in site.said)
    for role in ("annotator", "adjudicator", "lead", "supervisor", "engineer"):
        assert f"{role}@" in site.said


def test_streams_answer_on_the_next_port(site: Site) -> None:
    def answers() -> bool:  # the address is printed when the pages answer; streams may take a moment more
        connection = http.client.HTTPConnection("127.0.0.1", site.port + 1, timeout=30)
        try:
            connection.request("GET", "/health/", headers={"Host": f"localhost:{site.port}"})
            return connection.getresponse().status == http.client.OK
        except ConnectionRefusedError:
            return False
        finally:
            connection.close()

    wait_until(answers)
    assert answers()


def test_second_up_is_refused(site: Site) -> None:
    refused = site.second_up()
    assert refused.returncode == 1
    assert f"already runs here, as process {site.process.pid}" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_secrets_are_in_no_command_line_and_no_log(site: Site) -> None:
    commands = "\n".join(" ".join(process.cmdline()) for process in site.processes())
    logs = "\n".join(path.read_text() for path in site.home.logs.iterdir())
    for secret in site.home.keys.iterdir():
        for text in (commands, logs, site.said):
            assert secret.read_text().strip() not in text


def test_interrupt_stops_all_and_the_next_start_keeps_the_data(site: Site) -> None:
    owner_url = EmbeddedPostgres(site.home).owner_url()
    with psycopg.connect(owner_url, autocommit=True) as owner:
        owner.execute("CREATE TABLE kept (id int)")
    processes = site.processes()
    assert site.stop() == 0
    assert site.said.rstrip().endswith("Stopped.")
    assert not any(os_processes.is_alive(process) for process in processes)
    site.up()
    with psycopg.connect(owner_url) as owner:
        assert owner.execute("SELECT count(*) FROM kept").fetchone() == (0,)
        owner.execute("DROP TABLE kept")


def test_database_of_a_newer_version_is_refused_by_name(site: Site) -> None:
    owner_url = EmbeddedPostgres(site.home).owner_url()
    with psycopg.connect(owner_url, autocommit=True) as owner:
        later = "INSERT INTO django_migrations (app, name, applied) VALUES ('audit', '9999_later', now())"
        owner.execute(later)
    site.stop()
    refused = site.second_up()
    assert refused.returncode == 1
    assert "newer version of Prometheus; this one does not know audit.9999_later." in refused.stderr
    assert not EmbeddedPostgres(site.home).is_running()
    server = EmbeddedPostgres(site.home)
    server.start()
    with psycopg.connect(owner_url, autocommit=True) as owner:
        owner.execute("DELETE FROM django_migrations WHERE name = '9999_later'")
    server.stop()
    site.up()


def test_killed_up_leaves_nothing_and_the_next_one_starts(site: Site) -> None:
    processes = site.processes()
    site.process.kill()
    site.process.wait()
    site.up()
    assert not any(os_processes.is_alive(process) for process in processes)
    assert is_healthy("127.0.0.1", site.port)
