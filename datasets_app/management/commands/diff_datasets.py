"""Say how two compiled datasets differ; needs no database."""

import json
from typing import Any

import msgspec
from django.core.management.base import BaseCommand, CommandError, CommandParser

from datasets_app.compile.compiling import MANIFEST
from datasets_app.describing.difference import Build, Difference, difference_of
from datasets_app.storage import StorageError, folder_of, storage_at
from datasets_app.verify import NotADatasetError, read_dataset

DIFFERENT, UNUSABLE = 1, 2


class Command(BaseCommand):
    help = (
        "Compare two datasets, in folders or on S3: inputs, parameters, and how many records came, went or "
        "moved to another split. Exit code 0 when both hold the same records, 1 when they differ, 2 when one "
        "cannot be read."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("before", metavar="PATH|s3://…")
        parser.add_argument("after", metavar="PATH|s3://…")
        parser.add_argument("--json", action="store_true", dest="is_json", help="one JSON object")

    def handle(self, *args: Any, before: str, after: str, is_json: bool, **options: Any) -> None:
        try:
            found = difference_of(_build(before), _build(after))
        except (NotADatasetError, StorageError) as error:
            raise CommandError(str(error), returncode=UNUSABLE) from None
        if is_json:
            self.stdout.write(json.dumps(msgspec.to_builtins(found), indent=2, sort_keys=True))
        else:
            self._tell(found)
        if not found.is_none:
            raise CommandError("The two hold different records.", returncode=DIFFERENT)

    def _tell(self, found: Difference) -> None:
        for name in ("inputs_added", "inputs_removed", "inputs_changed", "parameters_changed"):
            if values := getattr(found, name):
                self.stdout.write(f"{name.replace('_', ' ')}: {', '.join(values)}")
        self.stdout.write(f"{found.shards_same} of {found.shards_of_after} shards are the same files.")
        self.stdout.write(f"{found.kept:,} records are in both.")
        for name in ("added", "removed", "moved"):
            counts = getattr(found, name)
            families = "".join(f"; {family} {count:,}" for family, count in sorted(counts.items()))
            self.stdout.write(f"{counts.total():,} {name}{families}")


def _build(address: str) -> Build:
    folder = folder_of(address, MANIFEST)
    return Build(read_dataset(folder), storage_at(folder).read)
