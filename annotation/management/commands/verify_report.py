"""Verify a checkpoint report offline: exit 0 when it holds, 1 when not, 2 when it cannot be checked."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotation.checkpoints.report_file import NotAReportError, faults_of, read
from prometheus_site.audit import signing
from prometheus_site.audit.ed25519 import NotAKeyError

DOES_NOT_HOLD, CANNOT_BE_CHECKED = 1, 2


class Command(BaseCommand):
    help = (
        "Verify that a checkpoint report is what was signed. Needs no database; without --key it takes the "
        "key of this installation. Ends with 1 when the report does not hold, 2 when it cannot be checked."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--key", type=Path, metavar="PEM", help="file with the public key")

    def handle(self, *args: Any, file: Path, key: Path | None, **options: Any) -> None:
        try:
            signed = read(file.read_bytes())
            faults = faults_of(signed, key.read_text() if key else signing.public_key_pem())
        except OSError as fault:
            missing = Path(fault.filename or file).name
            raise CommandError(f"{missing} cannot be read.", returncode=CANNOT_BE_CHECKED) from fault
        except (NotAReportError, NotAKeyError, UnicodeDecodeError) as fault:
            raise CommandError(str(fault), returncode=CANNOT_BE_CHECKED) from fault
        if faults:
            raise CommandError(f"The report does not hold. {' '.join(faults)}", returncode=DOES_NOT_HOLD)
        report = signed.report
        what = "rehearsal report" if report["is_rehearsal"] else "report"
        self.stdout.write(
            f"The {what} holds: checkpoint {report['number']} of {report['campaign']['slug']}, "
            f"{report['look']['n_overlap_items']} overlap items, target {report['target']['verdict']}; "
            f"frozen {report['frozen_at']}, signed with the key {signed.key}."
        )
