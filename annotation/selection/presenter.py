"""A selection's report as its page shows it."""

from typing import Any

from annotation.selection.picture import bars_of, plot_of, shares_by
from annotation.selection.selectors import reasons_of
from datasets_app.selection.documents import Report


def in_pictures(report: Report) -> dict[str, Any]:
    """Return what the page says of a report, by the names of its template."""
    return {
        "report": report,
        "shortfalls": [sentence.replace("_", " ") for sentence in report.shortfalls],
        "reasons": reasons_of(report),
        "categories": bars_of(report.categories),
        "kinds": [
            ("How far the judges agree", "Judges", shares_by("difficulty", report.strata)),
            ("Picks by origin", "Origin", shares_by("origin", report.strata)),
        ],
        "plots": [plot_of(scores) for scores in report.scores],
    }
