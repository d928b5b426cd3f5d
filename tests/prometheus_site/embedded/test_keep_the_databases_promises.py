"""Who may do what in the embedded database, and what never reaches its log."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import environ
import psycopg
import pytest

from prometheus_site.embedded.home import APP_ROLE, DATABASE_NAME, OWNER_ROLE
from prometheus_site.embedded.postgres import EmbeddedPostgres
from tests.prometheus_site.embedded.waiting import wait_until

SPOKEN = "I have not slept since she left"


def test_wrong_password_is_refused(shared_postgres: EmbeddedPostgres) -> None:
    host = str(shared_postgres.home.sockets)
    for role in (OWNER_ROLE, APP_ROLE, "postgres"):
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(host=host, dbname=DATABASE_NAME, user=role, password="wrong")


def test_no_password_is_refused(shared_postgres: EmbeddedPostgres) -> None:
    with pytest.raises(psycopg.OperationalError, match="no password supplied"):
        psycopg.connect(host=str(shared_postgres.home.sockets), dbname=DATABASE_NAME, user=APP_ROLE)


def test_changed_key_file_becomes_the_password_at_the_next_start(postgres: EmbeddedPostgres) -> None:
    (postgres.home.keys / "app.password").write_text("restored from a backup")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(postgres.app_url())
    postgres.start()
    with psycopg.connect(postgres.app_url()) as app:
        assert app.execute("SELECT current_user").fetchone() == (APP_ROLE,)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE t (id int)",
        "CREATE TEMP TABLE t (id int)",
        "CREATE SCHEMA s",
        "CREATE DATABASE d",
        "CREATE ROLE r",
    ],
)
def test_application_role_creates_nothing(shared_postgres: EmbeddedPostgres, statement: str) -> None:
    app = psycopg.connect(shared_postgres.app_url(), autocommit=True)
    with app, pytest.raises(psycopg.errors.InsufficientPrivilege):
        app.execute(statement.encode())


def test_application_role_owns_nothing(shared_postgres: EmbeddedPostgres) -> None:
    with psycopg.connect(shared_postgres.app_url()) as app:
        owned = "SELECT count(*) FROM pg_shdepend d JOIN pg_roles r ON r.oid = d.refobjid"
        found = app.execute(f"{owned} WHERE deptype = 'o' AND rolname = %s", [APP_ROLE]).fetchone()
    assert found == (0,)


def test_application_role_stays_in_its_database(shared_postgres: EmbeddedPostgres) -> None:
    elsewhere = shared_postgres.app_url().replace(f"/{DATABASE_NAME}?", "/postgres?")
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(elsewhere)


def test_owner_makes_tables_and_clones_but_is_no_superuser(shared_postgres: EmbeddedPostgres) -> None:
    with psycopg.connect(shared_postgres.owner_url(), autocommit=True) as owner:
        owner.execute("CREATE TABLE t (id int)")
    elsewhere = shared_postgres.owner_url().replace(f"/{DATABASE_NAME}?", "/postgres?")
    with psycopg.connect(elsewhere, autocommit=True) as owner:
        owner.execute("CREATE DATABASE clone TEMPLATE prometheus")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            owner.execute("SET session_replication_role = replica")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            owner.execute("SELECT pg_read_file('/etc/hostname')")


def test_addresses_mean_the_same_to_django_environ(shared_postgres: EmbeddedPostgres) -> None:
    read = environ.Env.db_url_config(shared_postgres.app_url())
    expected = shared_postgres.app_settings()
    assert {key: read[key] for key in ("ENGINE", "NAME", "USER", "PASSWORD")} == {
        key: expected[key] for key in ("ENGINE", "NAME", "USER", "PASSWORD")
    }
    assert read["OPTIONS"] == {"host": expected["HOST"]}
    assert quote(expected["HOST"], safe="") in shared_postgres.app_url()


def test_text_is_utf8_and_sorts_the_same_everywhere(shared_postgres: EmbeddedPostgres) -> None:
    with psycopg.connect(shared_postgres.app_url()) as app:
        answer = app.execute(
            "SELECT pg_encoding_to_char(encoding), datlocprovider, datlocale, lower('ÄÉ')"
            " FROM pg_database WHERE datname = current_database()"
        )
        assert answer.fetchone() == ("UTF8", "b", "C.UTF-8", "äé")


def test_failing_statements_leave_no_text_in_the_log(shared_postgres: EmbeddedPostgres) -> None:
    with psycopg.connect(shared_postgres.owner_url(), autocommit=True) as owner:
        owner.execute("CREATE TABLE said (text text PRIMARY KEY CHECK (length(text) < 40), turn int)")
        owner.execute("INSERT INTO said VALUES (%s, 1)", [SPOKEN])
        for statement, values in (
            ("INSERT INTO said VALUES (%s, 1)", [SPOKEN]),  # DETAIL: Key (text)=(…) already exists
            ("INSERT INTO said VALUES (%s, 1)", [SPOKEN * 2]),  # DETAIL: Failing row contains (…)
            (f"SELEC '{SPOKEN}'", []),  # STATEMENT: …
            ("SELECT %s::int", [SPOKEN]),  # ERROR: invalid input syntax for type integer: "…"
        ):
            with pytest.raises(psycopg.Error):
                owner.execute(statement.encode(), values)
    assert SPOKEN not in shared_postgres.log.read_text()


@pytest.mark.fault
def test_killed_session_leaves_no_text_in_the_log(postgres: EmbeddedPostgres) -> None:
    with ThreadPoolExecutor(1) as pool:
        victim = psycopg.connect(postgres.owner_url(), autocommit=True)
        speaking = pool.submit(victim.execute, f"SELECT pg_sleep(60), '{SPOKEN}'".encode())
        with psycopg.connect(postgres.owner_url(), autocommit=True) as watcher:
            state = "SELECT state FROM pg_stat_activity WHERE pid = %s"
            wait_until(lambda: watcher.execute(state, [victim.info.backend_pid]).fetchone() == ("active",))
        os.kill(victim.info.backend_pid, signal.SIGKILL)
        with pytest.raises(psycopg.OperationalError):
            speaking.result()
        victim.close()
    wait_until(lambda: "was terminated by signal 9" in postgres.log.read_text())
    postgres.start()  # returns when it has recovered
    assert SPOKEN not in postgres.log.read_text()
