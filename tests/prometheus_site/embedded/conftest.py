"""An installation's folder of its own for each test, and ordinary rights where root would hide an error."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from prometheus_site.embedded.account import server_account
from prometheus_site.embedded.home import Home
from prometheus_site.embedded.postgres import EmbeddedPostgres
from prometheus_site.embedded.redis import EmbeddedRedis


@contextmanager
def _short_folder() -> Iterator[Path]:
    """A short folder that the servers' user may enter; pytest's own is neither."""
    made = Path(tempfile.mkdtemp(dir="/tmp", prefix="p-"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def folder() -> Iterator[Path]:
    with _short_folder() as made:
        yield made


@pytest.fixture
def home(folder: Path) -> Iterator[Home]:
    """A new installation, whose servers are stopped afterwards."""
    made = Home(folder / "home")
    made.ensure()
    yield made
    EmbeddedPostgres(made).stop()
    EmbeddedRedis(made).stop()


@pytest.fixture(scope="session")
def model_home() -> Iterator[Home]:
    """An installation that has run once; making a data folder is the slow part of a first start."""
    with _short_folder() as made:
        home = Home(made / "home")
        home.ensure()
        server = EmbeddedPostgres(home)
        server.start()
        server.stop()
        yield home


@pytest.fixture
def used_home(home: Home, model_home: Home) -> Home:
    """An installation of its own that has run once."""
    for name in ("keys", "postgres"):
        shutil.rmtree(home.path / name, ignore_errors=True)
        subprocess.run(["cp", "-a", model_home.path / name, home.path], check=True)
    return home


@pytest.fixture
def postgres(used_home: Home) -> Iterator[EmbeddedPostgres]:
    """A running PostgreSQL."""
    server = EmbeddedPostgres(used_home)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def shared_postgres(model_home: Home) -> Iterator[EmbeddedPostgres]:
    """A running PostgreSQL for tests that do not disturb each other."""
    with _short_folder() as made:
        subprocess.run(["cp", "-a", model_home.path, made], check=True)
        server = EmbeddedPostgres(Home(made / "home"))
        server.start()
        yield server
        server.stop()


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
