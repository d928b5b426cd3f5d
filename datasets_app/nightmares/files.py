"""The clinical extremes as files: seeds, and dialogues with their failures and report beside them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from datasets_app.generators.asking import Asker
from datasets_app.generators.rounds import Failure, Rounds
from datasets_app.generators.writing import writing

from .hydrating import Wish, slots_of
from .report import Tally
from .seed_file import seeds_in
from .seeds import SeedCounts, SeedOrder, generate_seeds

Report = Callable[[int], None]  # how many are done


def failures_beside(out: Path) -> Path:
    """Where the dialogues that are not there are listed."""
    return out.with_suffix(".failures.jsonl")


def report_beside(out: Path) -> Path:
    """Where the report stands."""
    return out.with_suffix(".report.json")


def write_seeds(out: Path, order: SeedOrder, report: Report = lambda done: None) -> SeedCounts:
    """Write the seeds into `out`; what became of the candidates. Raises OSError."""
    counts = SeedCounts()
    with writing(out) as write:
        for number, record in enumerate(generate_seeds(order, counts), 1):
            write(record)
            report(number)
    return counts


def write_dialogues(
    out: Path, seeds: Path, wish: Wish, rounds: Rounds, asker: Asker, report: Report = lambda done: None
) -> dict[str, Any]:
    """Write the dialogues of the seeds into `out`; their report. Raises SeedFileError and OSError."""
    tally = Tally()
    with writing(failures_beside(out)) as list_failure, writing(out) as write:
        for number, result in enumerate(rounds.run(slots_of(seeds_in(seeds), wish)), 1):
            if isinstance(result, Failure):
                list_failure(result.line)
                tally.fail(result)
            else:
                write(result)
                tally.add(result)
            report(number)
    facts = tally.report(identity=rounds.identity, turned_down=rounds.turned_down, tokens=asker.spent_tokens)
    with writing(report_beside(out)) as write:
        write(facts)
    return facts
