import time
from collections.abc import Callable

import pytest
from django.test import Client

from prometheus_site.accounts.models import User


@pytest.fixture
def client_for() -> Callable[[User], Client]:
    def signed_in(user: User) -> Client:
        from allauth.mfa.models import Authenticator

        client = Client(raise_request_exception=True)
        client.force_login(user)
        auth = Authenticator.objects.filter(user=user).first()
        if auth:
            s = client.session
            s["account_authentication_methods"] = [
                {"method": "mfa", "at": time.time(), "id": auth.pk, "type": "totp"}
            ]
            s.save()
        return client

    return signed_in
