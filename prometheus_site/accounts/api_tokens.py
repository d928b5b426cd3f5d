"""API tokens: make one, take it back, and recognise its person."""

import secrets
import uuid
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from prometheus_site.accounts.models import ApiToken, User
from prometheus_site.accounts.services import TOKEN_BYTES, AccountsError, token_digest
from prometheus_site.audit.models import Action
from prometheus_site.audit.services import record_access

TOKEN_PREFIX = "prm_"  # noqa: S105  secret scanners find a token by it
TOKEN_DAYS = 90
USE_NOTED_EVERY = timedelta(hours=1)
MAKE_A_NEW_ONE = "Make a new one on your account page."


class ApiTokenUnknownError(AccountsError):
    """The person has no such token that could be taken back."""


class ApiTokenRefusedError(AccountsError):
    """The token opens nothing; the message tells its holder why."""


@transaction.atomic
def create_api_token(*, user: User, name: str, was_second_factor_passed: bool) -> tuple[ApiToken, str]:
    """Make a token that works for 90 days and return it with its secret, which is stored nowhere."""
    secret = TOKEN_PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
    token = ApiToken.objects.create(
        user=user,
        name=name,
        token_digest=token_digest(secret),
        was_second_factor_passed=was_second_factor_passed,
        expires_at=timezone.now() + timedelta(days=TOKEN_DAYS),
    )
    record_access(actor=user, action=Action.CREATED, obj_type="api_token", obj_id=str(token.pk))
    return token, secret


@transaction.atomic
def revoke_api_token(*, token_id: uuid.UUID, user: User) -> ApiToken:
    """Take back one of the person's own tokens. Raises ApiTokenUnknownError."""
    own = user.api_tokens.select_for_update().filter(pk=token_id, revoked_at__isnull=True)
    token = own.first()
    if token is None:
        raise ApiTokenUnknownError("You have no such API token.")
    token.revoked_at = timezone.now()
    token.save(update_fields=["revoked_at"])
    record_access(actor=user, action=Action.CHANGED, obj_type="api_token", obj_id=str(token.pk))
    return token


def recognise_api_token(secret: str) -> ApiToken:
    """Return the token, its person at hand, and note its use once an hour. Raises ApiTokenRefusedError."""
    found = ApiToken.objects.select_related("user").filter(token_digest=token_digest(secret))
    token, now = next(iter(found), None), timezone.now()
    if token is None or not token.user.is_active:
        raise ApiTokenRefusedError("No such API token works here. Check that it was copied whole.")
    if token.revoked_at is not None:
        raise ApiTokenRefusedError(f"This API token was revoked. {MAKE_A_NEW_ONE}")
    if token.expires_at <= now:
        raise ApiTokenRefusedError(f"This API token expired after {TOKEN_DAYS} days. {MAKE_A_NEW_ONE}")
    if not token.was_second_factor_passed and token.user.needs_second_factor:
        raise ApiTokenRefusedError(
            f"This API token was made without the second factor that your role needs. {MAKE_A_NEW_ONE}"
        )
    _note_use(token, now)
    return token


def _note_use(token: ApiToken, now: datetime) -> None:
    due = now - USE_NOTED_EVERY
    if token.last_used_at is None or token.last_used_at <= due:
        stale = Q(last_used_at__isnull=True) | Q(last_used_at__lte=due)
        ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)
