"""The master keys: they wrap data keys and touch nothing else."""

import hashlib
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class MasterKeyMissingError(Exception):
    """No master key can open this data key."""


def fingerprint(key: str) -> str:
    """Return a short public name of a master key that reveals nothing about it."""
    return hashlib.sha256(b"prometheus-master-key:" + key.encode()).hexdigest()[:16]


def master_keys() -> list[str]:
    """Return the master keys, newest first, from the settings or the installation's key file."""
    if settings.MASTER_KEYS:
        return list(settings.MASTER_KEYS)
    path: Path = settings.MASTER_KEYS_FILE
    found = path.read_text().split() if path.exists() else []
    if not found:
        raise MasterKeyMissingError(
            f"There is no master key: set PROMETHEUS_MASTER_KEYS, put {path} back, or, in a new "
            "installation, run `manage.py up`, which makes it."
        )
    return found


def wrap(data_key: bytes) -> tuple[bytes, str]:
    """Wrap a data key under the newest master key; return it with that key's fingerprint."""
    newest = master_keys()[0]
    return Fernet(newest).encrypt(data_key), fingerprint(newest)


def unwrap(wrapped: bytes) -> bytes:
    """Return the data key inside a wrapped one.

    The key file is read at every call (callers cache the result), so a rotation is seen by every running
    process without a restart.
    """
    try:
        return MultiFernet([Fernet(key) for key in master_keys()]).decrypt(wrapped)
    except InvalidToken as error:
        raise MasterKeyMissingError(
            "None of the master keys opens this data key: add the older key behind the newer ones."
        ) from error
