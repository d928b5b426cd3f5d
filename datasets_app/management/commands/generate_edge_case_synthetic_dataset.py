"""Write made-up dialogues for the 25 edge cases as JSON Lines, with a report of their diversity and gates."""

import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from datasets_app.generators.choosing import add_generator_arguments, asking, generator_of
from datasets_app.generators.edge_case_files import report_beside, write_edge_cases
from datasets_app.generators.edge_cases import ask_for
from datasets_app.generators.port import UnusableGeneratorError
from datasets_app.generators.rounds import Rounds
from datasets_app.generators.writing import writing
from datasets_app.synthesis.dialogue import region_named
from datasets_app.synthesis.generation import (
    LEAST_DIALOGUES,
    WHY_NOT_ONE,
    CannotGenerateError,
    CategoryResult,
    Order,
    chosen_categories,
    generate,
)
from datasets_app.synthesis.reference import NotAReferenceError, texts_of
from datasets_app.synthesis.safe_messaging import UnsafeRulesError

GATES_NOT_MET, NOT_USABLE = 1, 2


class Command(BaseCommand):
    help = (
        "Write made-up dialogues for the edge-case categories. Needs no database; the same seed writes the "
        "same bytes. Ends with 1 when a gate is not met (the files are written, the report says which), 2 "
        "for arguments that cannot be used (nothing is written)."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--count", type=int, default=10_000, help="dialogues in all (default 10,000)")
        parser.add_argument("--categories", default="all", help="all, or names with commas between")
        parser.add_argument("--seed", type=int, required=True, help="a number; the same gives the same bytes")
        parser.add_argument("--out", type=Path, default=Path("edge_cases.jsonl"), metavar="FILE")
        parser.add_argument("--region", default="anywhere", help="whose help lines are named")
        parser.add_argument("--reference", type=Path, metavar="FILE", help="real dialogues to compare with")
        parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
        add_generator_arguments(parser)

    def handle(self, *args: Any, count: int, out: Path, processes: int, **options: Any) -> None:
        try:
            order = _order(count, options)
            region_named(order.region)
            reference = texts_of(options["reference"]) if options["reference"] else None
            if options["generator"] == "grammar":
                results = list(
                    generate(order, processes=processes, on_progress=lambda done: self._say(done, count))
                )
            else:
                results = self._ask(order, out, options)
        except (
            ValueError,
            NotAReferenceError,
            CannotGenerateError,
            UnsafeRulesError,
            UnusableGeneratorError,
        ) as fault:
            raise CommandError(str(fault), returncode=NOT_USABLE) from fault
        try:
            report = write_edge_cases(out, order, results, reference)
        except OSError as fault:
            raise CommandError(
                f"{out} cannot be written: {fault.strerror}.", returncode=NOT_USABLE
            ) from fault
        self._close(out, report)

    def _ask(self, order: Order, out: Path, options: dict[str, Any]) -> list[CategoryResult]:
        """Dialogues told by a model; those that are not there stand in a list of failures."""
        generator = generator_of(options)
        with asking(generator, options, out) as asker:
            results, failures = ask_for(order, Rounds(asker, generator.identity))
        listed = out.with_suffix(".failures.jsonl")
        with writing(listed) as write:
            for failure in failures:
                write(failure.line)
        if failures:
            self.stderr.write(f"{len(failures):,} dialogues are not there: see {listed}.")
        if order.count - len(failures) < LEAST_DIALOGUES:
            raise CommandError(f"There are too few dialogues for a report: see {listed}.")
        return results

    def _say(self, done: int, count: int) -> None:
        self.stderr.write(f"{done:,} of {count:,} dialogues")

    def _close(self, out: Path, report: dict[str, Any]) -> None:
        for gate in report["gates"]:
            self.stdout.write(f"{gate['verdict']:>7}  {gate['name']}: {gate['measured']} ({gate['allowed']})")
        self.stdout.write(f"{report['records']:,} dialogues in {out}; report in {report_beside(out)}.")
        if not report["is_passed"]:
            names = ", ".join(gate["name"] for gate in report["gates"] if gate["verdict"] != "met")
            raise CommandError(f"Not met: {names}.", returncode=GATES_NOT_MET)


def _order(count: int, options: dict[str, Any]) -> Order:
    names = [name.strip() for name in str(options["categories"]).split(",") if name.strip()]
    categories = chosen_categories(names)
    if count < len(categories):
        raise ValueError(f"--count must be {len(categories)} or more: one for each category.")
    if count < LEAST_DIALOGUES:
        raise ValueError(f"--count must be {LEAST_DIALOGUES} or more: {WHY_NOT_ONE}.")
    return Order(count, categories, options["seed"], options["region"])
