"""Read the cases of dangerous disagreement and what counts as such."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone

from annotation.dangerous import policy
from annotation.models import Campaign, CostMatrix, DangerCase, Label, Purpose
from annotation.models.label import LabelQuerySet

CASES_SHOWN = 200
NOT_COMPARED = (Purpose.TRAINING, Purpose.CALIBRATION, Purpose.REPEAT)


@dataclass(frozen=True)
class Clock:
    """How many cases wait for an answer, how many of them are overdue, and when the next one is due."""

    open: int
    overdue: int
    next_due_at: datetime | None


def standing_labels(campaign: Campaign) -> LabelQuerySet:
    """Return first labels as they stand, locked or not: an alarm does not wait for the lock."""
    labels: LabelQuerySet = Label.objects.current().filter(campaign=campaign, reason__isnull=True)
    return labels.exclude(assignment__purpose__in=NOT_COMPARED)


def latest_matrix(campaign: Campaign) -> CostMatrix | None:
    """Return the version of the matrix that holds; None while the default does."""
    found: CostMatrix | None = campaign.cost_matrices.order_by("-number").first()
    return found


def hours_of(matrix: CostMatrix | None) -> dict[policy.Pair, int]:
    """Return the hours of every two levels, 0 for ordinary ones; those of the default without a matrix."""
    if matrix is None:
        return policy.default_hours()
    return {(low, high): matrix.hours.get(f"{low}-{high}", 0) for low, high in policy.pairs()}


def open_cases(campaign: Campaign) -> QuerySet[DangerCase]:
    """Return the cases without an answer, the most urgent first."""
    cases: QuerySet[DangerCase] = DangerCase.objects.filter(campaign=campaign, answer__isnull=True)
    return cases.select_related("sample").order_by("due_at", "sample__number")


def answered_cases(campaign: Campaign) -> QuerySet[DangerCase]:
    """Return the cases with an answer, the latest first."""
    cases: QuerySet[DangerCase] = DangerCase.objects.filter(campaign=campaign, answer__isnull=False)
    return cases.select_related("sample", "answer__answered_by").order_by("-answer__answered_at")


def clock_of(campaign: Campaign) -> Clock:
    """Return how the open cases stand."""
    dues: Sequence[datetime] = list(open_cases(campaign).values_list("due_at", flat=True))
    now = timezone.now()
    return Clock(len(dues), sum(due < now for due in dues), min(dues, default=None))
