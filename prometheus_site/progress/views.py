"""The page of the three success criteria, each with its evidence or the statement that there is none."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from prometheus_site.accounts.permissions import SignedInRequest, require_role
from prometheus_site.accounts.roles import Role
from prometheus_site.progress.selectors import campaign_standings

SAMPLES_WANTED = 5_000


@require_role(Role.LEAD, Role.ENGINEER)
@require_safe
def progress(request: SignedInRequest) -> HttpResponse:
    """Show where the project stands: dataset, labels with agreement, trained model."""
    standings = campaign_standings(request.user)
    context = {
        "samples_wanted": SAMPLES_WANTED,
        "standings": standings,
        "is_lead": request.user.has_role(Role.LEAD),
    }
    return render(request, "progress/progress.html", context)
