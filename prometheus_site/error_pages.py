"""What a person sees when something broke: what to do, and the request's id for the engineer."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string

from prometheus_site.observability.logs import request_id


def server_error(request: HttpRequest) -> HttpResponse:
    """Render the 500 page without any context processor: those may be what broke. Programs get JSON."""
    number = request_id.get()
    if request.path_info.startswith("/api/"):
        detail = f"Something broke on our side. Tell an engineer this number: {number}."
        return JsonResponse({"detail": detail}, status=500)
    return HttpResponse(render_to_string("500.html", {"request_id": number}), status=500)
