"""Master keys are rotated while the site works: nothing fails, and nothing is left under an old key."""

import io
import os
import stat
import threading
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from pytest_django import Settings

from prometheus_site.core import keyring, rotation, sealing
from prometheus_site.core.models import DataKey, SealedText
from tests.prometheus_site.core.other_process import OtherProcess
from tests.prometheus_site.embedded.marks import needs_root
from tests.prometheus_site.embedded.waiting import wait_until

ROTATIONS = 3
TEXTS_OF_OTHER_PROCESS = 150
THREADS = 3


def rotate(*arguments: str) -> str:
    output = io.StringIO()
    call_command("rotate_keys", *arguments, stdout=output)
    return output.getvalue()


def fingerprints() -> set[str]:
    """Return which master keys wrap the live data keys."""
    return set(DataKey.objects.filter(destroyed_at=None).values_list("master_fingerprint", flat=True))


def newest() -> str:
    return keyring.fingerprint(keyring.master_keys()[0])


def open_all() -> Counter[str]:
    """Open every text with nothing cached."""
    sealing._keys.cache_clear()
    return Counter(map(sealing.open_text, SealedText.objects.select_related("data_key")))


class Load:
    """Threads that seal texts, under new keys and old ones, and read them all back, until told to stop."""

    def __init__(self) -> None:
        self.is_over = threading.Event()
        self.done = [0] * THREADS

    def work(self, thread: int) -> list[str]:
        written: dict[uuid.UUID, str] = {}
        try:
            while not self.is_over.is_set():
                number = self.done[thread]
                scope = f"source:{thread}:{number}" if number % 2 else f"clinician:{number % 7}"
                text = f"thread {thread}, text {number}"
                with transaction.atomic():  # what a service does: the key may be as new as the text
                    written[sealing.seal(text, scope).pk] = text
                for row in SealedText.objects.filter(pk__in=list(written)[-20:]).select_related("data_key"):
                    assert sealing.open_text(row) == written[row.pk]
                self.done[thread] = number + 1
        finally:
            connection.close()
        return list(written.values())

    def wait_for_more(self) -> None:
        before = list(self.done)
        wait_until(lambda: all(now > then + 3 for now, then in zip(self.done, before, strict=True)))


def test_rotation_under_load(committed_db: str, master_keys: Path) -> None:
    load = Load()
    with ThreadPoolExecutor(THREADS) as pool, OtherProcess(committed_db, master_keys) as process:
        process.tell(f"churn other {TEXTS_OF_OTHER_PROCESS}")
        working = [pool.submit(load.work, thread) for thread in range(THREADS)]
        try:
            for _ in range(ROTATIONS):
                load.wait_for_more()
                rotate()
            load.wait_for_more()
            assert process.answer() == "DONE"
        finally:
            load.is_over.set()
        written = [text for one in working for text in one.result()]
    written += [f"other {number}" for number in range(TEXTS_OF_OTHER_PROCESS)]
    assert len(keyring.master_keys()) == ROTATIONS + 1
    assert fingerprints() == {newest()}
    assert open_all() == Counter(written)

    master_keys.write_text(keyring.master_keys()[0] + "\n")  # the oldest keys are taken away
    assert open_all() == Counter(written)
    stored = SealedText.objects.order_by("id").select_related("data_key")[:1].get()
    with OtherProcess(committed_db, master_keys) as process:
        assert process.ask(f"open {stored.pk}") == sealing.open_text(stored)


def test_key_made_in_a_long_transaction_is_rewrapped_when_it_ends(
    committed_db: str, master_keys: Path
) -> None:
    """An import may have made its source's key before the rotation, which cannot see it, and end after it."""
    is_made, may_end = threading.Event(), threading.Event()

    def import_for_long() -> uuid.UUID:
        try:
            with transaction.atomic():
                sealed = sealing.seal("said", "source:long")
                is_made.set()
                assert may_end.wait(30)
            return sealed.pk
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        importing = pool.submit(import_for_long)
        assert is_made.wait(30)
        before = newest()
        assert "0 data keys" in rotate()
        may_end.set()
        stored = importing.result()
    assert fingerprints() == {newest()} != {before}
    master_keys.write_text(keyring.master_keys()[0])
    sealing._keys.cache_clear()
    assert sealing.open_text(SealedText.objects.select_related("data_key").get(pk=stored)) == "said"


def test_rotations_at_the_same_moment_lose_no_key(master_keys: Path) -> None:
    before = keyring.master_keys()
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda _: rotation.add_master_key(), range(16)))
    assert len(made) == 16
    assert keyring.master_keys()[-1:] == before
    assert {keyring.fingerprint(key) for key in keyring.master_keys()[:-1]} == made


def test_whole_rotations_at_the_same_moment_end_under_one_key(committed_db: str, master_keys: Path) -> None:
    texts = [f"text {n}" for n in range(20)]
    for number, text in enumerate(texts):
        sealing.seal(text, f"source:{number}")

    def run(_: int) -> None:
        try:
            rotate()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run, range(4)))
    rotate("--rewrap-only")
    assert fingerprints() == {newest()}
    assert open_all() == Counter(texts)


@pytest.mark.django_db
def test_rotation_touches_no_text_and_shows_no_key(master_keys: Path) -> None:
    sealed = sealing.seal("said", "source:1")
    before = SealedText.objects.filter(pk=sealed.pk).values().get()
    output = rotate()
    assert SealedText.objects.filter(pk=sealed.pk).values().get() == before
    assert "1 data keys rewrapped" in output
    assert newest() in output
    assert not any(key in output for key in keyring.master_keys())
    assert stat.S_IMODE(master_keys.stat().st_mode) == 0o600
    assert [path.name for path in master_keys.parent.iterdir()] == ["master.keys"]


@needs_root
def test_key_file_stays_with_the_user_who_runs_the_site(master_keys: Path) -> None:
    os.chown(master_keys, 65534, 65534)
    rotation.add_master_key()
    assert (master_keys.stat().st_uid, master_keys.stat().st_gid) == (65534, 65534)


@pytest.mark.django_db
def test_rewrapping_can_be_done_again(master_keys: Path) -> None:
    for number in range(rotation.BATCH_SIZE + 5):
        sealing.data_key_for(f"source:{number}")
    assert f"{rotation.BATCH_SIZE + 5} data keys rewrapped" in rotate()
    assert "0 data keys rewrapped" in rotate("--rewrap-only")
    assert len(keyring.master_keys()) == 2


@pytest.mark.django_db
def test_destroyed_key_stays_destroyed(master_keys: Path) -> None:
    sealing.seal("said", "clinician:1")
    sealing.destroy_key("clinician:1", "withdrew")
    rotate()
    assert DataKey.objects.get(scope="clinician:1").wrapped is None


def test_key_destroyed_while_it_is_rewrapped_stays_destroyed(committed_db: str, master_keys: Path) -> None:
    sealing.seal("said", "clinician:1")

    def destroy() -> bool:
        try:
            return sealing.destroy_key("clinician:1", "withdrew")
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        rotation.add_master_key()
        with transaction.atomic():
            rotation.rewrap_data_keys()  # holds the row until the transaction ends
            destroying = pool.submit(destroy)
            wait_until(_somebody_waits)
        assert destroying.result()
    assert DataKey.objects.get(scope="clinician:1").wrapped is None


def test_rewrapping_waits_for_a_destruction_and_passes_the_key_by(
    committed_db: str, master_keys: Path
) -> None:
    sealing.seal("said", "clinician:1")
    is_destroyed = threading.Event()

    def destroy_slowly() -> None:
        try:
            with transaction.atomic():
                sealing.destroy_key("clinician:1", "withdrew")
                is_destroyed.set()
                wait_until(_somebody_waits)
        finally:
            connection.close()

    rotation.add_master_key()
    with ThreadPoolExecutor(1) as pool:
        destroying = pool.submit(destroy_slowly)
        assert is_destroyed.wait(30)
        assert rotation.rewrap_data_keys() == 0
        destroying.result()
    assert DataKey.objects.get(scope="clinician:1").wrapped is None


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid()")
        return bool(cursor.fetchone()[0])


@pytest.mark.django_db
def test_keys_from_the_environment_are_only_rewrapped(settings: Settings, master_keys: Path) -> None:
    older, newer = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.MASTER_KEYS = [older]
    sealed = sealing.seal("said", "source:1")
    with pytest.raises(CommandError, match="PROMETHEUS_MASTER_KEYS"):
        rotate()
    settings.MASTER_KEYS = [newer, older]
    assert "1 data keys rewrapped" in rotate("--rewrap-only")
    settings.MASTER_KEYS = [newer]
    sealing._keys.cache_clear()
    sealed.data_key.refresh_from_db()
    assert sealing.open_text(sealed) == "said"
