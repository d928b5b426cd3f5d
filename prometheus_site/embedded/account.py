"""Which operating-system user runs the servers: PostgreSQL refuses to run as root."""

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from prometheus_site.embedded.errors import EmbeddedError

UNPRIVILEGED_NAME = "nobody"


@dataclass(frozen=True)
class ServerAccount:
    """An unprivileged user that runs PostgreSQL and Redis when we are root."""

    name: str
    uid: int
    gid: int

    def can_enter(self, folder: Path) -> bool:
        """Say whether this user may pass through `folder` and every folder above it."""
        return all(self._may_search(part) for part in (folder, *folder.parents) if part.exists())

    def _may_search(self, folder: Path) -> bool:
        status = folder.stat()
        if status.st_uid == self.uid:
            return bool(status.st_mode & stat.S_IXUSR)
        if status.st_gid == self.gid:
            return bool(status.st_mode & stat.S_IXGRP)
        return bool(status.st_mode & stat.S_IXOTH)


def server_account() -> ServerAccount | None:
    """Return the user the servers run as, or None when that is simply ourselves.

    Raises EmbeddedError when we are root and the system has no such user.
    """
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(UNPRIVILEGED_NAME)
    except KeyError as missing:
        raise EmbeddedError(
            f"PostgreSQL refuses to run as root, and this system has no user {UNPRIVILEGED_NAME!r} to run it "
            "as. Start Prometheus as an ordinary user, or set DATABASE_URL to a PostgreSQL server."
        ) from missing
    return ServerAccount(entry.pw_name, entry.pw_uid, entry.pw_gid)
