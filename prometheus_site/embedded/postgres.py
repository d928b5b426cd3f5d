"""The PostgreSQL of this installation: made, started, adopted and stopped, with its two roles."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

import psycopg
from psycopg import sql

from prometheus_site.embedded import keys, os_processes
from prometheus_site.embedded.account import ServerAccount, server_account
from prometheus_site.embedded.binaries import POSTGRES_MAJOR, postgres_bin
from prometheus_site.embedded.home import APP_ROLE, DATABASE_NAME, OWNER_ROLE, POSTGRES_PORT
from prometheus_site.embedded.server import LOG_TAIL_LINES, EmbeddedServer, ServerError, server_environment

SUPERUSER = "postgres"
CONNECT_TIMEOUT_SECONDS = 5

SETTINGS = {
    "listen_addresses": "",
    "port": POSTGRES_PORT,
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Statements, their parameters and failing rows can hold therapy text, so none of them reaches the log:
    # errors go to the client only, and DETAIL lines (failing row, statement of a crashed process) to nobody.
    "log_min_messages": "log",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}


class EmbeddedPostgres(EmbeddedServer):
    """PostgreSQL in the installation's own folder, reachable through its socket only."""

    name = "postgres"
    label = "PostgreSQL"
    program = "postgres"
    stop_signals: ClassVar[tuple[tuple[signal.Signals, float], ...]] = (
        (signal.SIGINT, 10),  # "fast": sessions are rolled back; forgotten if it comes during crash recovery
        (signal.SIGQUIT, 10),  # "immediate": the next start replays the log
        (signal.SIGKILL, 5),
    )

    @property
    def data(self) -> Path:
        return self.home.postgres_data

    @property
    def pid_file(self) -> Path:
        return self.data / "postmaster.pid"

    @property
    def bin_folder(self) -> Path:
        """The folder of pg_dump, pg_restore and the rest, of the server's own version."""
        return postgres_bin(self.home, server_account())

    def app_settings(self) -> dict[str, Any]:
        """Return Django's database settings for the application role."""
        return self.home.app_database()

    def owner_settings(self) -> dict[str, Any]:
        """Return Django's database settings for the role that owns the tables."""
        return self.home.owner_database()

    def app_url(self) -> str:
        """Return the application role's address; it holds the password."""
        return _url(self.app_settings())

    def owner_url(self) -> str:
        """Return the owner's address; it holds the password."""
        return _url(self.owner_settings())

    def _prepare(self) -> None:
        if not self.data.exists():
            self._make_cluster(server_account())
        try:
            found = (self.data / "PG_VERSION").read_text().strip()
        except OSError as unreadable:
            raise ServerError(
                f"{self.data} is not a PostgreSQL data folder ({unreadable.strerror}: PG_VERSION). Move it "
                "away to start with an empty database, or put the right folder in its place."
            ) from unreadable
        if found != POSTGRES_MAJOR:
            raise ServerError(
                f"The database in {self.data} was made by PostgreSQL {found}, and this is PostgreSQL "
                f"{POSTGRES_MAJOR}. Make a backup with the version of Prometheus that made it and restore "
                "that here, or move the folder away to start with an empty database."
            )

    def _make_cluster(self, account: ServerAccount | None) -> None:
        """Run initdb beside the final place: a half-made folder must never be taken for a whole one."""
        partial = self.home.path / "postgres.partial"
        password_file = self.home.path / "postgres.partial.password"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(mode=0o700)
        password_file.unlink(missing_ok=True)
        try:
            with os.fdopen(os.open(password_file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
                file.write(self.home.read_secret(keys.POSTGRES_PASSWORD))
            if account:
                os.chown(partial, account.uid, account.gid)
                os.chown(password_file, account.uid, account.gid)
            self._run_initdb(partial, password_file, account)
        finally:
            password_file.unlink(missing_ok=True)
        partial.rename(self.data)

    def _run_initdb(self, folder: Path, password_file: Path, account: ServerAccount | None) -> None:
        command = [str(self.bin_folder / "initdb"), "-D", str(folder), "-U", SUPERUSER, "--no-instructions"]
        command += ["-A", "scram-sha-256", "--pwfile", str(password_file), "-E", "UTF8"]
        command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        with self.log.open("ab") as log:
            done = subprocess.run(
                command,
                cwd=folder,
                env=server_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                user=account.uid if account else None,
                group=account.gid if account else None,
                extra_groups=[] if account else None,
                preexec_fn=os_processes.dies_with_parent(signal.SIGTERM),
                check=False,
            )
        if done.returncode != 0:
            raise ServerError(
                f"PostgreSQL could not make its data folder ({os_processes.describe_end(done.returncode)}). "
                f"The log {self.log} ends with:{os_processes.last_lines(self.log, LOG_TAIL_LINES)}\n"
                "Mend what it names and start again; nothing was kept."
            )

    def _command(self) -> list[str]:
        command = [str(self.bin_folder / "postgres"), "-D", str(self.data), "-k", str(self.home.sockets)]
        for name, value in SETTINGS.items():
            command += ["-c", f"{name}={value}"]
        return command

    def _answers(self) -> bool:
        try:
            with self._as_superuser():
                return True
        except psycopg.OperationalError as refused:
            if "password authentication failed" not in str(refused):
                return False
            raise ServerError(
                f"The database in {self.data} does not take the password in "
                f"{self.home.keys / keys.POSTGRES_PASSWORD}. Put back the keys folder that belongs to this "
                "database, or set PROMETHEUS_HOME to another folder."
            ) from None

    def _after_start(self) -> None:
        try:
            with self._as_superuser() as connection:
                self._put_in_order(connection)
        except psycopg.Error as refused:
            raise ServerError(
                f"PostgreSQL started, but its roles could not be put in order: {refused}. See {self.log} and "
                "start again."
            ) from refused

    def _put_in_order(self, connection: psycopg.Connection[Any]) -> None:
        """Create roles and database where missing, and make the passwords those of the key files."""
        _set_role(connection, OWNER_ROLE, self.owner_settings()["PASSWORD"], can_create_databases=True)
        _set_role(connection, APP_ROLE, self.app_settings()["PASSWORD"], can_create_databases=False)
        names = {"database": DATABASE_NAME, "owner": OWNER_ROLE, "app": APP_ROLE}
        identifiers = {key: sql.Identifier(name) for key, name in names.items()}
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE_NAME])
        if not found.fetchone():
            connection.execute(sql.SQL("CREATE DATABASE {database} OWNER {owner}").format(**identifiers))
        for statement in (
            "REVOKE ALL ON DATABASE {database}, postgres, template1 FROM PUBLIC",
            "GRANT CONNECT ON DATABASE {database} TO {app}",
            "GRANT CONNECT ON DATABASE postgres TO {owner}",  # from where it creates the tests' databases
        ):
            connection.execute(sql.SQL(statement).format(**identifiers))

    @contextmanager
    def _as_superuser(self) -> Iterator[psycopg.Connection[Any]]:
        with psycopg.connect(
            host=str(self.home.sockets),
            port=POSTGRES_PORT,
            user=SUPERUSER,
            password=self.home.read_secret(keys.POSTGRES_PASSWORD),
            dbname="postgres",
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            autocommit=True,
        ) as connection:
            yield connection


def _set_role(
    connection: psycopg.Connection[Any], role: str, password: str, *, can_create_databases: bool
) -> None:
    """Create or mend a login role; the server is given a SCRAM verifier and never sees the password."""
    found = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
    verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256")
    statement = (
        f"{'ALTER' if found else 'CREATE'} ROLE {{role}} LOGIN NOSUPERUSER NOCREATEROLE NOREPLICATION "
        f"NOBYPASSRLS {'CREATEDB' if can_create_databases else 'NOCREATEDB'} PASSWORD {{verifier}}"
    )
    connection.execute(
        sql.SQL(statement).format(role=sql.Identifier(role), verifier=sql.Literal(verifier.decode()))
    )


def _url(settings: dict[str, Any]) -> str:
    return (
        f"postgresql://{settings['USER']}:{quote(settings['PASSWORD'], safe='')}@/{settings['NAME']}"
        f"?host={quote(settings['HOST'], safe='')}"
    )
