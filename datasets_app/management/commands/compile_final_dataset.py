"""Compile sources into a verified dataset; needs no database."""

import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from datasets_app.compile.compiling import MANIFEST, Given, Request, compile_dataset
from datasets_app.compile.config import ConfigError, load_config
from datasets_app.compile.contract import Manifest
from datasets_app.compile.errors import CompileError, UnusableError
from datasets_app.compile.runner import runner_for
from datasets_app.distributed import compile_by_workers
from datasets_app.verify import failed, verify_local

UNUSABLE = 2


class Command(BaseCommand):
    help = (
        "Compile sources into shards and a manifest: normalise, validate, de-identify, remove duplicates and "
        "protected prompts, split, check. Run it again after a stop and it goes on. Exit code 0 when all "
        "gates hold, 1 when one does not or the compile stopped, 2 when the arguments cannot be used."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--source",
            action="append",
            type=Path,
            required=True,
            metavar="PATH",
            help="a file, or a folder with all its files; may repeat, each with its --family",
        )
        parser.add_argument("--family", action="append", required=True, metavar="NAME")
        parser.add_argument("--out", type=Path, required=True, metavar="DIR")
        parser.add_argument("--seed", type=int, required=True)
        parser.add_argument(
            "--config",
            type=Path,
            metavar="YAML",
            help="families, targets, mixes and holdouts, laid over those that are shipped",
        )
        parser.add_argument(
            "--processes",
            type=int,
            default=os.cpu_count() or 1,
            help="how many processes map and write; the bytes are the same",
        )
        parser.add_argument(
            "--workers",
            action="store_true",
            help="let Celery workers that see the same folders map and write; the bytes are the same",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            request = _request(options)
            with runner_for(options["processes"]) as runner:
                if options["workers"]:
                    manifest = compile_by_workers(request, runner, verify_local, self._report)
                else:
                    manifest = compile_dataset(request, runner, verify_local, self._report)
        except (UnusableError, ConfigError) as error:
            raise CommandError(str(error), returncode=UNUSABLE) from None
        except CompileError as error:
            raise CommandError(str(error)) from None
        self._tell(manifest, request.out)
        if gates := failed(manifest.gates):
            raise CommandError(f"These gates do not hold: {', '.join(gates)}.")

    def _report(self, step: str, done: int) -> None:
        if self.stderr.isatty():
            self.stderr.write(f"\r{step} {done or ''}\033[K", ending="")

    def _tell(self, manifest: Manifest, out: Path) -> None:
        total = manifest.counters.total
        self.stdout.write(f"{manifest.total_conversations} conversations in {out / MANIFEST}")
        self.stdout.write(
            f"read {total.records}, rejected {sum(total.rejected.values())}, exact duplicates "
            f"{total.exact_duplicates}, near duplicates {total.near_duplicates}, protected prompts or text "
            f"of another split {total.decontaminated}, not drawn {total.not_drawn}"
        )
        for name, family in manifest.source_families.items():
            short = f", short of {family.target} by {family.shortfall}" if family.shortfall else ""
            self.stdout.write(f"  {name}: {family.conversations}{short}")
        for gate in manifest.gates:
            self.stdout.write(f"{gate.gate}: {'holds' if gate.holds else 'FAILS'}")
            for finding in gate.findings:
                self.stdout.write(f"  {finding}")


def _request(options: dict[str, Any]) -> Request:
    paths, families = options["source"], options["family"]
    if len(paths) != len(families):
        raise UnusableError(f"Each --source needs its --family: there are {len(paths)} and {len(families)}.")
    if options["seed"] < 0:
        raise UnusableError("--seed is not below 0.")
    if options["processes"] < 1:
        raise UnusableError("--processes is at least 1.")
    given = tuple(Given(path, family) for path, family in zip(paths, families, strict=True))
    return Request(given, load_config(options["config"]), options["out"], options["seed"])
