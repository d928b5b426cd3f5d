"""Made-up dialogues of the edge cases as files: the records, and the report of their gates beside them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from datasets_app.generators.writing import writing
from datasets_app.synthesis.generation import CategoryResult, Order
from datasets_app.synthesis.report import report_of


def report_beside(out: Path) -> Path:
    """Where the report stands."""
    return out.with_suffix(".report.json")


def write_edge_cases(
    out: Path, order: Order, results: Sequence[CategoryResult], reference: Sequence[str] | None = None
) -> dict[str, Any]:
    """Write the records into `out` and the report beside it; the report. Raises OSError."""
    report = report_of(order, results, reference)
    with writing(out) as write:
        for result in results:
            for record in result.records:
                write(record)
    with writing(report_beside(out)) as write:
        write(report)
    return report
