"""A campaign that recruits."""

import pytest

from annotation.models import Campaign
from prometheus_site.accounts.models import User
from tests.annotation.recruitment.applying import recruit
from tests.annotation.worlds import make_campaign


@pytest.fixture
def campaign(lead: User) -> Campaign:
    """Return a campaign that takes applications."""
    made = make_campaign(lead, [], samples=1)
    recruit(made, lead)
    return made
