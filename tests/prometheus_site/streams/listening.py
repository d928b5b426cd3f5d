"""The streams process as it runs, on the test's own database, and a client that listens to it."""

import http.client
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import quote

import psutil
from django.conf import settings
from django.db import connection
from django.test import Client

from prometheus_site.embedded.startup import is_healthy
from tests.ports import free_port
from tests.prometheus_site.embedded.waiting import wait_until

READY_WITHIN_SECONDS = 60
OPTIONS = ["--no-control-socket", "--graceful-timeout", "3", "--asgi-lifespan", "off", "--worker-class"]
OPTIONS += ["prometheus_site.streams.worker.StreamsWorker"]
APPLICATION = "prometheus_site.asgi:application"
PAGES = f"http://localhost:{settings.PUBLIC_PORT}"  # where the site's own pages come from


@dataclass
class Event:
    name: str
    data: str


class Stream:
    """One open answer of the streams process; reads as a browser's EventSource does."""

    def __init__(self, port: int, path: str, headers: dict[str, str], patience_seconds: float) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=patience_seconds)
        self._connection.request("GET", path, headers={"Host": f"localhost:{port}", **headers})
        self.answer = self._connection.getresponse()
        self.comments: list[str] = []
        self.retry_ms = 0

    @property
    def status(self) -> int:
        return self.answer.status

    def next_event(self) -> Event | None:
        """Return the next event, or None at the end of the stream."""
        name, data = "", list[str]()
        while line := self.answer.readline().decode():
            field, _, value = line.rstrip("\n").partition(": ")
            match field:
                case "event":
                    name = value
                case "data":
                    data.append(value)
                case "retry":
                    self.retry_ms = int(value)
                case "" if line != "\n":
                    self.comments.append(value)
                case "" if name:
                    return Event(name, "\n".join(data))
        return None

    def wait_for(self, words: str) -> str:
        """Return the data of the first event that holds these words."""
        while event := self.next_event():
            if words in event.data:
                return event.data
        raise AssertionError(f"the stream ended without {words!r}")

    def close(self) -> None:
        self.answer.close()
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


@dataclass
class StreamsProcess:
    """The running process: gunicorn, and its one worker."""

    port: int
    process: "subprocess.Popen[bytes]"

    def open(
        self, path: str, client: Client | None = None, *, patience_seconds: float = 20, **headers: str
    ) -> Stream:
        """Ask for an address with the client's session."""
        if client is not None:
            name = settings.SESSION_COOKIE_NAME
            headers["Cookie"] = f"{name}={client.cookies[name].value}"
        return Stream(self.port, path, headers, patience_seconds)

    def threads(self) -> int:
        """Return how many threads the worker has."""
        (worker,) = psutil.Process(self.process.pid).children()
        return int(worker.num_threads())


@contextmanager
def running_streams(database: str, log: Path) -> Iterator[StreamsProcess]:
    """Run the streams process as `up` does, on that database."""
    port = free_port()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", *OPTIONS, "--bind", f"127.0.0.1:{port}", APPLICATION],
            cwd=settings.BASE_DIR,
            env=os.environ
            | {
                "DJANGO_SETTINGS_MODULE": "prometheus_site.settings",
                "PROMETHEUS_HOME": str(settings.HOME.path),
                "DATABASE_URL": _address_of(database),
                "PORT": str(settings.PUBLIC_PORT),
                "STREAMS_PORT": str(port),
            },
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_until(lambda: is_healthy("127.0.0.1", port) or process.poll() is not None, READY_WITHIN_SECONDS)
        assert process.poll() is None, log.read_text()
        yield StreamsProcess(port, process)
    finally:
        process.terminate()
        process.wait(READY_WITHIN_SECONDS)


def _address_of(database: str) -> str:
    here = connection.settings_dict
    password, sockets = quote(str(here["PASSWORD"]), safe=""), quote(str(here["HOST"]), safe="")
    return f"postgres://{here['USER']}:{password}@/{database}?host={sockets}"
