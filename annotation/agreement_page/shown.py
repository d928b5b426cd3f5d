"""What the templates of the agreement page are given."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from annotation.agreement.estimates import Estimate
from annotation.agreement.raters import WINDOW_ITEMS, WindowFigure
from annotation.agreement_page.dimension_figures import Both, RaterDetail
from annotation.dashboard.figures import Number
from annotation.schemes.definition import Dimension


@dataclass(frozen=True)
class Bar:
    """An interval, its value and the target as percent of the way from ``start`` to 1."""

    value: float
    low: float
    high: float
    target: float | None


@dataclass(frozen=True)
class LookRow:
    """One declared look: the items it rests on and what its frozen report says, once it has one."""

    n_items: int
    items: Number | None
    ci_low: float | None
    ci_high: float | None
    status: str
    report: str


@dataclass(frozen=True)
class Card:
    """One headline dimension in short."""

    dimension: Dimension
    estimate: Estimate
    groups: Sequence[tuple[str, Both]]
    looks: Sequence[LookRow]
    verdict: str
    decided_at: int | None
    next_look: int | None
    bar: Bar | None
    items: Number
    conversations: Number
    raters: Number
    labels: Number
    single: Number
    not_eligible: Number
    versions: Sequence[str]
    is_chosen: bool


@dataclass(frozen=True)
class ReadingRow:
    """One coefficient, for the campaign's set and design-weighted; ``note`` says what it is for.

    ``not_measured`` says why there is neither.
    """

    name: str
    of_set: Estimate | None
    weighted: Estimate | None
    note: str = ""
    decides: bool = False
    not_measured: str = ""


@dataclass(frozen=True)
class ClassRow:
    """Agreement on one class of the scale."""

    name: str
    estimate: Estimate
    items: Number
    bar: Bar | None


@dataclass(frozen=True)
class Heat:
    """A cell of a table, with its shade from 0 to HEAT_STEPS."""

    n: Number
    step: int


@dataclass(frozen=True)
class PairCell:
    """What two clinicians agree on; no kappa while they share too few samples or none varies."""

    n: Number
    kappa: Estimate | None
    is_enough: bool
    step: int


@dataclass(frozen=True)
class PersonRow:
    """One clinician, by code or by code and name."""

    name: str
    detail: RaterDetail
    items: Number
    is_enough: bool
    window: Number | None
    latest: WindowFigure | None
    repeats: Number | None
    marginals: Sequence[tuple[Heat, Estimate]]


@dataclass(frozen=True)
class CourseRow:
    """A point of the running figure: what a chart draws and a table says."""

    at: datetime
    seconds: int
    items: Number
    estimate: Estimate


@dataclass(frozen=True)
class DetailView:
    """One dimension in full, as the page shows it."""

    dimension: Dimension
    readings: Sequence[ReadingRow]
    prevalence: Sequence[tuple[str, Number, float]]
    classes: Sequence[ClassRow]
    categories: Sequence[tuple[str, str]]
    confusion: Sequence[tuple[str, str, Sequence[Heat]]]
    totals: Sequence[Heat]
    people: Sequence[str]
    pairs: Sequence[tuple[str, Sequence[PairCell | None]]]
    rows: Sequence[PersonRow]
    n_people_left_out: int
    course: Sequence[CourseRow]
    marks: Sequence[tuple[datetime, int, str]]
    is_weighted: bool
    is_enough: bool
    window_items: int = WINDOW_ITEMS


@dataclass(frozen=True)
class LeftOutView:
    """What enters no figure; what was undone or passed is counted and listed nowhere."""

    not_locked: Number
    corrections: Number
    outside: Sequence[tuple[str, Number]]
    undone: int
    withdrawn: int
    passes: int
