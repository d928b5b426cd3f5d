"""Made-up people: one per role, signed in the way the site expects."""

import time

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.test import Client

from prometheus_site.accounts.models import RoleGrant, User
from prometheus_site.accounts.roles import Role

PASSWORD = "a-long-made-up-password"


def make(name: str, *roles: Role) -> User:
    """Return a person with a verified address, these roles, and a second factor where one is needed."""
    user = User.objects.create_user(
        f"{name}@example.org", PASSWORD, display_name=name.replace("-", " ").title()
    )
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    for role in roles:
        RoleGrant.objects.create(user=user, role=role)
    if user.needs_second_factor:
        TOTP.activate(user, generate_totp_secret())
    return user


def signed_in(user: User) -> Client:
    """Return a client that is signed in as that person, second factor passed where there is one."""
    client = Client()
    client.force_login(user)
    session = client.session
    session["account_authentication_methods"] = [
        {"method": "password", "at": time.time(), "email": user.email},
        *(
            {"method": "mfa", "at": time.time(), "id": authenticator.pk, "type": authenticator.type}
            for authenticator in Authenticator.objects.filter(user=user)
        ),
    ]
    session["account_authentication_methods_user"] = str(user.pk)
    session.save()
    return client
