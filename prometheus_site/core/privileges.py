"""The application role's rights: it owns nothing, and append-only tables take INSERT and SELECT only."""

from django.apps import apps
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from psycopg import sql

from prometheus_site.core.append_only import AppendOnlyModel

READ_ONLY_TABLES = ("django_migrations",)
TRUNCATE_GUARD = """
CREATE OR REPLACE FUNCTION refuse_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'cannot truncate the append-only table %', TG_TABLE_NAME; END $$
"""


def append_only_tables() -> list[str]:
    """Return the names of all append-only tables, history tables included, sorted."""
    from pghistory.models import Event

    kept = (AppendOnlyModel, Event)
    return sorted(
        model._meta.db_table
        for model in apps.get_models()
        if issubclass(model, kept) and not model._meta.proxy and model._meta.managed
    )


def mutable_tables() -> list[str]:
    """Return every table of ours that the application may also change, many-to-many tables included."""
    known = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}
    return sorted(known - set(append_only_tables()) - set(READ_ONLY_TABLES))


def grant_to_application(app_role: str) -> None:
    """Set the application role's rights afresh; run by the owner after every migration.

    Everything is revoked first, from everybody but the owner, so that a table which became append-only loses
    its UPDATE. What a later migration creates starts with INSERT and SELECT only and is widened here by name:
    forgetting a table fails closed.
    """
    role = sql.Identifier(app_role)
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in (
            "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}, PUBLIC",
            "REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM {role}, PUBLIC",
            "REVOKE ALL ON SCHEMA public FROM {role}, PUBLIC",
            "ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON TABLES FROM {role}, PUBLIC",
            "GRANT USAGE ON SCHEMA public TO {role}",
            "GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO {role}",
            "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}",
            "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT ON TABLES TO {role}",
            "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO {role}",
        ):
            cursor.execute(sql.SQL(statement).format(role=role).as_string(cursor.connection))
        _for_each(cursor, mutable_tables(), "GRANT UPDATE, DELETE ON {table} TO {role}", role)
        _for_each(cursor, list(READ_ONLY_TABLES), "REVOKE INSERT ON {table} FROM {role}", role)
        # pghistory guards its tables row by row only, and a TRUNCATE passes such a trigger by.
        cursor.execute(TRUNCATE_GUARD)
        _for_each(
            cursor,
            append_only_tables(),
            "CREATE OR REPLACE TRIGGER refuse_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate()",
            role,
        )


def _for_each(cursor: CursorWrapper, tables: list[str], statement: str, role: sql.Identifier) -> None:
    present = set(connection.introspection.table_names(cursor))
    for table in tables:
        if table in present:
            query = sql.SQL(statement).format(table=sql.Identifier(table), role=role)
            cursor.execute(query.as_string(cursor.connection))


def changeable_append_only_tables() -> list[str]:
    """Return the append-only tables that the current role could change: empty is the only good answer.

    A role could change a table by a privilege on it or on one of its columns, or as (a member of) its owner.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class "
            "WHERE oid IN (SELECT to_regclass(quote_ident(t)) FROM unnest(%s::text[]) AS t) "
            "AND (pg_has_role(relowner, 'MEMBER') OR has_any_column_privilege(oid, 'UPDATE') "
            "OR has_table_privilege(oid, 'DELETE, TRUNCATE, TRIGGER')) ORDER BY relname",
            [append_only_tables()],
        )
        return [row[0] for row in cursor.fetchall()]
