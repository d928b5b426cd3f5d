"""Read a campaign's counting labels once: everything that its agreement figures are computed from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from django.contrib.postgres.aggregates import StringAgg
from django.db.models import Count, F, FloatField, Func, Q, TextField, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce, Replace

from annotation.agreement.counts import FloatArray
from annotation.agreement.dimension_labels import DimensionLabels, Factor, LabelColumns, Question, arrange
from annotation.agreement.distances import Scale
from annotation.agreement.looks import PLANNED_STATES
from annotation.dashboard.signs import signs_of
from annotation.labelling.selectors import scheme_of
from annotation.models import Campaign, Label, Pass, Purpose
from annotation.models.label import LabelQuerySet

OVERLAP_PURPOSES = (Purpose.OVERLAP, Purpose.ANCHOR)
SEED = 1
"""Of every interval of a campaign, so that it moves only when a label does."""
SEPARATOR = "\x1f"  # the unit separator of ASCII


@dataclass(frozen=True)
class Reading:
    """The labels of a campaign as of one moment; ``dimensions`` by key, in the scheme's order.

    ``version`` differs from `version_of` as soon as another label may have locked.
    """

    version: str
    dimensions: Mapping[str, DimensionLabels]


@dataclass(frozen=True)
class LeftOut:
    """What is stored and enters no figure, on any dimension: labels by reason, and slots that were passed.

    No label is counted twice: ``not_locked`` are those of the planned overlap.
    """

    not_locked: int
    undone: int
    withdrawn: int
    corrections: int
    training: int
    calibration: int
    repeats: int
    passes: int


def version_of(campaign: Campaign) -> str:
    """Return what changes whenever a label locks; a few entries of an index, at any size."""
    return signs_of(campaign.pk).labels_digest


def counting_labels(campaign: Campaign) -> LabelQuerySet:
    """Return the blind first labels of planned overlap in this campaign."""
    labels: LabelQuerySet = Label.objects.counting_for_agreement().filter(campaign=campaign)
    return labels


def read_campaign(campaign: Campaign) -> Reading:
    """Return the campaign's counting labels, arranged by headline dimension."""
    version = version_of(campaign)
    questions = [
        Question(dimension.key, Scale(dimension.scale), dimension.codes)
        for dimension in scheme_of(campaign).dimensions
        if dimension.is_headline
    ]
    keys = [question.key for question in questions]
    columns, answers = _columns(campaign, keys)
    repeats, n_planned = _repeats(campaign, keys), _planned_per_rater(campaign)
    return Reading(
        version,
        {
            question.key: arrange(
                columns, question, answers[place], n_planned=n_planned, repeats=repeats[place]
            )
            for place, question in enumerate(questions)
        },
    )


def left_out_of(campaign: Campaign) -> LeftOut:
    """Return how much is left out of the campaign's figures, and why."""
    labels = Label.objects.filter(campaign=campaign).order_by()
    outside = labels.first_given().exclude(assignment__purpose__in=OVERLAP_PURPOSES)
    by_purpose = dict(outside.values_list("assignment__purpose").annotate(n=Count("pk")))
    return LeftOut(
        **labels.aggregate(
            not_locked=Count(
                "pk",
                filter=Q(
                    reason=None,
                    undo=None,
                    lock=None,
                    withdrawn=None,
                    assignment__purpose__in=OVERLAP_PURPOSES,
                ),
            ),
            undone=Count("undo"),
            withdrawn=Count("withdrawn", filter=Q(reason=None, undo=None)),
            corrections=Count("reason"),
        ),
        training=by_purpose.get(Purpose.TRAINING, 0),
        calibration=by_purpose.get(Purpose.CALIBRATION, 0),
        repeats=by_purpose.get(Purpose.REPEAT, 0),
        passes=Pass.objects.filter(assignment__campaign=campaign, taken_back_at=None).count(),
    )


def _columns(campaign: Campaign, keys: Sequence[str]) -> tuple[LabelColumns, list[list[str]]]:
    """Return the labels column by column, each as one text: several times faster than row by row."""
    numbers = {
        "sample": "sample__number",
        "weight": "sample__sampling_weight",
        # A window's share of its conversation's words; of a whole conversation, all of them.
        "words": F("sample__conversation__word_count")
        * (F("sample__window_stop") - F("sample__window_start"))
        / F("sample__conversation__turn_count"),
        "locked_at": _Seconds("lock__locked_at"),
        "created_at": _Seconds("created_at"),
        "seconds": "active_seconds",
    }
    words = {
        "rater": "annotator__code",
        "conversation": "sample__conversation_id",
        "guideline": "guideline__version",
        "topic": Replace("sample__conversation__topic", Value(SEPARATOR)),
        **{f"answer_{place}": KeyTextTransform(key, "answers") for place, key in enumerate(keys)},
    }
    found = counting_labels(campaign).aggregate(
        **{f"{name}_column": _in_one_text(each, ",", blank="null") for name, each in numbers.items()},
        **{f"{name}_column": _in_one_text(each, SEPARATOR, blank="") for name, each in words.items()},
    )
    array = {name: _numbers(found[f"{name}_column"]) for name in numbers}
    texts = {name: _split(found[f"{name}_column"]) for name in words}
    columns = LabelColumns(
        sample=array["sample"].astype(np.int64),
        rater=_factor(texts["rater"]),
        conversation=_factor(texts["conversation"]),
        guideline=_factor(texts["guideline"]),
        topic=_factor(texts["topic"]),
        weight=array["weight"],
        words=array["words"].astype(np.int64),
        locked_at=array["locked_at"],
        created_at=array["created_at"],
        seconds=array["seconds"],
    )
    return columns, [texts[f"answer_{place}"] for place in range(len(keys))]


class _Seconds(Func):
    """A moment as seconds since 1970."""

    template = "extract(epoch FROM %(expressions)s)"
    output_field = FloatField()


def _in_one_text(expression: Any, separator: str, *, blank: str) -> StringAgg:
    return StringAgg(Coalesce(Cast(expression, TextField()), Value(blank)), separator)


def _numbers(text: str | None) -> FloatArray:
    """Return the numbers, NaN where there was none."""
    return np.array(orjson.loads(f"[{text or ''}]"), dtype=np.float64)


def _split(text: str | None) -> list[str]:
    return [] if text is None else text.split(SEPARATOR)


def _repeats(campaign: Campaign, keys: Sequence[str]) -> list[list[tuple[int, str, object]]]:
    """Return the silent repeats for each key: number of the sample, code of the annotator, answer."""
    labels = Label.objects.locked().filter(
        campaign=campaign, assignment__purpose=Purpose.REPEAT, assignment__repeat_number=1
    )
    answers = (KeyTextTransform(key, "answers") for key in keys)
    rows = list(labels.order_by("created_at").values_list("sample__number", "annotator__code", *answers))
    return [[(row[0], row[1], row[2 + place]) for row in rows] for place in range(len(keys))]


def _planned_per_rater(campaign: Campaign) -> int:
    """Return how many samples of the overlap the person with the most of them has in the plan."""
    slots = campaign.assignments.filter(purpose__in=OVERLAP_PURPOSES, state__in=PLANNED_STATES)
    counts = slots.order_by().values("annotator").annotate(n=Count("pk")).values_list("n", flat=True)
    return max(counts, default=0)


def _factor(values: Sequence[str]) -> Factor:
    names = sorted(set(values))
    place = {name: index for index, name in enumerate(names)}
    return Factor(np.array([place[value] for value in values], dtype=np.int64), tuple(names))
