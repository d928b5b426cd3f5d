"""The site's web process as it is served, on the benchmark's database, and what it costs in CPU time."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import orjson
import psutil
from django.conf import settings
from django.db import connection
from django.test import Client

START_SECONDS = 30
CSRF_TOKEN = "b" * 32


@dataclass
class WebServer:
    """A running gunicorn with one worker, so that its CPU time is the cost of what is asked."""

    port: int
    process: psutil.Process

    def cpu_ms(self) -> float:
        """Return the CPU time that the web processes have used so far."""
        family = [self.process, *self.process.children(recursive=True)]
        return 1000 * sum(sum(each.cpu_times()[:2]) for each in family)

    def postgres_cpu_ms(self) -> float:
        """Return the CPU time of the database's processes so far, those that have ended included."""
        pid = int((settings.HOME.path / "postgres" / "postmaster.pid").read_text().splitlines()[0])
        server = psutil.Process(pid)
        family = [server, *server.children(recursive=True)]
        ended = server.cpu_times()
        return 1000 * (
            sum(sum(each.cpu_times()[:2]) for each in family) + ended.children_user + ended.children_system
        )

    def person(self, client: Client) -> Person:
        """Return a connection with the session of a signed-in test client, as a browser sends it."""
        session = client.cookies[settings.SESSION_COOKIE_NAME].value
        cookies = f"prometheus-{self.port}={session}; prometheus-csrf-{self.port}={CSRF_TOKEN}"
        return Person(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30), cookies, self.port)


@dataclass
class Person:
    """One browser's connection."""

    connection: http.client.HTTPConnection
    cookies: str
    port: int

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Return the answer's JSON; anything but success ends the benchmark."""
        headers = {
            "Content-Type": "application/json",
            "Cookie": self.cookies,
            "Host": f"localhost:{self.port}",
            "Origin": f"http://localhost:{self.port}",
            "X-CSRFToken": CSRF_TOKEN,
        }
        self.connection.request("POST", path, orjson.dumps(body), headers)
        answer = self.connection.getresponse()
        content = answer.read()
        if answer.status not in (200, 201):
            raise RuntimeError(f"{path} answered {answer.status}: {content[:200]!r}")
        found: dict[str, Any] = orjson.loads(content)
        return found


@contextmanager
def serving() -> Iterator[WebServer]:
    """Serve the current database until the block ends."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "--no-control-socket", "--worker-class", "gthread"]
    command += ["--workers", "1", "--threads", "8", "--bind", f"127.0.0.1:{port}"]
    log = (settings.HOME.logs / "bench-web.log").open("wb")
    process = subprocess.Popen(
        [*command, "prometheus_site.wsgi:application"],
        cwd=settings.BASE_DIR,
        env=os.environ | _environment(port),
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    try:
        _wait_until_it_answers(port)
        yield WebServer(port, psutil.Process(process.pid))
    finally:
        process.terminate()
        process.wait()


def _environment(port: int) -> dict[str, str]:
    return {
        "DJANGO_SETTINGS_MODULE": "benchmarks.settings",
        "BENCH_DATABASE": str(connection.settings_dict["NAME"]),
        "PORT": str(port),
        "LOG_LEVEL": "WARNING",
    }


def _wait_until_it_answers(port: int) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        asking = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            asking.request("GET", "/health/", headers={"Host": f"localhost:{port}"})
            if asking.getresponse().status == http.client.OK:
                return
        except OSError:
            time.sleep(0.1)  # not listening yet
        finally:
            asking.close()
    raise RuntimeError(f"The web process does not answer after {START_SECONDS} s: see bench-web.log.")
