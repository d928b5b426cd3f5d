"""A record of two clinicians to tamper with, undone after each test, and a copy of the anchors of its own."""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as site
from django.db import connection, transaction
from psycopg import sql
from pytest_django import DjangoDbBlocker, Settings

from annotation.models import Campaign, Label
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role
from prometheus_site.audit.models import Anchor
from prometheus_site.audit.services import anchor_heads
from prometheus_site.core.owner import as_owner
from tests import people, servers
from tests.annotation.worlds import label, make_campaign

NOTE = "what I think of it"


@pytest.fixture
def anchor_log(settings: Settings, tmp_path: Path) -> Path:
    settings.ANCHOR_LOG = tmp_path / "anchors.jsonl"
    return tmp_path / "anchors.jsonl"


@pytest.fixture
def campaign(anchor_log: Path, lead: User, annotator: User, second_annotator: User) -> Campaign:
    return make_campaign(lead, [annotator, second_annotator], samples=12)


@dataclass(frozen=True)
class Record:
    """Three labels of a first clinician and two of a second, all with notes, under three anchors."""

    campaign: Campaign
    labels: Sequence[Label]
    anchors: Sequence[Anchor]
    log: Path

    @property
    def first(self) -> User:
        return self.labels[0].annotator

    def tamper(self, table: str, statement: str, *values: Any) -> None:
        """Run a statement as the owner, with the table's triggers switched off."""
        disable = sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(sql.Identifier(table))
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(disable.as_string(cursor.connection))
            cursor.execute(statement, values or None)
            assert cursor.rowcount > 0, "nothing was changed"

    def drop_constraints(self, table: str, kind: str) -> None:
        """Remove the table's foreign keys (f) or unique constraints (u), as an intruder would."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass AND contype = %s",
                [table, kind],
            )
            for (name,) in cursor.fetchall():
                drop = sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(
                    sql.Identifier(table), sql.Identifier(name)
                )
                cursor.execute(drop.as_string(cursor.connection))


@pytest.fixture(scope="module")
def written_record(
    template_database: str, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Record]:
    """The record in a database of the module's own, as the services wrote it."""
    log = tmp_path_factory.mktemp("anchors") / "anchors.jsonl"
    with (
        django_db_blocker.unblock(),
        servers.cloned_database(template_database),
        pytest.MonkeyPatch.context() as patched,
    ):
        patched.setattr(site, "ANCHOR_LOG", log)
        lead = people.make("lead", Role.LEAD)
        first, second = (people.make(name, Role.ANNOTATOR) for name in ("first", "second"))
        campaign = make_campaign(lead, [first, second], samples=12)
        labels: list[Label] = []
        anchors = []
        for clinicians in ([first], [first], [first, second, second]):
            for clinician in clinicians:
                number = sum(stored.annotator == clinician for stored in labels) + 1
                labels.append(label(campaign, clinician, number, note=NOTE))
            anchors.append(anchor_heads())
        yield Record(campaign, labels, [anchor for anchor in anchors if anchor], log)


@pytest.fixture
def record(written_record: Record, anchor_log: Path) -> Iterator[Record]:
    """The record, spoken to as the owner; whatever a test does to it is undone."""
    shutil.copy(written_record.log, anchor_log)
    with as_owner(), transaction.atomic():
        yield Record(written_record.campaign, written_record.labels, written_record.anchors, anchor_log)
        transaction.set_rollback(True)
