"""The agreement page, and showing or hiding the clinicians' names on it."""

from csp.decorators import csp_update
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from annotation import blindness, permissions
from annotation.agreement_page import names
from annotation.agreement_page.current import version_now
from annotation.agreement_page.page import context_of, dimension_named
from annotation.dashboard import streaming
from annotation.dashboard.views import closed
from annotation.models import Campaign
from annotation.schemes.definition import Dimension
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role


@require_safe
def agreement(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Show how far the clinicians agree; where no stream tells it, htmx asks again."""
    lead, campaign = _lead_and_campaign(request, slug)
    if blindness.is_blind_in(lead, campaign):
        return closed(request, campaign)
    dimension = _dimension(campaign, request)
    is_refresh = "HX-Request" in request.headers
    if is_refresh and request.GET.get("seen") == version_now(campaign):
        return HttpResponse(status=204)
    context = context_of(campaign, dimension, has_names=names.are_revealed(request.session, campaign))
    blindness.record_campaign_labels_read(reader=lead, campaign=campaign)
    origin = streaming.streams_origin(request)
    context["stream"] = streaming.agreement_url(origin, campaign, dimension.key) if origin else ""
    name = "_live.html" if is_refresh else "agreement.html"
    allow = csp_update({"connect-src": [origin]} if origin else {})
    return allow(lambda request: render(request, f"annotation/agreement_page/{name}", context))(request)


@require_POST
def reveal_names(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the names of the clinicians beside their codes until the session ends."""
    lead, campaign = _lead_and_campaign(request, slug)
    names.reveal(request.session, campaign=campaign, reader=lead)
    return redirect("annotation:agreement", campaign.slug)


@require_POST
def hide_names(request: HttpRequest, slug: str) -> HttpResponse:
    """Show codes alone again."""
    _, campaign = _lead_and_campaign(request, slug)
    names.hide(request.session, campaign=campaign)
    return redirect("annotation:agreement", campaign.slug)


def _lead_and_campaign(request: HttpRequest, slug: str) -> tuple[User, Campaign]:
    lead = permissions.person(request, Role.LEAD)
    return lead, permissions.campaign_for(lead, slug)


def _dimension(campaign: Campaign, request: HttpRequest) -> Dimension:
    try:
        return dimension_named(campaign, request.GET.get("dimension", ""))
    except KeyError as unknown:
        raise Http404 from unknown
