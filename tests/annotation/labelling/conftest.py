"""A campaign of two annotators, and the slot that the first of them holds."""

import pytest

from annotation.assignment.queue import assign_next
from annotation.models import Assignment, Campaign
from prometheus_site.accounts.models import User
from tests.annotation.worlds import make_campaign


@pytest.fixture
def campaign(lead: User, annotator: User, second_annotator: User) -> Campaign:
    return make_campaign(lead, [annotator, second_annotator])


@pytest.fixture
def assignment(campaign: Campaign, annotator: User) -> Assignment:
    found = assign_next(campaign=campaign, annotator=annotator)
    assert found is not None
    return found
