"""The servers, the databases and the fixed cast that every test may use."""

import os
from collections.abc import Callable, Iterator

import pytest
from django.test import Client
from pytest_django import DjangoDbBlocker

from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role
from tests import people, real_data, servers

# Reasons that depend on the machine and not on the change.
EXPECTED_SKIPS = (
    real_data.NOT_HERE,
    "no IPv6",
    "only root runs the servers",
    "torch is not here",  # gigabytes that only a local model needs until there is training
)


@pytest.fixture(scope="session")
def template_database(django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """The name of a migrated, empty database on a real server."""
    with servers.running_servers():
        with django_db_blocker.unblock():
            name = servers.ensure_template()
        yield name


@pytest.fixture(scope="session")
def django_db_setup(template_database: str, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """One clone for all tests that roll back."""
    with django_db_blocker.unblock(), servers.cloned_database(template_database) as name:
        servers.take_no_statistics(name)
        yield


@pytest.fixture
def committed_db(template_database: str, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """A clone of its own for a test that commits: append-only tables cannot be emptied afterwards."""
    with django_db_blocker.unblock(), servers.cloned_database(template_database) as name:
        yield name


@pytest.fixture
def database(request: pytest.FixtureRequest) -> None:
    """The database of this test: its own clone when it commits, else the shared one in a transaction."""
    request.getfixturevalue("committed_db" if "committed_db" in request.fixturenames else "db")


@pytest.fixture
def annotator(database: None) -> User:
    return people.make("annotator", Role.ANNOTATOR)


@pytest.fixture
def second_annotator(database: None) -> User:
    return people.make("second-annotator", Role.ANNOTATOR)


@pytest.fixture
def adjudicator(database: None) -> User:
    return people.make("adjudicator", Role.ADJUDICATOR)


@pytest.fixture
def lead(database: None) -> User:
    return people.make("lead", Role.LEAD)


@pytest.fixture
def supervisor(database: None) -> User:
    return people.make("supervisor", Role.SUPERVISOR)


@pytest.fixture
def engineer(database: None) -> User:
    return people.make("engineer", Role.ENGINEER)


@pytest.fixture
def outsider(database: None) -> User:
    """A signed-in person without any role."""
    return people.make("outsider")


@pytest.fixture
def client_for() -> Callable[[User], Client]:
    """Return a client signed in as that person, second factor passed."""
    return people.signed_in


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--take-screenshots", action="store_true", help="write docs/screenshots anew")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name a test of bytes by their number: packed files hold the time, and so would the name."""
    return f"{argname} of {len(val)} bytes" if isinstance(val, bytes) else None


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where a change is judged, a test that was skipped for a reason nobody expects is a failure."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or "CI" not in os.environ:
        return
    for report in reporter.stats.get("skipped", []):
        if not any(reason in str(report.longrepr) for reason in EXPECTED_SKIPS):
            reporter.write_line(f"Skipped, and nobody expected it: {report.nodeid}", red=True)
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
