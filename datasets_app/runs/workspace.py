"""The installation's one workspace, and the advisory lock of the one worker that is in it."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

WORKSPACE_LOCK = (72002, 0)


def is_workspace_free() -> bool:
    """Say whether no worker is in the workspace; if so, keep others out to the end of our transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", WORKSPACE_LOCK)
        return bool(cursor.fetchone()[0])


def hold_workspace() -> bool:
    """Take the workspace for this session, so that it is free when we are killed; False where it is taken."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", WORKSPACE_LOCK)
        return bool(cursor.fetchone()[0])


@contextmanager
def workspace_held() -> Iterator[bool]:
    """Hold the workspace inside the block; yields whether we do."""
    is_ours = hold_workspace()
    try:
        yield is_ours
    finally:
        if is_ours:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", WORKSPACE_LOCK)
