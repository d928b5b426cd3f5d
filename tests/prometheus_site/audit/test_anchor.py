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


def remove(record: Record, sequence: int) -> None:
    record.tamper("audit_anchor", "DELETE FROM audit_anchor WHERE sequence = %s", sequence)


def label_and_anchor(campaign: Campaign, annotator: User, *numbers: int) -> None:
    for number in numbers:
        label(campaign, annotator, number)
        assert anchor_heads() is not None


def test_anchors_hold_each_other_and_the_heads(record: Record) -> None:
    anchors = record.anchors
    assert [anchor.sequence for anchor in anchors] == [1, 2, 3]
    assert anchors[0].previous_hash == hashes.GENESIS
    assert anchors[2].previous_hash == anchors[1].anchor_hash
    heads = ChainEntry.objects.order_by("chain_id", "-sequence").distinct("chain_id")
    assert anchors[2].heads == [[str(head.chain_id), head.sequence, head.entry_hash] for head in heads]
    assert len(anchors[2].heads) == 2
    assert signing.is_signed(anchors[2].anchor_hash, anchors[2].signature)


def test_copy_outside_has_a_line_for_each(record: Record) -> None:
    assert [(line["sequence"], line["anchor_hash"]) for line in lines(record.log)] == [
        (anchor.sequence, anchor.anchor_hash) for anchor in record.anchors
    ]


@pytest.mark.usefixtures("committed_db")
def test_nothing_new_is_not_anchored(campaign: Campaign, annotator: User, anchor_log: Path) -> None:
    assert anchor_heads() is None
    label_and_anchor(campaign, annotator, 1)
    assert anchor_heads() is None
    assert len(lines(anchor_log)) == 1
    assert stat.S_IMODE(anchor_log.stat().st_mode) == 0o600


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
    change(record, "heads = jsonb_set(heads, '{0,1}', '7')")
    assert verify().faults == ["anchor 2: was changed."]


def test_anchor_whose_heads_are_rubbish_is_named(record: Record) -> None:
    change(record, "heads = '[[1], null]'")
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
    """Even somebody with the signing key: the line of anchors breaks, and the copy differs."""
    first, second, _ = record.anchors
    digest = hashes.anchor_hash(
        sequence=2, heads=first.heads, previous=first.anchor_hash, anchored_at=second.anchored_at
    )
    signature, _ = signing.sign(digest)
    assignment = "heads = %s::jsonb, anchor_hash = %s, signature = %s"
    change(record, assignment, json.dumps(first.heads), digest, signature)
    assert verify().faults == [
        "anchor 2: differs from the copy kept outside the database.",
        "anchor 3: does not follow from anchor 2.",
    ]


def test_removed_anchor_is_named(record: Record) -> None:
    remove(record, 2)
    assert verify().faults == [
        "anchor 3: does not follow from anchor 1.",
        "anchor 2: kept outside, gone from the database.",
    ]


def test_removed_last_anchor_is_named(record: Record) -> None:
    remove(record, 3)
    assert verify().faults == ["anchor 3: kept outside, gone from the database."]


def test_edited_copy_is_named(record: Record) -> None:
    kept = lines(record.log)
    kept[1]["anchor_hash"] = "0" * 64
    write(record.log, kept)
    assert verify().faults == ["anchor 2: differs from the copy kept outside the database."]


def test_line_removed_from_the_copy_is_named(record: Record) -> None:
    kept = lines(record.log)
    write(record.log, [kept[0], kept[2]])
    assert verify().faults == ["anchor 2: is missing from the copy kept outside the database."]


def test_line_put_behind_the_true_one_is_named(record: Record) -> None:
    kept = lines(record.log)
    write(record.log, [*kept, kept[1] | {"anchor_hash": "0" * 64}])
    assert verify().faults == ["anchors.jsonl, line 4: anchor 2 stands above with another hash."]


@pytest.mark.parametrize(
    "line", ["half a li", '{"sequence": 2}', "[]", '{"sequence": "x", "anchor_hash": 1}']
)
def test_unreadable_line_is_named(record: Record, line: str) -> None:
    record.log.write_text(record.log.read_text() + line)
    assert verify().faults == ["anchors.jsonl, line 4: is not an anchor's line."]


def test_missing_copy_is_named(record: Record) -> None:
    record.log.unlink()
    [fault] = verify().faults
    assert fault.startswith("There is no copy of the anchors outside the database (anchors.jsonl)")


def test_missing_signing_key_is_named_once(record: Record, settings: Settings, tmp_path: Path) -> None:
    settings.SIGNING_KEY_FILE = tmp_path / "signing.key"
    [fault] = verify().faults
    assert "signing key cannot be read (FileNotFoundError)" in fault


def test_another_signing_key_is_named(record: Record, settings: Settings, tmp_path: Path) -> None:
    settings.SIGNING_KEY_FILE = tmp_path / "signing.key"
    settings.SIGNING_KEY_FILE.write_bytes(
        Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    faults = verify().faults
    assert len(faults) == 3
    assert all(signing.key_fingerprint() in fault for fault in faults)


@pytest.mark.usefixtures("committed_db")
def test_removed_copy_does_not_grow_back(campaign: Campaign, annotator: User, anchor_log: Path) -> None:
    """Who removes the copy may have changed the database as well: the next anchor must not heal it."""
    label_and_anchor(campaign, annotator, 1, 2, 3)
    whole = anchor_log.read_text()
    anchor_log.unlink()
    label_and_anchor(campaign, annotator, 4)
    assert verify().faults == [
        f"anchor {number}: is missing from the copy kept outside the database." for number in (1, 2, 3)
    ]
    anchor_log.write_text(whole + anchor_log.read_text())  # put back from a backup
    assert verify().faults == []


@pytest.mark.usefixtures("committed_db")
def test_anchor_of_a_killed_sweeper_is_written_outside_with_the_next(
    campaign: Campaign, annotator: User, anchor_log: Path
) -> None:
    label_and_anchor(campaign, annotator, 1, 2)
    write(anchor_log, lines(anchor_log)[:-1])  # killed between its commit and its line
    assert verify().faults == []
    label_and_anchor(campaign, annotator, 3)
    assert [line["sequence"] for line in lines(anchor_log)] == [1, 2, 3]
    assert verify().faults == []


@pytest.mark.usefixtures("committed_db")
def test_half_a_last_line_does_not_spoil_the_next(
    campaign: Campaign, annotator: User, anchor_log: Path
) -> None:
    label_and_anchor(campaign, annotator, 1)
    anchor_log.write_text(anchor_log.read_text() + '{"sequence":')  # the disk was full
    label_and_anchor(campaign, annotator, 2)
    assert verify().faults == ["anchors.jsonl, line 2: is not an anchor's line."]
