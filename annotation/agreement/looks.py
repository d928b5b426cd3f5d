"""The looks at which a campaign's target is decided: stored when declared, so that no plan moves them."""

from collections.abc import Sequence

from django.db.models import Q

from annotation.agreement.checkpoints import Look
from annotation.models import OPEN_STATES, AssignmentState, Campaign, CheckpointReport, DeclaredLook

PLANNED_STATES = (AssignmentState.LABELLED, *OPEN_STATES)


def looks_of(campaign: Campaign) -> tuple[Look, ...]:
    """Return the campaign's declared looks; none before it has opened."""
    return tuple(Look(look.n_overlap_items, look.error_per_side) for look in standing_looks(campaign))


def standing_looks(campaign: Campaign) -> list[DeclaredLook]:
    """Return the looks that hold, the end last: those with a report, and those of the newest declaration.

    Once the end was looked at, nothing is looked at any more.
    """
    newest = campaign.look_declarations.order_by("-number").values("pk")[:1]
    looks = DeclaredLook.objects.filter(declaration__campaign=campaign).filter(
        Q(report__isnull=False) | Q(declaration__in=newest)
    )
    found = list(
        looks.select_related("declaration", "report", "end_request").order_by("n_overlap_items", "is_end")
    )
    return [look for look in found if report_of(look)] if has_looked_at_end(found) else found


def has_looked_at_end(looks: Sequence[DeclaredLook]) -> bool:
    """Whether the end is among the looks with a report."""
    return any(look.is_end and report_of(look) is not None for look in looks)


def open_looks(campaign: Campaign) -> list[DeclaredLook]:
    """Return the standing looks that have no report yet."""
    return [look for look in standing_looks(campaign) if report_of(look) is None]


def error_spent(looks: Sequence[DeclaredLook]) -> float:
    """Return the error a side of the looks that have a report."""
    return sum(look.error_per_side for look in looks if report_of(look))


def report_of(look: DeclaredLook) -> CheckpointReport | None:
    """Return the look's report; None while it has none."""
    report: CheckpointReport | None = getattr(look, "report", None)
    return report
