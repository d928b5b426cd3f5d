"""Backups: one consistent moment of the database in a folder, with a manifest that says what is in it."""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from django.db import connection, transaction
from django.utils import timezone
from psycopg import sql

from prometheus_site.core import postgres_tools, privileges
from prometheus_site.core.models import DataKey
from prometheus_site.core.owner import as_owner

DUMP = "database.dump"
MANIFEST = "manifest.json"
FORMAT = 1


class BackupError(Exception):
    """A backup could not be made, or a folder is not a backup."""


@dataclass(frozen=True)
class Manifest:
    """What a backup holds, and what is needed to read it: no secret is in it."""

    format: int
    made_at: datetime
    server_version: str
    migrations: Mapping[str, str]  # the latest of each app
    rows: Mapping[str, int]  # of each append-only table
    master_keys: list[str]  # fingerprints of the keys that wrap its data keys
    facts: Mapping[str, Any]  # of the files beside the dump
    files: dict[str, Mapping[str, Any]] = field(default_factory=dict)  # name: sha256 and bytes

    @property
    def bytes(self) -> int:
        return sum(int(file["bytes"]) for file in self.files.values())


@dataclass(frozen=True)
class Enclosure:
    """What goes into a backup beside the dump, as of the dump's moment."""

    files: Mapping[str, bytes]
    facts: Mapping[str, Any]


def make_backup(folder: Path, enclose: Callable[[], Enclosure]) -> Manifest:
    """Write a backup into the new folder, which appears whole or not at all; the site may go on working.

    ``enclose`` is called inside the transaction that the dump shares, so that all of it is one moment.
    Raises BackupError, PostgresToolError, or OwnerUnknownError.
    """
    partial = folder.with_name(f".{folder.name}.partial")
    try:
        if folder.exists():
            raise FileExistsError(f"{folder} is there already")
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        partial.mkdir(mode=0o700)
    except OSError as refused:
        raise BackupError(
            f"There can be no backup in {folder}: {refused}. Name a folder that does not exist yet; a "
            f"{partial.name} is what a killed backup left, remove it."
        ) from refused
    try:
        manifest = _fill(partial, enclose)
        partial.rename(folder)
        _sync(folder.parent)
    except BaseException as stopped:
        shutil.rmtree(partial, ignore_errors=True)
        if isinstance(stopped, OSError):
            raise BackupError(f"The backup could not be written to {folder}: {stopped}.") from stopped
        raise
    return manifest


def _fill(folder: Path, enclose: Callable[[], Enclosure]) -> Manifest:
    with as_owner(), _one_moment() as snapshot:
        enclosure = enclose()
        manifest = Manifest(
            format=FORMAT,
            made_at=timezone.now(),
            server_version=_value("SHOW server_version"),
            migrations=latest_migrations(),
            rows=append_only_rows(),
            master_keys=master_keys_needed(),
            facts=enclosure.facts,
        )
        dump = folder / DUMP
        postgres_tools.run("pg_dump", "--format=custom", f"--snapshot={snapshot}", f"--file={dump}")
    for name, content in enclosure.files.items():
        _write(folder / name, content)
    for name in (DUMP, *enclosure.files):
        manifest.files[name] = describe(folder / name)
    _write(folder / MANIFEST, orjson.dumps(asdict(manifest), option=orjson.OPT_INDENT_2))
    _sync(folder)
    return manifest


@contextmanager
def _one_moment() -> Iterator[str]:
    """Hold one view of the database inside the block; yields the name by which pg_dump shares it."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield _value("SELECT pg_export_snapshot()")


def _value(query: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return str(cursor.fetchone()[0])


def latest_migrations() -> dict[str, str]:
    """Return the latest applied migration of every app."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT ON (app) app, name FROM django_migrations ORDER BY app, id DESC")
        return dict(cursor.fetchall())


def append_only_rows() -> dict[str, int]:
    """Return how many rows each append-only table has."""
    with connection.cursor() as cursor:
        rows = {}
        for table in privileges.append_only_tables():
            query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
            cursor.execute(query.as_string(cursor.connection))
            rows[table] = int(cursor.fetchone()[0])
        return rows


def master_keys_needed() -> list[str]:
    """Return the fingerprints of the master keys that wrap the live data keys, sorted."""
    live = DataKey.objects.filter(destroyed_at__isnull=True)
    return sorted(live.values_list("master_fingerprint", flat=True).distinct())


def describe(file: Path) -> dict[str, Any]:
    """Return a file's SHA-256 and size as the manifest keeps them."""
    with file.open("rb") as opened:
        return {
            "sha256": hashlib.file_digest(opened, "sha256").hexdigest(),
            "bytes": os.fstat(opened.fileno()).st_size,
        }


def _write(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
