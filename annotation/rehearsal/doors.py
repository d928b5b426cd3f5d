"""The ways a simulated annotator reaches the site: its HTTP API, or the same endpoints in this process."""

import http.client
import random
import time
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

import orjson
from django.urls import resolve, reverse
from rest_framework.test import APIRequestFactory, force_authenticate

from prometheus_site.accounts.models import User

Body = dict[str, Any]
TIMEOUT_SECONDS = 30
PATIENCE_SECONDS = 120
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.2, 5.0


class SiteUnreachableError(Exception):
    """The site did not answer for longer than an annotator waits."""


@dataclass(frozen=True)
class Reply:
    """The status and the JSON of an answer."""

    status: int
    body: Body


class Door(Protocol):
    """Somewhere to post to; ``path`` is below the campaign's address."""

    retries: int

    def post(self, path: str, body: Body) -> Reply: ...


@dataclass
class HttpDoor:
    """One connection to the API with a token; a lost answer is asked for again, with the same body."""

    base_url: str
    slug: str
    token: str
    retries: int = 0
    _connection: http.client.HTTPConnection | None = field(default=None, repr=False)

    def post(self, path: str, body: Body) -> Reply:
        """Return the answer. Raises SiteUnreachableError when there is none for two minutes."""
        address = f"{reverse('api:reference')}campaigns/{self.slug}/{path}"
        wait, until = FIRST_WAIT_SECONDS, time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                reply = self._send(address, orjson.dumps(body))
                if reply.status < 500:
                    return reply
            except (OSError, http.client.HTTPException, orjson.JSONDecodeError):
                self._connection = None
            if time.monotonic() > until:
                raise SiteUnreachableError(
                    f"{self.base_url} gave no answer for {PATIENCE_SECONDS} s. Start the site, then "
                    "rehearse again."
                )
            self.retries += 1
            time.sleep(random.uniform(wait / 2, wait))  # noqa: S311  so that they do not all come back at once
            wait = min(2 * wait, LONGEST_WAIT_SECONDS)

    def _send(self, address: str, body: bytes) -> Reply:
        if self._connection is None:
            parts = urlsplit(self.base_url)
            kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
            self._connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"}
        self._connection.request("POST", address, body, headers)
        answer = self._connection.getresponse()
        return Reply(answer.status, orjson.loads(answer.read() or b"{}"))


@dataclass
class InProcessDoor:
    """The endpoints called directly: no socket, no middleware, the same views and services."""

    slug: str
    person: User
    retries: int = 0
    _requests: APIRequestFactory = field(default_factory=APIRequestFactory, repr=False)

    def post(self, path: str, body: Body) -> Reply:
        address = f"{reverse('api:reference')}campaigns/{self.slug}/{path}"
        request = self._requests.post(address, orjson.dumps(body), content_type="application/json")
        force_authenticate(request, user=self.person)
        found = resolve(address)
        answer = found.func(request, *found.args, **found.kwargs)
        answer.render()
        return Reply(answer.status_code, orjson.loads(answer.content or b"{}"))
