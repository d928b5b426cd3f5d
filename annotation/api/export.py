"""Labels of a campaign as a file: streamed from the database, never held in memory as a whole."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

import orjson
from django.db.models import BooleanField, Case, Exists, F, OuterRef, Q, QuerySet, Value, When, Window
from django.db.models.functions import DenseRank

from annotation.labelling.selectors import scheme_of
from annotation.models import Campaign, Label, WithdrawnLabel

CHUNK_ROWS = 2000
# One row per label in use, the answers last. People by their codes; notes and reasons stay encrypted where
# they are.
COLUMNS = {
    "label": "pk",
    "sample": "sample__number",
    "conversation": "sample__conversation_id",
    "annotator": "annotator__code",
    "purpose": "assignment__purpose",
    "repeat": "assignment__repeat_number",
    "given_at": "created_at",
    "locked_at": "lock__locked_at",
    "is_correction": "is_correction",
    "is_undone": "is_undone",
    "stands": "stands",
    "supersedes": "supersedes_id",
    "guideline": "guideline__version",
    "scheme": "scheme__version",
    "active_seconds": "active_seconds",
    "screen_order": "place",
    "sampling_weight": "sample__sampling_weight",
    "is_simulated": "is_simulated",
    "answers": "answers",
}
Row = Sequence[Any]


def as_jsonl(campaign: Campaign) -> Iterator[bytes]:
    """Yield JSON Lines: one object per label, the answers by dimension as they were recorded."""
    names = list(COLUMNS)
    for rows in _chunks(campaign):
        objects = (dict(zip(names, row, strict=True)) for row in rows)
        yield b"".join(orjson.dumps(each, option=orjson.OPT_APPEND_NEWLINE) for each in objects)


def as_csv(campaign: Campaign) -> Iterator[bytes]:
    """Yield CSV with a header: a column per dimension, several codes joined by a space."""
    scheme = scheme_of(campaign)
    keys = [dimension.key for dimension in scheme.dimensions]
    yield _lines([[*list(COLUMNS)[:-1], *keys]])
    for rows in _chunks(campaign):
        yield _lines(_cells([*row[:-1], *map(row[-1].get, keys)]) for row in rows)


def withdrawn_in(campaign: Campaign) -> int:
    """Return how many labels are left out because their makers took back the consent."""
    return WithdrawnLabel.objects.filter(withdrawal__campaign=campaign).count()


def _chunks(campaign: Campaign) -> Iterator[list[Row]]:
    rows = _labels_of(campaign).values_list(*COLUMNS.values()).iterator(chunk_size=CHUNK_ROWS)
    while chunk := list(islice(rows, CHUNK_ROWS)):
        yield chunk


def _labels_of(campaign: Campaign) -> QuerySet[Label]:
    superseded = Exists(Label.objects.filter(supersedes=OuterRef("pk")))
    labels: QuerySet[Label] = (
        Label.objects.in_use()
        .filter(campaign=campaign)
        .annotate(
            is_correction=_holds(reason__isnull=False),
            is_undone=_holds(undo__isnull=False),
            # Without the gaps that samples leave which were shown and passed.
            place=Case(
                When(
                    screen_order__isnull=False,
                    then=Window(DenseRank(), partition_by="annotator", order_by=F("screen_order").asc()),
                )
            ),
            stands=Case(
                When(superseded | Q(undo__isnull=False), then=Value(False)),
                default=Value(True),
                output_field=BooleanField(),
            ),
        )
        .order_by("sample__number", "annotator__code", "created_at", "pk")
    )
    return labels


def _holds(**condition: Any) -> Case:
    return Case(When(**condition, then=Value(True)), default=Value(False), output_field=BooleanField())


def _lines(rows: Iterable[Iterable[Any]]) -> bytes:
    page = io.StringIO()
    csv.writer(page, lineterminator="\r\n").writerows(rows)
    return page.getvalue().encode()


WRITTEN: dict[type, Callable[[Any], str]] = {
    bool: lambda value: "true" if value else "false",
    datetime: lambda value: str(value.isoformat(timespec="milliseconds")),
    list: " ".join,
}


def _cells(values: Iterable[Any]) -> list[Any]:
    """Return the values of a row as the file has them; what stands nowhere above is written as it is."""
    return [written(value) if (written := WRITTEN.get(type(value))) else value for value in values]
