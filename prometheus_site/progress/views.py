"""The page of the three success criteria, each with its evidence or the statement that there is none."""

from collections.abc import Iterable

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from prometheus_site.accounts.permissions import SignedInRequest, require_role
from prometheus_site.accounts.roles import Role
from prometheus_site.progress.selectors import CampaignStanding, campaign_standings

SAMPLES_WANTED = 5_000
AGREEMENT_WANTED = "0.85"


@require_role(Role.LEAD, Role.ENGINEER)
@require_safe
def progress(request: SignedInRequest) -> HttpResponse:
    """Show where the project stands: dataset, labels with agreement, trained model."""
    standings = campaign_standings(request.user)
    context = {
        "samples_wanted": SAMPLES_WANTED,
        "agreement_wanted": AGREEMENT_WANTED,
        "standings": standings,
        "labels_status": _labels_status(standings),
        "is_lead": request.user.has_role(Role.LEAD),
    }
    return render(request, "progress/progress.html", context)


def _labels_status(standings: Iterable[CampaignStanding]) -> str:
    """Return ``undecided`` once a human campaign shows all its alphas, before that what is missing."""
    human = [standing for standing in standings if not standing.campaign.is_simulated]
    if any(
        standing.agreements and all(agreement.is_shown for agreement, _ in standing.agreements)
        for standing in human
    ):
        return "undecided"
    return "collecting" if any(standing.labelled.value for standing in human) else "not_measured"
