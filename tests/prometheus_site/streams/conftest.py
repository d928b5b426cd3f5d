"""A streams process for each test that wants one, on a database of the test's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.prometheus_site.streams.listening import StreamsProcess, running_streams


@pytest.fixture
def streams(committed_db: str, tmp_path: Path) -> Iterator[StreamsProcess]:
    with running_streams(committed_db, tmp_path / "streams.log") as running:
        yield running
