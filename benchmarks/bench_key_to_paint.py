"""How long it takes from the press of Enter to the next sample on the screen, over a slow network."""

from __future__ import annotations

import os
import subprocess
import sys
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import orjson
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.conf import settings

from annotation.models import Campaign
from annotation.rehearsal.services import Script, set_up
from benchmarks.browser import LATENCY_MS, Task
from benchmarks.web_server import serving
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role
from tests import people
from tests.annotation.worlds import GOOD_ANSWERS

SAMPLES, WARM_UP, PRESSES = 180, 10, 120
SHORTEST_MS = 16  # the browser's Event Timing does not tell of anything shorter
TARGET = "target: p95 50 ms"


def run() -> list[dict[str, Any]]:
    """Return the times of the presses of Enter, as the page itself and as the browser measured them.

    The browser runs in a process of its own: its event loop bars Django's database.
    """
    annotator, campaign = _rehearsal()
    with TemporaryDirectory() as folder, patch.dict(os.environ, STATIC_ROOT=folder):
        _collect_static_files()
        with serving() as server:
            session = people.signed_in(annotator).cookies[settings.SESSION_COOKIE_NAME].value
            task = Task(
                port=server.port,
                session=session,
                slug=campaign.slug,
                answers=GOOD_ANSWERS,
                presses=WARM_UP + PRESSES,
            )
            painted, told = _in_browser(task)
    return [
        _row("next sample painted, until the frame after it begins", painted),
        _row("the same, by the browser's Event Timing", [max(time, SHORTEST_MS) for time in told]),
    ]


def _rehearsal() -> tuple[User, Campaign]:
    """Return a campaign of made-up conversations and its one annotator, with a second factor."""
    lead = people.make("key-to-paint-lead", Role.LEAD)
    script = Script(annotators=1, samples=SAMPLES, slug="key-to-paint")
    campaign = set_up(script, lead=lead, say=lambda _: None)
    annotator = User.objects.get(memberships__campaign=campaign, is_simulated=True)
    TOTP.activate(annotator, generate_totp_secret())
    return annotator, campaign


def _collect_static_files() -> None:
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "prometheus_site.settings"}
    command = [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"]
    subprocess.run(command, cwd=settings.BASE_DIR, env=environment, check=True)


def _in_browser(task: Task) -> tuple[list[float], list[float]]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.browser"],
        cwd=settings.BASE_DIR,
        input=orjson.dumps(task),
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"The browser's part failed: {done.stderr.decode()[:2000]}")
    times = orjson.loads(done.stdout)
    return times["painted"][WARM_UP:], times["told"][WARM_UP:]


def _row(name: str, times: list[float]) -> dict[str, Any]:
    return {
        f"Enter to the next sample, {LATENCY_MS} ms added latency": name,
        "presses": len(times),
        "p50 ms": round(median(times), 1),
        "p95 ms": round(quantiles(times, n=20)[18], 1),
        "max ms": round(max(times), 1),
        "target": TARGET,
    }
