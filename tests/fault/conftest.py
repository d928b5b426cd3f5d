"""Made-up people at work, and short folders that the servers' unprivileged user may enter."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import time_machine
from pytest_django.fixtures import Settings

from annotation.models import Campaign
from prometheus_site.accounts.models import User
from prometheus_site.audit.verification import verify
from tests.annotation.worlds import make_campaign
from tests.e2e.site import Site, running_site, site_folder


@pytest.fixture
def record(settings: Settings, tmp_path: Path, db: None) -> Iterator[None]:
    """The record, verified at the end of the test."""
    settings.ANCHOR_LOG = tmp_path / "anchors.jsonl"
    yield
    assert verify().faults == []


@pytest.fixture
def campaign(record: None, lead: User, annotator: User, second_annotator: User) -> Campaign:
    return make_campaign(lead, [annotator, second_annotator], samples=30)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """A clock that the test moves; between the moves it goes on."""
    with time_machine.travel(datetime.now(UTC)) as traveller:
        yield traveller


@pytest.fixture(scope="session")
def own_site() -> Iterator[Site]:
    """A whole site on servers of its own, which may be killed."""
    with site_folder() as folder, running_site(folder) as site:
        yield site
