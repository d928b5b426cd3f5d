"""The installation's Ed25519 key: it signs anchors, and later reports and exports."""

import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)
from django.conf import settings


def _private_key() -> Ed25519PrivateKey:
    key = load_pem_private_key(settings.SIGNING_KEY_FILE.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise TypeError(f"{settings.SIGNING_KEY_FILE.name} does not hold an Ed25519 private key.")
    return key


def public_key_pem() -> str:
    """Return the public key that verifies this installation's signatures."""
    public = _private_key().public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def key_fingerprint() -> str:
    """Return a short name of the public key."""
    return hashlib.sha256(public_key_pem().encode()).hexdigest()[:16]


def sign(digest: str) -> tuple[str, str]:
    """Return the signature of a hexadecimal digest, in hexadecimal, and the key's fingerprint."""
    return _private_key().sign(bytes.fromhex(digest)).hex(), key_fingerprint()


def is_signed(digest: str, signature: str) -> bool:
    """Say whether the signature over the digest is this installation's."""
    try:
        _private_key().public_key().verify(bytes.fromhex(signature), bytes.fromhex(digest))
    except (InvalidSignature, ValueError):  # ValueError: not even hexadecimal
        return False
    return True
