"""Master keys of a test's own: the installation's are not for rotating."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from prometheus_site.core import sealing


@pytest.fixture
def master_keys(settings: Settings, tmp_path: Path) -> Iterator[Path]:
    """A copy of the key file, for this process; keys that others cached are forgotten."""
    copy = tmp_path / "keys" / "master.keys"
    copy.parent.mkdir(mode=0o700)
    shutil.copy(settings.MASTER_KEYS_FILE, copy)
    settings.MASTER_KEYS_FILE = copy
    sealing._keys.cache_clear()
    yield copy
    sealing._keys.cache_clear()
