"""An installation's folder of its own for each test, and ordinary rights where root would hide an error."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from prometheus_site.embedded.account import server_account
from prometheus_site.embedded.home import Home
from prometheus_site.embedded.postgres import EmbeddedPostgres
from prometheus_site.embedded.redis import EmbeddedRedis


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short folder that the servers' user may enter; pytest's own is neither."""
    made = Path(tempfile.mkdtemp(dir="/tmp", prefix="p-"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def home(folder: Path) -> Iterator[Home]:
    """An installation whose servers are stopped afterwards."""
    made = Home(folder / "home")
    made.ensure()
    yield made
    EmbeddedPostgres(made).stop()
    EmbeddedRedis(made).stop()


@pytest.fixture
def postgres(home: Home) -> Iterator[EmbeddedPostgres]:
    """A running PostgreSQL."""
    server = EmbeddedPostgres(home)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def shared_postgres() -> Iterator[EmbeddedPostgres]:
    """A running PostgreSQL for tests that do not disturb each other."""
    made = Path(tempfile.mkdtemp(dir="/tmp", prefix="p-"))
    made.chmod(0o711)
    home = Home(made / "home")
    home.ensure()
    server = EmbeddedPostgres(home)
    server.start()
    yield server
    server.stop()
    shutil.rmtree(made)


@pytest.fixture
def redis_server(home: Home) -> Iterator[EmbeddedRedis]:
    """A running Redis."""
    server = EmbeddedRedis(home)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def ordinary_user() -> Iterator[None]:
    """Give up root's rights for the test: root may write everywhere."""
    account = server_account()
    if account is None:
        yield
        return
    os.setegid(account.gid)
    os.seteuid(account.uid)
    yield
    os.seteuid(0)
    os.setegid(0)
