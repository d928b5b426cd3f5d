"""Who caused a change that the history tables recorded, and on which route."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve
from pghistory.middleware import HistoryMiddleware

LABELLING_ADDRESS = "/api/v1/campaigns/"


class RouteHistoryMiddleware(HistoryMiddleware):
    """Note the route instead of the address: an address can hold an invitation's token.

    The labelling API changes nothing that history tables record: labels have a record of their own. There
    the note would only cost time, with every statement.
    """

    def __call__(self, request: HttpRequest) -> HttpResponse:
        is_labelling = request.path_info.startswith(LABELLING_ADDRESS)
        answers: Callable[[HttpRequest], HttpResponse] = (
            self.get_response if is_labelling else super().__call__
        )
        return answers(request)

    def get_context(self, request: HttpRequest) -> dict[str, Any]:
        try:
            route = resolve(request.path_info).route
        except Resolver404:
            route = ""
        context: dict[str, Any] = super().get_context(request)
        return context | {"url": route}
