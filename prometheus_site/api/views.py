"""What every endpoint of the API inherits, and the answer for addresses that do not exist."""

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from prometheus_site.accounts.models import ApiToken, User


class ApiRequest(Request):
    """A request that got past authentication: ``auth`` is the token, or None for a session."""

    user: User
    auth: ApiToken | None


class ApiView(APIView):
    """JSON in, JSON out, for signed-in people and holders of a token; kept by nobody.

    The middleware knows API views by ``is_api``: there a token decides alone, and refusals are JSON.
    """

    is_api = True
    http_method_names = ["get", "head", "post", "put", "patch", "delete"]

    @property
    def default_response_headers(self) -> dict[str, str]:
        return super().default_response_headers | {"Cache-Control": "no-store"}


@extend_schema(exclude=True)
class UnknownAddressView(ApiView):
    """Say in JSON that there is nothing here."""

    def get(self, request: Request, rest: str) -> Response:
        raise Http404

    post = put = patch = delete = get
