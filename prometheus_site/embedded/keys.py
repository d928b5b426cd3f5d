"""The installation's secrets: one file each, made once, readable by their owner only."""

import contextlib
import os
import secrets
import tempfile
from collections.abc import Callable
from pathlib import Path

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

POSTGRES_PASSWORD = "postgres.password"  # noqa: S105  a file name
OWNER_PASSWORD = "owner.password"  # noqa: S105  a file name
APP_PASSWORD = "app.password"  # noqa: S105  a file name
MASTER_KEYS = "master.keys"
SIGNING_KEY = "signing.key"
SECRET_KEY = "secret.key"  # noqa: S105  a file name


def _password() -> bytes:
    return secrets.token_urlsafe(32).encode()


def _signing_key() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


MAKERS: dict[str, Callable[[], bytes]] = {
    POSTGRES_PASSWORD: _password,
    OWNER_PASSWORD: _password,
    APP_PASSWORD: _password,
    MASTER_KEYS: lambda: Fernet.generate_key() + b"\n",
    SIGNING_KEY: _signing_key,
    SECRET_KEY: lambda: secrets.token_urlsafe(64).encode(),
}


def make_missing(folder: Path) -> None:
    """Create each secret that `folder` lacks; a file that is there is never touched."""
    for name, make in MAKERS.items():
        if not (folder / name).exists():
            _write_once(folder / name, make())


def _write_once(path: Path, content: bytes) -> None:
    """Write a file that appears complete or not at all, and never replaces another's."""
    handle, partial = tempfile.mkstemp(dir=path.parent, prefix=".partial-")  # mkstemp gives mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(partial, path)
    finally:
        os.unlink(partial)
