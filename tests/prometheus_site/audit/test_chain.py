"""One chain per clinician: whole under concurrency, and never a wait for another clinician."""

import hashlib
import string
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from annotation.labelling import record
from annotation.models import Campaign, Label
from prometheus_site.accounts.models import User
from prometheus_site.audit import chain as hashes
from prometheus_site.audit.models import ChainEntry
from prometheus_site.audit.services import append_to_chain
from prometheus_site.audit.verification import verify
from tests.annotation.worlds import label

GIVES_UP_AFTER = "300ms"

scalars = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(string.printable)
payloads = st.dictionaries(st.text(string.ascii_letters, min_size=1), scalars, min_size=1)

LINK: dict[str, Any] = {
    "chain": "a",
    "sequence": 1,
    "kind": "label",
    "object_id": "b",
    "payload": "c",
    "previous": hashes.GENESIS,
    "recorded_at": datetime(2026, 5, 1, tzinfo=UTC),
}
OTHER: dict[str, Any] = {
    "chain": "x",
    "sequence": 2,
    "kind": "x",
    "object_id": "x",
    "payload": "x",
    "previous": "x",
    "recorded_at": datetime(2026, 5, 1, microsecond=1, tzinfo=UTC),
}


@given(payloads, st.randoms(use_true_random=False))
def test_order_of_keys_does_not_matter(payload: dict[str, Any], random: Any) -> None:
    items = list(payload.items())
    random.shuffle(items)
    assert hashes.payload_hash(dict(items)) == hashes.payload_hash(payload)


@given(payloads, payloads)
def test_other_facts_have_another_hash(one: dict[str, Any], other: dict[str, Any]) -> None:
    is_same = [*map(repr, sorted(one.items()))] == [*map(repr, sorted(other.items()))]
    assert (hashes.payload_hash(one) == hashes.payload_hash(other)) is is_same


@pytest.mark.parametrize("field", LINK)
def test_every_field_of_a_link_is_covered(field: str) -> None:
    changed = LINK | {field: OTHER[field]}
    assert hashes.entry_hash(**changed) != hashes.entry_hash(**LINK)


def test_hash_is_that_of_the_canonical_json() -> None:
    """Pinned: when this changes, no stored chain verifies any more."""
    canonical = '{"a":"é","b":[1,null,true]}'.encode()
    assert hashes.payload_hash({"b": [1, None, True], "a": "é"}) == hashlib.sha256(canonical).hexdigest()


@pytest.mark.django_db
def test_link_is_written_in_the_transaction_of_its_object(annotator: User) -> None:
    with transaction.atomic():
        append_to_chain(clinician_id=annotator.pk, kind="label", object_id=uuid.uuid4(), payload={})
    assert ChainEntry.objects.count() == 1


@pytest.mark.usefixtures("committed_db")
def test_link_outside_a_transaction_is_refused(annotator: User) -> None:
    with pytest.raises(RuntimeError, match="in the transaction"):
        append_to_chain(clinician_id=annotator.pk, kind="label", object_id=uuid.uuid4(), payload={})
    assert not ChainEntry.objects.exists()


@pytest.mark.usefixtures("committed_db")
def test_label_and_link_are_stored_together_or_not_at_all(campaign: Campaign, annotator: User) -> None:
    with transaction.atomic():
        label(campaign, annotator, 1)
        transaction.set_rollback(True)
    assert (Label.objects.count(), ChainEntry.objects.count()) == (0, 0)
    stored = label(campaign, annotator, 1)
    link = ChainEntry.objects.get()
    assert (link.chain_id, link.sequence, link.object_id) == (annotator.pk, 1, stored.pk)
    assert link.payload_hash == hashes.payload_hash(record.payload_of(Label.objects.get()))


def in_threads(*jobs: Callable[[], object]) -> None:
    """Run the jobs at the same moment; raises what one of them raises."""
    together = threading.Barrier(len(jobs))

    def run(job: Callable[[], object]) -> None:
        try:
            together.wait(30)
            job()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(jobs)) as pool:
        for done in [pool.submit(run, job) for job in jobs]:
            done.result()


def label_numbers(campaign: Campaign, annotator: User, *numbers: int) -> Callable[[], object]:
    return lambda: [label(campaign, annotator, number) for number in numbers]


@pytest.mark.usefixtures("committed_db")
def test_labels_of_one_clinician_at_the_same_moment_make_one_chain(
    campaign: Campaign, annotator: User
) -> None:
    in_threads(*(label_numbers(campaign, annotator, *range(first, 13, 3)) for first in (1, 2, 3)))
    assert list(ChainEntry.objects.order_by("sequence").values_list("sequence", flat=True)) == [*range(1, 13)]
    assert verify().faults == []


@pytest.mark.usefixtures("committed_db")
def test_labels_of_two_clinicians_at_the_same_moment_make_two_chains(
    campaign: Campaign, annotator: User, second_annotator: User
) -> None:
    in_threads(
        label_numbers(campaign, annotator, 1, 2, 3, 4, 5, 6),
        label_numbers(campaign, annotator, 7, 8, 9, 10, 11, 12),
        label_numbers(campaign, second_annotator, *range(1, 13)),
    )
    verdict = verify()
    assert verdict.faults == []
    assert (verdict.chains, verdict.entries) == (2, 24)


@contextmanager
def unfinished_label(campaign: Campaign, annotator: User, number: int) -> Iterator[None]:
    """Hold a label stored and not yet committed, in another session, with every lock that this takes."""
    is_stored, may_end = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                label(campaign, annotator, number, note="still being saved")
                is_stored.set()
                assert may_end.wait(60)
        finally:
            is_stored.set()
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        holding = pool.submit(hold)
        try:
            assert is_stored.wait(60)
            yield
        finally:
            may_end.set()
            holding.result()


def save_without_waiting(campaign: Campaign, annotator: User, number: int) -> None:
    """Store a label, giving up where another session's lock is in the way."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{GIVES_UP_AFTER}'")
        label(campaign, annotator, number, note="saved meanwhile")


@pytest.mark.usefixtures("committed_db")
def test_no_clinician_waits_for_another(campaign: Campaign, annotator: User, second_annotator: User) -> None:
    with unfinished_label(campaign, annotator, 1):
        save_without_waiting(campaign, second_annotator, 1)  # the same sample even
        assert Label.objects.filter(annotator=second_annotator).count() == 1
    assert verify().faults == []


@pytest.mark.usefixtures("committed_db")
def test_one_clinicians_second_window_waits_for_the_first(campaign: Campaign, annotator: User) -> None:
    label(campaign, annotator, 3)
    with unfinished_label(campaign, annotator, 1), pytest.raises(OperationalError, match="lock timeout"):
        save_without_waiting(campaign, annotator, 2)
    save_without_waiting(campaign, annotator, 2)
    assert verify().entries == 3
