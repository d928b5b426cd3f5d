"""Somebody whose quiz is open."""

import pytest

from annotation.models import Campaign
from annotation.recruitment.stages import Stage
from prometheus_site.accounts.models import User
from tests.annotation.recruitment.applying import Stranger, applied, recruit
from tests.annotation.worlds import make_campaign


@pytest.fixture
def campaign(lead: User) -> Campaign:
    made = make_campaign(lead, [], samples=1)
    recruit(made, lead)
    return made


@pytest.fixture
def mara(campaign: Campaign, lead: User) -> Stranger:
    return applied(campaign).moved(Stage.SCREENING, lead)
