"""JSON in and JSON out, and nothing else."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import IO, Any

import orjson
from django.http import UnreadablePostError
from django.utils.functional import Promise
from rest_framework.exceptions import ParseError
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

MAX_BODY_BYTES = 1024 * 1024


class JsonParser(BaseParser):
    """Read one JSON object of at most 1 MB."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the object. Raises ParseError, which names the place and never quotes the body."""
        try:
            body = stream.read(MAX_BODY_BYTES + 1)
        except UnreadablePostError as broken:
            raise ParseError("The connection broke before the body was whole. Send it again.") from broken
        if len(body) > MAX_BODY_BYTES:
            raise ParseError("The body is larger than 1 MB. Send less at once.")
        try:
            parsed = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            place = f"line {error.lineno}, column {error.colno}"
            raise ParseError(f"The body is not JSON: see {place}.") from None  # the error holds the body
        if not isinstance(parsed, dict):
            raise ParseError("The body must be one JSON object, in curly brackets.")
        return parsed


class JsonRenderer(BaseRenderer):
    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None
    ) -> bytes:
        return b"" if data is None else orjson.dumps(data, default=_as_text)


class JsonNegotiation(DefaultContentNegotiation):
    """Answer in JSON whatever the client says it accepts: a refusal must be readable too."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        only = next(iter(renderers))
        return only, only.media_type


def _as_text(value: object) -> str:
    if isinstance(value, Promise | Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")
