"""Statements that every save asks: PostgreSQL keeps their plans, as planning takes longer than answering."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection

Row = tuple[Any, ...]
# Django switches prepared statements off (None), and then psycopg prepares none even where asked to. This
# many executions never come: what asks is prepared, and no statement that carries its values as text.
ONLY_WHERE_ASKED = 2**31


@contextmanager
def executed(sql: str, params: Mapping[str, Any] | Sequence[Any]) -> Iterator[Any]:
    """Yield a cursor on the answer of a statement that this connection plans once and then again and again.

    For statements written out with the columns they return: one that says ``*`` would fail after a migration
    until the connection is closed. While queries are being logged, it goes by Django's own cursor.
    """
    if connection.queries_logged:
        with connection.cursor() as cursor:
            cursor.execute(sql, params)
            yield cursor
        return
    connection.ensure_connection()
    connection.connection.prepare_threshold = ONLY_WHERE_ASKED
    # Django's cursors put the values into the text, so that every execution is planned anew.
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(sql, params, prepare=True)
        yield cursor


def one_row(sql: str, params: Mapping[str, Any] | Sequence[Any]) -> Row | None:
    """Return the first row of the answer, or None."""
    with executed(sql, params) as cursor:
        row: Row | None = cursor.fetchone()
        return row
