"""Servers killed with kill -9 come back with what they acknowledged, and strangers are left alone."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from prometheus_site.embedded.home import Home
from prometheus_site.embedded.os_processes import is_alive
from prometheus_site.embedded.postgres import EmbeddedPostgres
from prometheus_site.embedded.redis import EmbeddedRedis
from prometheus_site.embedded.server import EmbeddedServer
from tests.prometheus_site.embedded.waiting import wait_until

pytestmark = pytest.mark.fault
KINDS = [EmbeddedPostgres, EmbeddedRedis]
SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


@pytest.fixture
def stranger() -> Iterator["subprocess.Popen[bytes]"]:
    """A process that is none of ours."""
    process = subprocess.Popen(SLEEP)
    yield process
    process.kill()
    process.wait()


def _kill(server: EmbeddedServer) -> int:
    pid = server.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: server.how_it_ended() is not None)
    assert not server.is_running()
    return pid


def test_killed_postgres_comes_back_with_what_it_acknowledged(postgres: EmbeddedPostgres) -> None:
    with psycopg.connect(postgres.owner_url(), autocommit=True) as owner:
        owner.execute("CREATE TABLE kept (id int)")
        owner.execute("INSERT INTO kept SELECT generate_series(1, 1000)")
        killed = _kill(postgres)  # with a session open, whose process outlives the server for a moment
        assert postgres.how_it_ended() == "signal 9"
        assert postgres.start()
    assert postgres.pid != killed
    with psycopg.connect(postgres.app_url()) as app:
        assert app.execute("SELECT 1").fetchone() == (1,)
    with psycopg.connect(postgres.owner_url()) as owner:
        assert owner.execute("SELECT count(*) FROM kept").fetchone() == (1000,)


def test_killed_redis_comes_back_with_what_it_acknowledged(redis_server: EmbeddedRedis) -> None:
    with redis.Redis.from_url(redis_server.cache_url()) as client:
        for number in range(100):
            client.rpush("queue", number)
        _kill(redis_server)
        assert redis_server.how_it_ended() == "signal 9"
        assert redis_server.start()
        assert client.llen("queue") == 100


@pytest.mark.parametrize("kind", KINDS)
def test_number_taken_by_a_stranger_is_not_killed(
    used_home: Home, kind: type[EmbeddedServer], stranger: "subprocess.Popen[bytes]"
) -> None:
    server = kind(used_home)
    server.start()
    written = server.pid_file.read_text()
    killed = _kill(server)
    server.pid_file.write_text(written.replace(str(killed), str(stranger.pid)))
    assert not server.is_running()
    server.stop()
    assert stranger.poll() is None
    assert server.start()
    assert stranger.poll() is None


@pytest.mark.parametrize("kind", KINDS)
def test_same_program_in_another_folder_is_not_ours(
    used_home: Home, folder: Path, kind: type[EmbeddedServer]
) -> None:
    """A second installation's server is neither adopted nor stopped, even when our file names it."""
    ours, theirs = kind(used_home), kind(Home(folder / "second"))
    theirs.home.ensure()
    theirs.start()
    try:
        ours.start()
        written = ours.pid_file.read_text()
        killed = _kill(ours)
        ours.pid_file.write_text(written.replace(str(killed), str(theirs.pid)))
        ours.stop()
        assert theirs.is_running()
        assert ours.start()
        assert theirs.is_running()
        assert ours.pid != theirs.pid
    finally:
        theirs.stop()


@pytest.mark.parametrize("kind", KINDS)
def test_server_dies_with_the_process_that_asked_for_it(used_home: Home, kind: type[EmbeddedServer]) -> None:
    script = (
        f"import os, signal; from pathlib import Path; from {kind.__module__} import {kind.__name__};"
        f"from prometheus_site.embedded.home import Home;"
        f"{kind.__name__}(Home(Path({str(used_home.path)!r})), dies_with_us=True).start();"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", script], check=False)
    assert done.returncode == -signal.SIGKILL
    wait_until(lambda: not kind(used_home).is_running())


def test_orphaned_sessions_of_a_killed_server_are_waited_for(postgres: EmbeddedPostgres) -> None:
    """A frozen session of a killed server would keep a new one from starting."""
    with psycopg.connect(postgres.owner_url()) as owner:
        session = psutil.Process(owner.info.backend_pid)
        session.suspend()
        _kill(postgres)
        assert postgres.start()
        assert not is_alive(session)
