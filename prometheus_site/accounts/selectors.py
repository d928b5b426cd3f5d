"""Read people, invitations and API tokens."""

from allauth.mfa.models import Authenticator
from django.db.models import Exists, OuterRef, Prefetch, QuerySet
from django.utils import timezone

from prometheus_site.accounts.models import ApiToken, Invitation, RoleGrant, User
from prometheus_site.accounts.roles import Role
from prometheus_site.accounts.services import check_open, token_digest


def people() -> QuerySet[User]:
    """Return everybody with the live grants as `live_grants` and `has_second_factor`, by name."""
    factors = Authenticator.objects.filter(user=OuterRef("pk")).exclude(
        type=Authenticator.Type.RECOVERY_CODES
    )
    live = RoleGrant.objects.filter(revoked_at__isnull=True).order_by("role")
    return (
        User.objects.annotate(has_second_factor=Exists(factors))
        .prefetch_related(Prefetch("role_grants", queryset=live, to_attr="live_grants"))
        .order_by("display_name", "email")
    )


def open_invitations() -> QuerySet[Invitation]:
    """Return the invitations to the team that can still be accepted, newest first.

    Those of applicants are for the leads of their campaign alone, who find them with the application.
    """
    return (
        Invitation.objects.filter(
            accepted_at__isnull=True, revoked_at__isnull=True, expires_at__gt=timezone.now()
        )
        .exclude(role=Role.APPLICANT)
        .select_related("invited_by")
        .order_by("-created_at")
    )


def open_invitation(token: str) -> Invitation:
    """Return the invitation of this token. Raises what `services.check_open` raises."""
    return check_open(Invitation.objects.filter(token_digest=token_digest(token)).first())


def live_api_tokens(user: User) -> QuerySet[ApiToken]:
    """Return the person's tokens that still work, newest first."""
    return user.api_tokens.filter(revoked_at__isnull=True, expires_at__gt=timezone.now()).order_by(
        "-created_at"
    )
