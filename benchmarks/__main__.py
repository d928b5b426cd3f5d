"""Run every benchmark on a database of its own and write docs/benchmarks.md."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

REPORT = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"
INTRODUCTION = """# Benchmarks

Written by `make bench`; every figure was measured in one run, and what could not be
measured says so.
"""


def main() -> None:
    import django

    django.setup()
    from django.test.utils import setup_test_environment

    setup_test_environment()
    from benchmarks import bench_agreement, bench_imports, bench_key_to_paint, bench_labelling
    from tests import servers

    sections: dict[str, Callable[[], list[dict[str, Any]]]] = {
        "Conversations in: real public files": bench_imports.run,
        "One label: save and next": bench_labelling.run,
        "From the key to the next sample": bench_key_to_paint.run,
        "Labels out": bench_labelling.run_export,
        "A whole campaign": bench_labelling.run_rehearsal,
        "Agreement": bench_agreement.run,
    }
    parts = [INTRODUCTION, _machine()]
    with servers.running_servers(), servers.cloned_database(servers.ensure_template()):
        for title, run in sections.items():
            parts += [f"\n## {title}\n", _table(run())]
    REPORT.write_text("\n".join(parts) + "\n")


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
    main()
