"""Sessions end, and whoever needs a second factor sees nothing before having passed it."""

import time
from collections.abc import Callable
from typing import Any

from allauth.account.adapter import get_adapter
from django.contrib import messages
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from prometheus_site.accounts import session_clock
from prometheus_site.accounts.second_factor import authenticators_of, has_passed

ViewFunction = Callable[..., HttpResponse]
ALWAYS_OPEN = frozenset({"health", "account_logout"})
SET_UP_PAGES = frozenset(
    {"mfa_index", "mfa_activate_totp", "mfa_add_webauthn", "accounts:totp_qr", "account_reauthenticate"}
)
CONFIRM_PAGES = frozenset({"mfa_reauthenticate", "mfa_reauthenticate_webauthn"})


def is_for_the_api(request: HttpRequest) -> bool:
    """Say whether the request goes to an API view, whose class says so itself."""
    view_class = getattr(request.resolver_match and request.resolver_match.func, "cls", None)
    return getattr(view_class, "is_api", False)


def brings_credentials(request: HttpRequest) -> bool:
    """Say whether the request has an Authorization header, be it an API token, empty or nonsense."""
    return "HTTP_AUTHORIZATION" in request.META


def shows_a_page(request: HttpRequest) -> bool:
    """Say whether the answer will be shown as a page: not to htmx, fetch, an image tag or a JSON client."""
    if is_for_the_api(request):
        return False
    headers = request.headers
    if "HX-Request" in headers or headers.get("X-Requested-With") == "XMLHttpRequest":
        return False
    if headers.get("Sec-Fetch-Mode", "navigate") != "navigate":
        return False
    return request.content_type != "application/json" and request.accepts("text/html")


def refreshes_itself(request: HttpRequest) -> bool:
    """Say whether a page asked by itself for what is new: nobody need be sitting in front of it."""
    return request.method == "GET" and "HX-Request" in request.headers


class SessionLimitsMiddleware:
    """End a session that was idle too long or is too old; set it aside where an API token decides."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    # Runs once every middleware has seen the request, so messages work, and before LoginRequiredMiddleware.
    def process_view(
        self, request: HttpRequest, view: ViewFunction, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        is_api = is_for_the_api(request)
        if is_api and brings_credentials(request):
            request.user = AnonymousUser()  # nothing after this sees whose session it is
            return None
        needs_login = getattr(view, "login_required", True)
        if request.user.is_authenticated:
            reason = session_clock.ended_because(request.session, time.time())
            if reason is None:
                if not refreshes_itself(request):
                    session_clock.touch(request.session, time.time())
                return None
            get_adapter().logout(request)
            if is_api or (needs_login and not shows_a_page(request)):
                return _ask_to_sign_in(reason)
            messages.info(request, reason)
            return _sign_in_again(request) if needs_login else None
        if needs_login and not shows_a_page(request):
            return _ask_to_sign_in("Sign in first.")
        return None


class SecondFactorMiddleware:
    """Keep a person who needs a second factor, or has one, out of everything until it is passed."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: ViewFunction, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        page = request.resolver_match.view_name if request.resolver_match else ""
        if not request.user.is_authenticated or page in ALWAYS_OPEN:
            return None
        authenticators = authenticators_of(request.user)
        if not authenticators:
            if not request.user.needs_second_factor or page in SET_UP_PAGES:
                return None
            return _refuse(request, "Set up your second factor first.", reverse("mfa_index"))
        if page in CONFIRM_PAGES or has_passed(request, request.user, authenticators):
            return None
        confirm: str = get_adapter().get_reauthentication_methods(request.user)[0]["url"]
        return _refuse(request, "Confirm your second factor first.", _with_next(confirm, request))


def _refuse(request: HttpRequest, reason: str, page: str) -> HttpResponse:
    return redirect(page) if shows_a_page(request) else JsonResponse({"detail": reason}, status=403)


def _ask_to_sign_in(reason: str) -> HttpResponse:
    headers = {"WWW-Authenticate": 'Bearer realm="Prometheus"', "Cache-Control": "no-store"}
    return JsonResponse({"detail": reason}, status=401, headers=headers)


def _sign_in_again(request: HttpRequest) -> HttpResponse:
    return redirect(_with_next(reverse("account_login"), request))


def _with_next(page: str, request: HttpRequest) -> str:
    """Return the page's address with the way back, unless the way back would repeat a POST."""
    if request.method not in ("GET", "HEAD"):
        return page
    return f"{page}?{urlencode({'next': request.get_full_path()})}"
