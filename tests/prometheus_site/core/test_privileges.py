"""What the application role may do, table by table, and how it is limited again after every migration."""

import io
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psycopg
import pytest
from django.core.management import call_command
from django.db import ProgrammingError, connection, transaction

from prometheus_site.audit.models import Action
from prometheus_site.audit.services import record_access
from prometheus_site.core import privileges
from prometheus_site.core.owner import as_owner
from prometheus_site.embedded.home import APP_ROLE
from tests import servers
from tests.prometheus_site.embedded.waiting import wait_until

Owner = psycopg.Connection[tuple[object, ...]]


@pytest.fixture
def owner(committed_db: str) -> Iterator[Owner]:
    with closing(servers.owner_connection(committed_db)) as opened:
        yield opened


def may(table: str, privilege: str) -> bool:
    """Say whether the application role holds this privilege, or one of several."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_table_privilege(quote_ident(%s), %s)", [table, privilege])
        return bool(cursor.fetchone()[0])


def migrate() -> None:
    call_command("migrate", verbosity=0, interactive=False, stdout=io.StringIO())


@pytest.mark.django_db
def test_append_only_tables_take_insert_and_select() -> None:
    for table in privileges.append_only_tables():
        assert may(table, "SELECT"), table
        assert may(table, "INSERT"), table
        assert not may(table, "UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER, MAINTAIN"), table


@pytest.mark.django_db
def test_other_tables_take_update_and_delete_and_no_more() -> None:
    for table in privileges.mutable_tables():
        if table in connection.introspection.table_names():
            assert may(table, "UPDATE"), table
            assert may(table, "DELETE"), table
            assert not may(table, "TRUNCATE, REFERENCES, TRIGGER, MAINTAIN"), table


@pytest.mark.django_db
def test_every_table_is_one_of_the_three_kinds() -> None:
    known = {*privileges.append_only_tables(), *privileges.mutable_tables(), *privileges.READ_ONLY_TABLES}
    assert set(connection.introspection.table_names()) <= known


@pytest.mark.django_db
def test_which_migrations_ran_is_not_the_applications_to_write() -> None:
    assert may("django_migrations", "SELECT")
    assert not may("django_migrations", "INSERT, UPDATE, DELETE, TRUNCATE")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (id int)",
        "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE TRIGGER mine BEFORE INSERT ON annotation_label EXECUTE FUNCTION refuse_truncate()",
        "ALTER TABLE annotation_label ADD COLUMN mine int",
        "DROP TABLE annotation_label",
        "SELECT setval(pg_get_serial_sequence('audit_chainentry', 'id'), 1)",
        "SET ROLE prometheus_owner",
    ],
)
def test_application_role_changes_no_schema(statement: str) -> None:
    with pytest.raises(ProgrammingError) as refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert isinstance(refused.value.__cause__, psycopg.errors.InsufficientPrivilege)


@pytest.mark.parametrize("is_migrated_again", [False, True])
def test_table_that_nobody_declared_takes_insert_and_select_only(
    owner: Owner, is_migrated_again: bool
) -> None:
    owner.execute("CREATE TABLE forgotten (id serial PRIMARY KEY, said text)")
    if is_migrated_again:
        migrate()
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO forgotten (said) VALUES ('once')")
        cursor.execute("SELECT said FROM forgotten")
        assert cursor.fetchall() == [("once",)]
    assert not may("forgotten", "UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER, MAINTAIN")


@pytest.mark.parametrize("to", [APP_ROLE, "PUBLIC"])
def test_migrate_takes_back_what_was_granted_by_hand(owner: Owner, to: str) -> None:
    tables = privileges.append_only_tables()
    for what, table in zip(["UPDATE", "DELETE", "TRUNCATE", "TRIGGER", "ALL"], tables, strict=False):
        owner.execute(f"GRANT {what} ON {table} TO {to}".encode())
    owner.execute(f"GRANT UPDATE (ciphertext) ON core_sealedtext TO {to}".encode())
    assert privileges.changeable_append_only_tables() == sorted([*tables[:5], "core_sealedtext"])
    migrate()
    assert privileges.changeable_append_only_tables() == []


def test_migrate_takes_back_a_loose_default(owner: Owner) -> None:
    owner.execute(f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO {APP_ROLE}".encode())
    migrate()
    owner.execute("CREATE TABLE forgotten (id int)")
    assert not may("forgotten", "UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER, MAINTAIN")


def test_migrate_puts_back_the_guard_against_truncate(owner: Owner) -> None:
    table = "annotation_campaignevent"  # pghistory's own trigger sees rows only
    owner.execute(f"DROP TRIGGER refuse_truncate ON {table}".encode())
    owner.execute(f"TRUNCATE {table}".encode())
    migrate()
    with pytest.raises(psycopg.errors.RaiseException, match=f"cannot truncate the append-only table {table}"):
        owner.execute(f"TRUNCATE {table}".encode())


@pytest.mark.usefixtures("committed_db")
def test_the_site_goes_on_while_privileges_are_set() -> None:
    """All rights are taken and given in one step: somebody who saves meanwhile never meets the gap."""
    is_over = threading.Event()

    def write_on() -> int:
        count = 0
        while not is_over.is_set():
            record_access(actor=None, action=Action.VIEWED, obj_type="sample", obj_id=str(count))
            count += 1
        connection.close()
        return count

    with ThreadPoolExecutor(1) as pool, closing(servers.owner_connection(_database())) as watcher:
        writing = pool.submit(write_on)
        for _ in range(5):
            written = _rows(watcher)
            wait_until(lambda: _rows(watcher) > written)  # noqa: B023  asked at once
            with as_owner() as app_role:  # the writer has its connection and keeps it
                privileges.grant_to_application(app_role)
        is_over.set()
        assert writing.result() == _rows(watcher)


def _database() -> str:
    return str(connection.settings_dict["NAME"])


def _rows(watcher: Owner) -> int:
    [found] = watcher.execute("SELECT count(*) FROM audit_accessevent").fetchall()
    return int(str(found[0]))
