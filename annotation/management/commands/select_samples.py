"""Select what clinicians should label; needs a database only where the picks go into a campaign."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotation.intake.selection import (
    DatasetChangedError,
    RehearsalDatasetError,
    refuse_rehearsal,
    take_in_selection,
)
from annotation.intake.services import (
    AlreadySelectedError,
    MixedSamplesError,
    UnknownCampaignError,
    refuse_selection,
)
from datasets_app.compile.compiling import MANIFEST
from datasets_app.compile.errors import CompileError, writing_into
from datasets_app.selection.outcome import PICKS, write_selection
from datasets_app.selection.pool import DamagedDatasetError
from datasets_app.selection.selecting import GatesFailedError, Selected, select_samples
from datasets_app.storage import StorageError, folder_of
from datasets_app.verify import NotADatasetError, read_dataset
from datasets_app.withdrawal import SourceWithdrawnError
from prometheus_site.accounts.models import User

UNUSABLE = 2


class Command(BaseCommand):
    help = (
        "Pick conversations from a compiled dataset whose gates hold: strata with floors, coverage inside "
        "each, and a tenth at random. Writes picks.jsonl and report.json without a word of text. Exit code 1 "
        "when the dataset's gates do not hold or it is damaged, 2 when the arguments cannot be used."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "dataset", metavar="PATH|s3://…", help="the folder of manifest.json, or the file itself"
        )
        parser.add_argument("--count", type=int, default=5_000)
        parser.add_argument("--seed", type=int, required=True)
        parser.add_argument("--out", type=Path, required=True, metavar="DIR")
        parser.add_argument("--campaign", default="", metavar="SLUG", help="make the picks its samples")
        parser.add_argument(
            "--by", default="", metavar="CODE", help="who selects, kept with the campaign's samples"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["count"] < 1:
            raise CommandError("--count is at least 1.", returncode=UNUSABLE)
        if not 0 <= options["seed"] < 2**63:
            raise CommandError("--seed is from 0 to 2**63 - 1.", returncode=UNUSABLE)
        address = folder_of(options["dataset"], MANIFEST)
        try:
            by = _person(options["by"])
            if options["campaign"]:  # refused before the long part, and again when taking in
                refuse_selection(options["campaign"])
                refuse_rehearsal(read_dataset(address), address)
            selected = select_samples(address, options["count"], options["seed"], self._report)
            with writing_into(options["out"]):
                write_selection(options["out"], selected.picks, selected.report)
            self._tell(selected, options["out"])
            if options["campaign"]:
                take_in_selection(selected=selected, campaign_slug=options["campaign"], made_by=by)
                self.stdout.write(f"{selected.report.found} samples in campaign {options['campaign']}")
        except (
            *(NotADatasetError, RehearsalDatasetError, UnknownCampaignError),
            *(AlreadySelectedError, MixedSamplesError),
        ) as error:
            raise CommandError(str(error), returncode=UNUSABLE) from None
        except (
            *(GatesFailedError, DamagedDatasetError, StorageError),
            *(CompileError, DatasetChangedError, SourceWithdrawnError),
        ) as error:
            raise CommandError(str(error)) from None

    def _report(self, step: str, done: int, total: int) -> None:
        if self.stderr.isatty():
            self.stderr.write(f"\r{step} {done} of {total}\033[K", ending="")

    def _tell(self, selected: Selected, out: Path) -> None:
        report = selected.report
        self.stdout.write(f"{report.found} picks in {out / PICKS}, from {report.pool.clusters} clusters")
        for reason, count in report.reasons.items():
            self.stdout.write(f"  {reason}: {count}")
        for sentence in report.shortfalls:
            self.stdout.write(f"short: {sentence}")


def _person(code: str) -> User | None:
    person = User.objects.filter(code=code).first() if code else None
    if code and person is None:
        raise CommandError(
            f"Nobody has the code {code}; each person's stands on the page Account.", returncode=UNUSABLE
        )
    return person
