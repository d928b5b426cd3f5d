"""The first page after signing in: what waits for this person."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from annotation.campaigns.selectors import campaigns_of
from annotation.labelling.standing import standing_of
from annotation.qualification.selectors import first_steps, licence_warning
from annotation.recruitment.selectors import own_ways
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show the person's campaigns and, to leads and engineers, the way to the board."""
    user = request.user
    assert isinstance(user, User)  # noqa: S101  LoginRequiredMiddleware let nobody else in
    is_annotator = user.has_role(Role.ANNOTATOR)
    campaigns = campaigns_of(user) if is_annotator else []
    context = {
        "work": [(campaign, standing_of(user, campaign)) for campaign in campaigns],
        "is_annotator": is_annotator,
        "licence_warning": licence_warning(user) if is_annotator else None,
        "ways": own_ways(user),
        "first_steps": first_steps(user) if user.has_role(Role.APPLICANT) else [],
        "is_lead": user.has_role(Role.LEAD),
        "sees_board": user.is_staff,
        "is_adjudicator": user.has_role(Role.ADJUDICATOR),
        "is_supervisor": user.has_role(Role.SUPERVISOR),
        "has_a_role": bool(user.roles),
    }
    return render(request, "progress/home.html", context)


@login_not_required  # applicants read about distress too
@require_safe
def support(request: HttpRequest) -> HttpResponse:
    """Show where to find support; reachable from every page."""
    is_lead = isinstance(request.user, User) and request.user.has_role(Role.LEAD)
    return render(request, "core/support.html", {"is_lead": is_lead})
