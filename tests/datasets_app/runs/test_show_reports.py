"""Steps and reports as people read them: bars of one scale, rates, lengths of time."""

from datetime import timedelta

import msgspec
import pytest
from django.template.loader import render_to_string

from datasets_app.phase1.state import StepStatus
from datasets_app.runs.picture import picture_of
from datasets_app.runs.steps import duration, step_rows
from tests.datasets_app.runs.making import BEGAN, report, step

LATER = BEGAN + timedelta(seconds=20)


def test_bars_have_one_scale_and_a_mark_at_what_was_wanted() -> None:
    picture = picture_of(msgspec.to_builtins(report()))

    families = {one.name: (one.bar, one.mark, one.short) for one in picture.families}
    assert families["Edge case synthetic"] == ("22.18%", "22.22%", 20)
    assert families["Video transcripts"] == ("0.00%", "100.00%", 45_000)
    assert [(one.name, one.bar) for one in picture.lengths][:2] == [
        ("2 to 3", "50.00%"),
        ("4 to 7", "100.00%"),
    ]


def test_removals_are_added_up_by_reason_and_kept_by_source() -> None:
    picture = picture_of(msgspec.to_builtins(report()))

    assert [(one.name, one.count) for one in picture.removals] == [
        ("Near duplicate", 140),
        ("Not an object", 3),
    ]
    assert ("talks.jsonl", "Near duplicate", 120) in picture.removals_by_source


def test_diversity_stands_beside_the_reference_or_says_that_it_was_not_measured() -> None:
    page = render_to_string(
        "datasets_app/runs/_report.html", {"picture": picture_of(msgspec.to_builtins(report()))}
    )

    assert "59.1" in page
    assert "22.4" in page
    assert page.count("NOT MEASURED") == 1
    assert "3 records of talks.jsonl stand in two splits." in page
    assert "23 % of its records were removed" in page
    assert "45,000, short" in page


def test_a_report_of_nothing_has_no_bars() -> None:
    kept = msgspec.to_builtins(report()) | {"families": [], "lengths": [], "removals": [], "diversity": []}

    page = render_to_string("datasets_app/runs/_report.html", {"picture": picture_of(kept)})

    assert "Nothing was left out." in page
    assert "Nothing was made up." in page


def test_a_running_step_has_a_rate_and_an_end() -> None:
    kept = [step("compile", StepStatus.RUNNING, done=5_000, total=20_000, unit="records")]
    waiting, running = step_rows(["compile", "edge_cases"], kept, LATER)

    assert (waiting.number, waiting.title, waiting.chip) == (1, "Edge cases", "waiting")
    assert (running.rate, running.left, running.percent) == ("250 records a second", "1 min 0 s", 25)


def test_an_unchanged_step_shows_no_rate_for_what_it_did_not_do() -> None:
    kept = step("compile", StepStatus.DONE, done=5_000, total=5_000, unit="records", seconds=1)
    (row,) = step_rows(["compile"], [kept | {"status": "unchanged"}], LATER)
    assert (row.chip, row.rate) == ("Nothing changed", "")


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.2, "1 s"), (59.5, "1 min 0 s"), (3599, "59 min 59 s"), (7_260, "2 h 1 min")]
)
def test_lengths_of_time(seconds: float, said: str) -> None:
    assert duration(seconds) == said
