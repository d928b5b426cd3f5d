"""The start-up checks: what must be true before this installation may hold therapy text."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from django.core.checks import CheckMessage, Error, Tags, run_checks
from django.db import connection
from pytest_django import DjangoDbBlocker, Settings

from prometheus_site.core.owner import as_owner
from prometheus_site.core.privileges import append_only_tables
from tests import servers

Owner = psycopg.Connection[tuple[object, ...]]


@pytest.fixture
def owner(committed_db: str) -> Iterator[Owner]:
    with closing(servers.owner_connection(committed_db)) as opened:
        yield opened


def loose() -> list[CheckMessage]:
    found = run_checks(tags=[Tags.database], databases=["default"])
    return [message for message in found if message.id == "prometheus.E003"]


def deployment(identifier: str) -> list[CheckMessage]:
    found = run_checks(tags=[Tags.security], include_deployment_checks=True)
    return [message for message in found if message.id == identifier]


@pytest.mark.django_db
def test_nothing_is_loose_after_a_migration() -> None:
    assert loose() == []


def test_loose_privilege_is_an_error_that_names_the_table(owner: Owner) -> None:
    for table in append_only_tables():
        owner.execute(f"GRANT DELETE ON {table} TO prometheus_app".encode())
        [message] = loose()
        assert isinstance(message, Error)
        assert message.msg == f"The role prometheus_app can change append-only tables: {table}."
        assert "migrate" in str(message.hint)
        owner.execute(f"REVOKE DELETE ON {table} FROM prometheus_app".encode())
    assert loose() == []


@pytest.mark.parametrize("to", ["prometheus_app", "PUBLIC"])
def test_every_way_to_be_loose_is_found(owner: Owner, to: str) -> None:
    for what in ("UPDATE", "UPDATE (answers)", "DELETE", "TRUNCATE", "TRIGGER"):
        owner.execute(f"GRANT {what} ON annotation_label TO {to}".encode())
        assert "annotation_label" in loose()[0].msg, what
        owner.execute(f"REVOKE {what} ON annotation_label FROM {to}".encode())
    assert loose() == []


@pytest.mark.usefixtures("committed_db")
def test_site_that_runs_as_the_owner_is_an_error() -> None:
    with as_owner():
        [message] = loose()
    assert "prometheus_owner" in message.msg
    assert all(table in message.msg for table in append_only_tables())


@pytest.mark.usefixtures("committed_db")
def test_no_database_yet_is_not_this_checks_business(monkeypatch: pytest.MonkeyPatch) -> None:
    connection.close()
    # Undone here and not at the end: the clone puts the name before it back first.
    with monkeypatch.context() as patched:
        patched.setitem(connection.settings_dict, "NAME", "there_is_none")
        assert loose() == []
        connection.close()


def test_without_databases_nothing_is_asked(django_db_blocker: DjangoDbBlocker) -> None:
    with django_db_blocker.block():
        assert run_checks(tags=[Tags.database]) == []


def test_missing_master_key_is_an_error(settings: Settings, tmp_path: Path) -> None:
    settings.MASTER_KEYS_FILE = tmp_path / "master.keys"
    [message] = deployment("prometheus.E001")
    assert "There is no master key" in message.msg
    (tmp_path / "master.keys").write_text("\n")
    assert len(deployment("prometheus.E001")) == 1


def test_missing_secret_key_is_an_error(settings: Settings) -> None:
    assert deployment("prometheus.E001") == deployment("prometheus.E002") == []
    settings.SECRET_KEY = "not-started-yet"
    assert len(deployment("prometheus.E002")) == 1
