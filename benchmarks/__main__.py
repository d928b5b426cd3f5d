"""Run the benchmarks on a database of their own and write docs/benchmarks.md: all, or the sections named."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

REPORT = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"
INTRODUCTION = """# Benchmarks

Written by `make bench`; every section says when it was measured, and on what. What could not be measured says
so. `make bench SECTIONS="Agreement"` measures anew only the sections whose titles begin like that. A machine
can be three times as fast as another, or as itself on another day: compare a figure with the peers of its own
run (ADR 22 has the compile on both).
"""


def main(names: Sequence[str]) -> None:
    import django

    django.setup()
    from django.test.utils import setup_test_environment

    setup_test_environment()
    from benchmarks import (
        bench_agreement,
        bench_agreement_page,
        bench_causes,
        bench_compile,
        bench_edge_cases,
        bench_forecast,
        bench_imports,
        bench_key_to_paint,
        bench_labelling,
        bench_select,
        bench_under_care,
        simulate_agreement,
    )
    from tests import servers

    sections: dict[str, Callable[[], list[dict[str, Any]]]] = {
        "Conversations in: real public files": bench_imports.run,
        "Foundation data: edge cases": bench_edge_cases.run,
        "Foundation data: compile": bench_compile.run,
        "Foundation data: a million conversations, and three": bench_compile.run_millions,
        "Foundation data: select": bench_select.run,
        "One label: save and next": bench_labelling.run,
        "From the key to the next sample": bench_key_to_paint.run,
        "Labels out": bench_labelling.run_export,
        "A whole campaign": bench_labelling.run_rehearsal,
        "A whole campaign under care": bench_under_care.run,
        "Agreement": bench_agreement.run,
        "Agreement, live": bench_agreement_page.run,
        "Agreement: intervals and verdicts": simulate_agreement.run,
        "Agreement: planted causes found first": bench_causes.run,
        "Forecast: 80 % intervals in 200 campaigns of other assumptions": bench_forecast.run,
    }
    chosen = {title: run for title, run in sections.items() if not names or title.startswith(tuple(names))}
    if not chosen:
        sys.exit(f"No section begins like that. There are: {'; '.join(sections)}.")
    written = _written(REPORT.read_text()) if REPORT.exists() else {}
    with servers.running_servers():
        for title, run in chosen.items():
            with servers.cloned_database(servers.ensure_template()):
                written[title] = f"{_machine()}\n\n{_table(run())}"
            kept = {title: written[title] for title in sections if title in written}
            report = "".join(f"\n## {title}\n\n{text}\n" for title, text in kept.items())
            REPORT.write_text(INTRODUCTION + report)


def _written(report: str) -> dict[str, str]:
    """Return the sections of a report by title."""
    parts = [part.partition("\n") for part in report.split("\n## ")[1:]]
    return {title: text.strip() for title, _, text in parts}


def _machine() -> str:
    cores = os.cpu_count()
    packages = ", ".join(f"{name} {version(name)}" for name in ("django", "psycopg", "numpy"))
    day = datetime.now(UTC).date().isoformat()
    load = os.getloadavg()[0]
    return (
        f"Measured {day} on {cores} cores ({platform.machine()}), load average {load:.1f} at the start, "
        f"Python {platform.python_version()}, {packages}, PostgreSQL 18 and Redis 6.2 embedded."
    )


def _table(rows: Iterable[dict[str, Any]]) -> str:
    rows = list(rows)
    columns = list(dict.fromkeys(column for row in rows for column in row))
    lines = [columns, ["---"] * len(columns)]
    lines += [[_cell(row.get(column)) for column in columns] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.3g}" if isinstance(value, float) else str(value).replace("|", "\\|")


if __name__ == "__main__":
    main(sys.argv[1:])
