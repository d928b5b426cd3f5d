"""What we change in allauth: nobody signs up, sign-ins are recorded, secrets are sealed."""

import base64
import time
from io import BytesIO
from typing import Any

import qrcode
from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.http import HttpRequest
from django.urls import reverse
from qrcode.image.svg import SvgPathFillImage

from prometheus_site.accounts import session_clock
from prometheus_site.accounts.models import User
from prometheus_site.audit.models import Action
from prometheus_site.audit.services import record_access
from prometheus_site.core.models import DataKey
from prometheus_site.core.sealing import SITE_SCOPE, data_key_for, open_bytes, seal_bytes

SEAL_VERSION = "v1"
SEAL_PLACE = b"second factor"


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """People come by invitation; each sign-in and sign-out leaves an access event."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def login(self, request: HttpRequest, user: User) -> None:
        super().login(request, user)
        session_clock.start(request.session, time.time())
        record_access(actor=user, action=Action.SIGNED_IN, obj_type="user", obj_id=str(user.pk))

    def logout(self, request: HttpRequest) -> None:
        if isinstance(request.user, User):
            user = request.user
            record_access(actor=user, action=Action.SIGNED_OUT, obj_type="user", obj_id=str(user.pk))
        super().logout(request)

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("accounts:account")

    def get_reauthentication_methods(self, user: User) -> list[dict[str, Any]]:
        """Ask a person with a second factor for that one: the password alone must not remove it."""
        methods: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        return [method for method in methods if method["id"] != "reauthenticate"] or methods


class MfaAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """TOTP secrets and recovery-code seeds are sealed with the site's data key."""

    def encrypt(self, text: str) -> str:
        key = data_key_for(SITE_SCOPE)
        sealed = base64.b64encode(seal_bytes(text.encode(), key, SEAL_PLACE)).decode()
        return f"{SEAL_VERSION}:{key.pk}:{sealed}"

    def decrypt(self, encrypted_text: str) -> str:
        version, key_id, sealed = encrypted_text.split(":")
        if version != SEAL_VERSION:
            raise ValueError(f"A second-factor secret is sealed as {version}; only {SEAL_VERSION} is known.")
        key = DataKey.objects.get(pk=key_id)
        return open_bytes(base64.b64decode(sealed), key, SEAL_PLACE).decode()

    def build_totp_svg(self, url: str) -> str:
        """Draw the QR code on white, so that a camera reads it in the dark theme too."""
        drawn = BytesIO()
        qrcode.make(url, image_factory=SvgPathFillImage).save(drawn)
        return drawn.getvalue().decode()
