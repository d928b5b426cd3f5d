"""A campaign of eight samples, three of them estimated severe, and a program of its first annotator."""

from typing import Any

import pytest

from annotation.models import Campaign
from prometheus_site.accounts.models import User
from tests.annotation.api.calling import Caller, caller
from tests.annotation.planned import make_planned_campaign


@pytest.fixture
def campaign(lead: User, annotator: User, second_annotator: User) -> Campaign:
    return make_planned_campaign(
        lead, [annotator, second_annotator], samples=8, severe=[1, 2, 3], repeat_percent=0
    )


@pytest.fixture
def api(campaign: Campaign, annotator: User) -> Caller:
    return caller(annotator, campaign)


@pytest.fixture
def card(api: Caller) -> Any:
    """The first card, as the API gave it, its text opened."""
    return api.open(api.next().json()["cards"][0])
