"""Everything an installation keeps on disk: data folders, sockets, logs and secrets."""

import hashlib
import os
import stat
from pathlib import Path
from typing import Any
from urllib.parse import quote

from prometheus_site.embedded import keys
from prometheus_site.embedded.account import ServerAccount, server_account
from prometheus_site.embedded.errors import EmbeddedError

PROJECT = Path(__file__).resolve().parents[2]
DATABASE_NAME = "prometheus"
OWNER_ROLE = "prometheus_owner"
APP_ROLE = "prometheus_app"
POSTGRES_PORT = "5432"  # names the socket file; no TCP port is opened
SOCKET_PATH_LIMIT_BYTES = 100  # Linux takes 107, macOS 103


class HomeError(EmbeddedError):
    """The installation's folder cannot be used as it is."""


class Home:
    """One installation's folder, and what lies where in it."""

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().absolute()

    @classmethod
    def default(cls, project: Path = PROJECT) -> "Home":
        """Return the folder named by PROMETHEUS_HOME, else `.prometheus` in the project, else root's own.

        Root's lies under /var/lib: PostgreSQL refuses to run as root, and the unprivileged user who runs it
        instead may not be able to enter the project's folder.
        """
        named = os.environ.get("PROMETHEUS_HOME", "")
        if named:
            return cls(Path(named))
        if os.geteuid() != 0:
            return cls(project / ".prometheus")
        return cls(Path("/var/lib/prometheus") / f"{project.name}-{_short_hash(project)}")

    @property
    def postgres_data(self) -> Path:
        return self.path / "postgres"

    @property
    def redis_data(self) -> Path:
        return self.path / "redis"

    @property
    def sockets(self) -> Path:
        """The folder of the servers' sockets, short enough for a socket's address."""
        inside = self.path / "sockets"
        if len(os.fsencode(inside / f".s.PGSQL.{POSTGRES_PORT}")) <= SOCKET_PATH_LIMIT_BYTES:
            return inside
        name = f"prometheus-{os.geteuid()}-{_short_hash(self.path)}"
        return Path("/tmp") / name  # noqa: S108  TMPDIR can be long too; ensure() checks whose folder it is

    @property
    def redis_socket(self) -> Path:
        return self.sockets / "redis.sock"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def keys(self) -> Path:
        return self.path / "keys"

    @property
    def pids(self) -> Path:
        return self.path / "pids"

    @property
    def runtime(self) -> Path:
        """Copies of the servers' programs, where their user cannot reach the originals."""
        return self.path / "runtime"

    @property
    def up_lock(self) -> Path:
        return self.path / "up.lock"

    def ensure(self) -> None:
        """Create the folders and secrets that are missing.

        Raises HomeError when the folder cannot be written, or not be entered by the servers' user.
        """
        account = server_account()
        try:
            self._make_folders(account)
            keys.make_missing(self.keys)
        except OSError as refused:
            raise HomeError(
                f"Prometheus cannot keep its files in {self.path}: {refused.strerror}"
                f" ({refused.filename or self.path}). Make that folder writable for the user who starts"
                " Prometheus, or set PROMETHEUS_HOME to another folder."
            ) from refused
        if account and not account.can_enter(self.path):
            raise HomeError(
                f"The user {account.name!r}, who runs PostgreSQL and Redis because they must not run as "
                f"root, cannot enter {self.path}. Set PROMETHEUS_HOME to a folder that every user may pass "
                "through, such as one under /var/lib, or start Prometheus as an ordinary user."
            )

    def _make_folders(self, account: ServerAccount | None) -> None:
        if not self.path.is_dir():  # a folder that was there keeps its mode: it may hold more than ours
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.mkdir(exist_ok=True)
            self.path.chmod(0o711 if account else 0o700)
        for folder in (self.keys, self.logs, self.pids):
            self._make_own_folder(folder)
        for folder in (self.redis_data, self.sockets):
            self._make_own_folder(folder, account)

    def _make_own_folder(self, folder: Path, account: ServerAccount | None = None) -> None:
        folder.mkdir(exist_ok=True, mode=0o700)
        status = folder.lstat()
        allowed = {os.geteuid()} | ({account.uid} if account else set())
        if not stat.S_ISDIR(status.st_mode) or status.st_uid not in allowed:
            raise HomeError(
                f"{folder} belongs to another user, so Prometheus does not use it. Remove it, or set "
                "PROMETHEUS_HOME to another (shorter) folder."
            )
        if stat.S_IMODE(status.st_mode) != 0o700:
            folder.chmod(0o700)
        if account and status.st_uid != account.uid:
            os.chown(folder, account.uid, account.gid)

    def read_secret(self, name: str) -> str:
        """Return the secret in `keys/<name>`, or "" before the first start.

        Raises HomeError when the file is there and may not be read.
        """
        try:
            return (self.keys / name).read_text().strip()
        except (FileNotFoundError, NotADirectoryError):
            return ""
        except OSError as refused:
            raise HomeError(
                f"The secret {self.keys / name} cannot be read: {refused.strerror}. Run this command as the "
                "user who started Prometheus, or set PROMETHEUS_HOME to a folder of your own."
            ) from refused

    def app_database(self) -> dict[str, Any]:
        """Return Django's database settings for the application role."""
        return self._database(APP_ROLE, keys.APP_PASSWORD)

    def owner_database(self) -> dict[str, Any]:
        """Return Django's database settings for the role that owns the tables."""
        return self._database(OWNER_ROLE, keys.OWNER_PASSWORD)

    def _database(self, role: str, password_file: str) -> dict[str, Any]:
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": DATABASE_NAME,
            "USER": role,
            "PASSWORD": self.read_secret(password_file),
            "HOST": str(self.sockets),
            "PORT": POSTGRES_PORT,
        }

    def redis_broker_url(self) -> str:
        """Return the address of the queue, as Celery writes it (Redis database 0)."""
        return f"redis+socket://{quote(str(self.redis_socket))}"

    def redis_cache_url(self) -> str:
        """Return the address of the cache, as redis-py writes it (Redis database 1)."""
        return f"unix://{quote(str(self.redis_socket))}?db=1"


def _short_hash(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:8]
