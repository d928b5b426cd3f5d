"""Pages of the lead's dashboard: the overview, the list behind each number, a sample with all its labels."""

from csp.decorators import csp_update
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from annotation import blindness, permissions
from annotation.dangerous.selectors import clock_of
from annotation.dashboard import figures, listing, pulse, selectors, streaming
from annotation.dashboard.signs import version_of
from annotation.labelling.selectors import turns_of
from annotation.labelling.services import RestFirstError
from annotation.models import Campaign
from annotation.obstacles.latest import people_to_look_at
from annotation.wellbeing import reviewing
from prometheus_site.accounts.roles import Role
from prometheus_site.audit.models import Action
from prometheus_site.audit.services import record_access


@require_safe
def overview(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Show the campaign's numbers; htmx asks again for those that change, and gets nothing while none has."""
    lead = permissions.person(request, Role.LEAD)
    campaign = permissions.campaign_for(lead, slug)
    version = version_of(campaign)
    is_refresh = "HX-Request" in request.headers
    if is_refresh and request.GET.get("seen") == version:
        return HttpResponse(status=204)
    is_blind = blindness.is_blind_in(lead, campaign)
    found = selectors.overview_of(campaign, is_blind=is_blind)
    if not is_blind:
        blindness.record_campaign_labels_read(reader=lead, campaign=campaign)
    origin = streaming.streams_origin(request)
    context = {
        "campaign": campaign,
        "overview": found,
        "to_look_at": None if is_blind else people_to_look_at(campaign),
        "working": pulse.working_now(campaign),
        "danger": None if is_blind else clock_of(campaign),
        "plan": pulse.plan_of(campaign),
        "version": version,
        "stream": streaming.pulse_url(origin, campaign) if origin else "",
        "is_simulated": campaign.is_simulated,
    }
    name = "_refreshed.html" if is_refresh else "overview.html"
    # This page may connect to its stream, and no other page to anything but the site itself.
    allow = csp_update({"connect-src": [origin]} if origin else {})
    return allow(lambda request: render(request, f"annotation/dashboard/{name}", context))(request)


@require_safe
def figure(request: HttpRequest, slug: str, figure: str) -> HttpResponse:
    """List the rows that a number of the dashboard counts."""
    lead = permissions.person(request, Role.LEAD)
    campaign = permissions.campaign_for(lead, slug)
    chosen = {key: value for key, value in request.GET.dict().items() if key != "page"}
    try:
        named = figures.figure_named(figure)
        is_blind = blindness.is_blind_in(lead, campaign)
        if named.shows_answers and is_blind:
            return closed(request, campaign)
        page = listing.page_of(named, campaign, chosen, request.GET.get("page"))
    except figures.UnknownFigureError as unknown:
        raise Http404 from unknown
    record_access(actor=lead, action=Action.LISTED, obj_type=f"figure:{figure}", obj_id=str(campaign.pk))
    if named.shows_answers:
        blindness.record_campaign_labels_read(reader=lead, campaign=campaign)
    context = {
        "campaign": campaign,
        "figure": named,
        "narrowing": listing.narrowing_in_words(campaign, chosen),
        "page": page,
        # Which samples come again unannounced stays unknown to a lead who labels them.
        "is_blind": is_blind,
        "is_simulated": campaign.is_simulated,
    }
    return render(request, "annotation/dashboard/figure.html", context)


@require_safe
def sample(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Show a sample: its conversation, if it is not a severe one, and the labels of all side by side."""
    lead = permissions.person(request, Role.LEAD)
    campaign = permissions.campaign_for(lead, slug)
    found = permissions.sample_for(lead, campaign, number)
    if blindness.is_blind_in(lead, campaign):
        return closed(request, campaign)
    side_by_side = listing.labels_side_by_side(found, campaign)
    record_access(actor=lead, action=Action.VIEWED, obj_type="sample", obj_id=str(found.pk))
    blindness.record_sample_labels_read(reader=lead, sample=found)
    is_opened = not found.is_estimated_severe or reviewing.is_open_to(lead, found)
    context = {
        "campaign": campaign,
        "sample": found,
        "is_opened": is_opened,
        "turns": turns_of(found) if is_opened else [],
        "side_by_side": side_by_side,
        "flags": listing.flags_of(found),
        "is_simulated": campaign.is_simulated,
    }
    return render(request, "annotation/dashboard/sample.html", context)


@require_POST
def open_sample(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Uncover a sample's severe text, within the limits of care that bind leads too."""
    lead = permissions.person(request, Role.LEAD)
    campaign = permissions.campaign_for(lead, slug)
    found = permissions.sample_for(lead, campaign, number)
    if blindness.is_blind_in(lead, campaign):
        return closed(request, campaign)
    try:
        reviewing.open_for_review(reader=lead, sample=found)
    except RestFirstError as rest:
        messages.warning(request, str(rest))
    return redirect("annotation:sample", slug=slug, number=number)


def closed(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Say that labels stay closed to a lead who still labels here: only blind labels count."""
    context = {"campaign": campaign, "is_simulated": campaign.is_simulated}
    return render(request, "annotation/dashboard/closed.html", context, status=403)
