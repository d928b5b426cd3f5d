"""Where a live page finds its stream: on another port of the same host, or behind the same proxy."""

from django.conf import settings
from django.http import HttpRequest
from django.http.request import split_domain_port
from django.urls import reverse
from django.utils.http import urlencode

from annotation.models import Campaign

STREAMS_URLS = "prometheus_site.streams.urls"


def streams_origin(request: HttpRequest) -> str:
    """Return the origin of the streams as this visitor's browser reaches it; empty where it cannot."""
    if settings.STREAMS_URL:
        return str(settings.STREAMS_URL)
    if request.is_secure():  # the port speaks plain HTTP, which a secure page may not ask
        return ""
    name, _ = split_domain_port(request.get_host())
    return f"http://{name}:{settings.STREAMS_PORT}"


def pulse_url(origin: str, campaign: Campaign) -> str:
    """Return the address of the campaign's pulse."""
    return origin + reverse("campaign_pulse", args=[campaign.slug], urlconf=STREAMS_URLS)


def agreement_url(origin: str, campaign: Campaign, dimension: str) -> str:
    """Return the address of the news about agreement on one dimension."""
    address = reverse("campaign_agreement", args=[campaign.slug], urlconf=STREAMS_URLS)
    return f"{origin}{address}?{urlencode({'dimension': dimension})}"
