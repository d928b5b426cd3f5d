"""A program that labels through the API with a person's token."""

import uuid
from dataclasses import dataclass
from typing import Any

from django.test import Client

from annotation.models import Campaign
from prometheus_site.accounts.api_tokens import create_api_token
from prometheus_site.accounts.models import User
from tests.annotation.worlds import GOOD_ANSWERS


def token_of(user: User) -> dict[str, str]:
    """Return the header with a new token of that person."""
    _, secret = create_api_token(user=user, name="a program", was_second_factor_passed=True)
    return {"Authorization": f"Bearer {secret}"}


@dataclass
class Caller:
    """Calls addresses below those of one campaign."""

    campaign: Campaign
    headers: dict[str, str]
    client: Client

    def call(self, path: str, body: object = None, method: str = "post") -> Any:
        """Return the answer to a JSON request; ``path`` is below the campaign's address."""
        ask = getattr(self.client, method)
        if method == "get":
            return ask(address(self.campaign, path), headers=self.headers)
        sent = {} if body is None else body
        return ask(address(self.campaign, path), sent, content_type="application/json", headers=self.headers)

    def next(self, **fields: object) -> Any:
        return self.call("next/", fields)

    def save(self, card: Any, **changes: object) -> Any:
        """Send a label; a covered text is opened first, as the page asks."""
        self.open(card)
        return self.call(about(card, "label"), self.label(**changes))

    def open(self, card: Any) -> Any:
        """Open a covered text; return the card with its turns."""
        covered = card["turns"] is None
        return card | self.call(about(card, "open")).json() if covered else card

    def label(self, **changes: object) -> dict[str, object]:
        """Return a label that the default scheme takes, with a new key."""
        answers = GOOD_ANSWERS | changes.pop("answers", {})  # type: ignore[operator]
        basics = {"key": str(uuid.uuid4()), "guideline": str(self.campaign.guideline_id)}
        return basics | {"answers": answers} | changes


def address(campaign: Campaign, path: str) -> str:
    return f"/api/v1/campaigns/{campaign.slug}/{path}"


def about(card: Any, deed: str) -> str:
    """Return the path of a deed about a card that the API gave."""
    return f"assignments/{card['assignment']}/{deed}/"


def caller(user: User, campaign: Campaign) -> Caller:
    return Caller(campaign, token_of(user), Client())
