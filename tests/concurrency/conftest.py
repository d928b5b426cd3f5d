"""A campaign in a database of its own, whose chain of records has to hold when the test is over."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from annotation.models import Campaign
from prometheus_site.accounts.models import User
from prometheus_site.audit.verification import verify
from tests.annotation.worlds import make_campaign

ClientFor = Callable[[User], Client]


@pytest.fixture
def record(settings: Settings, tmp_path: Path, committed_db: str) -> Iterator[None]:
    """The record of a committed database: verified at the end of the test, whatever happened in it."""
    settings.ANCHOR_LOG = tmp_path / "anchors.jsonl"
    yield
    assert verify().faults == []


@pytest.fixture
def campaign(record: None, lead: User, annotator: User, second_annotator: User) -> Campaign:
    return make_campaign(lead, [annotator, second_annotator], samples=24)
