"""Unguessable links that open an application: made, found and revoked; the token itself is kept nowhere."""

import secrets

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from annotation.models import Application, ApplicationLink
from annotation.recruitment import answers
from prometheus_site.accounts.models import User
from prometheus_site.accounts.services import TOKEN_BYTES, revoke_if_open, token_digest
from prometheus_site.audit.models import Action
from prometheus_site.audit.services import record_access
from prometheus_site.core.installation import site_origin
from prometheus_site.core.sealing import SITE_SCOPE, data_key_for


class LinkUnknownError(Exception):
    """No application has this link."""


class LinkRevokedError(Exception):
    """The link was taken back."""


def issue(application: Application, *, proves_address: bool) -> str:
    """Make a link and return its token, which is stored nowhere.

    A link that was sent or handed to the owner of the address ``proves_address``; the one that a browser gets
    when somebody begins proves nothing.
    """
    token = secrets.token_urlsafe(TOKEN_BYTES)
    ApplicationLink.objects.create(
        application=application, token_digest=token_digest(token), proves_address=proves_address
    )
    return token


def address_of(token: str) -> str:
    """Return the whole address of a link, for an e-mail."""
    return site_origin() + reverse("annotation:application", args=[token])


def find(token: str) -> ApplicationLink:
    """Return the link with its application. Raises LinkUnknownError and LinkRevokedError."""
    related = ("application__data_key", "application__campaign", "application__duplicate_of")
    found = ApplicationLink.objects.select_related(*related).filter(token_digest=token_digest(token)).first()
    if found is None:
        raise LinkUnknownError
    if found.revoked_at is not None:
        raise LinkRevokedError
    return found


def revoke_all(*, application: Application, revoked_by: User) -> int:
    """Take back every link of the application that works, and that to its account; return how many did."""
    if application.invitation_id is not None:
        revoke_if_open(invitation_id=application.invitation_id, revoked_by=revoked_by)
    live: QuerySet[ApplicationLink] = application.links.filter(revoked_at__isnull=True)
    count = live.update(revoked_at=timezone.now())
    record_access(
        actor=revoked_by, action=Action.CHANGED, obj_type="application_links", obj_id=str(application.pk)
    )
    return count


def is_address_of(application: Application, email: str) -> bool:
    """Say whether this is the address that the application was begun with."""
    digest = answers.address_digest(email, data_key_for(SITE_SCOPE))
    return secrets.compare_digest(digest, bytes(application.email_digest))
