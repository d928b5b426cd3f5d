"""Open every shard of a dataset and try the eight gates; needs no database."""

import os
from typing import Any

import msgspec
import orjson
from django.core.management.base import BaseCommand, CommandError, CommandParser

from datasets_app.compile.compiling import MANIFEST
from datasets_app.compile.errors import CompileError
from datasets_app.compile.runner import runner_for
from datasets_app.storage import StorageError, folder_of
from datasets_app.verify import NotADatasetError, failed, read_dataset, verify_dataset

UNUSABLE = 2


class Command(BaseCommand):
    help = (
        "Open every shard of the dataset in a folder or under s3:// and try the eight gates. Exit code 0 "
        "only when all hold, 1 when one does not, 2 when it could not be verified."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "dataset", metavar="PATH|s3://…", help="the folder of manifest.json, or the file itself"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        address = folder_of(options["dataset"], MANIFEST)
        try:
            manifest = read_dataset(address)
            with runner_for(os.cpu_count() or 1) as runner:
                gates = verify_dataset(address, manifest, runner)
        except (NotADatasetError, StorageError, CompileError) as error:
            raise CommandError(str(error), returncode=UNUSABLE) from None
        if options["json"]:
            result = {
                "dataset": address,
                "build_id": manifest.build_id,
                "holds": not failed(gates),
                "gates": msgspec.to_builtins(gates),
            }
            self.stdout.write(orjson.dumps(result).decode())
        else:
            for gate in gates:
                self.stdout.write(f"{gate.gate}: {'holds' if gate.holds else 'FAILS'}")
                for finding in gate.findings:
                    self.stdout.write(f"  {finding}")
        if names := failed(gates):
            raise CommandError(f"These gates do not hold: {', '.join(names)}.")
