"""The page of a campaign's selection: what was picked and why, and before that the run that picks."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from annotation import blindness, permissions
from annotation.models import Campaign, PickReason, SampleSelection
from annotation.selection import selectors, services
from annotation.selection.forms import SelectForm
from annotation.selection.presenter import in_pictures
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role


@require_safe
def show_selection(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the strata, scores and reasons of the samples that were picked for the campaign, or how to.

    While a run goes on, htmx asks for its part of the page alone, and for the whole of it when it has ended.
    """
    lead = permissions.person(request, Role.LEAD)
    campaign = permissions.campaign_for(lead, slug)
    if "HX-Request" not in request.headers:
        return _page(request, lead, campaign, SelectForm())
    run = selectors.latest_run(campaign)
    if run is None or not run.is_active:
        return HttpResponseClientRefresh()
    return render(request, "annotation/selection/_run.html", {"campaign": campaign, "run": run})


@require_POST
def start_selection(request: HttpRequest, slug: str) -> HttpResponse:
    """Let a worker select samples for the campaign."""
    lead = permissions.person(request, Role.LEAD)
    campaign = permissions.campaign_for(lead, slug)
    form = SelectForm(request.POST)
    if not form.is_valid():
        return _page(request, lead, campaign, form, status=422)
    try:
        services.start_selection(campaign=campaign, **form.cleaned_data, user=lead)
    except services.SelectionRefusedError as refused:
        messages.error(request, str(refused))
    return redirect("annotation:selection", slug)


@require_POST
def cancel_selection(request: HttpRequest, slug: str, run_id: UUID) -> HttpResponse:
    """Stop a run before it takes anything in."""
    lead = permissions.person(request, Role.LEAD)
    run = permissions.selection_run_for(lead, permissions.campaign_for(lead, slug), run_id)
    try:
        services.cancel_selection(run=run, user=lead)
    except services.SelectionRefusedError as refused:
        messages.error(request, str(refused))
    return redirect("annotation:selection", slug)


@require_POST
def resume_selection(request: HttpRequest, slug: str, run_id: UUID) -> HttpResponse:
    """Let a run that failed or was cancelled begin again."""
    lead = permissions.person(request, Role.LEAD)
    run = permissions.selection_run_for(lead, permissions.campaign_for(lead, slug), run_id)
    try:
        services.resume_selection(run=run, user=lead)
    except services.SelectionRefusedError as refused:
        messages.error(request, str(refused))
    return redirect("annotation:selection", slug)


def _page(
    request: HttpRequest, lead: User, campaign: Campaign, form: SelectForm, status: int = 200
) -> HttpResponse:
    context: dict[str, Any] = {"campaign": campaign, "is_simulated": campaign.is_simulated, "form": form}
    selection = selectors.selection_of(campaign)
    if selection is None:
        context |= _how_to_select(campaign)
        selection = selectors.selection_of(campaign)  # a worker may have made it since
    if selection is not None:
        context |= _what_was_selected(request, lead, campaign, selection)
    context["selection"] = selection
    return render(request, "annotation/selection/selection.html", context, status=status)


def _how_to_select(campaign: Campaign) -> dict[str, Any]:
    """Return the run that is shown, and why the campaign takes no selection where that is so."""
    try:
        services.refuse_campaign(campaign)
    except services.SelectionRefusedError as refused:
        refusal = str(refused)
    else:
        refusal = ""
    return {"run": selectors.latest_run(campaign), "refusal": refusal}


def _what_was_selected(
    request: HttpRequest, lead: User, campaign: Campaign, selection: SampleSelection
) -> dict[str, Any]:
    reason = request.GET.get("reason", "")
    if reason and reason not in PickReason.values:
        raise Http404
    # What programs guess about a sample stays closed to a lead who still labels it.
    is_blind = blindness.is_blind_in(lead, campaign) or blindness.may_yet_label(lead, campaign)
    page = None if is_blind else selectors.page_of_picks(selection, reason, request.GET.get("page"))
    return {
        **in_pictures(selectors.report_of(selection)),
        "reason": PickReason(reason) if reason else None,
        "page": page,
        "imports_waiting": selectors.imports_waiting(campaign),
    }
