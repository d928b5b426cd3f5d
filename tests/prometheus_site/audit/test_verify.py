"""Whatever is changed in the record, the verification names it; and what is as it was holds."""

import io
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from annotation.labelling.services import clinician_scope, correct_label
from annotation.models import Campaign, Label
from prometheus_site.accounts.models import User
from prometheus_site.audit import chain as hashes
from prometheus_site.audit.models import Anchor, ChainEntry
from prometheus_site.audit.services import anchor_heads, append_to_chain
from prometheus_site.audit.verification import verify
from prometheus_site.core import sealing
from prometheus_site.core.models import SealedText
from tests import servers
from tests.annotation.worlds import label, submission
from tests.prometheus_site.audit.tampering import tamper

NOTE = "what I think of it"


@pytest.fixture
def labels(committed_db: str, campaign: Campaign, annotator: User, second_annotator: User) -> list[Label]:
    """Three labels of one clinician and two of another, with notes, anchored."""
    stored = [label(campaign, annotator, number, note=NOTE) for number in (1, 2, 3)]
    stored += [label(campaign, second_annotator, number, note=NOTE) for number in (1, 2)]
    anchor_heads()
    return stored


def test_record_as_written_holds(labels: list[Label]) -> None:
    verdict = verify()
    assert verdict.faults == []
    assert verdict.holds
    assert (verdict.chains, verdict.entries, verdict.anchors) == (2, 5, 1)


@pytest.mark.usefixtures("committed_db", "anchor_log")
def test_empty_record_holds() -> None:
    assert verify().holds


def test_corrections_are_links_too(labels: list[Label], campaign: Campaign, annotator: User) -> None:
    correct_label(annotator=annotator, label=labels[0], submission=submission(campaign, reason="slipped"))
    verdict = verify()
    assert verdict.holds
    assert verdict.entries == 6


CHANGES = {
    "answers": "UPDATE annotation_label SET answers = jsonb_set(answers, '{crisis_intensity}', '\"4\"')",
    "sample": "UPDATE annotation_label SET sample_id = (SELECT id FROM annotation_sample WHERE number = 9)",
    "annotator": "UPDATE annotation_label SET annotator_id = (SELECT id FROM accounts_user WHERE email ~ '^lead')",
    "created_at": "UPDATE annotation_label SET created_at = created_at + interval '1 microsecond'",
    "is_simulated": "UPDATE annotation_label SET is_simulated = NOT is_simulated",
    "active_seconds": "UPDATE annotation_label SET active_seconds = 7",
    "note": "UPDATE annotation_label SET note_id = NULL",
    "guideline": "UPDATE annotation_label SET guideline_id = (SELECT id FROM another)",
}


@pytest.mark.parametrize("what", sorted(CHANGES.keys() - {"guideline"}))
def test_changed_label_is_named(labels: list[Label], committed_db: str, what: str) -> None:
    tamper(committed_db, "annotation_label", f"{CHANGES[what]} WHERE id = %s", [labels[1].pk])
    assert verify().faults == [f"label {labels[1].pk} is not what was recorded."]


def test_changed_note_is_named(labels: list[Label], committed_db: str) -> None:
    digest = "UPDATE core_sealedtext SET digest = %s WHERE id = %s"
    tamper(committed_db, "core_sealedtext", digest, [bytes(32), labels[1].note_id])
    assert verify().faults == [f"label {labels[1].pk} is not what was recorded."]


def test_removed_label_is_named(labels: list[Label], committed_db: str) -> None:
    tamper(committed_db, "annotation_label", "DELETE FROM annotation_label WHERE id = %s", [labels[1].pk])
    assert verify().faults == [f"label {labels[1].pk} is in the chain and gone from its table."]


def remove_link(database: str, stored: Label) -> None:
    tamper(database, "audit_chainentry", "DELETE FROM audit_chainentry WHERE object_id = %s", [stored.pk])


def test_removed_link_is_named(labels: list[Label], committed_db: str, annotator: User) -> None:
    remove_link(committed_db, labels[1])
    faults = verify().faults
    assert f"chain {annotator.pk}, link 3: link 2 is missing." in faults


def test_removed_last_link_is_named_by_its_anchor(
    labels: list[Label], committed_db: str, annotator: User
) -> None:
    remove_link(committed_db, labels[2])
    assert f"anchor 1: link 3 of chain {annotator.pk} is not what was anchored." in verify().faults


def test_label_without_a_link_is_named(labels: list[Label], committed_db: str, campaign: Campaign) -> None:
    """The last link of a chain, gone before an anchor held it, and a label written past the service."""
    newest = label(campaign, labels[0].annotator, 4)
    remove_link(committed_db, newest)
    assert verify().faults == [f"label {newest.pk} is in its table and not in any chain."]


@pytest.mark.parametrize("column", ["entry_hash", "previous_hash", "payload_hash"])
def test_changed_link_is_named(labels: list[Label], committed_db: str, annotator: User, column: str) -> None:
    change = f"UPDATE audit_chainentry SET {column} = %s WHERE object_id = %s"  # noqa: S608  one of three
    tamper(committed_db, "audit_chainentry", change, ["f" * 64, labels[1].pk])
    faults = verify().faults
    assert f"chain {annotator.pk}, link 2: the link itself was changed." in faults


def test_moved_time_of_a_link_is_named(labels: list[Label], committed_db: str, annotator: User) -> None:
    change = "UPDATE audit_chainentry SET recorded_at = recorded_at - interval '1 day' WHERE object_id = %s"
    tamper(committed_db, "audit_chainentry", change, [labels[1].pk])
    assert verify().faults == [f"chain {annotator.pk}, link 2: the link itself was changed."]


def test_swapped_links_are_named(labels: list[Label], committed_db: str) -> None:
    swap = (
        "UPDATE audit_chainentry e SET object_id = o.object_id FROM audit_chainentry o "
        "WHERE e.chain_id = o.chain_id AND e.sequence + o.sequence = 3 AND e.sequence <> o.sequence"
    )
    with closing(servers.owner_connection(committed_db)) as owner:
        owner.execute("ALTER TABLE audit_chainentry DROP CONSTRAINT chainentry_one_per_object")
    tamper(committed_db, "audit_chainentry", swap)
    assert len(verify().faults) >= 2


def test_chain_that_was_made_anew_as_a_whole_is_named_by_its_anchor(
    labels: list[Label], committed_db: str, annotator: User
) -> None:
    """Somebody changes a label and recomputes every hash after it: only the anchors still know."""
    from annotation.labelling.record import payload_of

    change = CHANGES["answers"]
    tamper(committed_db, "annotation_label", f"{change} WHERE id = %s", [labels[0].pk])
    previous = hashes.GENESIS
    for entry in ChainEntry.objects.filter(chain=annotator).order_by("sequence"):
        covered = hashes.payload_hash(payload_of(Label.objects.get(pk=entry.object_id)))
        digest = hashes.entry_hash(
            chain=str(annotator.pk),
            sequence=entry.sequence,
            kind=entry.kind,
            object_id=str(entry.object_id),
            payload=covered,
            previous=previous,
            recorded_at=entry.recorded_at,
        )
        rewrite = (
            "UPDATE audit_chainentry SET payload_hash = %s, previous_hash = %s, entry_hash = %s WHERE id = %s"
        )
        tamper(committed_db, "audit_chainentry", rewrite, [covered, previous, digest, entry.pk])
        previous = digest
    assert verify().faults == [f"anchor 1: link 3 of chain {annotator.pk} is not what was anchored."]


@pytest.mark.usefixtures("committed_db", "anchor_log")
def test_link_of_an_unknown_kind_is_named(annotator: User) -> None:
    with transaction.atomic():
        append_to_chain(clinician_id=annotator.pk, kind="ruling", object_id=uuid.uuid4(), payload={})
    assert verify().faults == ["Links of the unknown kind “ruling”: this version cannot verify them."]


def test_chain_holds_after_a_clinicians_key_was_destroyed(
    labels: list[Label], campaign: Campaign, annotator: User, second_annotator: User
) -> None:
    assert sealing.destroy_key(clinician_scope(annotator), "withdrew")
    assert verify().holds
    with pytest.raises(sealing.TextErasedError):
        sealing.open_text(SealedText.objects.get(pk=labels[0].note_id))
    assert sealing.open_text(SealedText.objects.get(pk=labels[3].note_id)) == NOTE
    label(campaign, annotator, 4, note="after a new consent")
    anchor_heads()
    assert verify().holds


def test_record_holds_while_it_grows(
    labels: list[Label], campaign: Campaign, annotator: User, second_annotator: User
) -> None:
    """Labels and anchors that come while the verification reads are not taken for faults."""
    is_over = threading.Event()

    def work(job: Callable[[int], object]) -> None:
        try:
            for number in range(4, 13):
                job(number)
        finally:
            connection.close()

    def save(number: int) -> None:
        label(campaign, annotator, number, note=NOTE)
        label(campaign, second_annotator, number, note=NOTE)

    def keep_anchoring() -> None:
        try:
            while not is_over.is_set():
                anchor_heads()
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        saving, anchoring = pool.submit(work, save), pool.submit(keep_anchoring)
        try:
            while not saving.done():
                assert verify().faults == []
        finally:
            is_over.set()
        saving.result()
        anchoring.result()
    verdict = verify()
    assert verdict.faults == []
    assert verdict.entries == 2 * 9 + 5
    assert verdict.anchors == Anchor.objects.count() > 2


def test_command_counts_what_it_verified(labels: list[Label]) -> None:
    output = io.StringIO()
    call_command("verify_audit_chain", stdout=output)
    assert output.getvalue().strip() == "The record holds: 2 chains, 5 links, 1 anchors."


def test_command_fails_and_names_the_faults_without_any_text(labels: list[Label], committed_db: str) -> None:
    tamper(committed_db, "annotation_label", CHANGES["active_seconds"])
    errors = io.StringIO()
    with pytest.raises(CommandError, match="5 faults in 2 chains, 5 links"):
        call_command("verify_audit_chain", stderr=errors)
    for stored in labels:
        assert f"label {stored.pk} is not what was recorded." in errors.getvalue()
    assert NOTE not in errors.getvalue()
