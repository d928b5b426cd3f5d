"""Seal and open texts: AES-256-GCM under a data key per source or clinician."""

import hashlib
import hmac
import os
import uuid
from functools import lru_cache, partial

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from prometheus_site.core import keyring, rotation
from prometheus_site.core.models import DataKey, SealedText

NONCE_BYTES = 12
SITE_SCOPE = "site"


class TextErasedError(Exception):
    """The key of this text was destroyed: it cannot be read again, by anyone."""


class TextDamagedError(Exception):
    """What is stored is not what was sealed there."""


@lru_cache(maxsize=4096)
def _keys(wrapped: bytes) -> tuple[bytes, bytes]:
    """Return (encryption key, digest key). Cached by the wrapped bytes, so a destroyed key is never found."""
    data_key = keyring.unwrap(wrapped)
    derived = HKDF(algorithm=SHA256(), length=64, salt=None, info=b"prometheus text v1").derive(data_key)
    return derived[:32], derived[32:]


def _keys_of(data_key: DataKey) -> tuple[bytes, bytes]:
    if data_key.wrapped is None:
        raise TextErasedError("The key of this text was destroyed; the text cannot be read again.")
    return _keys(bytes(data_key.wrapped))


def data_key_for(scope: str) -> DataKey:
    """Return the live data key of a scope, making it on first use."""
    found = DataKey.objects.filter(scope=scope, destroyed_at__isnull=True).first()
    if found is not None:
        return found
    wrapped, master = keyring.wrap(os.urandom(32))
    try:
        with transaction.atomic():
            made = DataKey.objects.create(scope=scope, wrapped=wrapped, master_fingerprint=master)
    except IntegrityError:  # somebody else made it between our look and our insert
        return DataKey.objects.get(scope=scope, destroyed_at__isnull=True)
    # A rotation that ran while our transaction was open could not see this key.
    transaction.on_commit(partial(rotation.rewrap_if_older, made.pk), robust=True)
    return made


def build_sealed(text: str, data_key: DataKey) -> SealedText:
    """Return an unsaved sealed text, for bulk inserts."""
    encryption_key, digest_key = _keys_of(data_key)
    text_id = uuid.uuid4()
    plaintext = text.encode()
    nonce = os.urandom(NONCE_BYTES)
    # The row's own id is authenticated, so a ciphertext moved to another row does not open.
    ciphertext = nonce + AESGCM(encryption_key).encrypt(nonce, plaintext, text_id.bytes)
    digest = hmac.digest(digest_key, plaintext, hashlib.sha256)
    return SealedText(id=text_id, data_key=data_key, ciphertext=ciphertext, digest=digest)


def seal(text: str, scope: str) -> SealedText:
    """Store a text under the scope's key and return its row."""
    sealed = build_sealed(text, data_key_for(scope))
    sealed.save(force_insert=True)
    return sealed


def open_text(sealed: SealedText) -> str:
    """Return the plaintext. Raises TextErasedError when its key was destroyed, TextDamagedError if changed.

    Fetch with ``select_related("data_key")``: one query opens a page of texts.
    """
    encryption_key, _ = _keys_of(sealed.data_key)
    raw = bytes(sealed.ciphertext)
    try:
        opened = AESGCM(encryption_key).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], sealed.id.bytes)
    except (InvalidTag, ValueError) as error:  # ValueError: too short to be a ciphertext
        raise TextDamagedError(
            f"The sealed text {sealed.id} is not what was stored under that id: run `manage.py "
            "verify_audit_chain`, and take the text from a backup."
        ) from error
    return opened.decode()


def keyed_digest(text: str, data_key: DataKey) -> bytes:
    """Return the digest of a text under a data key: equal texts are found, no text can be guessed from it."""
    _, digest_key = _keys_of(data_key)
    return hmac.digest(digest_key, text.encode(), hashlib.sha256)


def digest_matches(sealed: SealedText) -> bool | None:
    """Say whether the text opens and has the stored digest; None when the key was destroyed."""
    try:
        digest = keyed_digest(open_text(sealed), sealed.data_key)
    except TextErasedError:
        return None
    except TextDamagedError:
        return False
    return hmac.compare_digest(digest, bytes(sealed.digest))


def seal_bytes(data: bytes, data_key: DataKey, bound_to: bytes) -> bytes:
    """Encrypt bytes that live outside the text table (upload chunks), bound to their place."""
    encryption_key, _ = _keys_of(data_key)
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(encryption_key).encrypt(nonce, data, bound_to)


def open_bytes(raw: bytes, data_key: DataKey, bound_to: bytes) -> bytes:
    """Decrypt what seal_bytes made."""
    encryption_key, _ = _keys_of(data_key)
    return AESGCM(encryption_key).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], bound_to)


def destroy_key(scope: str, because: str) -> bool:
    """Destroy the scope's data key: its texts are unreadable from now on. False when there was none."""
    changed = DataKey.objects.filter(scope=scope, destroyed_at__isnull=True).update(
        wrapped=None, destroyed_at=Now(), destroyed_because=because
    )
    return changed == 1
