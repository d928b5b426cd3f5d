"""Every number of the dashboard, defined once: the rows that are counted are the rows its link lists."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils.http import urlencode

from annotation.agreement import selectors as agreement
from annotation.labelling.selectors import scheme_of
from annotation.models import Assignment, AssignmentState, Campaign, Label, Sample
from annotation.schemes.definition import Dimension
from datasets_app.models import Conversation
from prometheus_site.accounts.models import User

CRISIS = "crisis_intensity"
SEVERE_FROM = 3.0  # "severe" is a crisis intensity of 3 or more, everywhere

Rows = QuerySet[Any]
Chosen = Mapping[str, str]
BY_PERSON = {"person": "annotator__code"}
_LABELLED = Q(state=AssignmentState.LABELLED)
# A sample whose source was withdrawn has no text left to label: its open slots count as taken back.
_WAITING = Q(
    state__in=[AssignmentState.WAITING, AssignmentState.LEASED],
    sample__conversation__source__withdrawn_at__isnull=True,
)


class UnknownFigureError(Exception):
    """There is no such figure, or it cannot be narrowed like this."""


@dataclass(frozen=True)
class Figure:
    """A named number and the rows it counts: of a campaign, or of a campaign and one dimension.

    ``kind`` names the columns of its list; ``narrowed_by`` maps a parameter of its address to the lookup that
    it sets; ``shows_answers`` says that the list holds what somebody answered, or gives it away.
    """

    key: str
    title: str
    kind: str
    rows: Callable[..., Rows]
    narrowed_by: Mapping[str, str] = field(default_factory=dict)
    is_per_dimension: bool = False
    shows_answers: bool = False

    @property
    def list_template(self) -> str:
        return f"annotation/dashboard/rows/{self.kind}.html"


@dataclass(frozen=True)
class Number:
    """A figure's value as the page shows it, with the address of the list that reproduces it."""

    figure: Figure
    value: int
    url: str
    anchor: str


def _samples(campaign: Campaign) -> Rows:
    return Sample.objects.filter(campaign=campaign)


def _finished(campaign: Campaign) -> Rows:
    slots = Assignment.objects.filter(sample=OuterRef("pk"))
    labelled, waiting = slots.filter(_LABELLED), slots.filter(_WAITING)
    return _samples(campaign).filter(Exists(labelled), ~Exists(waiting))


def _slots(which: Q) -> Callable[[Campaign], Rows]:
    return lambda campaign: Assignment.objects.filter(which, campaign=campaign)


def _given(campaign: Campaign) -> Rows:
    return Label.objects.first_given().filter(campaign=campaign)


def _standing(campaign: Campaign) -> Rows:
    return Label.objects.current().filter(campaign=campaign)


def _corrections(campaign: Campaign) -> Rows:
    return Label.objects.filter(campaign=campaign, supersedes__isnull=False)


def _with_note(campaign: Campaign) -> Rows:
    return _standing(campaign).filter(note__isnull=False)


def _severe(campaign: Campaign) -> Rows:
    codes = [
        category.code
        for dimension in scheme_of(campaign).dimensions
        for category in dimension.categories
        if dimension.key == CRISIS and category.value is not None and category.value >= SEVERE_FROM
    ]
    return _standing(campaign).filter(**{f"answers__{CRISIS}__in": codes})


def _outside(campaign: Campaign) -> Rows:
    return _given(campaign).exclude(pk__in=agreement.counting_labels(campaign).values("pk"))


def _conversations(campaign: Campaign, dimension: Dimension) -> Rows:
    items = agreement.overlap_items(campaign, dimension)
    return Conversation.objects.filter(pk__in=items.values("conversation"))


def _raters(campaign: Campaign, dimension: Dimension) -> Rows:
    return User.objects.filter(pk__in=agreement.agreement_labels(campaign, dimension).values("annotator"))


def _about_slots(key: str, title: str, which: Q) -> Figure:
    return Figure(key, title, "slots", _slots(which), BY_PERSON)


def _about_labels(key: str, title: str, rows: Callable[[Campaign], Rows], **more: str) -> Figure:
    return Figure(key, title, "labels", rows, BY_PERSON | more, shows_answers=True)


def _about_agreement(
    key: str, title: str, kind: str, rows: Callable[[Campaign, Dimension], Rows], **narrowed_by: str
) -> Figure:
    # Who or what was counted tells how a question was answered where it is asked only after some answer.
    return Figure(key, title, kind, rows, narrowed_by, is_per_dimension=True, shows_answers=True)


_ALL = (
    Figure("samples", "Samples", "samples", _samples),
    Figure("finished", "Samples with every planned label", "samples", _finished),
    _about_slots("planned", "Planned labels", _WAITING | _LABELLED),
    _about_slots("labelled", "Labelled", _LABELLED),
    _about_slots("waiting", "Waiting to be labelled", _WAITING),
    _about_slots("withdrawn", "Taken back unlabelled", ~(_WAITING | _LABELLED)),
    _about_labels("given", "Labels given", _given, day="created_at__date"),
    _about_labels("standing", "Labels as they stand now", _standing, guideline="guideline__version"),
    _about_labels("corrections", "Corrections", _corrections),
    _about_labels("notes", "Labels with a note", _with_note),
    _about_labels("severe", "Severe labels: crisis intensity 3 or more", _severe),
    _about_labels("outside", "Labels outside the planned overlap", _outside),
    _about_agreement("overlap-items", "Overlap items", "items", agreement.overlap_items),
    _about_agreement("conversations", "Conversations of the overlap items", "conversations", _conversations),
    _about_agreement("raters", "Raters of the overlap items", "people", _raters),
    _about_agreement(
        "agreement-labels",
        "Labels of the overlap items",
        "labels",
        agreement.agreement_labels,
        answer="answer",
    ),
    _about_agreement(
        "single-label-samples", "Samples with one label only", "items", agreement.single_label_samples
    ),
    _about_agreement(
        "not-eligible", "Labels to which the question did not apply", "labels", agreement.not_eligible_labels
    ),
)
FIGURES = {figure.key: figure for figure in _ALL}


def figure_named(key: str) -> Figure:
    """Return the figure. Raises UnknownFigureError."""
    if key not in FIGURES:
        raise UnknownFigureError("There is no such figure.")
    return FIGURES[key]


def rows_of(figure: Figure, campaign: Campaign, chosen: Chosen) -> Rows:
    """Return the rows that are counted, narrowed by what was chosen. Raises UnknownFigureError."""
    rows = _all_rows(figure, campaign, chosen)
    for parameter, value in chosen.items():
        if parameter == "dimension":
            continue
        if parameter not in figure.narrowed_by or not _is_sound(parameter, value):
            raise UnknownFigureError("This figure cannot be narrowed like that.")
        rows = rows.filter(**{figure.narrowed_by[parameter]: value})
    return rows


def count_of(key: str, campaign: Campaign, **chosen: str) -> int:
    """Return how many rows the figure has."""
    return rows_of(FIGURES[key], campaign, chosen).count()


def counts_by(parameter: str, key: str, campaign: Campaign) -> dict[str, int]:
    """Return the count of the figure's rows for each value of a parameter that has any."""
    rows = FIGURES[key].rows(campaign).order_by()
    groups = rows.values_list(FIGURES[key].narrowed_by[parameter]).annotate(n=Count("pk"))
    return {str(value): count for value, count in groups}


def number(key: str, campaign: Campaign, value: int, **chosen: str) -> Number:
    """Return a value of a figure together with the address of its list."""
    address = reverse("annotation:figure", args=[campaign.slug, key])
    query = f"?{urlencode(chosen)}" if chosen else ""
    return Number(FIGURES[key], value, address + query, "-".join(["figure", key, *chosen.values()]))


def _all_rows(figure: Figure, campaign: Campaign, chosen: Chosen) -> Rows:
    if figure.is_per_dimension:
        try:
            return figure.rows(campaign, scheme_of(campaign).dimension(chosen["dimension"]))
        except KeyError as unknown:
            raise UnknownFigureError("This figure needs a dimension of the campaign's scheme.") from unknown
    if "dimension" in chosen:
        raise UnknownFigureError("This figure is not about one dimension.")
    return figure.rows(campaign)


def _is_sound(parameter: str, value: str) -> bool:
    if parameter != "day":
        return "\x00" not in value  # PostgreSQL takes no NUL
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False
