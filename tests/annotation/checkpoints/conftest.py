"""A campaign whose first look is within reach."""

import pytest

from annotation.models import Campaign
from prometheus_site.accounts.models import User
from tests.annotation.checkpoints.labelled import make_declared_campaign


@pytest.fixture
def campaign(lead: User, annotator: User, second_annotator: User) -> Campaign:
    """Six samples, two labels each: the only look is the end."""
    return make_declared_campaign(lead, [annotator, second_annotator], samples=6)


@pytest.fixture
def long_campaign(lead: User, annotator: User, second_annotator: User) -> Campaign:
    """So many samples that there is a look before the end."""
    return make_declared_campaign(lead, [annotator, second_annotator], samples=204, slug="long")
