"""Labels from anyone's file, long or wide, onto a declared or inferred set of categories."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from annotation.agreement.counts import Ratings, rate_labels
from annotation.agreement.distances import Scale
from annotation.agreement.label_tables import Cell, LabelFileError, Table, plain_number, read_table

MAX_INFERRED_CODES = 100
MAX_INFERRED_NUMBERS = 1000


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns hold what; an empty name stands for "item", "rater" and "label", and for no cluster.

    In a wide file `rater` lists the raters' columns with commas between them, else all columns but those of
    item and cluster are theirs; without a column of items each row is an item.
    """

    item: str = ""
    rater: str = ""
    label: str = ""
    cluster: str = ""
    is_wide: bool = False


@dataclass(frozen=True, slots=True)
class LabelFile:
    """The labels of a file as ratings, and how their categories were found."""

    ratings: Ratings
    codes: tuple[str, ...]
    are_codes_inferred: bool


class _Label(NamedTuple):
    """One label and where it stands."""

    row: int
    column: str
    item: str
    rater: str
    text: str
    cluster: Cell


def read_label_file(
    path: Path, columns: Columns, scale: Scale, categories: Sequence[str] | None = None
) -> LabelFile:
    """Read the labels of a file.

    Rows are numbered as a spreadsheet shows them, so the header of a CSV or TSV file is row 1; JSON Lines
    and Parquet count from 1. An empty cell is a missing label. Without `categories` the codes found in the
    file are taken, in the order of their numbers. Raises LabelFileError.
    """
    table = read_table(path)
    labels = list(_wide_labels(table, columns) if columns.is_wide else _long_labels(table, columns))
    if not labels:
        raise LabelFileError(f"{table.name} has no labels. Check that its label cells are filled.")
    codes = _declared(categories) if categories else _inferred(table, labels, scale)
    values = _values(codes, scale)
    _refuse_repeats(table, labels)
    triples = _on_scale(table, labels, dict(zip(codes, values, strict=True)))
    clusters = _clusters(table, labels, columns.cluster) if columns.cluster else None
    ratings = _raters_by_name(rate_labels(triples, values, clusters))
    return LabelFile(ratings, codes, are_codes_inferred=not categories)


def _raters_by_name(ratings: Ratings) -> Ratings:
    """The same ratings whatever the order of the file's columns and rows of raters."""
    order = sorted(range(len(ratings.raters)), key=lambda rater: str(ratings.raters[rater]))
    raters = tuple(ratings.raters[rater] for rater in order)
    return replace(ratings, codes=ratings.codes[:, order], raters=raters)


def _long_labels(table: Table, columns: Columns) -> Iterator[_Label]:
    names = columns.item or "item", columns.rater or "rater", columns.label or "label"
    options = "--item", "--rater", "--label"
    item, rater, label = (table.place(name, option) for name, option in zip(names, options, strict=True))
    cluster = table.place(columns.cluster, "--cluster") if columns.cluster else None
    for row, cells in table.rows:
        text = cells[label]
        if text is not None:
            yield _Label(
                row,
                names[2],
                _filled(table, row, names[0], cells[item]),
                _filled(table, row, names[1], cells[rater]),
                text,
                None if cluster is None else cells[cluster],
            )


def _wide_labels(table: Table, columns: Columns) -> Iterator[_Label]:
    name_of_item = columns.item or ("item" if "item" in table.names else "")
    item = table.place(name_of_item, "--item") if name_of_item else None
    cluster = table.place(columns.cluster, "--cluster") if columns.cluster else None
    others = [name for name in table.names if name not in (name_of_item, columns.cluster)]
    raters = [name.strip() for name in columns.rater.split(",")] if columns.rater else others
    places = [(rater, table.place(rater, "--rater")) for rater in raters]
    for row, cells in table.rows:
        name = str(row) if item is None else _filled(table, row, name_of_item, cells[item])
        for rater, place in places:
            text = cells[place]
            if text is not None:
                yield _Label(row, rater, name, rater, text, None if cluster is None else cells[cluster])


def _filled(table: Table, row: int, column: str, cell: Cell) -> str:
    if cell is None:
        raise table.fault(row, column, "an empty cell. Fill it, or take the row out.")
    return cell


def _refuse_repeats(table: Table, labels: Iterable[_Label]) -> None:
    rows: dict[tuple[str, str], int] = {}
    for label in labels:
        first = rows.setdefault((label.item, label.rater), label.row)
        if first != label.row:
            what = f"a second label of one rater for one item; the first is in row {first}. Keep one."
            raise table.fault(label.row, label.column, what)


def _on_scale(
    table: Table, labels: Iterable[_Label], values: dict[str, str | float]
) -> Iterator[tuple[str, str, str | float]]:
    """The labels on the categories; 3.0 stands for 3, as tables with gaps write it."""
    by_number = {float(code): value for code, value in values.items() if _is_number(code)}
    for label in labels:
        value = values.get(label.text)
        if value is None and _is_number(label.text):
            value = by_number.get(float(label.text))
        if value is None:
            what = (
                f"not one of the {len(values)} declared categories. Correct the label, leave the cell empty "
                "where there is none, or declare its code with --categories."
            )
            raise table.fault(label.row, label.column, what)
        yield label.item, label.rater, value


def _clusters(table: Table, labels: Iterable[_Label], column: str) -> dict[str, str]:
    clusters: dict[str, str] = {}
    for label in labels:
        cluster = _filled(table, label.row, column, label.cluster)
        if clusters.setdefault(label.item, cluster) != cluster:
            what = "another cluster than in an earlier row of this item. Give each item one cluster."
            raise table.fault(label.row, column, what)
    return clusters


def _declared(categories: Sequence[str]) -> tuple[str, ...]:
    codes = tuple(code.strip() for code in categories)
    if "" in codes or len(set(codes)) != len(codes):
        raise LabelFileError("--categories has an empty code or names one twice. Name each code once.")
    return codes


def _inferred(table: Table, labels: Sequence[_Label], scale: Scale) -> tuple[str, ...]:
    found = {label.text for label in labels}
    no_number = next((label for label in labels if not _is_number(label.text)), None)
    if scale is not Scale.NOMINAL and no_number is not None:
        what = (
            "not a number, so the order of the codes is unknown. "
            "Declare them from the lowest to the highest with --categories."
        )
        raise table.fault(no_number.row, no_number.column, what)
    if no_number is None:
        codes = tuple(plain_number(number) for number in sorted({float(text) for text in found}))
    else:
        codes = tuple(sorted(found))
    if len(codes) > (MAX_INFERRED_NUMBERS if scale in (Scale.INTERVAL, Scale.RATIO) else MAX_INFERRED_CODES):
        raise LabelFileError(
            f"{table.name} has {len(codes)} different labels, which looks like text or measurements rather "
            "than codes. Name the right columns (--label, or --rater with --wide), or declare the codes "
            "with --categories."
        )
    return codes


def _values(codes: tuple[str, ...], scale: Scale) -> list[str | float]:
    """The codes, as numbers where the scale measures with them."""
    if scale not in (Scale.INTERVAL, Scale.RATIO):
        return list(codes)
    if not all(map(_is_number, codes)):
        raise LabelFileError(
            f"The {scale} scale needs a number for each code. Correct --categories, or choose "
            "--scale ordinal or nominal."
        )
    return [float(code) for code in codes]


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
