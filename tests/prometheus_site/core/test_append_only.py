"""The six attacks on every append-only table as the application role, and the triggers behind it."""

from collections.abc import Iterator
from contextlib import closing

import pgtrigger
import psycopg
import pytest
from django.apps import apps
from django.conf import settings
from django.db import ProgrammingError, connection, models, transaction
from django.db.backends.utils import CursorWrapper
from psycopg import sql
from pytest_django import DjangoDbBlocker

from prometheus_site.audit.models import AccessEvent
from prometheus_site.core.append_only import AppendOnlyError, AppendOnlyModel
from prometheus_site.core.privileges import append_only_tables
from tests import servers
from tests.prometheus_site.core.filled import fill_every_table, rows_of

TABLES = append_only_tables()
every_table = pytest.mark.parametrize("table", TABLES)


@pytest.fixture(scope="module")
def filled_database(
    template_database: str, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """One database with rows in every append-only table; no test here may change it."""
    with pytest.MonkeyPatch.context() as patched, django_db_blocker.unblock():
        patched.setattr(settings, "ANCHOR_LOG", tmp_path_factory.mktemp("anchors") / "anchors.jsonl")
        with servers.cloned_database(template_database) as name:
            fill_every_table()
            yield name


@pytest.fixture
def unchanged(filled_database: str, table: str) -> Iterator[None]:
    """Fail the test when a row of the table has changed by its end."""
    before = _rows(table)
    assert before[0] > 0, f"nothing in {table} to attack"
    yield
    assert _rows(table) == before


def _rows(table: str) -> tuple[int, str]:
    with connection.cursor() as cursor:
        cursor.execute(rows_of(table).as_string(cursor.connection))
        count, digest = cursor.fetchone()
        return count, digest


def _execute(cursor: CursorWrapper, statement: str, *names: str) -> None:
    cursor.execute(sql.SQL(statement).format(*map(sql.Identifier, names)).as_string(cursor.connection))


def _is_refused(statement: str, *names: str) -> bool:
    """Run a statement as the application role and see it refused for lack of the privilege."""
    with (
        transaction.atomic(),
        connection.cursor() as cursor,
        pytest.raises(ProgrammingError) as refused,
        transaction.atomic(),
    ):
        _execute(cursor, statement, *names)
    return isinstance(refused.value.__cause__, psycopg.errors.InsufficientPrivilege)


def _first_column(table: str) -> str:
    with connection.cursor() as cursor:
        return str(connection.introspection.get_table_description(cursor, table)[0].name)


def _referenced_by(table: str) -> list[str]:
    """Return the tables whose TRUNCATE … CASCADE would empty this one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT confrelid::regclass::text FROM pg_constraint "
            "WHERE contype = 'f' AND conrelid = %s::regclass",
            [table],
        )
        return [row[0] for row in cursor.fetchall()]


def test_the_list_of_tables_is_the_one_we_mean() -> None:
    assert {"annotation_label", "audit_chainentry", "audit_anchor", "core_sealedtext"} <= set(TABLES)
    assert {"accounts_rolegrantevent", "annotation_campaignevent"} <= set(TABLES)  # pghistory's


@every_table
@pytest.mark.usefixtures("unchanged")
def test_update_is_refused(table: str) -> None:
    column = _first_column(table)
    assert _is_refused("UPDATE {} SET {} = {}", table, column, column)


@every_table
@pytest.mark.usefixtures("unchanged")
def test_update_by_an_insert_that_conflicts_is_refused(table: str) -> None:
    column = _first_column(table)
    assert _is_refused(
        "INSERT INTO {} SELECT * FROM {} ON CONFLICT ({}) DO UPDATE SET {} = EXCLUDED.{}",
        *(table, table, column, column, column),
    )


@every_table
@pytest.mark.usefixtures("unchanged")
def test_delete_is_refused(table: str) -> None:
    assert _is_refused("DELETE FROM {}", table)


@every_table
@pytest.mark.usefixtures("unchanged")
def test_truncate_is_refused_also_by_cascade(table: str) -> None:
    assert _is_refused("TRUNCATE {}", table)
    for victim in [table, *_referenced_by(table)]:
        assert _is_refused("TRUNCATE {} CASCADE", victim)


@every_table
@pytest.mark.usefixtures("unchanged")
def test_disabling_triggers_is_refused(table: str) -> None:
    for which in ("ALL", "USER"):
        assert _is_refused(f"ALTER TABLE {{}} DISABLE TRIGGER {which}", table)


@every_table
@pytest.mark.usefixtures("unchanged")
def test_pretending_to_be_a_replica_is_refused(table: str) -> None:
    assert _is_refused("SET session_replication_role = replica; DELETE FROM {}", table)
    assert _is_refused("SELECT set_config('session_replication_role', 'replica', true)")


@every_table
@pytest.mark.usefixtures("unchanged")
def test_ignoring_triggers_does_not_help(table: str) -> None:
    column = _first_column(table)
    with pgtrigger.ignore():
        assert _is_refused("UPDATE {} SET {} = {}", table, column, column)
        assert _is_refused("DELETE FROM {}", table)
        assert _is_refused("TRUNCATE {} CASCADE", table)


@every_table
@pytest.mark.usefixtures("unchanged")
def test_ignoring_triggers_by_their_raw_setting_does_not_help(table: str) -> None:
    column = _first_column(table)
    for attack in ("UPDATE {} SET {} = {}", "DELETE FROM {}", "TRUNCATE {} CASCADE"):
        ignoring = f"SELECT set_config('pgtrigger.ignore', '{{{{{_triggers(table)}}}}}', true); {attack}"
        assert _is_refused(ignoring, table, column, column)


def _triggers(table: str) -> str:
    with connection.cursor() as cursor:
        names = "SELECT string_agg(tgname, ',') FROM pg_trigger WHERE tgrelid = %s::regclass"
        cursor.execute(names, [table])
        return str(cursor.fetchone()[0])


def test_ignoring_triggers_would_help_a_role_with_the_privilege(committed_db: str) -> None:
    """Why privileges come first: the attack above goes through as soon as one is loose."""
    event = AccessEvent.objects.create(action="viewed", object_type="sample")
    with closing(servers.owner_connection(committed_db)) as owner:
        owner.execute("GRANT UPDATE ON audit_accessevent TO prometheus_app")
    with pgtrigger.ignore(), connection.cursor() as cursor:
        cursor.execute("UPDATE audit_accessevent SET object_type = 'nothing'")
    event.refresh_from_db()
    assert event.object_type == "nothing"


@every_table
@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("attack", ["UPDATE {} SET {} = {}", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_triggers_refuse_even_the_owner(filled_database: str, table: str, attack: str) -> None:
    column = _first_column(table)
    names = map(sql.Identifier, (table, column, column))
    with (
        closing(servers.owner_connection(filled_database)) as owner,
        pytest.raises(psycopg.errors.RaiseException, match=r"append-only|Cannot update or delete"),
    ):
        owner.execute(sql.SQL(attack).format(*names))


@every_table
@pytest.mark.usefixtures("unchanged")
def test_triggers_refuse_the_owner_who_truncates_what_the_table_refers_to(
    filled_database: str, table: str
) -> None:
    with closing(servers.owner_connection(filled_database)) as owner:
        for victim in _referenced_by(table):
            with pytest.raises(psycopg.errors.RaiseException, match="cannot truncate"):
                owner.execute(sql.SQL("TRUNCATE {} CASCADE").format(sql.Identifier(victim)))


MODELS = [model for model in apps.get_models() if issubclass(model, AppendOnlyModel)]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
@pytest.mark.usefixtures("filled_database")
def test_python_says_no_before_the_database_has_to(model: type[models.Model]) -> None:
    row = model._default_manager.all()[:1].get()
    column = model._meta.concrete_fields[0].name
    attacks = (
        row.save,
        row.delete,
        model._default_manager.all().delete,
        lambda: model._default_manager.update(**{column: row.pk}),
        lambda: model._default_manager.bulk_update([row], [model._meta.concrete_fields[-1].name]),
    )
    for attack in attacks:
        with pytest.raises(AppendOnlyError, match="append-only"):
            attack()
