"""What somebody with the owner's password could do to the record."""

from collections.abc import Sequence
from contextlib import closing

from psycopg import sql

from tests import servers


def tamper(database: str, table: str, statement: str, values: Sequence[object] = ()) -> None:
    """Run a statement as the owner, with the table's triggers switched off."""
    name = sql.Identifier(table)
    with closing(servers.owner_connection(database)) as owner:
        owner.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(name))
        done = owner.execute(statement.encode(), values)
        assert done.rowcount > 0, "nothing was changed"
        owner.execute(sql.SQL("ALTER TABLE {} ENABLE TRIGGER USER").format(name))
