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

from annotation import permissions
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
