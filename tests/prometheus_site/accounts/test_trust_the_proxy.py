"""Behind HTTPS the proxy says who asks: no more of X-Forwarded-For is believed than there are proxies."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[3]
ASK = """
import django
django.setup()
from allauth.account.adapter import get_adapter
from django.test import RequestFactory
request = RequestFactory().get("/", headers={"X-Forwarded-For": "%s"}, REMOTE_ADDR="10.0.0.1")
print(get_adapter().get_client_ip(request))
"""


def seen_as(forwarded_for: str, **environment: str) -> str:
    """Return whom a site with these settings takes for the client of a request from 10.0.0.1."""
    asked = subprocess.run(
        [sys.executable, "-c", ASK % forwarded_for],
        cwd=PROJECT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "prometheus_site.settings", **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return asked.stdout.strip()


@pytest.mark.parametrize(
    ("environment", "forwarded_for", "client"),
    [
        ({"PROMETHEUS_HTTPS": "1"}, "198.51.100.7", "198.51.100.7"),
        # What the client wrote itself stands in front of what the proxy added.
        ({"PROMETHEUS_HTTPS": "1"}, "203.0.113.9, 198.51.100.7", "198.51.100.7"),
        (
            {"PROMETHEUS_HTTPS": "1", "PROMETHEUS_PROXIES": "2"},
            "203.0.113.9, 198.51.100.7, 10.0.0.2",
            "198.51.100.7",
        ),
        # Without HTTPS there is no proxy, and the header is anybody's to write.
        ({"PROMETHEUS_HTTPS": "0"}, "203.0.113.9", "10.0.0.1"),
    ],
    ids=["one proxy", "one proxy and a liar", "two proxies", "no proxy"],
)
def test_the_client_is_whom_the_last_trusted_proxy_saw(
    environment: dict[str, str], forwarded_for: str, client: str
) -> None:
    assert seen_as(forwarded_for, **environment) == client
