"""Write seeds for the twenty clinical extremes as JSON Lines; needs no database."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from datasets_app.nightmares.files import write_seeds
from datasets_app.nightmares.scenarios import chosen_scenarios
from datasets_app.nightmares.seeds import SeedOrder
from datasets_app.synthesis.dialogue import region_named
from datasets_app.synthesis.grammar import GrammarError
from datasets_app.synthesis.safe_messaging import UnsafeRulesError

UNUSABLE = 2


class Command(BaseCommand):
    help = (
        "Write seeds for the clinical extremes: the situation, what the client says first and what a "
        "clinician answers at once, with construct, expected response, prohibitions and content warning. The "
        "same --seed writes the same bytes. Exit code 0 when all are there, 1 when some could not be told "
        "safely and anew (the others are written, the missing named), 2 for arguments that cannot be used."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--count", type=int, default=60, help="seeds in all (default 60)")
        parser.add_argument("--scenarios", default="all", help="all, or names with commas between")
        parser.add_argument("--seed", type=int, required=True, help="a number; the same gives the same bytes")
        parser.add_argument("--out", type=Path, default=Path("nightmare_seeds.jsonl"), metavar="FILE")
        parser.add_argument("--region", default="anywhere", help="whose help lines are named")

    def handle(self, *args: Any, out: Path, **options: Any) -> None:
        try:
            counts = write_seeds(out, _order(options))
        except (ValueError, UnsafeRulesError) as fault:
            raise CommandError(str(fault), returncode=UNUSABLE) from fault
        except OSError as fault:
            raise CommandError(f"{out} cannot be written: {fault.strerror}.", returncode=UNUSABLE) from fault
        self.stdout.write(f"{counts.made.total():,} seeds of {len(counts.made)} scenarios in {out}.")
        for reason, times in sorted(counts.turned_down.items()):
            self.stdout.write(f"  candidates turned down, {reason}: {times}")
        if counts.missing:
            raise CommandError(f"{len(counts.missing)} seeds are missing: {', '.join(counts.missing)}.")


def _order(options: dict[str, Any]) -> SeedOrder:
    scenarios = chosen_scenarios(options["scenarios"])
    region_named(options["region"])
    if not scenarios or options["count"] < len(scenarios):
        raise GrammarError(f"--count must be {max(1, len(scenarios))} or more: one for each scenario.")
    return SeedOrder(options["count"], scenarios, options["seed"], options["region"])
