"""The sequence behind `manage.py up`: checks, servers, migrations, demo content, parts, and the address."""

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from prometheus_site.embedded import os_processes, preflight
from prometheus_site.embedded.errors import EmbeddedError
from prometheus_site.embedded.home import Home
from prometheus_site.embedded.postgres import EmbeddedPostgres
from prometheus_site.embedded.processes import Part, Supervisor, stop_leftovers
from prometheus_site.embedded.redis import EmbeddedRedis
from prometheus_site.embedded.server import EmbeddedServer

LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")
EVERY_INTERFACE = ("0.0.0.0", "::")  # noqa: S104  recognised, not bound
HEALTHY_WITHIN_SECONDS = 60
WEB_PROCESSES = 2
WEB_THREADS = 8  # per process
OPEN_REQUESTS_GRACE_SECONDS = 3
LOG_TAIL_LINES = 8
STREAMS_WORKER = "prometheus_site.streams.worker.StreamsWorker"


@dataclass(frozen=True)
class StartUp:
    """One run of the whole site; `unknown_migrations` lists what the database knows and the code does not."""

    home: Home
    project: Path
    host: str
    port: int
    has_demo: bool
    announce: Callable[[str], None]
    unknown_migrations: Callable[[], Sequence[str]]

    def run(self) -> None:
        """Run the site until a signal ends it; raises EmbeddedError with everything stopped again."""
        preflight.check_python()
        self.home.ensure()
        with preflight.only_one_up(self.home), _signals_interrupt(), suppress(KeyboardInterrupt):
            self._run_alone()
        self.announce("Stopped.")

    def _run_alone(self) -> None:
        stop_leftovers(self.home, self.project)
        preflight.check_ports(self.host, self.port)
        servers = embedded_servers(self.home, os.environ)
        try:
            for server in servers:
                self._start_server(server)
            self._prepare_database()
            with Supervisor([*servers, *self.parts()], self.announce, self.home) as supervisor:
                self._greet(supervisor)
                supervisor.watch()
                self.announce("Stopping.")
        finally:
            for server in reversed(servers):
                server.stop()

    def _start_server(self, server: EmbeddedServer) -> None:
        began = time.monotonic()
        was_started = server.start()
        how = f"started in {time.monotonic() - began:.1f} s" if was_started else "was running"
        self.announce(f"{server.label} {how} (pid {server.pid}).")

    def _prepare_database(self) -> None:
        unknown = self.unknown_migrations()
        if unknown:
            raise EmbeddedError(
                "The database was used by a newer version of Prometheus; this one does not know "
                f"{', '.join(unknown)}. Start that version again, or restore a backup made before it. "
                "Nothing was changed."
            )
        self._run_command(
            "migrate",
            "--noinput",
            remedy="A migration is applied as a whole or not at all, so the data is as it was. Mend what the "
            "lines above name, or go back to the version that ran before, and start again.",
        )
        self._run_command("collectstatic", "--noinput", remedy="Make the folder of static files writable.")
        if self.has_demo:
            self._run_command("load_demo", "--if-empty", remedy="Start with --no-demo to go on without it.")

    def _run_command(self, command: str, *arguments: str, remedy: str) -> None:
        """Run a management command; raises EmbeddedError with the end of its output and the remedy."""
        log = self.home.logs / f"{command}.log"
        with log.open("wb") as output:
            done = subprocess.run(
                self._manage(command, *arguments),
                cwd=self.project,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                preexec_fn=os_processes.dies_with_parent(signal.SIGTERM),
                check=False,
            )
        if done.returncode != 0:
            raise EmbeddedError(
                f"`manage.py {command}` failed ({os_processes.describe_end(done.returncode)}). Its output "
                f"({log}) ends with:{os_processes.last_lines(log, LOG_TAIL_LINES)}\n{remedy}"
            )

    def parts(self) -> list[Part]:
        """Return the programs to keep running, in the order of their start."""
        gunicorn = [sys.executable, "-m", "gunicorn", "--no-control-socket"]
        gunicorn += ["--graceful-timeout", str(OPEN_REQUESTS_GRACE_SECONDS)]
        pages = [*gunicorn, "--worker-class", "gthread", "--bind", _bind_address(self.host, self.port)]
        pages += ["--workers", str(WEB_PROCESSES), "--threads", str(WEB_THREADS)]
        streams = [*gunicorn, "--worker-class", STREAMS_WORKER, "--asgi-lifespan", "off"]
        streams += ["--bind", _bind_address("127.0.0.1", self.port + 1)]
        worker = [sys.executable, "-m", "celery", "--app", "prometheus_site", "worker", "--pool", "prefork"]
        # Two, so that a run of phase 1, which takes minutes, keeps no import and no report waiting.
        worker += ["--concurrency", "2", "--without-mingle", "--without-gossip", "--loglevel", "INFO"]
        return [
            self._part("web", [*pages, "prometheus_site.wsgi:application"]),
            self._part("streams", [*streams, "prometheus_site.asgi:application"]),
            self._part("worker", worker),
            self._part("sweeper", self._manage("sweep", "--forever")),
        ]

    def _part(self, name: str, argv: Sequence[str]) -> Part:
        return Part(name, argv, self._environment(), self.project)

    def _manage(self, *arguments: str) -> list[str]:
        return [sys.executable, str(self.project / "manage.py"), *arguments]

    def _environment(self) -> dict[str, str]:
        return os.environ | {
            "DJANGO_SETTINGS_MODULE": "prometheus_site.settings",
            "PROMETHEUS_HOME": str(self.home.path),
            "PORT": str(self.port),
            "STREAMS_PORT": str(self.port + 1),
            "PYTHONUNBUFFERED": "1",  # a part's last words must be in its log when it is killed
        }

    def _greet(self, supervisor: Supervisor) -> None:
        """Say where the site is once it answers, and how to log in to a demo."""
        is_up = supervisor.watch(lambda: is_healthy(self.host, self.port), HEALTHY_WITHIN_SECONDS)
        if not is_up:
            if not supervisor.is_stopping:
                self.announce(
                    f"The site does not answer on port {self.port} after {HEALTHY_WITHIN_SECONDS} s; it is "
                    f"kept running. See the logs in {self.home.logs}."
                )
            return
        self.announce(f"Prometheus is at http://localhost:{self.port}  (Ctrl-C stops it)")
        if self.host in LOOPBACK_HOSTS:  # a demo's logins are for this machine only
            logins = subprocess.run(
                self._manage("demo_logins"),
                cwd=self.project,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                preexec_fn=os_processes.dies_with_parent(signal.SIGTERM),
                check=False,
            )
            if logins.returncode == 0:  # it refuses where the database is not a demo
                self.announce(logins.stdout.rstrip())


def embedded_servers(home: Home, environment: Mapping[str, str]) -> list[EmbeddedServer]:
    """Return the servers to run ourselves: those for which the environment names no real one."""

    def names_one(variable: str) -> bool:
        return bool(environment.get(variable) or environment.get(f"{variable}_FILE"))

    servers: list[EmbeddedServer] = []
    if not names_one("DATABASE_URL"):
        servers.append(EmbeddedPostgres(home, dies_with_us=True))
    if not names_one("REDIS_URL"):
        servers.append(EmbeddedRedis(home, dies_with_us=True))
    return servers


def is_healthy(host: str, port: int) -> bool:
    """Say whether the site answers GET /health/ with 200 on this machine."""
    address = "127.0.0.1" if host in EVERY_INTERFACE else host
    connection = http.client.HTTPConnection(address, port, timeout=5)
    try:
        connection.request("GET", "/health/", headers={"Host": f"localhost:{port}"})
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _bind_address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@contextmanager
def _signals_interrupt() -> Iterator[None]:
    """Let SIGTERM and SIGHUP interrupt the preparations just as Ctrl-C does."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
