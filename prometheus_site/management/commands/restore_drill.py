"""Prove that a backup can be restored: into a database of its own, verified as a whole, then dropped."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from prometheus_site.audit.models import Anchor
from prometheus_site.audit.verification import verify
from prometheus_site.core import restore
from prometheus_site.core.backup import BackupError, Manifest
from prometheus_site.core.owner import OwnerUnknownError
from prometheus_site.core.postgres_tools import PostgresToolError, server_up
from prometheus_site.embedded.errors import EmbeddedError
from prometheus_site.management.commands.backup import ANCHORS

FAULTS_SHOWN = 20
EXPECTED_ERRORS = (BackupError, PostgresToolError, OwnerUnknownError, EmbeddedError)
Say = Callable[[str], object]


class Command(BaseCommand):
    help = "Restore a backup into a database of its own beside ours, verify everything in it, and drop it."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, metavar="BACKUP_FOLDER")
        parser.add_argument("--keep", action="store_true", help="leave the restored database there")

    def handle(self, *args: Any, folder: Path, keep: bool, **options: Any) -> None:
        began = time.monotonic()
        try:
            manifest = read_whole(folder, self.stdout.write)
            with server_up(), restore.database_of_its_own(is_kept=keep) as name:
                faults = restore_and_verify(folder, manifest, self.stdout.write)
        except EXPECTED_ERRORS as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            raise CommandError(
                f"The restored database could not be made or read ({type(error).__name__}). The owner role "
                "must be allowed to create databases."
            ) from error
        if keep:
            self.stdout.write(f"The restored database stays there as {name}.")
        report(faults, self.stderr.write)
        self.stdout.write(
            f"The backup can be restored, and everything holds: {time.monotonic() - began:.1f} s."
        )


def read_whole(folder: Path, say: Say) -> Manifest:
    """Return the manifest of an undamaged backup that this version and these keys can read.

    Raises CommandError with every fault.
    """
    manifest = restore.read_manifest(folder)
    say(f"Made at {manifest.made_at:%Y-%m-%d %H:%M:%S} UTC on PostgreSQL {manifest.server_version}.")
    faults = restore.file_faults(folder, manifest)
    faults += restore.version_faults(manifest) + restore.key_faults(manifest)
    if faults:
        raise CommandError("This backup cannot be restored here:\n" + "\n".join(faults))
    say(f"{len(manifest.files)} files, {manifest.bytes / 1e6:.1f} MB: as they were written.")
    return manifest


def restore_and_verify(folder: Path, manifest: Manifest, say: Say) -> list[str]:
    """Restore into the current, empty database and return everything that is not as it was."""
    clock = Clock()
    faults = restore.restore_into_current(folder, manifest)
    say(f"Restored, {sum(manifest.rows.values())} append-only rows expected: {clock.lap()}.")
    verdict = verify(folder / ANCHORS)
    faults += verdict.faults + _anchor_faults(manifest)
    checked = f"{verdict.chains} chains, {verdict.entries} links, {verdict.anchors} anchors"
    say(f"{checked} verified: {clock.lap()}.")
    reading = restore.read_back()
    say(f"{reading.keys} data keys and a sample of {reading.texts} texts opened: {clock.lap()}.")
    return faults + reading.faults


class Clock:
    """Seconds from one lap to the next, in words."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def lap(self) -> str:
        before, self._last = self._last, time.monotonic()
        return f"{self._last - before:.1f} s"


def _anchor_faults(manifest: Manifest) -> list[str]:
    last = Anchor.objects.order_by("-sequence").first()
    found = {"sequence": last.sequence, "anchor_hash": last.anchor_hash} if last else None
    if found == manifest.facts.get("last_anchor"):
        return []
    return ["The last anchor is not the one that the manifest names."]


def report(faults: list[str], complain: Say) -> None:
    """Show the faults; raises CommandError when there is one."""
    for fault in faults[:FAULTS_SHOWN]:
        complain(fault)
    if faults:
        raise CommandError(f"The restored database is not what was backed up: {len(faults)} faults.")
