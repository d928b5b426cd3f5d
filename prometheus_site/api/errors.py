"""What the API answers when it cannot do what was asked: a sentence, and the fields at fault."""

import logging
import re
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.core.signals import got_request_exception
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.settings import api_settings

from prometheus_site.observability.logs import request_id

logger = logging.getLogger(__name__)

NOT_FOUND = "There is nothing here, or it is not yours to see."
# Django REST Framework's own sentences, where they would quote what was sent or speak to programmers.
PLAIN_WORDS: dict[type[exceptions.APIException], str] = {
    exceptions.NotAuthenticated: "Sign in first, or send an API token: 'Authorization: Bearer prm_…'.",
    exceptions.MethodNotAllowed: "This method does nothing here. The header Allow says which ones do.",
    exceptions.UnsupportedMediaType: "The API reads JSON only. Send 'Content-Type: application/json'.",
}
PLAIN_FIELD_WORDS = {
    "required": "This field is missing.",
    "null": "This field must not be null.",
    "blank": "This field must not be empty.",
    "invalid_choice": "This is not one of the values allowed here.",
    "does_not_exist": "There is no such object.",
    "incorrect_type": "This is of the wrong type.",
}
FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,62}|\d{1,6}")
UNKNOWN_FIELD = "?"  # stands for a key that only the sender knows
Sentences = dict[str, list[str]]


def answer_error(exc: Exception, context: dict[str, Any]) -> Response:
    """Return the answer for whatever a view raised. Quotes nothing that was sent.

    Somebody who may not see a thing is told that it is not there, as on the pages.
    """
    match exc:
        case Http404() | PermissionDenied() | exceptions.PermissionDenied() | exceptions.NotFound():
            return _answer(404, NOT_FOUND)
        case exceptions.ValidationError():
            return _answer_invalid(exc)
        case exceptions.APIException():
            detail = PLAIN_WORDS.get(type(exc)) or _first_sentence(exc.detail)
            return _answer(exc.status_code, detail, headers=_headers(exc))
        case BadRequest() | SuspiciousOperation():
            return _answer(400, "The request makes no sense here. Check it against the API's reference.")
    # What Django does for a page: the log gets the places without the message, the signal's listeners know.
    logger.error("a view of the API broke", exc_info=exc)
    got_request_exception.send(sender=None, request=context["request"]._request)
    return _answer(500, f"Something broke on our side. Tell an engineer this number: {request_id.get()}.")


def _answer(
    status: int, detail: str, errors: Sentences | None = None, headers: dict[str, str] | None = None
) -> Response:
    body: dict[str, Any] = {"detail": detail}
    return Response(body | {"errors": errors} if errors else body, status=status, headers=headers)


def _answer_invalid(exc: exceptions.ValidationError) -> Response:
    errors: Sentences = {}
    for path, sentence in _sentences(exc.detail):
        errors.setdefault(path, []).append(sentence)
    whole = " ".join(errors.pop("", []))
    return _answer(400, whole or "Some fields cannot be taken as they are: see errors.", errors)


def _sentences(detail: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Yield (path of the field, sentence) of an error tree; the path is empty for the whole body."""
    if isinstance(detail, dict):
        for key, inner in detail.items():
            yield from _sentences(inner, path if _is_about_the_whole(key) else (*path, field_name(key)))
    elif isinstance(detail, list):
        for place, inner in enumerate(detail):
            yield from _sentences(inner, (*path, str(place)) if isinstance(inner, dict) else path)
    else:
        yield ".".join(path), PLAIN_FIELD_WORDS.get(getattr(detail, "code", "")) or str(detail)


def _is_about_the_whole(key: object) -> bool:
    return key == api_settings.NON_FIELD_ERRORS_KEY


def field_name(key: object) -> str:
    """Return the key where it looks like a field's name: others are only the sender's, and may be a text."""
    return str(key) if FIELD_NAME.fullmatch(str(key)) else UNKNOWN_FIELD


def _first_sentence(detail: Any) -> str:
    return next((sentence for _, sentence in _sentences(detail)), "")


def _headers(exc: exceptions.APIException) -> dict[str, str]:
    known = {"WWW-Authenticate": "auth_header", "Retry-After": "wait"}
    return {name: str(value) for name, place in known.items() if (value := getattr(exc, place, None))}
