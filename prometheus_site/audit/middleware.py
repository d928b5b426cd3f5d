"""Who caused a change that the history tables recorded, and on which route."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve
from pghistory.middleware import HistoryMiddleware

API_ADDRESS = "/api/"


class RouteHistoryMiddleware(HistoryMiddleware):
    """Note the route instead of the address: an address can hold an invitation's token.

    The API changes nothing that history tables record: its answers are labels, which have a record of their
    own. There the note would only cost time, with every statement.
    """

    def __call__(self, request: HttpRequest) -> HttpResponse:
        is_api = request.path_info.startswith(API_ADDRESS)
        answer: HttpResponse = self.get_response(request) if is_api else super().__call__(request)  # type: ignore[no-untyped-call]
        return answer

    def get_context(self, request: HttpRequest) -> dict[str, Any]:
        try:
            route = resolve(request.path_info).route
        except Resolver404:
            route = ""
        context: dict[str, Any] = super().get_context(request)
        return context | {"url": route}
