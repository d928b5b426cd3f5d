"""Take the sessions of 20 and more turns out of sources; needs no database."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from datasets_app.compile.config import ConfigError, load_config
from datasets_app.compile.errors import UnusableError
from datasets_app.extraction.extracting import ExtractionError, extract_long_sessions, in_words

UNUSABLE = 2
SAID_EVERY = 1_000


class Command(BaseCommand):
    help = (
        "Write the sessions of at least 20 turns of client and therapist, each whole, as records of the "
        "family long_running_therapy: FILE, with FILE.report.json and the list FILE.left-out.jsonl beside "
        "it. A speaker's label without a role refuses its session: give it one under sources in the "
        "configuration. Exit code 0 when all went well, 1 when a source could not be read, had nothing but "
        "rejects or no source had such a session, 2 when the arguments cannot be used."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--source",
            action="append",
            type=Path,
            required=True,
            metavar="PATH",
            help="a file of any readable format, or a folder with all its files; may repeat",
        )
        parser.add_argument("--out", type=Path, required=True, metavar="FILE")
        parser.add_argument(
            "--config",
            type=Path,
            metavar="YAML",
            help="as for compile_final_dataset: under sources each file's format, speakers, columns, license",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        out: Path = options["out"]
        try:
            tallies = extract_long_sessions(
                options["source"], load_config(options["config"]), out, self._report
            )
        except (UnusableError, ConfigError) as error:
            raise CommandError(str(error), returncode=UNUSABLE) from None
        except ExtractionError as error:
            raise CommandError(str(error)) from None
        except OSError as error:
            raise CommandError(
                f"{error.filename or out} cannot be read or written: {error.strerror}.", returncode=UNUSABLE
            ) from None
        self.stdout.write(f"sessions in {out}: {sum(tally.taken for tally in tallies)}")
        for tally in tallies:
            self.stdout.write(f"  {in_words(tally)}")
        if useless := [tally.name for tally in tallies if tally.is_all_rejected]:
            raise CommandError(f"Every record was rejected of {', '.join(useless)}.")

    def _report(self, source: str, done: int) -> None:
        if self.stderr.isatty() and done % SAID_EVERY == 0:
            self.stderr.write(f"\r{source} {done}\033[K", ending="")
