"""Rotate the master key: make a newer one and rewrap every data key under it, while the site works."""

import fcntl
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.fernet import Fernet
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from prometheus_site.core import keyring
from prometheus_site.core.models import DataKey

BATCH_SIZE = 200


class KeysFromEnvironmentError(Exception):
    """The master keys come from the environment, so this program cannot add one."""


def add_master_key() -> str:
    """Put a new master key in front of the key file; return its fingerprint.

    The file is replaced in one step, so that a running process reads the old or the new one, never half.
    """
    if settings.MASTER_KEYS:
        raise KeysFromEnvironmentError(
            "The master keys come from PROMETHEUS_MASTER_KEYS: put a new key in front of the old ones there, "
            "restart every process, then run `manage.py rotate_keys --rewrap-only`."
        )
    path: Path = settings.MASTER_KEYS_FILE
    newest = Fernet.generate_key().decode()
    with _locked(path.parent) as folder:
        keys = keyring.master_keys()
        owner = path.stat()
        partial = path.with_name(f"{path.name}.partial")
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            os.fchown(file.fileno(), owner.st_uid, owner.st_gid)  # the site must still be able to read it
            file.write("\n".join([newest, *keys]) + "\n")
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        os.fsync(folder)  # after a power cut the key must be there before anything that it wraps
    return keyring.fingerprint(newest)


@contextmanager
def _locked(folder: Path) -> Iterator[int]:
    """Hold the folder alone: of two rotations at the same moment one would lose the other's key."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def rewrap_data_keys() -> int:
    """Rewrap every live data key that an older master key wraps; return how many. Can be run again."""
    count = 0
    while batch := _rewrap(DataKey.objects.all()):
        count += batch
    return count


def rewrap_if_older(data_key_id: uuid.UUID) -> None:
    """Rewrap one data key when the master key was rotated while its transaction was still open."""
    _rewrap(DataKey.objects.filter(pk=data_key_id))


def _rewrap(among: QuerySet[DataKey]) -> int:
    newest = keyring.fingerprint(keyring.master_keys()[0])
    with transaction.atomic():
        older = among.filter(destroyed_at__isnull=True).exclude(master_fingerprint=newest)
        keys = list(older.order_by("id").select_for_update()[:BATCH_SIZE])
        for key in keys:
            key.wrapped, key.master_fingerprint = keyring.wrap(keyring.unwrap(bytes(key.wrapped or b"")))
            DataKey.objects.filter(pk=key.pk).update(
                wrapped=key.wrapped, master_fingerprint=key.master_fingerprint, rewrapped_at=Now()
            )
    return len(keys)
