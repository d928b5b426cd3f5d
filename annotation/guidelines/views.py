"""Show the guideline of a campaign, and let its lead put a new version in force."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from annotation import permissions
from annotation.campaigns.selectors import CAMPAIGN_ROLES
from annotation.guidelines import services
from annotation.guidelines.forms import GuidelineForm
from annotation.guidelines.rendering import rendered
from annotation.pay.presenter import beat_context
from annotation.schemes.shipped import clauses
from prometheus_site.accounts.roles import Role


@require_safe
def current(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the current guideline version with its clauses."""
    user = permissions.person(request, *CAMPAIGN_ROLES)
    campaign = permissions.campaign_for(user, slug)
    context = {
        "campaign": campaign,
        "guideline": campaign.guideline,
        "body": rendered(campaign.guideline.body),
        "clauses": clauses(campaign.guideline.body),
        "can_change": user.has_role(Role.LEAD),
        "is_simulated": campaign.is_simulated,
    }
    if user.has_role(Role.ANNOTATOR, Role.ADJUDICATOR):
        context |= beat_context(campaign)  # reading it is paid work
    return render(request, "annotation/guidelines/current.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest, slug: str) -> HttpResponse:
    """Put a new guideline version in force."""
    lead = permissions.person(request, Role.LEAD)
    campaign = permissions.campaign_for(lead, slug)
    standing = {"guideline_text": campaign.guideline.body}
    form = GuidelineForm(request.POST or None, request.FILES or None, initial=standing)
    if request.method == "POST" and form.is_valid():
        version, body = form.cleaned_data["guideline_version"], form.cleaned_data["guideline_text"]
        try:
            services.change_guideline(campaign=campaign, version=version, body=body, changed_by=lead)
        except services.GuidelineRefusedError as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, f"Version {version} is in force: every label from now on names it.")
            return redirect("annotation:guideline", slug=slug)
    context = {"campaign": campaign, "form": form, "is_simulated": campaign.is_simulated}
    return render(request, "annotation/guidelines/change.html", context, status=422 if form.errors else 200)
