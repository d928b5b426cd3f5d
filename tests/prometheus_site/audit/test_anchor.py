"""Anchors tie all chains together, signed, with a copy outside that gives away who rewrites the database."""

import json
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import connection
from pytest_django import Settings

from annotation.models import Campaign
from prometheus_site.accounts.models import User
from prometheus_site.audit import chain as hashes
from prometheus_site.audit import signing
from prometheus_site.audit.models import Anchor, ChainEntry
from prometheus_site.audit.services import anchor_heads
from prometheus_site.audit.verification import verify
from tests.annotation.worlds import label
from tests.prometheus_site.audit.conftest import Record


def lines(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()]


def write(log: Path, kept: list[dict[str, Any]]) -> None:
    log.write_text("".join(f"{json.dumps(line)}\n" for line in kept))


def change(record: Record, assignment: str, *values: object) -> None:
    """Change the second anchor as the owner could."""
    statement = f"UPDATE audit_anchor SET {assignment} WHERE sequence = 2"  # noqa: S608  of this file
    record.tamper("audit_anchor", statement, *values)


def write_key(path: Path) -> None:
    path.write_bytes(
        Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )


def test_anchors_hold_each_other_and_the_heads(record: Record, annotator: User) -> None:
    head = ChainEntry.objects.order_by("-sequence")[0]
    assert [anchor.sequence for anchor in anchors] == [1, 2, 3]
    assert record.anchors[0].previous_hash == hashes.GENESIS
    assert record.anchors[2].previous_hash == record.anchors[1].anchor_hash
    assert record.anchors[2].heads == [[str(annotator.pk), 3, head.entry_hash]]
    assert signing.is_signed(record.anchors[2].anchor_hash, record.anchors[2].signature)
    assert verify().faults == []


def test_copy_outside_has_a_line_for_each(record: Record) -> None:
    assert [(line["sequence"], line["anchor_hash"]) for line in lines(anchor_log)] == [
        (anchor.sequence, anchor.anchor_hash) for anchor in anchors
    ]
    assert stat.S_IMODE(anchor_log.stat().st_mode) == 0o600


@pytest.mark.usefixtures("committed_db")
def test_nothing_new_is_not_anchored(campaign: Campaign, annotator: User, anchor_log: Path) -> None:
    assert anchor_heads() is None
    label(campaign, annotator, 1)
    assert anchor_heads() is not None
    assert anchor_heads() is None
    assert len(lines(anchor_log)) == 1


@pytest.mark.usefixtures("committed_db")
def test_sweepers_at_the_same_moment_make_one_line_of_anchors(
    campaign: Campaign, annotator: User, anchor_log: Path
) -> None:
    is_over = threading.Event()

    def sweep() -> None:
        try:
            while not is_over.is_set():
                anchor_heads()
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        sweeping = [pool.submit(sweep) for _ in range(3)]
        for number in range(1, 11):
            label(campaign, annotator, number)
        is_over.set()
        for one in sweeping:
            one.result()
    anchor_heads()
    assert verify().faults == []
    count = Anchor.objects.count()
    assert [line["sequence"] for line in lines(anchor_log)] == list(range(1, count + 1))


def test_changed_anchor_is_named(record: Record) -> None:
    change(record, "heads = jsonb_set(heads, '{0,1}', '1')")
    assert verify().faults == ["anchor 2: was changed."]


def test_changed_time_is_named(record: Record) -> None:
    change(record, "anchored_at = anchored_at - interval '1 second'")
    assert verify().faults == ["anchor 2: was changed."]


@pytest.mark.parametrize("signature", ["00" * 64, "not hexadecimal", ""])
def test_changed_signature_is_named(record: Record, signature: str) -> None:
    change(record, "signature = %s", signature)
    assert verify().faults == ["anchor 2: is not signed by this installation's key."]


def test_anchor_of_another_key_is_named(record: Record) -> None:
    change(record, "key_fingerprint = %s", "0123456789abcdef")
    [fault] = verify().faults
    assert fault.startswith("anchor 2: is signed with the key 0123456789abcdef")


def test_recomputed_anchor_is_named_by_the_copy_outside(record: Record) -> None:
    """Somebody with the signing key, too: the line of anchors breaks and the copy differs."""
    digest = hashes.anchor_hash(
        sequence=2,
        heads=record.anchors[0].heads,
        previous=record.anchors[0].anchor_hash,
        anchored_at=record.anchors[1].anchored_at,
    )
    signature, _ = signing.sign(digest)
    change(
        record,
        "heads = %s::jsonb, anchor_hash = %s, signature = %s",
        *(json.dumps(record.anchors[0].heads), digest, signature),
    )
    assert verify().faults == [
        "anchor 2: differs from the copy kept outside the database.",
        "anchor 3: does not follow from anchor 2.",
    ]


def test_removed_anchor_is_named(record: Record) -> None:
    record.tamper("audit_anchor", "DELETE FROM audit_anchor WHERE sequence = 2")
    assert verify().faults == [
        "anchor 3: does not follow from anchor 1.",
        "anchor 2: kept outside, gone from the database.",
    ]


def test_removed_last_anchor_is_named(record: Record) -> None:
    record.tamper("audit_anchor", "DELETE FROM audit_anchor WHERE sequence = 3")
    assert verify().faults == ["anchor 3: kept outside, gone from the database."]


def test_edited_copy_is_named(record: Record) -> None:
    kept = lines(anchor_log)
    kept[1]["anchor_hash"] = "0" * 64
    write(anchor_log, kept)
    assert verify().faults == ["anchor 2: differs from the copy kept outside the database."]


def test_line_removed_from_the_copy_is_named(record: Record) -> None:
    kept = lines(anchor_log)
    write(anchor_log, [kept[0], kept[2]])
    assert verify().faults == ["anchor 2: is missing from the copy kept outside the database."]


def test_line_put_before_or_behind_another_is_named(record: Record) -> None:
    kept = lines(anchor_log)
    write(anchor_log, [*kept, kept[1] | {"anchor_hash": "0" * 64}])
    assert verify().faults == ["anchors.jsonl, line 4: anchor 2 stands above with another hash."]


@pytest.mark.parametrize(
    "line", ["half a li", '{"sequence": 2}', "[]", '{"sequence": "x", "anchor_hash": 1}']
)
def test_unreadable_line_is_named(record: Record, line: str) -> None:
    anchor_log.write_text(anchor_log.read_text() + line)
    assert verify().faults == ["anchors.jsonl, line 4: is not an anchor's line."]


def test_missing_copy_is_named_and_stays_missing(
    record: Record, campaign: Campaign, annotator: User
) -> None:
    whole = anchor_log.read_text()
    anchor_log.unlink()
    [fault] = verify().faults
    assert fault.startswith("There is no copy of the anchors outside the database (anchors.jsonl)")
    label(campaign, annotator, 4)
    anchor_heads()  # must not heal it: who removes the copy may have changed the database as well
    assert verify().faults == [
        f"anchor {number}: is missing from the copy kept outside the database." for number in (1, 2, 3)
    ]
    anchor_log.write_text(whole + anchor_log.read_text())  # put back from a backup
    assert verify().faults == []


def test_anchor_whose_sweeper_was_killed_is_written_outside_by_the_next(
    record: Record, campaign: Campaign, annotator: User
) -> None:
    write(anchor_log, lines(anchor_log)[:-1])  # killed between its commit and its line
    assert verify().faults == []
    label(campaign, annotator, 4)
    anchor_heads()
    assert [line["sequence"] for line in lines(anchor_log)] == [1, 2, 3, 4]
    assert verify().faults == []


def test_half_a_last_line_does_not_spoil_the_next(
    record: Record, campaign: Campaign, annotator: User
) -> None:
    anchor_log.write_text(anchor_log.read_text() + '{"sequence":')  # the disk was full
    label(campaign, annotator, 4)
    anchor_heads()
    assert verify().faults == ["anchors.jsonl, line 4: is not an anchor's line."]


def test_missing_signing_key_is_named_once(record: Record, settings: Settings, tmp_path: Path) -> None:
    settings.SIGNING_KEY_FILE = tmp_path / "signing.key"
    [fault] = verify().faults
    assert "signing key cannot be read (FileNotFoundError)" in fault


def test_another_signing_key_is_named(record: Record, settings: Settings, tmp_path: Path) -> None:
    settings.SIGNING_KEY_FILE = tmp_path / "signing.key"
    write_key(settings.SIGNING_KEY_FILE)
    faults = verify().faults
    assert len(faults) == 3
    assert all(signing.key_fingerprint() in fault for fault in faults)
