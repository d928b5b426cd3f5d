"""The labelling page without a browser: it holds samples and sends each save until it is stored."""

import uuid
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.test import Client

from annotation.models import Campaign
from prometheus_site.accounts.models import User
from tests import people
from tests.annotation.worlds import GOOD_ANSWERS


@dataclass
class Page:
    """One open page of one person; ``cards`` are the samples in its memory, the first one on the screen."""

    campaign: Campaign
    user: User
    client: Client = field(default_factory=lambda: Client(enforce_csrf_checks=True))
    cards: list[dict[str, Any]] = field(default_factory=list)

    def sign_in(self) -> None:
        """Sign in by address and password, as on the sign-in page."""
        self.client.get("/accounts/login/")
        fields = {
            "login": self.user.email,
            "password": people.PASSWORD,
            "csrfmiddlewaretoken": self.csrf_token,
        }
        answer = self.client.post("/accounts/login/", fields)
        assert answer.status_code == 302, answer.content

    @property
    def csrf_token(self) -> str:
        """The token as the page's script reads it, anew for every request."""
        return self.client.cookies[settings.CSRF_COOKIE_NAME].value

    def post(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Send a request to the API; return its status and the answer."""
        url = f"/api/v1/campaigns/{self.campaign.slug}/{path}"
        answer = self.client.post(
            url, body, content_type="application/json", headers={"X-CSRFToken": self.csrf_token}
        )
        return answer.status_code, answer.json()

    def fetch(self, count: int) -> None:
        """Fetch samples ahead."""
        status, answer = self.post("next/", {"count": count, "held": self.held})
        assert status == 200, answer
        self.cards += answer["cards"]

    @property
    def held(self) -> list[str]:
        return [card["assignment"] for card in self.cards]

    def filled_in(self) -> tuple[str, dict[str, Any]]:
        """Take the sample off the screen; return where its label goes and what is sent."""
        card = self.cards.pop(0)
        body = {
            "key": str(uuid.uuid4()),
            "guideline": str(self.campaign.guideline_id),
            "answers": GOOD_ANSWERS,
            "note": f"about {card['number']}",
            "active_seconds": 20,
        }
        return f"assignments/{card['assignment']}/label/", body

    def send(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Send a label, say what is held and shown, and take what comes next."""
        wanted = {"held": self.held, "count": 1, "showing": next(iter(self.held), None)}
        status, answer = self.post(path, body | wanted)
        if status in (200, 201):
            self.cards += answer["cards"]
        return status, answer

    def save(self) -> dict[str, Any]:
        """Label the sample on the screen; return the answer."""
        status, answer = self.send(*self.filled_in())
        assert status == 201, answer
        return answer
