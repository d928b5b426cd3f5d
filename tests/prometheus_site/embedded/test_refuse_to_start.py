"""What `up` checks before it starts anything, and what it says when it does not."""

import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from prometheus_site.embedded import preflight
from prometheus_site.embedded.errors import EmbeddedError
from prometheus_site.embedded.home import Home
from prometheus_site.embedded.postgres import EmbeddedPostgres
from prometheus_site.embedded.redis import EmbeddedRedis
from prometheus_site.embedded.startup import StartUp, embedded_servers
from tests.ports import free_port


@pytest.mark.parametrize("version", [(3, 10), (3, 13)])
def test_other_python_is_refused(version: tuple[int, int]) -> None:
    with pytest.raises(EmbeddedError, match=f"needs Python 3.11 or 3.12, and this is Python 3.{version[1]}:"):
        preflight.check_python(version)


@pytest.mark.parametrize("version", [(3, 11), (3, 12)])
def test_this_python_is_accepted(version: tuple[int, int]) -> None:
    preflight.check_python(version)


def test_second_up_is_refused_with_the_first_ones_number(home: Home) -> None:
    holding = (
        "import sys; from pathlib import Path; from prometheus_site.embedded.home import Home;"
        "from prometheus_site.embedded.preflight import only_one_up\n"
        f"with only_one_up(Home(Path({str(home.path)!r}))): print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", holding]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "held\n"
        refusal = rf"already runs here, as process {first.pid} .* Stop that one with Ctrl-C"
        with pytest.raises(EmbeddedError, match=refusal), preflight.only_one_up(home):
            pass
        first.communicate()
    with preflight.only_one_up(home):
        pass


@pytest.fixture
def pair_of_ports() -> int:
    """A free port whose successor is free as well."""
    return free_port()


@pytest.mark.parametrize("offset", [0, 1])
def test_taken_port_is_refused_with_its_holder_and_another_port(pair_of_ports: int, offset: int) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", pair_of_ports + offset))
        holder.listen()
        with pytest.raises(EmbeddedError) as refused:
            preflight.check_ports("127.0.0.1", pair_of_ports)
    said = str(refused.value)
    assert said.startswith(f"Port {pair_of_ports + offset} is taken by process ")
    suggested = int(said.removesuffix(".").split("--port ")[1])
    preflight.check_ports("127.0.0.1", suggested)


def test_free_port_is_accepted(pair_of_ports: int) -> None:
    preflight.check_ports("127.0.0.1", pair_of_ports)


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
def test_port_that_localhost_would_find_first_is_refused(pair_of_ports: int) -> None:
    with socket.socket(socket.AF_INET6) as holder:
        try:
            holder.bind(("::1", pair_of_ports))
        except OSError:
            pytest.skip("no IPv6 loopback here")
        holder.listen()
        with pytest.raises(EmbeddedError, match=f"Port {pair_of_ports} is taken"):
            preflight.check_ports("127.0.0.1", pair_of_ports)


@pytest.mark.parametrize("port", [0, -1, 65535, 70000])
def test_impossible_port_is_refused(port: int) -> None:
    with pytest.raises(EmbeddedError, match=f"There is no port {port}. Use --port"):
        preflight.check_ports("127.0.0.1", port)


def test_address_of_another_machine_is_refused() -> None:
    with pytest.raises(EmbeddedError, match=r"cannot be opened on 192.0.2.1: .* Use another --port"):
        preflight.check_ports("192.0.2.1", 20000)


def test_named_servers_are_not_started(home: Home) -> None:
    kinds = [type(server) for server in embedded_servers(home, {})]
    assert kinds == [EmbeddedPostgres, EmbeddedRedis]
    redis_only = embedded_servers(home, {"DATABASE_URL_FILE": "/run/secrets/database"})
    assert [type(server) for server in redis_only] == [EmbeddedRedis]
    assert embedded_servers(home, {"DATABASE_URL": "postgresql://…", "REDIS_URL": "redis://…"}) == []


def _start_up(home: Home, project: Path, port: int, unknown: Sequence[str] = ()) -> tuple[StartUp, list[str]]:
    said: list[str] = []
    return StartUp(home, project, "127.0.0.1", port, True, said.append, lambda: unknown), said


def _assert_nothing_runs(home: Home) -> None:
    assert not EmbeddedPostgres(home).is_running()
    assert not EmbeddedRedis(home).is_running()
    assert list(home.pids.glob("*.pid")) == []
    with preflight.only_one_up(home):
        pass


def test_database_of_a_newer_version_is_refused(used_home: Home, folder: Path, pair_of_ports: int) -> None:
    start_up, _ = _start_up(used_home, folder, pair_of_ports, unknown=["annotation.0099_later"])
    with pytest.raises(EmbeddedError, match=r"newer version.*annotation.0099_later.*Nothing was changed"):
        start_up.run()
    _assert_nothing_runs(used_home)


def test_failing_migration_is_shown_with_a_remedy_and_nothing_runs(
    used_home: Home, folder: Path, pair_of_ports: int
) -> None:
    (folder / "manage.py").write_text("print('relation t already exists'); raise SystemExit(1)")
    start_up, said = _start_up(used_home, folder, pair_of_ports)
    with pytest.raises(EmbeddedError) as refused:
        start_up.run()
    assert "`manage.py migrate` failed (exit code 1)" in str(refused.value)
    assert "relation t already exists" in str(refused.value)
    assert "the data is as it was" in str(refused.value)
    assert [sentence.split()[0] for sentence in said] == ["PostgreSQL", "Redis"]
    _assert_nothing_runs(used_home)


def test_secrets_are_in_no_command_line_and_no_log(used_home: Home, folder: Path, pair_of_ports: int) -> None:
    (folder / "manage.py").write_text("raise SystemExit(1)")
    start_up, said = _start_up(used_home, folder, pair_of_ports)
    with pytest.raises(EmbeddedError) as refused:
        start_up.run()
    commands = [" ".join(part.argv) for part in start_up.parts()]
    commands += [" ".join(server._command()) for server in embedded_servers(used_home, {})]
    logs = [path.read_text() for path in used_home.logs.iterdir()]
    assert logs
    for secret in used_home.keys.iterdir():
        for text in (*commands, *logs, *said, str(refused.value)):
            assert secret.read_text().strip() not in text
