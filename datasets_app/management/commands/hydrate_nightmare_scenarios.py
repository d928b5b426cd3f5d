"""Tell dialogues from the seeds of the clinical extremes, through one generator port; needs no database."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from datasets_app.generators.answers import NotAnswersError
from datasets_app.generators.choosing import add_generator_arguments, asking, generator_of
from datasets_app.generators.port import UnusableGeneratorError
from datasets_app.generators.rounds import Rounds
from datasets_app.nightmares.files import failures_beside, write_dialogues
from datasets_app.nightmares.hydrating import Wish
from datasets_app.nightmares.seed_file import SeedFileError
from datasets_app.nightmares.telling import GrammarGenerator
from datasets_app.synthesis.grammar import GrammarError
from datasets_app.synthesis.safe_messaging import UnsafeRulesError

UNUSABLE = 2


class Command(BaseCommand):
    help = (
        "Tell dialogues from seeds. Every answer is kept as it comes: run the same command after a stop and "
        "it goes on, with the same output. Dialogues that could not be had stand in FILE.failures.jsonl with "
        "the reason of each attempt. Exit code 0 when all are there, 1 when some are not (the others are "
        "written), 2 for arguments or a generator that cannot be used (nothing is written)."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--seeds", type=Path, required=True, metavar="FILE", help="of generate_ultra_nightmares"
        )
        parser.add_argument("--out", type=Path, default=Path("nightmare_dialogues.jsonl"), metavar="FILE")
        parser.add_argument(
            "--seed", type=int, required=True, help="a number; the same gives the same dialogues"
        )
        parser.add_argument("--per-seed", type=int, default=1, help="dialogues of each seed (default 1)")
        add_generator_arguments(parser)

    def handle(self, *args: Any, out: Path, **options: Any) -> None:
        try:
            wish = _wish(options)
            if out.resolve() == options["seeds"].resolve():
                raise SeedFileError(f"{out} holds the seeds: write the dialogues somewhere else.")
            generator = generator_of(options, GrammarGenerator())
            with asking(generator, options, out) as asker:
                rounds = Rounds(asker, generator.identity)
                report = write_dialogues(out, options["seeds"], wish, rounds, asker)
        except (
            GrammarError,
            NotAnswersError,
            SeedFileError,
            UnsafeRulesError,
            UnusableGeneratorError,
        ) as fault:
            raise CommandError(str(fault), returncode=UNUSABLE) from fault
        except OSError as fault:
            raise CommandError(f"{out} cannot be written: {fault.strerror}.", returncode=UNUSABLE) from fault
        self._close(out, report)

    def _close(self, out: Path, report: dict[str, Any]) -> None:
        self.stdout.write(
            f"{report['dialogues']:,} dialogues in {out}; {report['tokens_spent']:,} tokens spent."
        )
        for reason, times in report["failures_by_reason"].items():
            self.stdout.write(f"  not there, {reason}: {times}")
        if report["failures"]:
            raise CommandError(
                f"{report['failures']:,} dialogues are not there: see {failures_beside(out)}. "
                "Run the same command again after mending the cause; what is there is not asked for again."
            )


def _wish(options: dict[str, Any]) -> Wish:
    if options["per_seed"] < 1:
        raise UnusableGeneratorError("--per-seed is at least 1.")
    return Wish(options["per_seed"], options["seed"])
