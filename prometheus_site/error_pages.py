"""What a person sees when something broke: what to do, and the request's id for the engineer."""

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from prometheus_site.observability.logs import request_id


def server_error(request: HttpRequest) -> HttpResponse:
    """Render the 500 page without any context processor: those may be what broke."""
    return HttpResponse(render_to_string("500.html", {"request_id": request_id.get()}), status=500)
