"""Whatever is changed in the record, the verification names it; and what is as it was holds."""

import io
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from annotation.labelling.record import payload_of
from annotation.labelling.services import clinician_scope, correct_label
from annotation.models import Campaign, Label
from prometheus_site.accounts.models import User
from prometheus_site.audit import chain as hashes
from prometheus_site.audit.models import Anchor, ChainEntry
from prometheus_site.audit.services import anchor_heads, append_to_chain
from prometheus_site.audit.verification import verify
from prometheus_site.core import sealing
from prometheus_site.core.models import SealedText
from tests.annotation.worlds import label, submission
from tests.prometheus_site.audit.conftest import NOTE, Record

CHANGES = {
    "answers": "answers = jsonb_set(answers, '{crisis_intensity}', '\"4\"')",
    "sample": "sample_id = (SELECT id FROM annotation_sample WHERE number = 9)",
    "annotator": "annotator_id = (SELECT id FROM accounts_user WHERE email ~ '^lead')",
    "campaign": "campaign_id = gen_random_uuid()",
    "assignment": "assignment_id = (SELECT a.id FROM annotation_assignment a JOIN annotation_sample s "
    "ON s.id = a.sample_id WHERE s.number = 9 LIMIT 1)",
    "scheme": "scheme_id = gen_random_uuid()",
    "guideline": "guideline_id = gen_random_uuid()",
    "created_at": "created_at = created_at + interval '1 microsecond'",
    "is_simulated": "is_simulated = NOT is_simulated",
    "active_seconds": "active_seconds = 7",
    "idempotency_key": "idempotency_key = gen_random_uuid()",
    "note": "note_id = NULL",
}


def change_label(record: Record, stored: Label, assignment: str) -> None:
    statement = f"UPDATE annotation_label SET {assignment} WHERE id = %s"  # noqa: S608  one of the above
    record.tamper("annotation_label", statement, stored.pk)


def remove_link(record: Record, stored: Label) -> None:
    record.tamper("audit_chainentry", "DELETE FROM audit_chainentry WHERE object_id = %s", stored.pk)


def test_record_as_written_holds(record: Record) -> None:
    verdict = verify()
    assert verdict.faults == []
    assert verdict.holds
    assert (verdict.chains, verdict.entries, verdict.anchors) == (2, 5, 3)


@pytest.mark.django_db
@pytest.mark.usefixtures("anchor_log")
def test_empty_record_holds() -> None:
    assert verify().holds


@pytest.mark.django_db
def test_corrections_are_links_too(campaign: Campaign, annotator: User) -> None:
    stored = label(campaign, annotator, 1)
    correct_label(annotator=annotator, label=stored, submission=submission(campaign, reason="slipped"))
    verdict = verify()
    assert verdict.holds
    assert verdict.entries == 2


@pytest.mark.parametrize("what", CHANGES)
def test_changed_label_is_named(record: Record, what: str) -> None:
    record.drop_constraints("annotation_label", "f")
    change_label(record, record.labels[1], CHANGES[what])
    assert verify().faults == [f"label {record.labels[1].pk} is not what was recorded."]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE annotation_sample SET window_stop = window_stop - 1 WHERE id = %s",
        "UPDATE annotation_sample SET conversation_id = (SELECT conversation_id FROM annotation_sample "
        "WHERE number = 9), window_start = 1 WHERE id = %s",
        "UPDATE annotation_assignment SET purpose = 'training' WHERE sample_id = %s",
    ],
)
def test_what_a_label_was_about_cannot_be_changed_afterwards(record: Record, statement: str) -> None:
    """These tables may change, so the application's own login can do this: the record says so."""
    with connection.cursor() as cursor:
        cursor.execute(statement, [record.labels[1].sample_id])
    assert f"label {record.labels[1].pk} is not what was recorded." in verify().faults


def test_changed_note_is_named(record: Record) -> None:
    digest = "UPDATE core_sealedtext SET digest = %s WHERE id = %s"
    record.tamper("core_sealedtext", digest, bytes(32), record.labels[1].note_id)
    assert verify().faults == [f"label {record.labels[1].pk} is not what was recorded."]


def test_removed_label_is_named(record: Record) -> None:
    record.drop_constraints("annotation_labellock", "f")
    record.tamper("annotation_label", "DELETE FROM annotation_label WHERE id = %s", record.labels[1].pk)
    assert verify().faults == [f"label {record.labels[1].pk} is in the chain and gone from its table."]


def test_removed_link_is_named(record: Record) -> None:
    remove_link(record, record.labels[1])
    faults = verify().faults
    assert f"chain {record.first.pk}, link 3: link 2 is missing." in faults
    assert f"anchor 2: link 2 of chain {record.first.pk} is not what was anchored." in faults


def test_removed_last_link_is_named_by_its_anchor(record: Record) -> None:
    remove_link(record, record.labels[2])
    assert f"anchor 3: link 3 of chain {record.first.pk} is not what was anchored." in verify().faults


def test_label_without_a_link_is_named(record: Record) -> None:
    """Written past the service, or its link was removed before an anchor held it."""
    newest = label(record.campaign, record.first, 4)
    remove_link(record, newest)
    assert verify().faults == [f"label {newest.pk} is in its table and not in any chain."]


@pytest.mark.parametrize("column", ["entry_hash", "previous_hash", "payload_hash", "kind"])
def test_changed_link_is_named(record: Record, column: str) -> None:
    change = f"UPDATE audit_chainentry SET {column} = 'label ' WHERE object_id = %s"  # noqa: S608  one of four
    record.tamper("audit_chainentry", change, record.labels[1].pk)
    assert f"chain {record.first.pk}, link 2: the link itself was changed." in verify().faults


def test_moved_time_of_a_link_is_named(record: Record) -> None:
    change = "UPDATE audit_chainentry SET recorded_at = recorded_at - interval '1 day' WHERE object_id = %s"
    record.tamper("audit_chainentry", change, record.labels[1].pk)
    assert verify().faults == [f"chain {record.first.pk}, link 2: the link itself was changed."]


def test_swapped_links_are_named(record: Record) -> None:
    record.drop_constraints("audit_chainentry", "u")
    swap = "UPDATE audit_chainentry SET sequence = 3 - sequence WHERE chain_id = %s AND sequence < 3"
    record.tamper("audit_chainentry", swap, record.first.pk)
    faults = verify().faults
    assert f"chain {record.first.pk}, link 1: does not follow from the link before it." in faults
    assert f"chain {record.first.pk}, link 1: the link itself was changed." in faults


def test_chain_made_anew_as_a_whole_is_named_by_its_anchors(record: Record) -> None:
    """Somebody changes a label and recomputes every hash after it: only the anchors still know."""
    change_label(record, record.labels[0], CHANGES["answers"])
    previous = hashes.GENESIS
    for entry in ChainEntry.objects.filter(chain=record.first).order_by("sequence"):
        covered = hashes.payload_hash(payload_of(Label.objects.get(pk=entry.object_id)))
        digest = hashes.entry_hash(
            chain=str(entry.chain_id),
            sequence=entry.sequence,
            kind=entry.kind,
            object_id=str(entry.object_id),
            payload=covered,
            previous=previous,
            recorded_at=entry.recorded_at,
        )
        record.tamper(
            "audit_chainentry",
            "UPDATE audit_chainentry SET payload_hash = %s, previous_hash = %s, entry_hash = %s "
            "WHERE id = %s",
            *(covered, previous, digest, entry.pk),
        )
        previous = digest
    assert verify().faults == [
        f"anchor {n}: link {n} of chain {record.first.pk} is not what was anchored." for n in (1, 2, 3)
    ]


@pytest.mark.django_db
@pytest.mark.usefixtures("anchor_log")
def test_link_of_an_unknown_kind_is_named(annotator: User) -> None:
    append_to_chain(clinician_id=annotator.pk, kind="ruling", object_id=uuid.uuid4(), payload={})
    assert verify().faults == ["Links of the unknown kind “ruling”: this version cannot verify them."]


def test_record_holds_after_a_clinicians_key_was_destroyed(record: Record) -> None:
    assert sealing.destroy_key(clinician_scope(record.first), "withdrew")
    assert verify().holds
    notes = [_note(stored) for stored in record.labels]
    for note in notes[:3]:
        with pytest.raises(sealing.TextErasedError):
            sealing.open_text(note)
    assert [sealing.open_text(note) for note in notes[3:]] == [NOTE, NOTE]
    label(record.campaign, record.first, 4, note="after a new consent")
    anchor_heads()
    assert verify().holds


def _note(stored: Label) -> SealedText:
    note: SealedText = SealedText.objects.select_related("data_key").get(pk=str(stored.note_id))
    return note


@pytest.mark.usefixtures("committed_db")
def test_record_holds_while_it_grows(campaign: Campaign, annotator: User, second_annotator: User) -> None:
    """Labels and anchors that come while the verification reads are not taken for faults."""
    is_over = threading.Event()

    def save() -> None:
        try:
            for number in range(1, 13):
                label(campaign, annotator, number, note=NOTE)
                label(campaign, second_annotator, number, note=NOTE)
        finally:
            connection.close()

    def keep_anchoring() -> None:
        try:
            while not is_over.is_set():
                anchor_heads()
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        saving, anchoring = pool.submit(save), pool.submit(keep_anchoring)
        try:
            while not saving.done():
                assert verify().faults == []
        finally:
            is_over.set()
        saving.result()
        anchoring.result()
    verdict = verify()
    assert verdict.faults == []
    assert verdict.entries == 24
    assert verdict.anchors == Anchor.objects.count() > 2


def test_command_counts_what_it_verified(record: Record) -> None:
    output = io.StringIO()
    call_command("verify_audit_chain", stdout=output)
    assert output.getvalue().strip() == "The record holds: 2 chains, 5 links, 3 anchors."


def test_command_fails_and_names_the_faults_without_any_text(record: Record) -> None:
    for stored in record.labels:
        change_label(record, stored, CHANGES["active_seconds"])
    errors = io.StringIO()
    with pytest.raises(CommandError, match="5 faults in 2 chains, 5 links"):
        call_command("verify_audit_chain", stderr=errors)
    for stored in record.labels:
        assert f"label {stored.pk} is not what was recorded." in errors.getvalue()
    assert NOTE not in errors.getvalue()
