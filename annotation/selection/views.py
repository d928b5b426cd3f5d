"""The page of a campaign's selection: what was picked and why."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from annotation import blindness, permissions
from annotation.models import PickReason
from annotation.selection import selectors
from annotation.selection.presenter import in_pictures
from prometheus_site.accounts.roles import Role


@require_safe
def show_selection(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the strata, scores and reasons of the samples that were picked for the campaign."""
    lead = permissions.person(request, Role.LEAD)
    campaign = permissions.campaign_for(lead, slug)
    reason = request.GET.get("reason", "")
    if reason and reason not in PickReason.values:
        raise Http404
    selection = selectors.selection_of(campaign)
    context = {"campaign": campaign, "is_simulated": campaign.is_simulated, "selection": selection}
    if selection is not None:
        # What programs guess about a sample stays closed to a lead who still labels it.
        is_blind = blindness.is_blind_in(lead, campaign) or blindness.may_yet_label(lead, campaign)
        page = None if is_blind else selectors.page_of_picks(selection, reason, request.GET.get("page"))
        context |= {
            **in_pictures(selectors.report_of(selection)),
            "reason": PickReason(reason) if reason else None,
            "page": page,
            "imports_waiting": selectors.imports_waiting(campaign),
        }
    return render(request, "annotation/selection/selection.html", context)
