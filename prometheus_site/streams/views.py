"""Who may watch what: the views of the streams process."""

from collections.abc import Callable
from functools import partial, wraps
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponseForbidden, HttpResponseNotFound
from django.http.request import split_domain_port
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET

from annotation import blindness, permissions
from annotation.agreement_page import names
from annotation.agreement_page.news import LOOK_EVERY_SECONDS, AgreementNews
from annotation.agreement_page.page import dimension_named
from annotation.dashboard.news import PulseNews
from prometheus_site.accounts.roles import Role
from prometheus_site.streams.opening import Opening

View = Callable[..., HttpResponseBase]


def for_own_pages(view: View) -> View:
    """Let the site's own pages read the answer: they come from another port of the same host."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        origin = request.headers.get("Origin")
        if origin is None:
            return view(request, *args, **kwargs)
        if origin not in _own_origins(request):
            return HttpResponseForbidden()
        answer = view(request, *args, **kwargs)
        answer["Access-Control-Allow-Origin"] = origin
        answer["Access-Control-Allow-Credentials"] = "true"
        patch_vary_headers(answer, ["Origin"])
        return answer

    return guarded


def _own_origins(request: HttpRequest) -> set[str]:
    """Return where our pages come from: the pages' port, or this address itself behind a proxy."""
    host = request.get_host()
    name, _ = split_domain_port(host)
    return {f"{request.scheme}://{name}:{settings.PUBLIC_PORT}", f"{request.scheme}://{host}"}


@csrf_exempt
@require_GET
@for_own_pages
def campaign_pulse(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Begin the stream of a campaign's pulse, for a lead who takes part in it."""
    try:
        lead = permissions.person(request, Role.LEAD)
        campaign = permissions.campaign_for(lead, slug)
    except Http404:
        return HttpResponseNotFound()  # not the page that says so: nobody would see it
    return Opening(("pulse", campaign.pk), partial(PulseNews, campaign.pk))


@csrf_exempt
@require_GET
@for_own_pages
def campaign_agreement(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Begin the stream of a campaign's agreement, for a lead to whom its labels are open."""
    try:
        lead = permissions.person(request, Role.LEAD)
        campaign = permissions.campaign_for(lead, slug)
        dimension = dimension_named(campaign, request.GET.get("dimension", ""))
    except (Http404, KeyError):
        return HttpResponseNotFound()
    if blindness.is_blind_in(lead, campaign):
        return HttpResponseNotFound()
    blindness.record_campaign_labels_read(reader=lead, campaign=campaign)
    # Hidden names are another stream: the one with names ends when it asks again.
    has_names = names.are_revealed(request.session, campaign)
    return Opening(
        ("agreement", campaign.pk, dimension.key, has_names),
        partial(AgreementNews, campaign.pk, dimension.key, has_names=has_names),
        look_every_seconds=LOOK_EVERY_SECONDS,
    )
