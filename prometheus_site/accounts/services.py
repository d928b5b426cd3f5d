"""Bring people in, and give and take roles."""

import hashlib
import secrets
import uuid
from datetime import timedelta

from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction
from django.utils import timezone

from prometheus_site.accounts.models import Invitation, RoleGrant, User
from prometheus_site.accounts.roles import Role
from prometheus_site.audit.models import Action
from prometheus_site.audit.services import record_access

INVITATION_DAYS = 7
TOKEN_BYTES = 32


class AccountsError(Exception):
    """Something about people that cannot be done; the message tells the person why."""


class InvitationUnknownError(AccountsError):
    """No invitation has this token."""


class InvitationClosedError(AccountsError):
    """The invitation cannot be accepted any more."""


class InvitationUsedError(InvitationClosedError):
    """Somebody accepted it."""


class InvitationRevokedError(InvitationClosedError):
    """The team took it back."""


class InvitationExpiredError(InvitationClosedError):
    """Its time has passed."""


class InvitationForSomebodyElseError(AccountsError):
    """The signed-in person's address is not the invited one."""


class AccountExistsError(AccountsError):
    """The invited address already signs in."""


class RoleHeldError(AccountsError):
    """The person already has the role."""


class RoleNotHeldError(AccountsError):
    """The person does not have the role."""


class LastLeadError(AccountsError):
    """Nobody could grant roles any more."""


def token_digest(token: str) -> str:
    """Return what is stored of a token. It is random enough that a plain hash cannot be guessed back."""
    return hashlib.sha256(token.encode()).hexdigest()


def check_open(invitation: Invitation | None) -> Invitation:
    """Return the invitation when it can be accepted now; raises the error that says why not."""
    if invitation is None:
        raise InvitationUnknownError("There is no such invitation. Check that the link was copied whole.")
    if invitation.accepted_at is not None:
        raise InvitationUsedError("This invitation was already used. If it was you, sign in.")
    if invitation.revoked_at is not None:
        raise InvitationRevokedError("This invitation was taken back. Ask whoever invited you for a new one.")
    if invitation.expires_at <= timezone.now():
        raise InvitationExpiredError(
            f"This invitation expired after {INVITATION_DAYS} days. Ask whoever invited you for a new one."
        )
    return invitation


def account_with(email: str) -> User | None:
    """Return whoever signs in with this address."""
    address = EmailAddress.objects.filter(email__iexact=email, verified=True).select_related("user").first()
    owner: User | None = address.user if address else User.objects.filter(email__iexact=email).first()
    return owner


def check_is_newcomer(invitation: Invitation) -> None:
    """Raise AccountExistsError when the invited address already signs in: a link alone must not open that."""
    if account_with(invitation.email) is not None:
        raise AccountExistsError(
            f"{invitation.email} already has an account here. Sign in, then open this link again."
        )


def check_is_invited(invitation: Invitation, user: User) -> None:
    """Raise InvitationForSomebodyElseError when the invited address is not the person's own."""
    if account_with(invitation.email) != user:
        raise InvitationForSomebodyElseError(
            "This invitation is for another address than the one you are signed in with. Sign out, then open "
            "the invitation's link again."
        )


@transaction.atomic
def invite(*, email: str, role: Role, invited_by: User | None) -> tuple[Invitation, str]:
    """Make an invitation and return it with its token, which is stored nowhere.

    An earlier open invitation of the same address to the same role stops working. Raises RoleHeldError.
    """
    email = email.strip().lower()
    holder = account_with(email)
    if holder is not None and holder.has_role(role):
        raise RoleHeldError(f"{email} already has the role {role.label}.")
    now = timezone.now()
    earlier = Invitation.objects.filter(
        email=email, role=role, accepted_at__isnull=True, revoked_at__isnull=True
    )
    earlier.update(revoked_at=now)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    invitation = Invitation.objects.create(
        email=email,
        role=role,
        token_digest=token_digest(token),
        invited_by=invited_by,
        expires_at=now + timedelta(days=INVITATION_DAYS),
    )
    _record(invited_by, Action.CREATED, invitation)
    return invitation, token


@transaction.atomic
def accept_invitation(*, token: str, password: str, display_name: str) -> User:
    """Make the account of a newcomer, with a verified address and the role.

    Raises InvitationUnknownError, an InvitationClosedError or AccountExistsError.
    """
    invitation = _lock_open(token)
    check_is_newcomer(invitation)
    try:
        with transaction.atomic():
            user = User.objects.create_user(invitation.email, password, display_name=display_name.strip())
    except IntegrityError as taken:  # another invitation of this address was accepted at the same moment
        check_is_newcomer(invitation)
        raise AccountsError("The account could not be made. Open the invitation's link again.") from taken
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    _close(invitation, user)
    return user


@transaction.atomic
def accept_invitation_as(*, token: str, user: User) -> User:
    """Give the role to somebody who is signed in as the invited person.

    Raises InvitationUnknownError, an InvitationClosedError, InvitationForSomebodyElseError, RoleHeldError.
    """
    invitation = _lock_open(token)
    check_is_invited(invitation, user)
    _close(invitation, user)
    return user


@transaction.atomic
def revoke_invitation(*, invitation_id: uuid.UUID, revoked_by: User) -> Invitation:
    """Take back an invitation to the team, not one of an applicant, which ends with the application.

    Raises InvitationUnknownError or an InvitationClosedError.
    """
    to_the_team = Invitation.objects.select_for_update().exclude(role=Role.APPLICANT)
    invitation = check_open(to_the_team.filter(pk=invitation_id).first())
    _revoke(invitation, revoked_by)
    return invitation


@transaction.atomic
def revoke_if_open(*, invitation_id: uuid.UUID, revoked_by: User | None) -> None:
    """Take back an invitation that nobody has accepted yet; one that is closed already stays as it is."""
    open_ones = Invitation.objects.filter(accepted_at__isnull=True, revoked_at__isnull=True)
    invitation = open_ones.select_for_update().filter(pk=invitation_id).first()
    if invitation is not None:
        _revoke(invitation, revoked_by)


@transaction.atomic
def grant_role(*, user: User, role: Role, granted_by: User | None) -> RoleGrant:
    """Give the role. Raises RoleHeldError."""
    try:
        with transaction.atomic():
            grant = RoleGrant.objects.create(user=user, role=role, granted_by=granted_by)
    except IntegrityError as held:  # one live grant per person and role, kept by the database
        raise RoleHeldError(f"{user} already has the role {role.label}.") from held
    _forget_roles(user)
    _record(granted_by, Action.CREATED, grant)
    return grant


@transaction.atomic
def revoke_role(*, user: User, role: Role, revoked_by: User | None) -> RoleGrant:
    """Take the role back; the grant stays as history. Raises RoleNotHeldError or LastLeadError."""
    live = RoleGrant.objects.filter(role=role, revoked_at__isnull=True)
    # All holders are locked, in one order, so that two leads cannot take the role from each other.
    holders = list(live.select_for_update(of=("self",)).select_related("user").order_by("pk"))
    grant = next((held for held in holders if held.user_id == user.pk), None)
    if grant is None:
        raise RoleNotHeldError(f"{user} does not have the role {role.label}.")
    if role is Role.LEAD and not any(held.user.is_active for held in holders if held != grant):
        raise LastLeadError(f"{user} is the only lead. Make somebody else a lead first.")
    grant.revoked_at, grant.revoked_by = timezone.now(), revoked_by
    grant.save(update_fields=["revoked_at", "revoked_by"])
    _forget_roles(user)
    _record(revoked_by, Action.CHANGED, grant)
    return grant


def _revoke(invitation: Invitation, revoked_by: User | None) -> None:
    invitation.revoked_at = timezone.now()
    invitation.save(update_fields=["revoked_at"])
    _record(revoked_by, Action.CHANGED, invitation)


def _lock_open(token: str) -> Invitation:
    found = Invitation.objects.select_for_update().filter(token_digest=token_digest(token)).first()
    return check_open(found)


def _close(invitation: Invitation, user: User) -> None:
    invitation.accepted_at, invitation.accepted_by = timezone.now(), user
    invitation.save(update_fields=["accepted_at", "accepted_by"])
    _record(user, Action.CHANGED, invitation)
    grant_role(user=user, role=Role(invitation.role), granted_by=invitation.invited_by)


def _forget_roles(user: User) -> None:
    user.__dict__.pop("roles", None)  # the cached property


def _record(actor: User | None, action: Action, subject: Invitation | RoleGrant) -> None:
    kind = "invitation" if isinstance(subject, Invitation) else "role_grant"
    record_access(actor=actor, action=action, obj_type=kind, obj_id=str(subject.pk))
