"""Carry a compiled dataset to a folder or to S3, its manifest last; needs no database."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from datasets_app.compile.compiling import MANIFEST
from datasets_app.publishing import NotPublishableError, publish
from datasets_app.storage import MissingError, StorageError, folder_of, storage_at

UNUSABLE = 2
DEFAULT_TARGET = "s3://pixel-data/final_dataset"


class Command(BaseCommand):
    help = (
        "Publish the dataset in a folder: its shards, each read back and compared with our own SHA-256, and "
        "manifest.json last, unless somebody else has written one meanwhile. Run it again after a stop and "
        "it goes on. S3 credentials and endpoint are those of the environment (AWS_ENDPOINT_URL)."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("dataset", metavar="PATH", help="the folder of manifest.json, or the file itself")
        parser.add_argument("--to", default=DEFAULT_TARGET, metavar="PATH|s3://…", help=DEFAULT_TARGET)

    def handle(self, *args: Any, **options: Any) -> None:
        source = storage_at(folder_of(options["dataset"], MANIFEST))
        try:
            target = storage_at(folder_of(options["to"], MANIFEST))
            manifest = publish(source, target, self._report)
        except (MissingError, NotPublishableError) as error:
            raise CommandError(str(error), returncode=UNUSABLE) from None
        except StorageError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"{manifest.total_conversations} conversations at {target.address}/{MANIFEST}")

    def _report(self, path: str, number: int, count: int) -> None:
        if self.stderr.isatty():
            self.stderr.write(f"\r{number} of {count}: {path}\033[K", ending="")
