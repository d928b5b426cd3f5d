"""Real PostgreSQL and Redis for the tests, and databases cloned from one migrated template."""

import fcntl
import hashlib
import io
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from psycopg import sql

from prometheus_site.core.owner import owner_settings
from prometheus_site.embedded.home import APP_ROLE
from prometheus_site.embedded.postgres import EmbeddedPostgres
from prometheus_site.embedded.redis import EmbeddedRedis


@contextmanager
def running_servers() -> Iterator[None]:
    """Keep both servers up while any test run on this machine uses them; the last one out stops them."""
    servers = (EmbeddedPostgres(settings.HOME), EmbeddedRedis(settings.HOME))
    with (settings.HOME.path / "tests.lock").open("a") as in_use:
        with _coming_and_going():
            fcntl.flock(in_use, fcntl.LOCK_SH)
            for server in servers:
                server.start()
        try:
            yield
        finally:
            with _coming_and_going():
                fcntl.flock(in_use, fcntl.LOCK_UN)
                with suppress(BlockingIOError):  # another run is still in there
                    fcntl.flock(in_use, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    for server in servers:
                        server.stop()


@contextmanager
def _coming_and_going() -> Iterator[None]:
    """One test run at a time starts or stops the servers."""
    with (settings.HOME.path / "tests-door.lock").open("a") as door:
        fcntl.flock(door, fcntl.LOCK_EX)
        yield


def owner_connection(database: str) -> psycopg.Connection[tuple[object, ...]]:
    """Return an autocommit connection of the owner."""
    owner = owner_settings()
    return psycopg.connect(
        host=owner["HOST"],
        port=owner["PORT"],
        user=owner["USER"],
        password=owner["PASSWORD"],
        dbname=database,
        autocommit=True,
    )


def use_database(name: str) -> None:
    """Point this process, threads included, at another database of the same server."""
    connection.close()
    connection.settings_dict["NAME"] = name
    settings.DATABASES["default"]["NAME"] = name


def _template_name() -> str:
    root = Path(settings.BASE_DIR)
    sources = [*sorted(root.glob("**/migrations/*.py")), root / "prometheus_site" / "core" / "privileges.py"]
    digest = hashlib.sha256()
    for source in sources:
        if ".venv" not in source.parts:
            digest.update(source.read_bytes())
    return f"template_{digest.hexdigest()[:12]}"


def ensure_template() -> str:
    """Return the name of a migrated, empty database, making it when the migrations changed."""
    name = _template_name()
    with (settings.HOME.path / "template.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with owner_connection("postgres") as postgres:
            if postgres.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
                return name
            fresh = f"{name}_{uuid.uuid4().hex[:6]}"
            postgres.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(fresh)))
            _let_the_application_in(postgres, fresh)
            before = str(connection.settings_dict["NAME"])
            use_database(fresh)
            call_command("migrate", verbosity=0, interactive=False, stdout=io.StringIO())
            use_database(before)
            rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
            postgres.execute(rename.format(sql.Identifier(fresh), sql.Identifier(name)))
    return name


def _let_the_application_in(postgres: psycopg.Connection[tuple[object, ...]], name: str) -> None:
    grant = sql.SQL("GRANT CONNECT ON DATABASE {} TO {}")
    postgres.execute(grant.format(sql.Identifier(name), sql.Identifier(APP_ROLE)))


def take_no_statistics(name: str) -> None:
    """Let autovacuum leave this database alone.

    Between two tests that roll back it would note that all tables are empty, and with such statistics
    PostgreSQL may multiply the tables of a join. No site's tables are emptied.
    """
    with owner_connection(name) as owner:
        tables = owner.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        for (table,) in tables:
            off = sql.SQL("ALTER TABLE {} SET (autovacuum_enabled = off)")
            owner.execute(off.format(sql.Identifier(str(table))))


@contextmanager
def cloned_database(template: str) -> Iterator[str]:
    """Make a database of its own from the template, point this process at it, drop it afterwards."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    before = str(connection.settings_dict["NAME"])
    with owner_connection("postgres") as postgres:
        clone = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        postgres.execute(clone.format(sql.Identifier(name), sql.Identifier(template)))
        _let_the_application_in(postgres, name)
    use_database(name)
    try:
        yield name
    finally:
        use_database(before)
        with owner_connection("postgres") as postgres:
            drop = sql.SQL("DROP DATABASE {}")
            postgres.execute(drop.format(sql.Identifier(name)))
