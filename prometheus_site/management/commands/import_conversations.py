"""Import a file of conversations from this machine, of any size."""

import csv
from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotation.intake.services import MixedSamplesError, refuse_import, take_in_import
from annotation.models import Campaign
from datasets_app.importing.reading import AUTO, read_options
from datasets_app.importing.running import SourceBusyError, import_file
from datasets_app.importing.selectors import reject_counts, rejects_of
from datasets_app.importing.services import add_source
from datasets_app.models import ImportJob, ImportState, Source
from datasets_app.sources.registry import FORMATS

SHOWN_REJECTS = 20


def _pair(typed: str) -> tuple[str, str]:
    name, equals, value = typed.partition("=")
    if not (name and equals and value):
        raise ArgumentTypeError(f"{typed!r} is not of the form NAME=VALUE")
    return name, value


class Command(BaseCommand):
    help = "Import a file of conversations: all of it or, when it cannot be read to its end, nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path, help="the file, also compressed with gzip")
        parser.add_argument("--source", help="name of the source; by default the file's name")
        parser.add_argument("--format", default=AUTO, choices=[AUTO, *FORMATS])
        parser.add_argument("--encoding", default="", help="such as cp1252; by default found, else UTF-8")
        parser.add_argument(
            "--column",
            type=_pair,
            action="append",
            default=[],
            help="such as text=utterance; repeat it",
        )
        parser.add_argument(
            "--speaker",
            type=_pair,
            action="append",
            default=[],
            help="such as mentor=assistant; repeat it",
        )
        parser.add_argument("--license", help="of a new source, such as CC-BY-4.0")
        parser.add_argument("--synthetic", action="store_true", help="a new source is made up")
        parser.add_argument("--campaign", default="", help="slug of the campaign that takes the samples")
        parser.add_argument("--rejects", type=Path, help="list every rejected record in this CSV file")

    def handle(self, *args: Any, **options: Any) -> None:
        reading = _reading(options)
        campaign: str = options["campaign"]
        if campaign:
            _refuse_campaign(campaign)
        path: Path = options["path"]
        try:
            if not path.is_file():
                raise CommandError(f"{path} is not a file: give the path of the file to import.")
            source = _source(options)
            job = import_file(
                path=path, source=source, format=options["format"], options=reading, campaign_slug=campaign
            )
            self._report(job, options["rejects"])
        except SourceBusyError as busy:
            raise CommandError(str(busy)) from busy
        except OSError as refused:
            raise CommandError(f"{refused.filename or path}: {refused.strerror}.") from refused
        if campaign:
            try:
                count = take_in_import(job=job, campaign_slug=campaign)
            except MixedSamplesError as mixed:  # a selection was taken in meanwhile
                raise CommandError(str(mixed)) from mixed
            self.stdout.write(f"{count} samples for the campaign {campaign}.")

    def _report(self, job: ImportJob, rejects: Path | None) -> None:
        if job.state == ImportState.FAILED:
            raise CommandError(f"{job.problem} Nothing was imported.")
        self.stdout.write(
            f"{job.file_name} ({job.format}) into “{job.source.name}”: {job.record_count} records in, "
            f"{job.kept_count} kept, {job.rejected_count} rejected."
        )
        for reason in reject_counts(job):
            self.stdout.write(f"  {reason.reason}: {reason.count}")
        found = rejects_of(job)
        for reject in found[:SHOWN_REJECTS]:
            field = f", field {reject.field}" if reject.field else ""
            self.stdout.write(f"{job.file_name}, row {reject.row}{field}: {reject.reason}. {reject.remedy}")
        if job.rejected_count > SHOWN_REJECTS and rejects is None:
            more = job.rejected_count - SHOWN_REJECTS
            self.stdout.write(f"… and {more} more: see the import's page, or pass --rejects FILE.")
        if rejects is not None:
            _write_rejects(job, rejects)
            self.stdout.write(f"All rejected records are listed in {rejects}.")


def _refuse_campaign(slug: str) -> None:
    campaign = Campaign.objects.filter(slug=slug).first()
    if campaign is None:
        raise CommandError(f"There is no campaign “{slug}”: make it first, or leave --campaign out.")
    try:
        refuse_import(campaign)
    except MixedSamplesError as mixed:
        raise CommandError(str(mixed)) from mixed


def _reading(options: dict[str, Any]) -> dict[str, Any]:
    stored = {
        "encoding": options["encoding"],
        "columns": dict(options["column"]),
        "speakers": dict(options["speaker"]),
    }
    try:
        read_options(stored)
    except ValueError as wrong:
        raise CommandError(str(wrong)) from wrong
    return stored


def _source(options: dict[str, Any]) -> Source:
    """Return the named source, making it when it is new."""
    name = options["source"] or options["path"].name
    source = Source.objects.filter(name=name).first()
    if source is None:
        return add_source(
            name=name, license_tag=options["license"] or "", is_synthetic=options["synthetic"], user=None
        )
    wants_other = (options["license"] or source.license_tag) != source.license_tag
    if wants_other or (options["synthetic"] and not source.is_synthetic):
        kind = "made up" if source.is_synthetic else "recorded"
        raise CommandError(
            f"There is already a source “{name}” with the licence {source.license_tag}, {kind}: leave "
            "--license and --synthetic out, or name another source with --source."
        )
    return source


def _write_rejects(job: ImportJob, path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "row", "reason", "field", "remedy"])
        for reject in rejects_of(job).iterator():
            writer.writerow([job.file_name, reject.row, reject.reason, reject.field, reject.remedy])
