"""The page of a campaign's selection: what was picked and why."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from annotation import blindness, permissions
from annotation.models import PickReason
from annotation.selection import selectors
from annotation.selection.picture import bars_of, plot_of, shares_by
from prometheus_site.accounts.roles import Role


@require_safe
def show_selection(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the strata, scores and reasons of the samples that were picked for the campaign."""
    lead = permissions.person(request, Role.LEAD)
    campaign = permissions.campaign_for(lead, slug)
    reason = request.GET.get("reason", "")
    if reason and reason not in PickReason.values:
        raise Http404
    context = {"campaign": campaign, "is_simulated": campaign.is_simulated, "selection": None}
    selection = selectors.selection_of(campaign)
    if selection is not None:
        report = selectors.report_of(selection)
        is_blind = blindness.is_blind_in(lead, campaign) or blindness.may_yet_label(lead, campaign)
        context |= {
            "selection": selection,
            "report": report,
            "shortfalls": [sentence.replace("_", " ") for sentence in report.shortfalls],
            "reasons": selectors.reasons_of(report),
            "reason": PickReason(reason) if reason else None,
            "categories": bars_of(report.categories),
            "kinds": [
                ("How far the judges agree", "Judges", shares_by("difficulty", report.strata)),
                ("Picks by origin", "Origin", shares_by("origin", report.strata)),
            ],
            "plots": [plot_of(scores) for scores in report.scores],
            # What programs guess about a sample stays closed to a lead who still labels it.
            "page": None if is_blind else selectors.page_of_picks(selection, reason, request.GET.get("page")),
        }
    return render(request, "annotation/selection/selection.html", context)
