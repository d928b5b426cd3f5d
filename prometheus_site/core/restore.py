"""Bring a backup back: into a database of its own or an empty one, and say what is not as it was."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.models import QuerySet
from psycopg import sql

from prometheus_site.core import backup, keyring, postgres_tools, sealing
from prometheus_site.core.backup import BackupError, Manifest
from prometheus_site.core.models import DataKey, SealedText
from prometheus_site.core.owner import as_owner, on_database

SAMPLE_TEXTS = 1000


def read_manifest(folder: Path) -> Manifest:
    """Return a backup's manifest. Raises BackupError when the folder is no backup that we can read."""
    try:
        facts: dict[str, Any] = orjson.loads((folder / backup.MANIFEST).read_bytes())
        if facts["format"] != backup.FORMAT:
            raise BackupError(
                f"{folder} holds a backup of format {facts['format']}, and this version reads format "
                f"{backup.FORMAT}: use the version of Prometheus that made it."
            )
        return Manifest(**facts | {"made_at": datetime.fromisoformat(facts["made_at"])})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BackupError(
            f"{folder / backup.MANIFEST} cannot be read ({type(error).__name__}): this is not a whole "
            "backup. Take another one."
        ) from error


def file_faults(folder: Path, manifest: Manifest) -> list[str]:
    """Return every file of the backup that is missing or is not as it was written."""
    faults = []
    for name, expected in sorted(manifest.files.items()):
        try:
            found = backup.describe(folder / name)
        except OSError as error:
            faults.append(f"{name}: cannot be read ({error.strerror}).")
            continue
        if found != expected:
            faults.append(
                f"{name}: was changed since the backup was made ({found['bytes']} bytes, SHA-256 "
                f"{found['sha256'][:12]}…; expected {expected['bytes']} bytes, {expected['sha256'][:12]}…)."
            )
    return faults


def version_faults(manifest: Manifest) -> list[str]:
    """Return a fault when a newer version of Prometheus made the backup."""
    known = MigrationLoader(None).disk_migrations
    unknown = [f"{app}.{name}" for app, name in manifest.migrations.items() if (app, name) not in known]
    if not unknown:
        return []
    return [
        "A newer version of Prometheus made the backup: this one does not know "
        f"{', '.join(sorted(unknown))}. Restore it with that version."
    ]


def key_faults(manifest: Manifest) -> list[str]:
    """Return a fault when a master key that the backup needs is not among ours."""
    try:
        ours = {keyring.fingerprint(key) for key in keyring.master_keys()}
    except keyring.MasterKeyMissingError as error:
        return [str(error)]
    missing = [key for key in manifest.master_keys if key not in ours]
    if not missing:
        return []
    return [
        f"The backup needs the master key with the fingerprint {', '.join(missing)}, which is not here: put "
        f"it into {settings.MASTER_KEYS_FILE.name}, behind the newer ones. Without it the texts stay sealed."
    ]


def restore_into_current(folder: Path, manifest: Manifest) -> list[str]:
    """Restore into the empty database that Django speaks to, bring it up to this version, limit the roles.

    Returns the tables whose number of rows is not the manifest's. Raises PostgresToolError.
    """
    with as_owner():
        name = str(connection.settings_dict["NAME"])
        connection.close()
        options = ("--no-owner", "--no-privileges", "--exit-on-error", f"--dbname={name}")
        postgres_tools.run("pg_restore", *options, str(folder / backup.DUMP))
        try:
            found = backup.append_only_rows()
        except DatabaseError as error:
            return [f"The restored database lacks a table: {type(error).__name__}."]
    call_command("migrate", verbosity=0, interactive=False)
    return [
        f"{table}: {found.get(table, 0)} rows, and the backup was made with {rows}."
        for table, rows in sorted(manifest.rows.items())
        if found.get(table, 0) != rows
    ]


@contextmanager
def database_of_its_own(*, is_kept: bool) -> Iterator[str]:
    """Make an empty database beside ours and speak to it inside the block; it is dropped unless kept."""
    app_role = str(connection.settings_dict["USER"])
    name = f"restored_{uuid.uuid4().hex[:12]}"
    names = {"name": sql.Identifier(name), "app": sql.Identifier(app_role)}
    _as_owner_run("CREATE DATABASE {name} TEMPLATE template0", **names)
    try:
        _as_owner_run("REVOKE ALL ON DATABASE {name} FROM PUBLIC", **names)
        _as_owner_run("GRANT CONNECT ON DATABASE {name} TO {app}", **names)
        with on_database(name):
            yield name
    finally:
        if not is_kept:
            # Not WITH (FORCE): the owner may not end our own role's last session, only wait for its end.
            _as_owner_run("DROP DATABASE IF EXISTS {name}", **names)


def _as_owner_run(statement: str, **names: sql.Identifier) -> None:
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(sql.SQL(statement).format(**names).as_string(cursor.connection))


def is_empty() -> bool:
    """Say whether the database that Django speaks to has no table yet."""
    with as_owner():
        return not connection.introspection.table_names()


@dataclass
class Reading:
    """How many data keys and texts were tried, and what could not be read."""

    keys: int = 0
    texts: int = 0
    faults: list[str] = field(default_factory=list)


def read_back() -> Reading:
    """Unwrap every live data key, and open one text of each and a thousand others."""
    reading = Reading()
    shut = []
    for key in DataKey.objects.filter(destroyed_at__isnull=True).order_by("pk").iterator():
        reading.keys += 1
        try:
            keyring.unwrap(bytes(key.wrapped or b""))  # sealing would find a key in its cache
        except keyring.MasterKeyMissingError:
            shut.append(key.pk)
    if shut:
        reading.faults.append(
            f"{len(shut)} of {reading.keys} data keys do not open with the master keys here."
        )
    live = SealedText.objects.filter(data_key__destroyed_at__isnull=True).exclude(data_key__in=shut)
    for text in _sample(live.select_related("data_key")):
        reading.texts += 1
        if not sealing.digest_matches(text):
            reading.faults.append(f"The text {text.pk} does not open as what was sealed.")
    return reading


def _sample(texts: QuerySet[SealedText]) -> Iterator[SealedText]:
    """Yield one text per data key, then others: ids are random, so their order is a random one."""
    of_each_key = texts.order_by("data_key", "id").distinct("data_key")
    seen = set()
    for text in chain(of_each_key.iterator(), texts.order_by("id")[:SAMPLE_TEXTS].iterator()):
        if text.pk not in seen:
            seen.add(text.pk)
            yield text
