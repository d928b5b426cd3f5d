"""Read the looks of a campaign: which are declared, which are reached, and what their reports say."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import Count, Q, QuerySet

from annotation.agreement.checkpoints import Look
from annotation.agreement.distances import Scale
from annotation.agreement.looks import (
    PLANNED_STATES,
    error_spent,
    has_looked_at_end,
    open_looks,
    report_of,
    standing_looks,
)
from annotation.agreement.reading import OVERLAP_PURPOSES, Reading, read_campaign
from annotation.checkpoints.declaring import looks_to_declare
from annotation.checkpoints.figures import Question
from annotation.checkpoints.labels import moment_of_item
from annotation.labelling.selectors import scheme_of
from annotation.models import (
    OPEN_STATES,
    Assignment,
    Campaign,
    CampaignState,
    CheckpointReport,
    DeclaredLook,
    Label,
    LookDeclaration,
    ReportSignature,
    Sample,
)
from annotation.schemes import severity
from annotation.schemes.definition import Dimension, Scheme

CLASSES_FROM = {1.0: "Any crisis", severity.SEVERE_FROM: "Severe", severity.ACT_NOW_FROM: "Act now"}
"""Crisis intensity: what the levels from here on are called together."""


@dataclass(frozen=True)
class Said:
    """What a report says of one dimension; bounds None where there were too few items for a number."""

    n_items: int
    verdict: str
    ci_low: float | None
    ci_high: float | None


@dataclass(frozen=True)
class LookSaid:
    """A declared look with its report's number and what that says by dimension; none before it is frozen."""

    n_overlap_items: int
    report_number: int | None
    dimensions: Mapping[str, Said]


@dataclass(frozen=True)
class Reached:
    """When a look was reached; ``is_short`` when it was asked for before its items were complete."""

    moment: datetime
    is_short: bool


@dataclass(frozen=True)
class Progress:
    """How many overlap items of a deciding dimension are complete."""

    title: str
    n_complete: int


@dataclass(frozen=True)
class LookRow:
    """A declared look as the page lists it; ``is_due`` while its report is being made."""

    look: DeclaredLook
    report: CheckpointReport | None
    content: Mapping[str, Any] | None
    is_due: bool

    @property
    def error_percent(self) -> str:
        """The error that the look spends on each side."""
        return f"{100 * self.look.error_per_side:.4g}"


@dataclass(frozen=True)
class Overview:
    """Everything on the page of checkpoints.

    ``n_planned`` overlap items are in the plan as it is now; ``is_settled`` while the campaign has opened and
    no look is due; ``has_ended`` when no label will come any more.
    """

    declarations: Sequence[LookDeclaration]
    rows: Sequence[LookRow]
    progress: Sequence[Progress]
    n_planned: int
    error_spent: float
    is_settled: bool
    has_ended: bool

    @property
    def n_complete(self) -> int:
        """The overlap items of the slowest dimension."""
        return min(one.n_complete for one in self.progress)

    @property
    def n_passed(self) -> int:
        """The overlap items of the fastest dimension."""
        return max(one.n_complete for one in self.progress)

    @property
    def waiting(self) -> list[DeclaredLook]:
        """The looks to come."""
        return [row.look for row in self.rows if row.report is None]

    @property
    def next_look(self) -> DeclaredLook | None:
        """The look that comes next; None where all are looked at."""
        return next(iter(self.waiting), None)

    @property
    def newest(self) -> Mapping[str, Any] | None:
        """What the newest report says; None while there is none."""
        return next((row.content for row in reversed(self.rows) if row.content is not None), None)

    @property
    def looks_of_the_plan(self) -> tuple[Look, ...]:
        """The looks to come if they were declared now."""
        if has_looked_at_end([row.look for row in self.rows]):
            return ()
        return looks_to_declare(
            self.n_planned, n_complete=self.n_complete, n_passed=self.n_passed, spent=self.error_spent
        )

    @property
    def can_declare(self) -> bool:
        """Whether the plan asks for other looks than those declared that no dimension has passed."""
        sizes = [look.n_overlap_items for look in self.looks_of_the_plan]
        declared = [
            look.n_overlap_items
            for look in self.waiting
            if look.is_end or look.n_overlap_items > self.n_passed
        ]
        return self.is_settled and bool(self.declarations) and bool(sizes) and sizes != declared

    @property
    def can_ask_for_end(self) -> bool:
        """Whether the end may be looked at though its items are not complete."""
        return self.is_settled and self.has_ended and bool(self.waiting)


def deciding(scheme: Scheme) -> list[Dimension]:
    """Return the dimensions that decide the target: the headlines of the scheme."""
    return [dimension for dimension in scheme.dimensions if dimension.is_headline]


def questions_of(campaign: Campaign) -> list[Question]:
    """Return the deciding dimensions with their coarser readings and threshold classes."""
    scheme = scheme_of(campaign)
    return [
        Question(
            key=dimension.key,
            title=dimension.title,
            scale=Scale(dimension.scale),
            labels={category.code: category.label for category in dimension.categories},
            groupings={one.title: one.members for one in scheme.groupings if one.dimension == dimension.key},
            at_least=tuple(classes_from(dimension)),
        )
        for dimension in deciding(scheme)
    ]


def classes_from(dimension: Dimension) -> dict[str, str]:
    """Return the codes from which on levels are one class together, with the name of that class."""
    if dimension.key != severity.CRISIS:
        return {}
    return {
        category.code: CLASSES_FROM[category.value]
        for category in dimension.categories
        if category.value in CLASSES_FROM
    }


def planned_items(campaign: Campaign) -> int:
    """Return how many overlap items the plan has, of the deciding dimension with the fewest.

    A question about one speaker is not asked of a sample in which that one says nothing.
    """
    slots = campaign.assignments.filter(state__in=PLANNED_STATES, purpose__in=OVERLAP_PURPOSES)
    several = slots.order_by().values("sample").annotate(n=Count("annotator", distinct=True)).filter(n__gte=2)
    samples = Sample.objects.filter(campaign=campaign, pk__in=several.values("sample")).order_by()
    counts = samples.aggregate(
        client=Count("pk", filter=Q(has_client_turn=True)),
        assistant=Count("pk", filter=Q(has_assistant_turn=True)),
        conversation=Count("pk"),
    )
    deciding_forms = [
        form for form in scheme_of(campaign).forms if any(one.is_headline for one in form.dimensions)
    ]
    return min(int(counts[form.asks_about]) for form in deciding_forms)


def complete_items(reading: Reading) -> tuple[int, int]:
    """Return how many overlap items are complete in the slowest and in the fastest deciding dimension."""
    counted = [len(labels.overlap_items) for labels in reading.dimensions.values()]
    return min(counted), max(counted)


def reached(look: DeclaredLook, campaign: Campaign, reading: Reading) -> Reached | None:
    """Return when the look was reached; None while it is not.

    A look is reached when the n-th overlap item of every dimension is complete; the end also needs every
    label that is planned for those items. A lead may ask for the end of a campaign that ended short.
    """
    n, dimensions = look.n_overlap_items, reading.dimensions.values()
    moments = [moment_of_item(labels, n) for labels in dimensions]
    known = [moment for moment in moments if moment is not None]
    is_short = len(known) < len(moments)
    if look.is_end and hasattr(look, "end_request"):
        return Reached(look.end_request.requested_at, is_short)
    if is_short or (look.is_end and _is_unfinished(campaign, reading, n)):
        return None
    if look.is_end:
        known = [float(labels.locked_at[:n][labels.locked_at[:n] > 0].max()) for labels in dimensions]
    return Reached(datetime.fromtimestamp(max(known), UTC), is_short=False)


def _is_unfinished(campaign: Campaign, reading: Reading, n: int) -> bool:
    """Whether labels planned for the first n items are still to come or not locked yet."""
    items = {item for labels in reading.dimensions.values() for item in labels.overlap_items[:n]}
    return any(
        not items.isdisjoint(rows.values_list("sample__number", flat=True).distinct())
        for rows in (_open_slots(campaign), _unlocked_labels(campaign))
    )


def _open_slots(campaign: Campaign) -> QuerySet[Assignment]:
    return campaign.assignments.filter(purpose__in=OVERLAP_PURPOSES, state__in=OPEN_STATES)


def _unlocked_labels(campaign: Campaign) -> QuerySet[Label]:
    given: QuerySet[Label] = Label.objects.first_given().filter(
        campaign=campaign, assignment__purpose__in=OVERLAP_PURPOSES, lock__isnull=True
    )
    return given


def may_be_due(campaign: Campaign) -> bool:
    """Whether a look can have been reached: asked every minute, so it reads no answer.

    An overlap item takes two labels, so that many must be there.
    """
    looks = open_looks(campaign)
    if any(hasattr(look, "end_request") for look in looks):
        return True
    fewest = min((look.n_overlap_items for look in looks), default=0)
    labels = Label.objects.filter(campaign=campaign).order_by("created_at").values("pk")
    return fewest > 0 and labels[2 * fewest - 1 : 2 * fewest].exists()


def looks_said(campaign: Campaign) -> list[LookSaid]:
    """Return the looks that hold, in their order, with what the frozen report of each says."""
    found = []
    for look in standing_looks(campaign):
        report = report_of(look)
        dimensions = content_of(report)["dimensions"] if report else []
        found.append(
            LookSaid(
                n_overlap_items=look.n_overlap_items,
                report_number=report.number if report else None,
                dimensions={each["dimension"]: _said(each) for each in dimensions},
            )
        )
    return found


def _said(dimension: dict[str, Any]) -> Said:
    [deciding] = [each for each in dimension["figures"] if each["decides"]]
    return Said(dimension["n_items"], dimension["verdict"], deciding["ci_low"], deciding["ci_high"])


def content_of(report: CheckpointReport) -> dict[str, Any]:
    """Return what the frozen document says."""
    content: dict[str, Any] = json.loads(report.document)
    return content


def signature_of(report: CheckpointReport) -> ReportSignature | None:
    """Return the report's signature; None while it waits for it."""
    return ReportSignature.objects.filter(report=report).first()


def has_ended(campaign: Campaign) -> bool:
    """Whether it is closed or no planned overlap label is left, and every label is locked."""
    is_over = campaign.state == CampaignState.CLOSED or not _open_slots(campaign).exists()
    return is_over and not _unlocked_labels(campaign).exists()


def overview_of(campaign: Campaign) -> Overview:
    """Return the checkpoints of a campaign. The queries do not grow with its looks, people or samples."""
    reading, looks = read_campaign(campaign), standing_looks(campaign)
    titles = {dimension.key: dimension.title for dimension in deciding(scheme_of(campaign))}
    rows = [_row(look, campaign, reading) for look in looks]
    return Overview(
        declarations=list(campaign.look_declarations.select_related("declared_by").order_by("-number")),
        rows=rows,
        progress=[
            Progress(titles[key], len(labels.overlap_items)) for key, labels in reading.dimensions.items()
        ],
        n_planned=planned_items(campaign),
        error_spent=error_spent(looks),
        is_settled=campaign.state != CampaignState.DRAFT and not any(row.is_due for row in rows),
        has_ended=has_ended(campaign),
    )


def _row(look: DeclaredLook, campaign: Campaign, reading: Reading) -> LookRow:
    report = report_of(look)
    if report is not None:
        return LookRow(look, report, content_of(report), is_due=False)
    return LookRow(look, None, None, is_due=reached(look, campaign, reading) is not None)
