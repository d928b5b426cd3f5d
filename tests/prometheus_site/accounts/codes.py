"""What the authenticator app of a made-up person shows."""

import time

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value

from prometheus_site.accounts.models import User


def secret_of(user: User) -> str:
    """Return the secret inside the app."""
    totp = Authenticator.objects.get(user=user, type=Authenticator.Type.TOTP)
    return str(get_adapter().decrypt(totp.data["secret"]))


def code_for(secret: str) -> str:
    """Return the code of this half minute."""
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30)))
