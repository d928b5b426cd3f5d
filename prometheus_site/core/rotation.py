"""Rotate the master key: make a newer one and rewrap every data key under it, while the site works."""

import os
from pathlib import Path

from cryptography.fernet import Fernet
from django.conf import settings
from django.db import transaction
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
    partial = path.with_name(f"{path.name}.partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write("\n".join([newest, *keyring.master_keys()]) + "\n")
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    return keyring.fingerprint(newest)


def rewrap_data_keys() -> int:
    """Rewrap every live data key that an older master key wraps; return how many. Can be run again."""
    newest = keyring.fingerprint(keyring.master_keys()[0])
    count = 0
    while batch := _rewrap_batch(newest):
        count += batch
    return count


def _rewrap_batch(newest: str) -> int:
    with transaction.atomic():
        older = DataKey.objects.filter(destroyed_at__isnull=True).exclude(master_fingerprint=newest)
        keys = list(older.order_by("id").select_for_update()[:BATCH_SIZE])
        for key in keys:
            key.wrapped, key.master_fingerprint = keyring.wrap(keyring.unwrap(bytes(key.wrapped or b"")))
            DataKey.objects.filter(pk=key.pk).update(
                wrapped=key.wrapped, master_fingerprint=key.master_fingerprint, rewrapped_at=Now()
            )
    return len(keys)
