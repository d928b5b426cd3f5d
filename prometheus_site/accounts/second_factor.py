"""Whether this session has passed a second factor that its person still has."""

from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.models import Authenticator
from django.http import HttpRequest

from prometheus_site.accounts.models import User


def authenticators_of(user: User) -> dict[int, str]:
    """Return the person's authenticators as {id: type}; empty when recovery codes are all there is."""
    found = dict(Authenticator.objects.filter(user=user).values_list("id", "type"))
    return found if set(found.values()) - {Authenticator.Type.RECOVERY_CODES} else {}


def has_passed(request: HttpRequest, user: User, authenticators: dict[int, str]) -> bool:
    """Say whether the session used one of these authenticators.

    allauth asks for them at login only. A session that was opened with the password alone before the
    second factor was added has no such record, and one of a removed authenticator no longer counts.
    """
    records = get_authentication_records(request, user)
    return any(record["method"] == "mfa" and record.get("id") in authenticators for record in records)


def remember_added(request: HttpRequest, user: User) -> None:
    """Let the session that just proved a new authenticator go on without being asked for it again."""
    added = Authenticator.objects.filter(user=user).exclude(type=Authenticator.Type.RECOVERY_CODES)
    newest = added.latest("id")
    record_authentication(request, user, "mfa", id=newest.pk, type=newest.type)
