"""Read a campaign's counting labels once: everything that its agreement figures are computed from."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import orjson
from django.contrib.postgres.aggregates import StringAgg
from django.db.models import (
    Count,
    Exists,
    F,
    FloatField,
    Func,
    OuterRef,
    Q,
    TextField,
    Value,
)
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce, Replace

from annotation.agreement.counts import FloatArray
from annotation.agreement.dimension_labels import DimensionLabels, Factor, LabelColumns, Question, arrange
from annotation.agreement.distances import Scale
from annotation.agreement.looks import PLANNED_STATES
from annotation.dashboard.signs import signs_of
from annotation.labelling.selectors import scheme_of
from annotation.models import Campaign, Label, LabelLock, LabelUndo, Pass, Purpose
from annotation.models.label import LabelQuerySet

OVERLAP_PURPOSES = (Purpose.OVERLAP, Purpose.ANCHOR)
OTHER_PURPOSES = tuple(purpose for purpose in Purpose if purpose not in OVERLAP_PURPOSES)
SEED = 1
"""Of every interval of a campaign, so that it moves only when a label does."""
SEPARATOR = "\x1f"  # the unit separator of ASCII
LATE_SECONDS = 60
REREAD_SECONDS = 600


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
    questions = _questions(campaign)
    return _arranged(campaign, version, questions, _rows(counting_labels(campaign), questions))


class CampaignReader:
    """Reads one campaign again and again, and a label that counted before not a second time.

    Labels and locks never change, so what was read stays right; a withdrawal takes some away, and then all is
    read anew. So it is once in REREAD_SECONDS, should a label have been committed more than LATE_SECONDS
    after it locked. For one thread alone.
    """

    def __init__(self) -> None:
        self._known: _Rows | None = None
        self._withdrawals = 0
        self._stale_after = 0.0  # by the monotonic clock

    def __call__(self, campaign: Campaign) -> Reading:
        """Return what `read_campaign` does."""
        version, questions = version_of(campaign), _questions(campaign)
        withdrawals = campaign.label_withdrawals.count()
        is_stale = withdrawals != self._withdrawals or time.monotonic() > self._stale_after
        if self._known is None or is_stale or not len(self._known):
            self._known = _rows(counting_labels(campaign), questions)
            self._withdrawals, self._stale_after = withdrawals, time.monotonic() + REREAD_SECONDS
        else:
            since = datetime.fromtimestamp(self._known.latest_lock - LATE_SECONDS, UTC)
            lately = counting_labels(campaign).filter(lock__locked_at__gt=since)
            self._known = self._known.with_more(_rows(lately, questions))
        return _arranged(campaign, version, questions, self._known)


@dataclass(frozen=True)
class _Rows:
    """One entry per label in every column, by the column's name."""

    numbers: Mapping[str, FloatArray]
    words: Mapping[str, list[str]]

    def __len__(self) -> int:
        return len(self.numbers["sample"])

    @property
    def latest_lock(self) -> float:
        return float(self.numbers["locked_at"].max())

    def _who_and_what(self, row: int) -> tuple[str, float]:
        return self.words["rater"][row], float(self.numbers["sample"][row])

    def with_more(self, others: "_Rows") -> "_Rows":
        """Return these rows and those of the others that are not among them: a rater has a sample once."""
        lately = self.numbers["locked_at"] >= others.numbers["locked_at"].min(initial=np.inf)
        known = {self._who_and_what(row) for row in np.flatnonzero(lately)}
        new = [row for row in range(len(others)) if others._who_and_what(row) not in known]
        return _Rows(
            {name: np.append(column, others.numbers[name][new]) for name, column in self.numbers.items()},
            {
                name: [*column, *(others.words[name][row] for row in new)]
                for name, column in self.words.items()
            },
        )


def _questions(campaign: Campaign) -> list[Question]:
    return [
        Question(dimension.key, Scale(dimension.scale), dimension.codes)
        for dimension in scheme_of(campaign).dimensions
        if dimension.is_headline
    ]


def _arranged(campaign: Campaign, version: str, questions: Sequence[Question], rows: _Rows) -> Reading:
    columns = _columns(rows)
    repeats, n_planned = _repeats(campaign, questions), _planned_per_rater(campaign)
    return Reading(
        version,
        {
            question.key: arrange(
                columns, question, rows.words[_answer(question)], n_planned=n_planned, repeats=repeats[place]
            )
            for place, question in enumerate(questions)
        },
    )


def left_out_of(campaign: Campaign) -> LeftOut:
    """Return how much is left out of the campaign's figures, and why.

    Each count begins where there is little to count, so that it stays cheap beside many labels.
    """
    labels = Label.objects.filter(campaign=campaign).order_by()
    standing = labels.filter(~Exists(LabelUndo.objects.filter(label=OuterRef("pk"))), reason=None).in_use()
    in_overlap = Q(assignment__purpose__in=OVERLAP_PURPOSES)
    is_locked = Exists(LabelLock.objects.filter(label=OuterRef("pk")))
    outside = standing.filter(assignment__campaign=campaign, assignment__purpose__in=OTHER_PURPOSES)
    by_purpose = dict(outside.values_list("assignment__purpose").annotate(n=Count("pk")))
    return LeftOut(
        not_locked=standing.filter(in_overlap, ~is_locked).count(),
        undone=LabelUndo.objects.filter(label__campaign=campaign).count(),
        withdrawn=labels.filter(reason=None, undo=None, withdrawn__isnull=False).count(),
        corrections=labels.filter(supersedes__isnull=False, reason__isnull=False).count(),
        training=by_purpose.get(Purpose.TRAINING, 0),
        calibration=by_purpose.get(Purpose.CALIBRATION, 0),
        repeats=by_purpose.get(Purpose.REPEAT, 0),
        passes=Pass.objects.filter(assignment__campaign=campaign, taken_back_at=None).count(),
    )


def _rows(labels: LabelQuerySet, questions: Sequence[Question]) -> _Rows:
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
    words: dict[str, Any] = {
        "rater": "annotator__code",
        "conversation": "sample__conversation_id",
        "guideline": "guideline__version",
        "topic": Replace("sample__conversation__topic", Value(SEPARATOR)),
    }
    words |= {_answer(question): KeyTextTransform(question.key, "answers") for question in questions}
    found = labels.aggregate(
        **{f"{name}_column": _in_one_text(each, ",", blank="null") for name, each in numbers.items()},
        **{f"{name}_column": _in_one_text(each, SEPARATOR, blank="") for name, each in words.items()},
    )
    return _Rows(
        {name: _numbers(found[f"{name}_column"]) for name in numbers},
        {name: _split(found[f"{name}_column"]) for name in words},
    )


def _answer(question: Question) -> str:
    """Name the column of its answers."""
    return f"answer_{question.key}"


def _columns(rows: _Rows) -> LabelColumns:
    numbers, words = rows.numbers, rows.words
    return LabelColumns(
        sample=numbers["sample"].astype(np.int64),
        rater=_factor(words["rater"]),
        conversation=_factor(words["conversation"]),
        guideline=_factor(words["guideline"]),
        topic=_factor(words["topic"]),
        weight=numbers["weight"],
        words=numbers["words"].astype(np.int64),
        locked_at=numbers["locked_at"],
        created_at=numbers["created_at"],
        seconds=numbers["seconds"],
    )


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


def _repeats(campaign: Campaign, questions: Sequence[Question]) -> list[list[tuple[int, str, object]]]:
    """Return the silent repeats for each question: number of the sample, code of the annotator, answer."""
    labels = Label.objects.locked().filter(
        campaign=campaign, assignment__purpose=Purpose.REPEAT, assignment__repeat_number=1
    )
    answers = (KeyTextTransform(question.key, "answers") for question in questions)
    rows = list(labels.order_by("created_at").values_list("sample__number", "annotator__code", *answers))
    return [[(row[0], row[1], row[2 + place]) for row in rows] for place in range(len(questions))]


def _planned_per_rater(campaign: Campaign) -> int:
    """Return how many samples of the overlap the person with the most of them has in the plan."""
    slots = campaign.assignments.filter(purpose__in=OVERLAP_PURPOSES, state__in=PLANNED_STATES)
    counts = slots.order_by().values("annotator").annotate(n=Count("pk")).values_list("n", flat=True)
    return max(counts, default=0)


def _factor(values: Sequence[str]) -> Factor:
    names = sorted(set(values))
    place = {name: index for index, name in enumerate(names)}
    return Factor(np.array([place[value] for value in values], dtype=np.int64), tuple(names))
