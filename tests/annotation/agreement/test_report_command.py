"""`manage.py agreement_report` on anyone's file: in an empty folder, without database, keys or settings."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from django.core.management import CommandError, call_command
from pyarrow import parquet

from tests.annotation.agreement.designs import random_codes
from tests.annotation.agreement.test_reference_cases import case_named

MANAGE = Path(__file__).resolve().parents[3] / "manage.py"
FIGURES = [
    "percent_agreement",
    "krippendorff_alpha",
    "fleiss_kappa",
    "gwet_ac1",
    "gwet_ac2",
    "mean_pairwise_kappa",
    "icc_2_1",
    "panel_reliability",
]
HEADER = ("item", "rater", "label")
FEW = ("--resamples", "200")


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own, which has neither keys nor settings nor a database."""
    bare = {"PATH": os.environ["PATH"], "PROMETHEUS_HOME": str(folder / "nowhere")}
    command = [sys.executable, str(MANAGE), "agreement_report", *arguments]
    return subprocess.run(
        command, cwd=folder, env=bare, capture_output=True, text=True, timeout=120, check=False
    )


def report(folder: Path, name: str, *arguments: str) -> dict[str, Any]:
    printed = StringIO()
    call_command("agreement_report", str(folder / name), *arguments, "--json", *FEW, stdout=printed)
    found: dict[str, Any] = json.loads(printed.getvalue())
    return found


def fault(folder: Path, name: str, *arguments: str) -> str:
    with pytest.raises(CommandError) as refusal:
        call_command("agreement_report", str(folder / name), *arguments, stdout=StringIO())
    return str(refusal.value)


def write(folder: Path, name: str, rows: Sequence[Sequence[object]], separator: str = ",") -> str:
    lines = [separator.join("" if cell is None else str(cell) for cell in row) for row in rows]
    (folder / name).write_text("\n".join(lines) + "\n")
    return name


def long_rows(case: dict[str, Any]) -> list[tuple[object, object, object]]:
    return [
        (f"unit {item + 1}", f"rater {rater + 1}", code)
        for rater, row in enumerate(case["ratings"])
        for item, code in enumerate(row)
        if code is not None
    ]


def write_long(folder: Path) -> str:
    case = case_named("gwet_raw4raters_weighted")
    return write(folder, "labels.csv", [HEADER, *long_rows(case)])


def test_a_reference_case_gives_its_printed_figures_in_an_empty_folder(tmp_path: Path) -> None:
    done = run(tmp_path, write_long(tmp_path), "--scale", "ordinal", "--categories", "1,2,3,4,5", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert list(found) == [
        "n_items",
        "n_raters",
        "n_labels",
        "n_items_overlap",
        "scale",
        "categories",
        *FIGURES,
        "pairs",
    ]
    assert [found[name] for name in ("n_items", "n_raters", "n_labels", "n_items_overlap")] == [12, 4, 41, 11]
    assert (found["scale"], found["categories"]) == ("ordinal", ["1", "2", "3", "4", "5"])
    printed = {
        "percent_agreement": 0.8181818,
        "krippendorff_alpha": 0.815,
        "fleiss_kappa": 0.76117,
        "gwet_ac1": 0.77544,
        "gwet_ac2": 0.914,
    }
    for name, value in printed.items():
        assert found[name]["value"] == pytest.approx(value, abs=0.0006)
    for name in FIGURES:
        assert list(found[name]) == ["value", "ci_low", "ci_high", "status", "reason"]
        assert found[name]["status"] == "collecting"
        n_items = 8 if name == "icc_2_1" else 11  # those that all four labelled, those with two labels
        assert f"{n_items} of 50" in found[name]["reason"]
    assert len(found["pairs"]) == 6
    assert list(found["pairs"][0]) == ["a", "b", "n", "kappa", "weighted_kappa", "percent_agreement"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["labels.csv"]


def test_the_table_says_the_same_in_words(tmp_path: Path) -> None:
    done = run(tmp_path, write_long(tmp_path), "--scale", "interval", *FEW)
    assert done.returncode == 0
    assert "41 labels by 4 raters on 12 items, 11 of them with two labels or more" in done.stdout
    assert "found in the file: 1, 2, 3, 4, 5" in done.stdout
    assert "Declare the scale with --categories" in done.stdout
    assert "krippendorff alpha      0.8491" in done.stdout
    assert "rater 1 and rater 2" in done.stdout
    declared = run(tmp_path, "labels.csv", "--categories", "1,2,3,4,5", *FEW)
    assert "5 categories declared" in declared.stdout
    assert "Declare the scale" not in declared.stdout


@pytest.mark.parametrize("suffix", ["tsv", "jsonl", "parquet", "wide.csv", "wide.parquet", "wide.jsonl"])
def test_every_format_gives_the_same_report(tmp_path: Path, suffix: str) -> None:
    case = case_named("gwet_raw4raters_weighted")
    scale = ("--scale", "ordinal", "--categories", "1,2,3,4,5")
    expected = report(tmp_path, write_long(tmp_path), *scale)
    name, rows = f"other.{suffix}", long_rows(case)
    raters = {f"rater {rater + 1}": row for rater, row in enumerate(case["ratings"])}
    items = [f"unit {item + 1}" for item in range(12)]
    wide = [{"item": item, **{r: row[i] for r, row in raters.items()}} for i, item in enumerate(items)]
    if suffix == "tsv":
        write(tmp_path, name, [HEADER, *rows], "\t")
    elif suffix == "wide.csv":
        # As tables with gaps are written: 3.0 for 3.
        cells = [[row["item"], *(float(v) if v else None for v in list(row.values())[1:])] for row in wide]
        write(tmp_path, name, [list(wide[0]), *cells])
    else:
        objects = wide if "wide" in suffix else [dict(zip(HEADER, row, strict=True)) for row in rows]
        if suffix.endswith("jsonl"):
            (tmp_path / name).write_text("\n".join(map(json.dumps, objects)))
        else:
            parquet.write_table(pa.Table.from_pylist(objects), tmp_path / name)
    options = ("--wide",) if "wide" in suffix else ()
    found = report(tmp_path, name, *scale, *options)
    for figure in FIGURES:
        assert found[figure]["value"] == pytest.approx(expected[figure]["value"], abs=1e-12)
    assert found["pairs"] == expected["pairs"]


def test_columns_have_the_names_that_are_given(tmp_path: Path) -> None:
    rows = [
        (code, f"r{r}", i % 7, i, "a note") for i, row in enumerate(codes()) for r, code in enumerate(row)
    ]
    write(tmp_path, "own.csv", [("severity", "who", "talk", "text id", "note"), *rows])
    options = ("--item", "text id", "--rater", "who", "--label", "severity", "--scale", "ordinal")
    alone = report(tmp_path, "own.csv", *options)
    together = report(tmp_path, "own.csv", *options, "--cluster", "talk")
    assert (alone["n_items"], alone["n_raters"]) == (70, 3)
    assert alone["krippendorff_alpha"]["status"] == "ok"
    assert together["krippendorff_alpha"]["value"] == alone["krippendorff_alpha"]["value"]
    assert together["krippendorff_alpha"]["ci_low"] != alone["krippendorff_alpha"]["ci_low"]
    assert alone["icc_2_1"]["value"] is not None


def codes() -> list[list[int]]:
    grid: list[list[int]] = random_codes(1, n_items=70, n_raters=3, n_categories=4).tolist()
    return grid


def test_a_wide_file_may_name_its_raters_and_needs_no_item(tmp_path: Path) -> None:
    rows = [(*row, "what the client said") for row in codes()]
    write(tmp_path, "wide.csv", [("anna", "ben", "cleo", "text"), *rows])
    found = report(tmp_path, "wide.csv", "--wide", "--rater", "anna,ben,cleo", "--scale", "ordinal")
    assert (found["n_items"], found["n_raters"]) == (70, 3)
    assert {(pair["a"], pair["b"]) for pair in found["pairs"]} == {
        ("anna", "ben"),
        ("anna", "cleo"),
        ("ben", "cleo"),
    }


def test_words_are_ordered_as_declared_and_nominal_needs_no_order(tmp_path: Path) -> None:
    words = ["none", "low", "high", "severe"]
    rows = [(i, f"r{r}", words[code]) for i, row in enumerate(codes()) for r, code in enumerate(row)]
    name = write(tmp_path, "words.csv", [HEADER, *rows])
    found = report(tmp_path, name, "--scale", "ordinal", "--categories", ",".join(words))
    numbers = [(i, f"r{r}", code) for i, row in enumerate(codes()) for r, code in enumerate(row)]
    same = report(tmp_path, write(tmp_path, "n.csv", [HEADER, *numbers]), "--scale", "ordinal")
    assert found["krippendorff_alpha"]["value"] == same["krippendorff_alpha"]["value"]
    nominal = report(tmp_path, name)
    assert nominal["categories"] == sorted(words)
    for figure in ("icc_2_1", "panel_reliability"):
        assert nominal[figure]["status"] == "not_applicable"
        assert nominal[figure]["value"] is None
    assert nominal["pairs"][0]["weighted_kappa"] is None
    message = fault(tmp_path, name, "--scale", "ordinal")
    assert "words.csv, row 2, column 'label'" in message
    assert "--categories" in message


@pytest.mark.parametrize("name", ["edge_all_same", "edge_no_overlap"])
def test_what_cannot_be_estimated_is_a_reasoned_null(tmp_path: Path, name: str) -> None:
    case = case_named(name)
    write(tmp_path, "edge.csv", [HEADER, *long_rows(case)])
    categories = ",".join(map(str, case["categories"]))
    found = report(tmp_path, "edge.csv", "--scale", "ordinal", "--categories", categories)
    assert found["krippendorff_alpha"]["value"] is None
    assert found["krippendorff_alpha"]["status"] == "not_estimable"
    assert found["krippendorff_alpha"]["reason"]
    for figure, printed in (("percent_agreement", "percent_agreement"), ("gwet_ac1", "AC1")):
        if printed in case["expected"]:
            assert found[figure]["value"] == case["expected"][printed]
    if name == "edge_no_overlap":
        assert found["pairs"] == []


def test_a_correlation_of_two_complete_items_is_collecting(tmp_path: Path) -> None:
    rows: list[tuple[object, ...]] = [
        (f"unit {item}", rater, 1 + (item + (item % 7 == 0 and rater == "b")) % 4)
        for item in range(60)
        for rater in ("a", "b", "c")
        if rater != "c" or item < 2
    ]
    name = write(tmp_path, "labels.csv", [HEADER, *rows])
    found = report(tmp_path, name, "--scale", "ordinal", "--categories", "1,2,3,4")
    assert found["krippendorff_alpha"]["status"] == "ok"
    assert found["icc_2_1"]["status"] == "collecting"
    assert found["icc_2_1"]["value"] is not None


def test_the_same_seed_gives_the_same_report(tmp_path: Path) -> None:
    name = write_long(tmp_path)
    first, again, other = (report(tmp_path, name, "--seed", seed) for seed in ("3", "3", "4"))
    assert first == again
    assert first != other


@pytest.mark.parametrize(
    ("rows", "arguments", "words"),
    [
        (
            [("item", "rater", "code"), (1, "a", 2)],
            (),
            ["bad.csv", "'label'", "item, rater, code", "--label"],
        ),
        ([HEADER, (1, "a", 2), (1, "a", 2)], (), ["row 3", "row 2", "Keep one"]),
        (
            [HEADER, (1, "a", 2), (1, "b", "SECRET")],
            ("--categories", "1,2"),
            ["row 3", "column 'label'", "not one of the 2 declared"],
        ),
        (
            [HEADER, (1, "a", 2), (1, None, 2)],
            (),
            ["row 3", "column 'rater'", "empty cell"],
        ),
        ([HEADER, (1, "a", 2), (1, "b")], (), ["row 3", "2 cells", "3 columns"]),
        ([HEADER, (1, "a", None)], (), ["no labels"]),
        ([HEADER], (), ["no rows"]),
        ([("item", "rater", "label", "label")], (), ["same name"]),
        (
            [("item", "rater", "label", "talk"), (1, "a", 2, "t1"), (1, "b", 2, "t2")],
            ("--cluster", "talk"),
            ["row 3", "column 'talk'", "another cluster"],
        ),
        (
            [HEADER, *((i, "a", f"SECRET {i}") for i in range(200))],
            (),
            ["200 different labels", "--label"],
        ),
        ([HEADER, (1, "a", 2)], ("--categories", "2,,3"), ["--categories"]),
        ([HEADER, (1, "a", 2)], ("--resamples", "5"), ["--resamples is at least 100"]),
        (
            [HEADER, (1, "a", "low")],
            ("--scale", "interval", "--categories", "low,high"),
            ["interval", "number"],
        ),
    ],
)
def test_a_fault_is_named_by_place_with_its_remedy_and_without_its_text(
    tmp_path: Path, rows: list[Any], arguments: tuple[str, ...], words: list[str]
) -> None:
    name = write(tmp_path, "bad.csv", rows)
    message = fault(tmp_path, name, *arguments)
    for word in words:
        assert word in message
    assert "SECRET" not in message


def test_a_fault_ends_the_process_in_words(tmp_path: Path) -> None:
    done = run(tmp_path, write(tmp_path, "bad.csv", [("item", "rater"), (1, "a")]))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("CommandError: bad.csv has no column 'label'")
    assert done.stderr.count("\n") == 1


def test_files_that_are_no_tables_are_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "broken.jsonl").write_text('{"item": 1, "rater": "a", "label": 1}\nSECRET\n')
    assert "broken.jsonl, row 2: not a JSON object" in fault(tmp_path, "broken.jsonl")
    (tmp_path / "nested.jsonl").write_text('{"item": 1, "rater": "a", "label": ["SECRET"]}\n')
    message = fault(tmp_path, "nested.jsonl")
    assert "row 1, column 'label'" in message
    assert "SECRET" not in message
    (tmp_path / "broken.parquet").write_text("SECRET")
    assert "not a readable Parquet file" in fault(tmp_path, "broken.parquet")
    (tmp_path / "latin.csv").write_bytes("item,rater,label\n1,a,\xe9\n".encode("latin-1"))
    assert "not UTF-8" in fault(tmp_path, "latin.csv")
    (tmp_path / "labels.xlsx").write_text("")
    assert ".csv, .tsv" in fault(tmp_path, "labels.xlsx")
    assert "No such file" in fault(tmp_path, "absent.csv")


def test_too_many_pairs_to_resample_leave_their_mean_without_an_interval(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scale = ("--scale", "ordinal", "--categories", "1,2,3,4,5")
    expected = report(tmp_path, write_long(tmp_path), *scale)["mean_pairwise_kappa"]
    monkeypatch.setattr("annotation.agreement.report.MAX_CELLS_OF_PAIRS", 0)
    found = report(tmp_path, "labels.csv", *scale)["mean_pairwise_kappa"]
    assert found["value"] == pytest.approx(expected["value"], abs=1e-12)
    assert (found["ci_low"], found["ci_high"]) == (None, None)
    assert "too many to resample" in found["reason"]
