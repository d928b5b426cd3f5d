"""Every request has an id: in the logs, in the access events, and on the error page."""

import logging
import time
import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from prometheus_site.observability.logs import request_id

logger = logging.getLogger(__name__)


class RequestIdMiddleware:
    """Give the request an id, return it in ``X-Request-Id`` and log the route, never the path's values."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = request_id.set(str(uuid.uuid4()))
        started = time.perf_counter()
        try:
            response = self.get_response(request)
            response["X-Request-Id"] = request_id.get()
            self._log(request, response, time.perf_counter() - started)
            return response
        finally:
            request_id.reset(token)

    @staticmethod
    def _log(request: HttpRequest, response: HttpResponse, seconds: float) -> None:
        match = request.resolver_match
        fields = {
            "method": request.method,
            "route": match.route if match else "",
            "status": response.status_code,
            "duration_ms": round(seconds * 1000, 1),
        }
        logger.info("request", extra=fields)
