"""The list behind a number, page by page, and one sample with what everybody said about it."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, F, Q

from annotation.agreement.raters import WINDOW_ITEMS
from annotation.agreement.selectors import eligible_labels
from annotation.dashboard.figures import Chosen, Figure, Rows, rows_of, shown_state
from annotation.labelling.presenter import answers_in_words
from annotation.labelling.selectors import scheme_of, scheme_version
from annotation.models import Assignment, Campaign, Label, Sample, SampleFlag
from annotation.schemes.definition import Dimension
from prometheus_site.core import sealing
from prometheus_site.core.models import SealedText

ROWS_PER_PAGE = 50


@dataclass(frozen=True)
class LabelRow:
    """A label with the answers that matter on this page, in words."""

    label: Label
    answers: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class SlotRow:
    """A slot and its state in words."""

    slot: Assignment
    state: str


@dataclass(frozen=True)
class ItemAnswer:
    """Who answered what: the person's code, the answer's code, and the answer in words."""

    person: str
    code: str
    words: str


@dataclass(frozen=True)
class ItemRow:
    """A sample with each person's answer on one dimension."""

    sample: Sample
    answers: Sequence[ItemAnswer]


@dataclass(frozen=True)
class SideBySide:
    """All labels of a sample: a column each, and a row of answers for every question of the scheme."""

    labels: Sequence[Label]
    rows: Sequence[tuple[str, Sequence[str]]]


@dataclass(frozen=True)
class Flag:
    """What a clinician said is wrong with the sample itself; the words are empty where they were erased."""

    kind: str
    words: str
    created_at: datetime


def page_of(figure: Figure, campaign: Campaign, chosen: Chosen, page: str | None) -> Page[Any]:
    """Return one page of the rows that the figure counts. Raises UnknownFigureError."""
    found = Paginator(_ordered(figure.kind, rows_of(figure, campaign, chosen)), ROWS_PER_PAGE).get_page(page)
    if figure.kind == "labels":
        keys = [chosen["dimension"]] if "dimension" in chosen else _headlines(campaign)
        found.object_list = [LabelRow(label, _answers(label, keys)) for label in found.object_list]
    elif figure.kind in ("slots", "labelled_slots"):
        found.object_list = [SlotRow(slot, shown_state(slot)) for slot in found.object_list]
    elif figure.kind == "items":
        dimension = scheme_of(campaign).dimension(chosen["dimension"])
        found.object_list = _items(campaign, dimension, list(found.object_list))
    return found


def page_of_samples(
    campaign: Campaign, dimension: Dimension, numbers: Sequence[Hashable], page: str | None
) -> Page[Any]:
    """Return one page of the samples of these numbers, in their order, with each person's answer."""
    found: Page[Any] = Paginator(numbers, ROWS_PER_PAGE).get_page(page)
    place = {number: index for index, number in enumerate(found.object_list)}
    samples = Sample.objects.filter(campaign=campaign, number__in=place)
    shown = sorted(samples, key=lambda sample: place[sample.number])
    found.object_list = _items(campaign, dimension, shown)
    return found


def narrowing_in_words(campaign: Campaign, chosen: Chosen) -> list[str]:
    """Return what a list was narrowed to, for its heading."""
    labels: dict[str, str] = {}
    found = []
    if "dimension" in chosen:
        dimension = scheme_of(campaign).dimension(chosen["dimension"])
        labels = {category.code: category.label for category in dimension.categories}
        found.append(dimension.title)
    words = {
        "guideline": "guideline {}",
        "at_least": "{} or higher",
        "first": "the first {}",
        "through": f"{WINDOW_ITEMS} up to the {{}}th of this person",
    }
    for key, value in chosen.items():
        if key != "dimension":
            found.append(words.get(key, "{}").format(labels.get(value, value)))
    return found


def labels_side_by_side(sample: Sample, campaign: Campaign) -> SideBySide:
    """Return the labels of a sample, people by their codes, corrections after what they correct.

    What was undone before it locked is nobody's answer and is left out.

    Notes and reasons stay closed: clinicians write them for those who settle disagreements.
    """
    labels = list(
        Label.objects.filter(sample=sample, campaign=campaign, undo__isnull=True)
        .select_related("annotator", "assignment", "guideline")
        .order_by("annotator__code", "created_at", "pk")
    )
    return SideBySide(
        labels=labels,
        rows=[
            (dimension.title, [_answer(label, dimension) for label in labels])
            for dimension in scheme_of(campaign).dimensions
        ],
    )


def flags_of(sample: Sample) -> list[Flag]:
    """Return what is said to be wrong with a sample, newest first, and not by whom."""
    flags = SampleFlag.objects.filter(assignment__sample=sample).select_related("words__data_key")
    return [
        Flag(flag.get_kind_display(), _opened(flag.words), flag.created_at)
        for flag in flags.order_by("-created_at")
    ]


def _opened(words: SealedText | None) -> str:
    try:
        return sealing.open_text(words) if words else ""
    except sealing.TextErasedError:
        return ""


def _ordered(kind: str, rows: Rows) -> Rows:
    if kind == "labels":
        rows = rows.select_related("sample", "annotator", "guideline", "assignment")
        return rows.order_by("-created_at", "pk")
    if kind == "labelled_slots":
        return rows.select_related("sample", "annotator").order_by("annotator__code", "position")
    if kind == "slots":
        return rows.select_related("sample").order_by("sample__number", "pk")
    if kind == "people":
        return rows.order_by("code")
    if kind == "conversations":
        return rows.select_related("source").order_by("source__name", "row", "pk")
    if kind == "samples":
        rows = rows.annotate(
            turn_count=F("window_stop") - F("window_start"),
            label_count=Count(
                "labels", filter=Q(labels__reason__isnull=True, labels__undo__isnull=True), distinct=True
            ),
        )
    return rows.order_by("number")


def _headlines(campaign: Campaign) -> list[str]:
    return [dimension.key for dimension in scheme_of(campaign).dimensions if dimension.is_headline]


def _answers(label: Label, keys: Iterable[str]) -> list[tuple[str, str]]:
    return answers_in_words(scheme_version(label.scheme_id), {key: label.answers.get(key) for key in keys})


def _answer(label: Label, dimension: Dimension) -> str:
    return ", ".join(words for _, words in _answers(label, [dimension.key]))


def _items(campaign: Campaign, dimension: Dimension, samples: Sequence[Sample]) -> list[ItemRow]:
    scheme = scheme_of(campaign)
    given = eligible_labels(campaign, dimension).filter(sample__in=samples).order_by("annotator__code")
    answers: dict[object, list[ItemAnswer]] = {}
    for sample_id, person, code in given.values_list("sample_id", "annotator__code", "answer"):
        [(_, words)] = answers_in_words(scheme, {dimension.key: code})
        answers.setdefault(sample_id, []).append(ItemAnswer(person, code, words))
    return [ItemRow(sample, answers[sample.pk]) for sample in samples]
