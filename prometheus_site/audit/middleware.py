"""Who caused a change that the history tables recorded, and on which route."""

from typing import Any

from django.http import HttpRequest
from django.urls import Resolver404, resolve
from pghistory.middleware import HistoryMiddleware


class RouteHistoryMiddleware(HistoryMiddleware):
    """Note the route instead of the address: an address can hold an invitation's token."""

    def get_context(self, request: HttpRequest) -> dict[str, Any]:
        try:
            route = resolve(request.path_info).route
        except Resolver404:
            route = ""
        context: dict[str, Any] = super().get_context(request)
        return context | {"url": route}
