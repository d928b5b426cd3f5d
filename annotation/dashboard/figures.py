"""Every number of the dashboard, defined once: the rows that are counted are the rows its link lists."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils.http import urlencode

from annotation.agreement import selectors as agreement
from annotation.agreement.reading import OVERLAP_PURPOSES
from annotation.labelling.selectors import scheme_of
from annotation.models import (
    OPEN_STATES,
    Assignment,
    AssignmentState,
    Campaign,
    Label,
    Purpose,
    Sample,
    SampleFlag,
)
from annotation.schemes import severity
from datasets_app.models import Source

Rows = QuerySet[Any]
Chosen = Mapping[str, str]
BY_PERSON = {"person": "annotator__code"}
DONE_SLOTS = ("labelled", "repeated")


def _counted(text: str) -> int:
    """Return a number of samples from an address. Raises ValueError."""
    if not text.isdecimal() or int(text) == 0:
        raise ValueError("Not a number of samples.")
    return int(text)


CHOICES: dict[str, Callable[[str], object]] = {
    **dict.fromkeys(("person", "other", "answer", "against", "at_least"), str),
    **dict.fromkeys(("first", "through"), _counted),
}


def is_open(state: str = "state") -> Q:
    """Return what makes a slot, whose state is there, still to be labelled.

    A sample whose source was withdrawn has no text left to label: its open slots count as taken back.
    """
    still_open = Q((f"{state}__in", OPEN_STATES))
    # Asking every slot for its source takes longer than all the rest, and is seldom needed.
    if Source.objects.filter(withdrawn_at__isnull=False).exists():
        still_open &= Q(sample__conversation__source__withdrawn_at__isnull=True)
    return still_open


def is_planned(state: str = "state") -> Q:
    """Return what makes a slot, whose state is there, part of the plan."""
    return Q((state, AssignmentState.LABELLED)) | is_open(state)


def slot_rules() -> dict[str, Q]:
    """Return which slots each figure about slots counts."""
    labelled, waiting, repeat = Q(state=AssignmentState.LABELLED), is_open(), Q(purpose=Purpose.REPEAT)
    planned = labelled | waiting
    return {
        "planned": planned,
        "labelled": labelled,
        "waiting": waiting,
        "queued": waiting & Q(state=AssignmentState.WAITING),
        "handed": waiting & Q(state=AssignmentState.LEASED),
        "resting": waiting & Q(state=AssignmentState.RESTING),
        "repeats": planned & repeat,
        "repeated": labelled & repeat,
    }


def shown_state(slot: Assignment) -> str:
    """Return a slot's state in words. Who passed a sample is nobody's business: it was taken back."""
    state = AssignmentState(slot.state)
    return (AssignmentState.WITHDRAWN if state == AssignmentState.PASSED else state).label


class UnknownFigureError(Exception):
    """There is no such figure, or it cannot be narrowed like this."""


@dataclass(frozen=True)
class Figure:
    """A named number and the rows it counts: of a campaign, or of a campaign and one dimension.

    ``kind`` names the columns of its list; ``narrowed_by`` maps a parameter of its address to the lookup that
    it sets; ``chosen_by`` names those that ``rows`` takes itself; ``shows_answers`` says that the list holds
    what somebody answered, or gives it away.
    """

    key: str
    title: str
    kind: str
    rows: Callable[..., Rows]
    narrowed_by: Mapping[str, str] = field(default_factory=dict)
    chosen_by: Mapping[str, Callable[[str], object]] = field(default_factory=dict)
    is_per_dimension: bool = False
    shows_answers: bool = False

    @property
    def list_template(self) -> str:
        return f"annotation/dashboard/rows/{self.kind}.html"


@dataclass(frozen=True)
class Number:
    """A figure's value as the page shows it, with the address of the list that reproduces it.

    ``words`` say what is counted to whoever cannot see the table around it.
    """

    figure: Figure
    value: int
    url: str
    anchor: str
    words: str


def _samples(campaign: Campaign) -> Rows:
    return Sample.objects.filter(campaign=campaign)


def _finished(campaign: Campaign) -> Rows:
    # A silent repeat is planned for the clinician's sake, not the sample's.
    slots = Assignment.objects.filter(~Q(purpose=Purpose.REPEAT), sample=OuterRef("pk"))
    rules = slot_rules()
    labelled, waiting = slots.filter(rules["labelled"]), slots.filter(rules["waiting"])
    return _samples(campaign).filter(Exists(labelled), ~Exists(waiting))


def _flagged(campaign: Campaign) -> Rows:
    return _samples(campaign).filter(Exists(SampleFlag.objects.filter(assignment__sample=OuterRef("pk"))))


def _taken_back(campaign: Campaign) -> Rows:
    """Passed and taken back alike, and never by person: who passed what is nobody's business."""
    lost = Assignment.objects.filter(sample=OuterRef("pk")).exclude(is_planned())
    return _samples(campaign).filter(Exists(lost))


def _slots(key: str) -> Callable[[Campaign], Rows]:
    return lambda campaign: Assignment.objects.filter(slot_rules()[key], campaign=campaign)


def _given(campaign: Campaign) -> Rows:
    return Label.objects.first_given().filter(campaign=campaign)


def _standing(campaign: Campaign) -> Rows:
    return Label.objects.current().filter(campaign=campaign)


def _locked(campaign: Campaign) -> Rows:
    return Label.objects.locked().filter(campaign=campaign)


def _not_locked(campaign: Campaign) -> Rows:
    return _given(campaign).filter(lock__isnull=True)


def _overlap_not_locked(campaign: Campaign) -> Rows:
    return _not_locked(campaign).filter(assignment__purpose__in=OVERLAP_PURPOSES)


def _corrections(campaign: Campaign) -> Rows:
    return Label.objects.filter(campaign=campaign, reason__isnull=False)


def _with_note(campaign: Campaign) -> Rows:
    return _standing(campaign).filter(note__isnull=False)


def severe_codes(campaign: Campaign) -> list[str]:
    """Return the answers that say "severe"; none where the scheme does not ask for crisis intensity."""
    return severity.severe_codes(scheme_of(campaign))


def _severe(campaign: Campaign) -> Rows:
    return _standing(campaign).filter(**{f"answers__{severity.CRISIS}__in": severe_codes(campaign)})


def _outside(campaign: Campaign) -> Rows:
    return _given(campaign).exclude(assignment__purpose__in=OVERLAP_PURPOSES)


def _about_slots(key: str, title: str) -> Figure:
    """Open slots are shown of nobody: beside an earlier look, a missing one would be a person's pass."""
    if key in DONE_SLOTS:
        return Figure(key, title, "labelled_slots", _slots(key), BY_PERSON)
    return Figure(key, title, "slots", _slots(key))


def _about_labels(key: str, title: str, rows: Callable[[Campaign], Rows], **more: str) -> Figure:
    return Figure(key, title, "labels", rows, BY_PERSON | more, shows_answers=True)


def _about_agreement(
    key: str, title: str, kind: str, rows: Callable[..., Rows], **narrowed_by: str
) -> Figure:
    # Who or what was counted tells how a question was answered where it is asked only after some answer.
    return Figure(key, title, kind, rows, narrowed_by, is_per_dimension=True, shows_answers=True)


_ALL = (
    Figure("samples", "Samples", "samples", _samples),
    Figure("finished", "Samples with every planned label", "samples", _finished),
    _about_slots("planned", "Planned labels"),
    _about_slots("labelled", "Labelled"),
    _about_slots("waiting", "Still to be labelled"),
    _about_slots("queued", "Waiting in a queue"),
    _about_slots("handed", "Handed out"),
    _about_slots("resting", "Silent repeats that are not due yet"),
    Figure("withdrawn", "Samples that somebody's queue lost unlabelled", "samples", _taken_back),
    _about_slots("repeats", "Silent repeats planned"),
    _about_slots("repeated", "Silent repeats labelled"),
    Figure("flagged", "Flagged samples", "samples", _flagged, shows_answers=True),
    _about_labels("given", "Labels given", _given, day="created_at__date"),
    _about_labels("locked", "Labels that are locked", _locked),
    _about_labels("unlocked", "Labels that are not locked yet", _not_locked),
    _about_labels("overlap-unlocked", "Overlap labels that are not locked yet", _overlap_not_locked),
    _about_labels("standing", "Labels as they stand now", _standing, guideline="guideline__version"),
    _about_labels("corrections", "Corrections", _corrections),
    _about_labels("notes", "Labels with a note", _with_note),
    _about_labels("severe", "Severe labels: crisis intensity 3 or more", _severe),
    _about_labels("outside", "Labels outside the planned overlap", _outside, purpose="assignment__purpose"),
    replace(
        _about_agreement("overlap-items", "Overlap items", "items", agreement.overlap_items),
        chosen_by=CHOICES,
    ),
    replace(
        _about_agreement("repeated-items", "Samples asked twice", "items", agreement.repeated_items),
        chosen_by={"person": str},
    ),
    _about_agreement(
        "conversations", "Conversations of the overlap items", "conversations", agreement.conversations
    ),
    _about_agreement("raters", "Raters of the overlap items", "people", agreement.raters),
    _about_agreement(
        "agreement-labels",
        "Labels of the overlap items",
        "labels",
        agreement.agreement_labels,
        answer="answer",
        **BY_PERSON,
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
    given = {key: value for key, value in chosen.items() if key != "dimension"}
    if not given.keys() <= figure.narrowed_by.keys() | figure.chosen_by.keys():
        raise UnknownFigureError("This figure cannot be narrowed like that.")
    if not all(_is_sound(parameter, value) for parameter, value in given.items()):
        raise UnknownFigureError("This figure cannot be narrowed to that.")
    try:
        taken = {key: read(given.pop(key)) for key, read in figure.chosen_by.items() if key in given}
        rows = _all_rows(figure, campaign, chosen, taken)
    except (KeyError, ValueError) as unknown:
        raise UnknownFigureError("There is nothing by that name in this campaign.") from unknown
    return rows.filter(**{figure.narrowed_by[parameter]: value for parameter, value in given.items()})


def count_of(key: str, campaign: Campaign, **chosen: str) -> int:
    """Return how many rows the figure has."""
    return rows_of(FIGURES[key], campaign, chosen).count()


def slots_by_person(campaign: Campaign) -> dict[str, dict[str, int]]:
    """Return the count of every figure about slots for each person who has any, all by one query."""
    counted = {key: Count("pk", filter=which) for key, which in slot_rules().items()}
    slots = Assignment.objects.filter(campaign=campaign).order_by()
    rows = list(slots.values_list("annotator__code").annotate(**counted))
    return {key: {row[0]: row[place] for row in rows} for place, key in enumerate(counted, start=1)}


def counts_by(parameter: str, key: str, campaign: Campaign) -> dict[str, int]:
    """Return the count of the figure's rows for each value of a parameter that has any."""
    rows = FIGURES[key].rows(campaign).order_by()
    groups = rows.values_list(FIGURES[key].narrowed_by[parameter]).annotate(n=Count("pk"))
    return {str(value): count for value, count in groups}


def number(key: str, campaign: Campaign, value: int, *, words: str = "", **chosen: str) -> Number:
    """Return a value of a figure together with the address of its list."""
    address = reverse("annotation:figure", args=[campaign.slug, key])
    query = f"?{urlencode(chosen)}" if chosen else ""
    anchor = "-".join(["figure", key, *chosen.values()])
    return Number(FIGURES[key], value, address + query, anchor, words or FIGURES[key].title)


def _all_rows(figure: Figure, campaign: Campaign, chosen: Chosen, taken: Mapping[str, object]) -> Rows:
    if figure.is_per_dimension:
        return figure.rows(campaign, scheme_of(campaign).dimension(chosen["dimension"]), **taken)
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
