"""The made-up people of a demo installation, and how to sign in as them."""

import json
import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

from allauth.account.models import EmailAddress
from allauth.mfa.adapter import get_adapter
from allauth.mfa.app_settings import TOTP_PERIOD
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from django.conf import settings
from django.db import transaction

from prometheus_site.accounts.models import RoleGrant, User
from prometheus_site.accounts.roles import Role
from prometheus_site.core.installation import is_demo

PASSWORD_BYTES = 12
LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})


class NotADemoError(Exception):
    """Demo people and their codes exist only in a demo that nobody else can reach."""


@dataclass(frozen=True)
class DemoPerson:
    """Somebody who does not exist: the part before the @, a name and one role."""

    name: str
    display_name: str
    role: Role

    @property
    def email(self) -> str:
        return f"{self.name}@demo.localhost"


DEMO_PEOPLE = (
    DemoPerson("lead", "Lea Demo", Role.LEAD),
    DemoPerson("annotator", "Anna Demo", Role.ANNOTATOR),
    DemoPerson("annotator2", "Bruno Demo", Role.ANNOTATOR),
    DemoPerson("annotator3", "Chiara Demo", Role.ANNOTATOR),
    DemoPerson("adjudicator", "Ada Demo", Role.ADJUDICATOR),
    DemoPerson("supervisor", "Sam Demo", Role.SUPERVISOR),
    DemoPerson("engineer", "Enno Demo", Role.ENGINEER),
)


@dataclass(frozen=True)
class DemoLogin:
    """What `manage.py demo_logins` prints about a demo person."""

    role: Role
    email: str
    password: str


def refuse_unless_demo() -> None:
    """Raise NotADemoError unless this is a demo database on a site that only this computer reaches."""
    if not is_demo():
        raise NotADemoError("This database is not a demo, so it has no demo logins.")
    outside = sorted(host for host in settings.ALLOWED_HOSTS if host not in LOOPBACK_HOSTS)
    if outside:
        raise NotADemoError(
            f"ALLOWED_HOSTS opens this demo to {', '.join(outside)}. Demo logins work on this computer only: "
            "start the demo without ALLOWED_HOSTS."
        )


@transaction.atomic
def create_demo_people() -> dict[Role, User]:
    """Make the demo people that are missing; return the first person of each role. Raises NotADemoError."""
    refuse_unless_demo()
    passwords = _passwords()
    first: dict[Role, User] = {}
    for person in DEMO_PEOPLE:
        user = User.objects.filter(email=person.email).first()
        if user is None:
            user = User.objects.create_user(person.email, passwords[person.email], person.display_name)
            EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
            RoleGrant.objects.create(user=user, role=person.role)
            TOTP.activate(user, generate_totp_secret())
        first.setdefault(person.role, user)
    return first


def demo_logins() -> list[DemoLogin]:
    """Return everybody's login. Raises NotADemoError."""
    refuse_unless_demo()
    passwords = _passwords()
    return [DemoLogin(person.role, person.email, passwords[person.email]) for person in DEMO_PEOPLE]


def current_code(who: str) -> str:
    """Return the code that this person's authenticator app would show now.

    `who` is a role (its first person), or the part of the address before the @. Raises NotADemoError.
    """
    refuse_unless_demo()
    person = next((each for each in DEMO_PEOPLE if who in (each.role.value, each.name, each.email)), None)
    totp = Authenticator.objects.filter(
        user__email=person.email if person else "", type=Authenticator.Type.TOTP
    ).first()
    if totp is None:
        known = ", ".join(each.name for each in DEMO_PEOPLE)
        raise NotADemoError(f"There is no demo person {who!r} with an authenticator app. Known: {known}.")
    secret = get_adapter().decrypt(totp.data["secret"])
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // TOTP_PERIOD)))


def _passwords() -> dict[str, str]:
    """Return each demo person's password, made once for this installation."""
    path: Path = settings.HOME.keys / "demo.json"
    if not path.exists():
        made = {person.email: secrets.token_urlsafe(PASSWORD_BYTES) for person in DEMO_PEOPLE}
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(made, file)
    passwords: dict[str, str] = json.loads(path.read_text())
    return passwords
