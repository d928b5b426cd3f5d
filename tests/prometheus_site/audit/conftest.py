"""A copy of the anchors of the test's own, and a campaign that two clinicians label."""

from pathlib import Path

import pytest
from pytest_django import Settings

from annotation.models import Campaign
from prometheus_site.accounts.models import User
from tests.annotation.worlds import make_campaign


@pytest.fixture
def anchor_log(settings: Settings, tmp_path: Path) -> Path:
    settings.ANCHOR_LOG = tmp_path / "anchors.jsonl"
    return tmp_path / "anchors.jsonl"


@pytest.fixture
def campaign(anchor_log: Path, lead: User, annotator: User, second_annotator: User) -> Campaign:
    return make_campaign(lead, [annotator, second_annotator], samples=12)
