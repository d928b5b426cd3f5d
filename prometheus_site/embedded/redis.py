"""The Redis of this installation: queue and cache behind a socket, with its log of writes on disk."""

import signal
from pathlib import Path
from typing import ClassVar

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from prometheus_site.embedded.account import server_account
from prometheus_site.embedded.binaries import redis_server
from prometheus_site.embedded.server import EmbeddedServer

ANSWER_WITHIN_SECONDS = 5


class EmbeddedRedis(EmbeddedServer):
    """Redis in the installation's own folder, reachable through its socket only."""

    name = "redis"
    label = "Redis"
    program = "redis-server"
    stop_signals: ClassVar[tuple[tuple[signal.Signals, float], ...]] = (
        (signal.SIGTERM, 15),
        (signal.SIGKILL, 5),
    )

    @property
    def data(self) -> Path:
        return self.home.redis_data

    @property
    def pid_file(self) -> Path:
        return self.data / "redis.pid"

    def url(self) -> str:
        """Return the address of the queue, as Celery writes it."""
        return self.home.redis_broker_url()

    def cache_url(self) -> str:
        """Return the address of the cache, as redis-py and Django write it."""
        return self.home.redis_cache_url()

    def _prepare(self) -> None:
        """Redis makes what it needs itself."""

    def _after_start(self) -> None:
        """An empty Redis is in order."""

    def _command(self) -> list[str]:
        command = [str(redis_server(self.home, server_account())), "--port", "0"]
        command += ["--unixsocket", str(self.home.redis_socket), "--unixsocketperm", "700"]
        command += ["--dir", str(self.data), "--pidfile", str(self.pid_file)]
        # Written before it is acknowledged: "everysec" holds writes back while the disk is slow, and a kill
        # takes them. What a power cut takes here, the sweeper asks for again.
        return [*command, "--appendonly", "yes", "--appendfsync", "no", "--save", ""]

    def _answers(self) -> bool:
        client = redis.Redis(
            unix_socket_path=str(self.home.redis_socket),
            socket_timeout=ANSWER_WITHIN_SECONDS,
            retry=Retry(NoBackoff(), 0),  # the caller asks again
        )
        try:
            with client:
                return bool(client.ping())
        except (redis.ConnectionError, redis.TimeoutError):  # also while it loads its data
            return False
