"""Texts are sealed at rest: bound to their row and key, unreadable once the key is destroyed."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from prometheus_site.core import keyring, sealing
from prometheus_site.core.models import DataKey, SealedText
from tests import servers
from tests.prometheus_site.core.other_process import OtherProcess

SPOKEN = "I have not slept since she left, and I count the pills."
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)


def loose_key() -> DataKey:
    """Return a data key that is in no database."""
    wrapped, master = keyring.wrap(uuid.uuid4().bytes * 2)
    return DataKey(scope=f"source:{uuid.uuid4()}", wrapped=wrapped, master_fingerprint=master)


def fetch(pk: uuid.UUID) -> SealedText:
    """Read a text's row again, its key with it, as every page does."""
    row: SealedText = SealedText.objects.select_related("data_key").get(pk=pk)
    return row


@given(texts)
def test_text_opens_as_what_was_sealed(text: str) -> None:
    sealed = sealing.build_sealed(text, loose_key())
    assert sealing.open_text(sealed) == text
    assert sealing.digest_matches(sealed)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=8, max_size=300))
def test_nothing_stored_contains_the_text(text: str) -> None:
    sealed = sealing.build_sealed(text, loose_key())
    plain = text.encode()
    assert plain not in sealed.ciphertext
    assert plain not in sealed.digest
    assert plain not in bytes(sealed.data_key.wrapped or b"")


@given(texts)
def test_equal_texts_look_different_and_are_found_within_one_key_only(text: str) -> None:
    key = loose_key()
    one, two, other = (sealing.build_sealed(text, used) for used in (key, key, loose_key()))
    assert len({one.ciphertext, two.ciphertext, other.ciphertext}) == 3
    assert one.digest == two.digest == sealing.keyed_digest(text, key)
    assert one.digest != other.digest


@given(texts, st.data())
def test_changed_ciphertext_does_not_open(text: str, data: st.DataObject) -> None:
    sealed = sealing.build_sealed(text, loose_key())
    at = data.draw(st.integers(0, len(sealed.ciphertext) - 1))
    changed = bytearray(sealed.ciphertext)
    changed[at] ^= 1 << data.draw(st.integers(0, 7))
    sealed.ciphertext = bytes(changed)
    with pytest.raises(sealing.TextDamagedError):
        sealing.open_text(sealed)
    assert sealing.digest_matches(sealed) is False


@given(texts, st.integers(0, 27))
def test_cut_ciphertext_does_not_open(text: str, length: int) -> None:
    sealed = sealing.build_sealed(text, loose_key())
    sealed.ciphertext = sealed.ciphertext[:length]
    with pytest.raises(sealing.TextDamagedError):
        sealing.open_text(sealed)


def test_changed_digest_does_not_match() -> None:
    sealed = sealing.build_sealed(SPOKEN, loose_key())
    sealed.digest = bytes(32)
    assert sealing.digest_matches(sealed) is False


def test_ciphertext_moved_to_another_row_does_not_open(committed_db: str) -> None:
    one, two = sealing.seal("one", "clinician:1"), sealing.seal("two", "clinician:1")
    with closing(servers.owner_connection(committed_db)) as owner:
        owner.execute("ALTER TABLE core_sealedtext DISABLE TRIGGER USER")
        owner.execute(
            "UPDATE core_sealedtext t SET ciphertext = o.ciphertext, digest = o.digest "
            "FROM core_sealedtext o WHERE t.id <> o.id"
        )
    for row in (one, two):
        with pytest.raises(sealing.TextDamagedError, match=str(row.pk)) as damaged:
            sealing.open_text(fetch(row.pk))
        assert "one" not in str(damaged.value)


@pytest.mark.django_db
def test_text_under_another_scopes_key_does_not_open() -> None:
    one, other = sealing.seal(SPOKEN, "clinician:1"), sealing.seal(SPOKEN, "clinician:2")
    one.data_key = other.data_key
    with pytest.raises(sealing.TextDamagedError):
        sealing.open_text(one)


def test_no_table_holds_a_text(committed_db: str) -> None:
    sealing.seal(SPOKEN, "clinician:1")
    needles = (SPOKEN, SPOKEN.encode().hex(), SPOKEN[:20], SPOKEN[:20].encode().hex())
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT string_agg(t::text, chr(10)) FROM "{table}" AS t')  # noqa: S608  catalogue
            stored = str(cursor.fetchone()[0])
            assert not any(needle in stored for needle in needles), table


def test_scopes_first_texts_at_the_same_moment_share_one_key(committed_db: str) -> None:
    def seal(number: int) -> uuid.UUID:
        try:
            return sealing.seal(f"text {number}", "source:new").pk
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        stored = list(pool.map(seal, range(16)))
    assert DataKey.objects.filter(scope="source:new").count() == 1
    assert [sealing.open_text(fetch(pk)) for pk in stored] == [f"text {n}" for n in range(16)]


def test_destroyed_key_makes_texts_unreadable_in_every_process_at_once(
    committed_db: str, master_keys: Path
) -> None:
    notes = [sealing.seal(f"note {n}", "clinician:1") for n in range(3)]
    others = sealing.seal("another's", "clinician:2")
    with OtherProcess(committed_db, master_keys) as process:
        for number, note in enumerate(notes):  # both processes have the key in their caches now
            assert sealing.open_text(fetch(note.pk)) == process.ask(f"open {note.pk}") == f"note {number}"
        assert sealing.destroy_key("clinician:1", "withdrew")
        for note in notes:
            assert process.ask(f"open {note.pk}") == "ERASED"
            with pytest.raises(sealing.TextErasedError):
                sealing.open_text(fetch(note.pk))
            assert sealing.digest_matches(fetch(note.pk)) is None
        assert sealing.open_text(fetch(others.pk)) == process.ask(f"open {others.pk}") == "another's"


@pytest.mark.django_db
def test_destroyed_key_is_gone_and_says_why() -> None:
    sealed = sealing.seal(SPOKEN, "clinician:1")
    assert sealing.destroy_key("clinician:1", "withdrew on 3 May")
    key = fetch(sealed.pk).data_key
    assert key.wrapped is None
    assert key.destroyed_at is not None
    assert key.destroyed_because == "withdrew on 3 May"
    assert not sealing.destroy_key("clinician:1", "again")
    assert not sealing.destroy_key("clinician:nobody", "never was")


@pytest.mark.django_db
def test_scope_gets_a_new_key_after_its_old_one_was_destroyed() -> None:
    before = sealing.seal(SPOKEN, "clinician:1")
    sealing.destroy_key("clinician:1", "withdrew")
    after = sealing.seal("came back", "clinician:1")
    assert after.data_key_id != before.data_key_id
    assert sealing.open_text(fetch(after.pk)) == "came back"


@pytest.mark.django_db
def test_without_the_master_key_nothing_opens(master_keys: Path) -> None:
    sealed = sealing.seal(SPOKEN, "clinician:1")
    sealing._keys.cache_clear()
    master_keys.write_text("")
    with pytest.raises(keyring.MasterKeyMissingError, match="no master key"):
        sealing.open_text(fetch(sealed.pk))


def test_bytes_open_only_where_they_belong() -> None:
    key = loose_key()
    stored = sealing.seal_bytes(SPOKEN.encode(), key, b"upload 1, chunk 1")
    assert SPOKEN.encode() not in stored
    assert sealing.open_bytes(stored, key, b"upload 1, chunk 1") == SPOKEN.encode()
    with pytest.raises(Exception, match=r"^$"):
        sealing.open_bytes(stored, key, b"upload 1, chunk 2")
