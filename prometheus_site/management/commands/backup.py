"""Make a backup of the running site: the database at one moment, and the copy of the anchors."""

import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from django.utils import timezone

from prometheus_site.audit import anchor_log
from prometheus_site.audit.models import Anchor
from prometheus_site.core import postgres_tools
from prometheus_site.core.backup import BackupError, Enclosure, make_backup
from prometheus_site.core.owner import OwnerUnknownError
from prometheus_site.embedded.errors import EmbeddedError

ANCHORS = "anchors.jsonl"


class Command(BaseCommand):
    help = "Make a backup while the site works. The keys are not in it: they must be kept apart."
    requires_system_checks = []  # a backup is also made when the site is broken

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--to", type=Path, metavar="FOLDER", help="a new folder for this backup")

    def handle(self, *args: Any, **options: Any) -> None:
        began = time.monotonic()
        stamp = timezone.now().strftime("%Y%m%dT%H%M%SZ")
        folder: Path = (options["to"] or settings.HOME.path / "backups" / stamp).absolute()
        if postgres_tools.is_embedded() and not settings.HOME.postgres_data.exists():
            raise CommandError(
                f"There is no database in {settings.HOME.path}. Set PROMETHEUS_HOME to the folder of the "
                "installation."
            )
        try:
            with postgres_tools.server_up():
                manifest = make_backup(folder, enclose_anchors)
        except (BackupError, postgres_tools.PostgresToolError, OwnerUnknownError, EmbeddedError) as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            raise CommandError(
                f"The database cannot be read ({type(error).__name__}). Start the site, or mend DATABASE_URL."
            ) from error
        self.stdout.write(
            f"Backup in {folder}: {manifest.bytes / 1e6:.1f} MB, {sum(manifest.rows.values())} rows in "
            f"{len(manifest.rows)} append-only tables, in {time.monotonic() - began:.1f} s."
        )
        if manifest.facts["last_anchor"] and ANCHORS not in manifest.files:
            self.stderr.write(f"{settings.ANCHOR_LOG} is missing, so this backup has no copy of the anchors.")
        self._say_what_is_not_in_it()

    def _say_what_is_not_in_it(self) -> None:
        masters = "PROMETHEUS_MASTER_KEYS" if settings.MASTER_KEYS else settings.MASTER_KEYS_FILE
        self.stdout.write(
            f"The texts in it stay sealed. The master keys ({masters}) and the signing key "
            f"({settings.SIGNING_KEY_FILE}) are not in it: keep copies of them in another place than the "
            "backups. Who loses the master keys loses every text."
        )


def enclose_anchors() -> Enclosure:
    """Return the copy of the anchors as of the database's moment, and which anchor was the last."""
    last = Anchor.objects.order_by("-sequence").first()
    facts = {"sequence": last.sequence, "anchor_hash": last.anchor_hash} if last else None
    files = {}
    if settings.ANCHOR_LOG.exists():
        files[ANCHORS] = anchor_log.lines_up_to(last.sequence if last else 0, settings.ANCHOR_LOG)
    return Enclosure(files=files, facts={"last_anchor": facts})
