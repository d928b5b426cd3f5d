"""The owner's connection: for migrations, backup and restore, and for nothing else."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import environ
from django.conf import settings
from django.db import connection


class OwnerUnknownError(Exception):
    """The owner's login is not configured, so the schema cannot be changed."""


def owner_settings() -> dict[str, Any]:
    """Return Django database settings for the owner role.

    DATABASE_OWNER_URL (or DATABASE_OWNER_URL_FILE) with real servers, the installation's own folder with
    the embedded one.
    """
    env = environ.FileAwareEnv()
    if env.str("DATABASE_OWNER_URL", default=""):
        return dict(env.db_url("DATABASE_OWNER_URL"))
    if env.str("DATABASE_URL", default=""):
        raise OwnerUnknownError(
            "DATABASE_URL names a server but DATABASE_OWNER_URL does not: set it to the role that owns the "
            "tables, for this command only."
        )
    owner: dict[str, Any] = settings.HOME.owner_database()
    return owner


@contextmanager
def as_owner() -> Iterator[str]:
    """Speak to the database as its owner inside the block; yields the application role's name."""
    ours = dict(connection.settings_dict)
    owner = owner_settings()
    connection.close()
    connection.settings_dict.update({key: owner[key] for key in ("USER", "PASSWORD")})
    try:
        yield str(ours["USER"])
    finally:
        connection.close()
        connection.settings_dict.update(ours)


@contextmanager
def on_database(name: str) -> Iterator[None]:
    """Speak to another database of the same server inside the block, as the same role."""
    before = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before
