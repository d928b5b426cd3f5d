"""The API's description: as OpenAPI for programs, and as one page for people."""

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from prometheus_site.accounts.permissions import SignedInRequest
from prometheus_site.api import reference
from prometheus_site.api.views import ApiView

REFUSAL = {
    "type": "object",
    "description": "Why the API did not do what was asked. It never quotes what was sent.",
    "properties": {
        "detail": {"type": "string", "description": "One sentence for a person."},
        "errors": {
            "type": "object",
            "description": "Sentences per field at fault, only where fields are. The path of an inner field "
            "is written with dots.",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
    },
    "required": ["detail"],
}
# Every operation may answer these; 400 only where something is sent.
REFUSALS = {
    "400": "The body is not one JSON object of at most 1 MB, or some fields cannot be taken as they are.",
    "401": "Nobody is signed in and no API token that works was sent.",
    "403": "The session has not passed its second factor, or the CSRF token is missing.",
    "404": "There is nothing here, or it is not yours to see.",
}


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "prometheus_site.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: object) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "prm_…",
            "description": "A token made on one's account page. It alone decides: a session is ignored.",
        }


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "prometheus_site.api.authentication.SessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: object) -> dict[str, Any]:
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": settings.SESSION_COOKIE_NAME,
            "description": "The site's own session. Whatever changes something also needs X-CSRFToken.",
        }


def add_refusals(result: dict[str, Any], **_: object) -> dict[str, Any]:
    """Describe once what every operation may refuse with; called by drf-spectacular at the end."""
    components = result.setdefault("components", {})
    components.setdefault("schemas", {})["Refusal"] = REFUSAL
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}}
    components["responses"] = {
        f"Refused{status}": {"description": why, "content": content} for status, why in REFUSALS.items()
    }
    for operations in result["paths"].values():
        for operation in operations.values():
            for status in REFUSALS:
                if status != "400" or "requestBody" in operation:
                    refused = {"$ref": f"#/components/responses/Refused{status}"}
                    operation["responses"].setdefault(status, refused)
    return result


def openapi() -> dict[str, Any]:
    """Return the OpenAPI description of every endpoint, whoever asks."""
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]
    described: dict[str, Any] = generator.get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return described


@extend_schema(exclude=True)
class SchemaView(ApiView):
    """The OpenAPI description as JSON."""

    def get(self, request: Request) -> Response:
        return Response(openapi())


@require_safe
def show_reference(request: SignedInRequest) -> HttpResponse:
    """Show the description as a page: Swagger UI and Redoc need what the content policy refuses."""
    return render(request, "api/reference.html", {"api": reference.read(openapi())})
