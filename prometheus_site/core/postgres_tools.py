"""PostgreSQL's own programs and, where it is ours, its server: what backup and restore need."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection
from psycopg.pq import Conninfo

from prometheus_site.embedded.errors import EmbeddedError
from prometheus_site.embedded.postgres import EmbeddedPostgres
from prometheus_site.embedded.preflight import only_one_up

ERROR_LINES_SHOWN = 3


class PostgresToolError(Exception):
    """A program of PostgreSQL is missing, too old, or failed."""


def is_embedded() -> bool:
    """Say whether the database is this installation's own server."""
    return str(connection.settings_dict["HOST"]) == str(settings.HOME.sockets)


@contextmanager
def server_up() -> Iterator[None]:
    """Let the server answer inside the block: starts the embedded one when the site is stopped.

    Raises EmbeddedError when it cannot start.
    """
    server = EmbeddedPostgres(settings.HOME, dies_with_us=True)
    if not is_embedded() or server.is_running():
        yield
        return
    settings.HOME.ensure()
    with only_one_up(settings.HOME):
        server.start()
        # The settings were read before a first start made the passwords.
        connection.settings_dict.update(settings.HOME.app_database())
        try:
            yield
        finally:
            connection.close()
            server.stop()


def run(program: str, *arguments: str) -> None:
    """Run a program against the database that Django speaks to, as the role it speaks as.

    The password goes by the environment: a command line is there for everybody to read. Raises
    PostgresToolError with the program's own errors.
    """
    done = subprocess.run(
        [str(_folder() / program), "--no-password", *arguments],
        env=_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        umask=0o077,
        check=False,
    )
    if done.returncode != 0:
        errors = [line for line in done.stderr.decode(errors="replace").splitlines() if "error:" in line]
        raise PostgresToolError(
            f"{program} failed with status {done.returncode}: {'; '.join(errors[:ERROR_LINES_SHOWN])}"
        )


def _environment() -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if name.startswith("PG") or name == "HOME"}
    variables = {
        option.keyword.decode(): option.envvar.decode()
        for option in Conninfo.get_defaults()
        if option.envvar is not None
    }
    parameters = connection.get_connection_params()
    given = {variables[name]: str(value) for name, value in parameters.items() if name in variables and value}
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"} | ours | given


def _folder() -> Path:
    """Return the folder of programs that are as new as the server; an older pg_dump refuses it."""
    with connection.cursor() as cursor:
        server_major = cursor.connection.info.server_version // 10000
    found = {}
    for folder in _candidates():
        found[folder] = _major(folder / "pg_dump")
        if found[folder] >= server_major:
            return folder
    seen = ", ".join(f"version {major} in {folder}" for folder, major in found.items()) or "none at all"
    raise PostgresToolError(
        f"The server is PostgreSQL {server_major} and needs pg_dump and pg_restore of that version or newer; "
        f"found: {seen}. Install postgresql-client-{server_major} and put it first on PATH."
    )


def _candidates() -> Iterator[Path]:
    """Yield folders of programs: those on PATH belong to a real server, the wheel's to the embedded one."""
    on_path = shutil.which("pg_dump")
    if on_path and not is_embedded():
        yield Path(on_path).parent
    try:
        yield EmbeddedPostgres(settings.HOME).bin_folder
    except EmbeddedError:
        return


def _major(program: Path) -> int:
    said = subprocess.run([str(program), "--version"], capture_output=True, text=True, check=False).stdout
    match = re.search(r"\) (\d+)", said)
    return int(match[1]) if match else 0
