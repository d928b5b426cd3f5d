"""Start-up checks: what must be true before this installation may hold therapy text."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection

from prometheus_site.core import keyring, privileges


@register(Tags.security, deploy=True)
def secrets_are_set(**kwargs: Any) -> list[CheckMessage]:
    """There is a master key, and Django's own secret is not the built-in word."""
    found: list[CheckMessage] = []
    try:
        keyring.master_keys()
    except keyring.MasterKeyMissingError as missing:
        found.append(Error(str(missing), id="prometheus.E001"))
    if settings.SECRET_KEY == "not-started-yet":  # noqa: S105  the word that stands for no secret
        found.append(
            Error("SECRET_KEY is not set.", hint="Set SECRET_KEY or SECRET_KEY_FILE.", id="prometheus.E002")
        )
    return found


@register(Tags.database)
def application_role_cannot_change_history(
    databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """The role we are connected as may not change, delete or truncate any append-only table."""
    if not databases:
        return []
    try:
        loose = privileges.changeable_append_only_tables()
    except DatabaseError:
        return []  # no database yet: `migrate` is what makes one
    if not loose:
        return []
    return [
        Error(
            f"The role {connection.settings_dict['USER']} can change append-only tables: {', '.join(loose)}.",
            hint="Run the site as the application role (DATABASE_URL), and `migrate` as the "
            "owner (DATABASE_OWNER_URL), which takes the privileges back. Find out who granted them.",
            id="prometheus.E003",
        )
    ]


def refuse_to_serve_unprepared() -> None:
    """Stop a web process that would sign with a public word, seal without a key or could change history.

    Raises ImproperlyConfigured. Not one of Django's checks: those do not run where a server loads the site.
    """
    found = [*secrets_are_set(), *application_role_cannot_change_history(["default"])]
    if found:
        raise ImproperlyConfigured(" ".join(f"{one.msg} {one.hint or ''}".strip() for one in found))
