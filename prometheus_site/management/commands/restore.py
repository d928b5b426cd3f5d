"""Restore a backup for real: into an empty database, verified as a whole before the site starts on it."""

import shutil
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from django.utils import timezone

from prometheus_site.core import restore
from prometheus_site.core.postgres_tools import server_up
from prometheus_site.management.commands.backup import ANCHORS
from prometheus_site.management.commands.restore_drill import (
    EXPECTED_ERRORS,
    read_whole,
    report,
    restore_and_verify,
)


class Command(BaseCommand):
    help = "Restore a backup into the installation's database, which must be empty; see docs/operations.md."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, metavar="BACKUP_FOLDER")

    def handle(self, *args: Any, folder: Path, **options: Any) -> None:
        try:
            manifest = read_whole(folder, self.stdout.write)
            with server_up():
                if not restore.is_empty():
                    raise CommandError(
                        "The database is not empty, and a restore overwrites nothing. Move the old one away "
                        "first, as docs/operations.md says. Nothing was changed."
                    )
                faults = restore_and_verify(folder, manifest, self.stdout.write)
                if ANCHORS in manifest.files:
                    self._put_back_anchors(folder / ANCHORS)
        except EXPECTED_ERRORS as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            raise CommandError(f"The database could not be restored ({type(error).__name__}).") from error
        report(faults, self.stderr.write)
        self.stdout.write("Restored, and everything holds. Start the site.")

    def _put_back_anchors(self, backed_up: Path) -> None:
        """Put the backup's copy of the anchors in place; the newer one is evidence and is kept beside it."""
        ours: Path = settings.ANCHOR_LOG
        if ours.exists():
            kept = ours.with_name(f"{ours.name}.before-{timezone.now():%Y%m%dT%H%M%SZ}")
            ours.rename(kept)
            self.stdout.write(f"The copy of the anchors that was here is now {kept}.")
        shutil.copy(backed_up, ours)
        ours.chmod(0o600)
