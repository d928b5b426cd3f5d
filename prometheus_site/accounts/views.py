"""Pages about people: the team, an invitation, one's own account, and adding a second factor."""

import uuid

from allauth.mfa.adapter import get_adapter
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY
from allauth.mfa.totp.views import ActivateTOTPView
from allauth.mfa.webauthn.views import AddWebAuthnView
from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import BadRequest
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from prometheus_site.accounts import api_tokens, selectors, services
from prometheus_site.accounts.forms import (
    ActivateTotpForm,
    ApiTokenForm,
    InviteForm,
    NewAccountForm,
    RoleForm,
)
from prometheus_site.accounts.models import Invitation, User
from prometheus_site.accounts.permissions import SignedInRequest, require_role
from prometheus_site.accounts.roles import Role
from prometheus_site.accounts.second_factor import authenticators_of, has_passed, remember_added
from prometheus_site.audit.models import Action
from prometheus_site.audit.services import record_access

PEOPLE_PER_PAGE = 100


# --- The team, for leads -----------------------------------------------------------------------------------
@require_role(Role.LEAD)
@require_safe
def people(request: SignedInRequest) -> HttpResponse:
    record_access(actor=request.user, action=Action.LISTED, obj_type="user")
    return _team(request, InviteForm())


@require_role(Role.LEAD)
@require_POST
def invite(request: SignedInRequest) -> HttpResponse:
    """Show the link in the answer itself: the token is kept nowhere, so it cannot be shown again."""
    form = InviteForm(request.POST)
    if not form.is_valid():
        return _team(request, form, status=422)
    try:
        invitation, token = services.invite(**form.cleaned_data, invited_by=request.user)
    except services.AccountsError as refused:
        form.add_error(None, str(refused))
        return _team(request, form, status=422)
    link = request.build_absolute_uri(reverse("accounts:accept_invitation", args=[token]))
    context = {"invitation": invitation, "link": link, "days": services.INVITATION_DAYS}
    return render(request, "accounts/invitation_made.html", context)


@require_role(Role.LEAD)
@require_POST
def revoke_invitation(request: SignedInRequest, invitation_id: uuid.UUID) -> HttpResponse:
    try:
        invitation = services.revoke_invitation(invitation_id=invitation_id, revoked_by=request.user)
    except services.InvitationUnknownError as unknown:
        raise Http404 from unknown
    except services.InvitationClosedError as closed:
        messages.error(request, str(closed))
    else:
        messages.success(request, f"The invitation of {invitation.email} no longer works.")
    return redirect("accounts:people")


@require_role(Role.LEAD)
@require_POST
def grant_role(request: SignedInRequest, user_id: uuid.UUID) -> HttpResponse:
    user, role = get_object_or_404(User, pk=user_id), _chosen_role(request)
    try:
        services.grant_role(user=user, role=role, granted_by=request.user)
    except services.AccountsError as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, f"{user} now has the role {role.label}.")
    return redirect("accounts:people")


@require_role(Role.LEAD)
@require_POST
def revoke_role(request: SignedInRequest, user_id: uuid.UUID) -> HttpResponse:
    user, role = get_object_or_404(User, pk=user_id), _chosen_role(request)
    try:
        services.revoke_role(user=user, role=role, revoked_by=request.user)
    except services.AccountsError as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, f"{user} no longer has the role {role.label}.")
    return redirect("accounts:people")


def _chosen_role(request: HttpRequest) -> Role:
    form = RoleForm(request.POST)
    if not form.is_valid():
        raise BadRequest("The form names no known role.")
    role: Role = form.cleaned_data["role"]
    return role


def _team(request: SignedInRequest, form: InviteForm, status: int = 200) -> HttpResponse:
    page = Paginator(selectors.people(), PEOPLE_PER_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "form": form, "invitations": selectors.open_invitations(), "roles": Role.choices}
    return render(request, "accounts/people.html", context, status=status)


# --- An invitation's link, for anybody who has it ----------------------------------------------------------
@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def accept_invitation(request: HttpRequest, token: str) -> HttpResponse:
    try:
        invitation = selectors.open_invitation(token)
        if request.user.is_authenticated:
            response = _accept_as(request, request.user, invitation, token)
        else:
            response = _accept_as_newcomer(request, invitation, token)
    except services.AccountsError as refused:
        context = {"reason": refused}
        response = render(request, "accounts/invitation_refused.html", context, status=_status(refused))
    # The address holds the token, which no Referer may carry; "no-referrer" would break the CSRF check.
    response["Referrer-Policy"] = "strict-origin"
    return response


def _accept_as(request: HttpRequest, user: User, invitation: Invitation, token: str) -> HttpResponse:
    if request.method == "POST":
        services.accept_invitation_as(token=token, user=user)
        messages.success(request, f"You now have the role {invitation.get_role_display()}.")
        return redirect("home")
    services.check_is_invited(invitation, user)
    return render(request, "accounts/invitation.html", {"invitation": invitation})


def _accept_as_newcomer(request: HttpRequest, invitation: Invitation, token: str) -> HttpResponse:
    services.check_is_newcomer(invitation)
    form = NewAccountForm(request.POST or None, email=invitation.email)
    if request.method == "POST" and form.is_valid():
        name, password = form.cleaned_data["display_name"], form.cleaned_data["password"]
        services.accept_invitation(token=token, password=password, display_name=name)
        messages.success(request, "Your account is ready. Sign in with your e-mail address and password.")
        return redirect("account_login")
    return render(request, "accounts/invitation.html", {"invitation": invitation, "form": form})


def _status(refused: services.AccountsError) -> int:
    if isinstance(refused, services.InvitationUnknownError):
        return 404
    return 410 if isinstance(refused, services.InvitationClosedError) else 409


# --- One's own account -------------------------------------------------------------------------------------
@require_safe
def account(request: SignedInRequest) -> HttpResponse:
    return _account(request, ApiTokenForm())


@require_POST
def create_api_token(request: SignedInRequest) -> HttpResponse:
    """Show the token in the answer itself: it is kept nowhere, so it cannot be shown again."""
    form = ApiTokenForm(request.POST)
    if not form.is_valid():
        return _account(request, form, status=422)
    passed = has_passed(request, request.user, authenticators_of(request.user))
    token, secret = api_tokens.create_api_token(
        user=request.user, name=form.cleaned_data["name"], was_second_factor_passed=passed
    )
    context = {"token": token, "secret": secret, "days": api_tokens.TOKEN_DAYS}
    return render(request, "accounts/api_token_made.html", context)


@require_POST
def revoke_api_token(request: SignedInRequest, token_id: uuid.UUID) -> HttpResponse:
    try:
        token = api_tokens.revoke_api_token(token_id=token_id, user=request.user)
    except api_tokens.ApiTokenUnknownError as unknown:
        raise Http404 from unknown
    messages.success(request, f"The API token “{token.name}” no longer works.")
    return redirect("accounts:account")


def _account(request: SignedInRequest, form: ApiTokenForm, status: int = 200) -> HttpResponse:
    context = {
        "second_factor_types": set(authenticators_of(request.user).values()),
        "roles": sorted(request.user.roles),
        "api_tokens": selectors.live_api_tokens(request.user),
        "form": form,
    }
    return render(request, "accounts/account.html", context, status=status)


@require_safe
def totp_qr(request: SignedInRequest) -> HttpResponse:
    """Draw the secret that waits in the person's own session to be confirmed; 404 when none waits."""
    sealed = request.session.get(SECRET_SESSION_KEY)
    if sealed is None:
        raise Http404
    adapter = get_adapter()
    address = adapter.build_totp_url(request.user, adapter.decrypt(sealed))
    return HttpResponse(adapter.build_totp_svg(address), content_type="image/svg+xml")


class ActivateTotpView(ActivateTOTPView):  # type: ignore[misc]
    """allauth's page; the code just typed counts as this session's second factor."""

    form_class = ActivateTotpForm

    def form_valid(self, form: forms.Form) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)
        remember_added(self.request, self.request.user)
        return response


class AddPasskeyView(AddWebAuthnView):  # type: ignore[misc]
    """allauth's page; the passkey just made counts as this session's second factor."""

    def form_valid(self, form: forms.Form) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)
        remember_added(self.request, self.request.user)
        return response
