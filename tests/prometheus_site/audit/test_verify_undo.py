"""What the labelling loop adds to the record: leases, sittings and undos are covered; old links hold."""

import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import settings as site
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from annotation.assignment.queue import assign_next
from annotation.labelling.record import KIND, UNDO_KIND, payload_of, undo_payload_of
from annotation.labelling.unlabelled import undo_last
from annotation.models import Label, LabelUndo
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role
from prometheus_site.audit import chain as hashes
from prometheus_site.audit.models import ChainEntry
from prometheus_site.audit.services import anchor_heads
from prometheus_site.audit.verification import verify
from prometheus_site.core.owner import as_owner
from tests import people, servers
from tests.annotation.old_rows import old_label
from tests.annotation.planned import give, make_planned_campaign, queue_of
from tests.prometheus_site.audit.conftest import Record

NEWER = {"sitting", "lease", "screen_order", "shown_at", "replaces_undone"}


@dataclass(frozen=True)
class Loop:
    """A label undone and given again, and one given before there were sittings, leases and undos."""

    record: Record
    undone: Label
    undo: LabelUndo
    again: Label
    old: Label

    def tamper(self, table: str, change: str, pk: uuid.UUID) -> None:
        statement = f"UPDATE {table} SET {change} WHERE id = %s"  # noqa: S608  constants of this file
        self.record.tamper(table, statement, pk)


@pytest.fixture(scope="module")
def written(
    template_database: str, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Loop]:
    log = tmp_path_factory.mktemp("anchors") / "anchors.jsonl"
    with (
        django_db_blocker.unblock(),
        servers.cloned_database(template_database),
        pytest.MonkeyPatch.context() as patched,
    ):
        patched.setattr(site, "ANCHOR_LOG", log)
        lead = people.make("lead", Role.LEAD)
        annotator, second = (people.make(name, Role.ANNOTATOR) for name in ("first", "second"))
        campaign = make_planned_campaign(lead, [annotator, second], samples=6)
        old = old_label(queue_of(campaign, annotator)[0])
        slot = assign_next(campaign=campaign, annotator=annotator)
        assert slot is not None
        undone = give(campaign, slot)
        undo_last(annotator=annotator, campaign=campaign)
        again = give(campaign, slot)
        anchor = anchor_heads()
        assert anchor is not None
        undo = LabelUndo.objects.get()
        yield Loop(Record(campaign, [old, undone, again], [anchor], log), undone, undo, again, old)


@pytest.fixture
def loop(written: Loop, anchor_log: Path) -> Iterator[Loop]:
    """The record, spoken to as the owner; whatever a test does to it is undone."""
    shutil.copy(written.record.log, anchor_log)
    with as_owner(), transaction.atomic():
        yield written
        transaction.set_rollback(True)


def test_record_as_written_holds(loop: Loop) -> None:
    verdict = verify()
    assert verdict.faults == []
    assert (verdict.chains, verdict.entries) == (1, 4)
    kinds = ChainEntry.objects.order_by("sequence").values_list("kind", flat=True)
    assert list(kinds) == [KIND, KIND, UNDO_KIND, KIND]


def test_a_new_label_covers_what_an_old_one_did_not_have(loop: Loop) -> None:
    old, undone, again = (
        payload_of(Label.objects.get(pk=one.pk)) for one in (loop.old, loop.undone, loop.again)
    )
    assert not NEWER & set(old)
    assert NEWER - {"replaces_undone"} <= set(undone)
    assert set(again) >= NEWER
    assert again["replaces_undone"] == str(loop.undo.pk)
    assert again["supersedes"] == str(loop.undone.pk)
    entry = ChainEntry.objects.get(object_id=loop.old.pk)
    assert entry.payload_hash == hashes.payload_hash(old)


def test_an_undo_covers_whose_and_what_and_when(loop: Loop) -> None:
    assert undo_payload_of(LabelUndo.objects.get()) == {
        "undo": str(loop.undo.pk),
        "label": str(loop.undone.pk),
        "annotator": str(loop.undo.annotator_id),
        "created_at": loop.undo.created_at.isoformat(timespec="microseconds"),
    }


@pytest.mark.parametrize(
    "change",
    [
        "sitting_id = NULL",
        "sitting_id = gen_random_uuid()",
        "lease_id = NULL",
        "lease_id = gen_random_uuid()",
        "screen_order = screen_order + 1",
        "screen_order = NULL",
        "shown_at = shown_at + interval '1 microsecond'",
        "shown_at = NULL",
        "replaces_undone_id = gen_random_uuid()",
        "replaces_undone_id = NULL, supersedes_id = NULL",
    ],
)
def test_a_changed_label_is_named(loop: Loop, change: str) -> None:
    loop.record.drop_constraints("annotation_label", "f")
    loop.record.drop_constraints("annotation_label", "c")
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX label_one_first_per_assignment")
    loop.tamper("annotation_label", change, loop.again.pk)
    assert verify().faults == [f"label {loop.again.pk} is not what was recorded."]


@pytest.mark.parametrize(
    "change", ["lease_id = gen_random_uuid()", "screen_order = 1", "shown_at = now()", "answers = '{}'"]
)
def test_an_old_label_cannot_be_filled_in_later(loop: Loop, change: str) -> None:
    loop.tamper("annotation_label", change, loop.old.pk)
    assert verify().faults == [f"label {loop.old.pk} is not what was recorded."]


@pytest.mark.parametrize(
    "change",
    [
        "created_at = created_at - interval '1 second'",
        "annotator_id = (SELECT id FROM accounts_user WHERE email ~ '^second')",
        "label_id = (SELECT id FROM annotation_label WHERE lease_id IS NULL)",
    ],
)
def test_a_changed_undo_is_named(loop: Loop, change: str) -> None:
    loop.record.drop_constraints("annotation_labelundo", "f")
    loop.record.drop_constraints("annotation_label", "f")
    loop.tamper("annotation_labelundo", change, loop.undo.pk)
    assert verify().faults == [f"undo {loop.undo.pk} is not what was recorded."]


def test_a_removed_undo_is_named(loop: Loop) -> None:
    """As if the label had never been taken back."""
    loop.record.drop_constraints("annotation_label", "f")
    remove = "DELETE FROM annotation_labelundo WHERE id = %s"
    loop.record.tamper("annotation_labelundo", remove, loop.undo.pk)
    assert verify().faults == [f"undo {loop.undo.pk} is in the chain and gone from its table."]


def test_an_undo_that_nobody_made_is_named(loop: Loop) -> None:
    """As if a label that stands had been taken back."""
    planted = uuid.uuid4()
    loop.record.tamper(
        "annotation_labelundo",
        "INSERT INTO annotation_labelundo (id, label_id, annotator_id, created_at) "
        "VALUES (%s, %s, %s, now())",
        planted,
        loop.again.pk,
        loop.again.annotator_id,
    )
    assert verify().faults == [f"undo {planted} is in its table and not in any chain."]


def test_a_removed_link_of_an_undo_is_named(loop: Loop) -> None:
    remove = "DELETE FROM audit_chainentry WHERE object_id = %s"
    loop.record.tamper("audit_chainentry", remove, loop.undo.pk)
    faults = verify().faults
    assert f"undo {loop.undo.pk} is in its table and not in any chain." in faults
    assert f"chain {loop.again.annotator_id}, link 4: link 3 is missing." in faults


# --- What the database refuses, whoever asks ---------------------------------------------------------------
def another(loop: Loop, **changes: object) -> Label:
    """Return a row like the label given again, to insert past every service."""
    row = Label.objects.filter(pk=loop.again.pk).values().get()
    basics = {"id": uuid.uuid4(), "idempotency_key": uuid.uuid4()}
    return Label(**row | basics | changes)


def insert(row: Label | LabelUndo) -> None:
    with transaction.atomic():
        row.save(force_insert=True)
        transaction.get_connection().check_constraints()


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        # Supersedes neither for a reason nor because of an undo.
        ({"replaces_undone_id": None}, "label_supersedes_for_a_reason"),
        ({"supersedes_id": None}, "label_supersedes_for_a_reason"),
        ({"supersedes_id": None, "replaces_undone_id": None}, "label_one_first_per_assignment"),
        # One undone label has one successor.
        ({}, r"annotation_label_(replaces_undone|supersedes)_id_key"),
    ],
)
def test_a_label_supersedes_for_a_reason(loop: Loop, changes: dict[str, object], refusal: str) -> None:
    with pytest.raises(IntegrityError, match=refusal):
        insert(another(loop, **changes))


def test_a_label_replaces_what_was_undone(loop: Loop) -> None:
    """The undo it names must be the undo of the very label it supersedes."""
    loop.record.tamper("annotation_label", "DELETE FROM annotation_label WHERE id = %s", loop.again.pk)
    with pytest.raises(IntegrityError, match=r"label_(replaces_what_was_undone|corrects_same_assignment)"):
        insert(another_of(loop.again, supersedes_id=loop.old.pk))
    with pytest.raises(IntegrityError, match="label_replaces_what_was_undone"):
        insert(
            another_of(
                loop.again,
                supersedes_id=loop.old.pk,
                assignment_id=loop.old.assignment_id,
                sample_id=loop.old.sample_id,
            )
        )
    insert(another_of(loop.again))


def another_of(label: Label, **changes: object) -> Label:
    kept = {field.attname: getattr(label, field.attname) for field in Label._meta.concrete_fields}
    return Label(**kept | {"id": uuid.uuid4(), "idempotency_key": uuid.uuid4()} | changes)


def test_an_undo_is_by_the_labels_maker(loop: Loop) -> None:
    second = User.objects.get(email__startswith="second")
    with pytest.raises(IntegrityError, match="labelundo_by_its_maker"):
        insert(LabelUndo(label=loop.again, annotator=second, created_at=timezone.now()))


def test_a_label_is_undone_once(loop: Loop) -> None:
    twice = LabelUndo(label=loop.undone, annotator=loop.undone.annotator, created_at=timezone.now())
    with pytest.raises(IntegrityError, match="annotation_labelundo_label_id_key"):
        insert(twice)
