"""Who asks the API: a token alone where one is sent, else the session of the site."""

from rest_framework.authentication import BaseAuthentication
from rest_framework.authentication import SessionAuthentication as DjangoSessionAuthentication
from rest_framework.exceptions import (
    APIException,
    AuthenticationFailed,
    PermissionDenied,
    UnsupportedMediaType,
)
from rest_framework.request import Request, is_form_media_type

from prometheus_site.accounts.api_tokens import ApiTokenRefusedError, recognise_api_token
from prometheus_site.accounts.middleware import brings_credentials
from prometheus_site.accounts.models import ApiToken, User


class CsrfError(APIException):
    """A request by session that cannot prove that it comes from a page of ours."""

    status_code = 403
    default_code = "csrf"
    default_detail = (
        "The CSRF token is missing or wrong. Send the one of the page in the header X-CSRFToken, or use an "
        "API token."
    )


class TokenAuthentication(BaseAuthentication):
    """``Authorization: Bearer prm_…``. Any Authorization header decides alone: a wrong one is refused."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        if not brings_credentials(request._request):
            return None
        scheme, _, secret = request.META["HTTP_AUTHORIZATION"].strip().partition(" ")
        if scheme.lower() != "bearer" or not secret:
            raise AuthenticationFailed(
                "Write the header as 'Authorization: Bearer prm_…', with an API token."
            )
        try:
            token = recognise_api_token(secret.strip())
        except ApiTokenRefusedError as refused:
            raise AuthenticationFailed(str(refused)) from refused
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="Prometheus"'


class SessionAuthentication(DjangoSessionAuthentication):
    """The site's session, within its limits and past its second factor: the middleware saw to both."""

    def enforce_csrf(self, request: Request) -> None:
        """Raise CsrfError. A form is refused unread: Django would look for the CSRF token inside."""
        if request.method == "POST" and is_form_media_type(request.content_type):
            raise UnsupportedMediaType("")
        try:
            super().enforce_csrf(request._request)  # type: ignore[arg-type]  # asked for POST, ours would parse
        except PermissionDenied as refused:
            raise CsrfError from refused
