"""The installation's Ed25519 key: it signs anchors, and later reports and exports."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)
from django.conf import settings

from prometheus_site.audit.ed25519 import fingerprint_of, is_signed_by


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
    return fingerprint_of(public_key_pem())


def sign(digest: str) -> tuple[str, str]:
    """Return the signature of a hexadecimal digest, in hexadecimal, and the key's fingerprint."""
    return _private_key().sign(bytes.fromhex(digest)).hex(), key_fingerprint()


def is_signed(digest: str, signature: str) -> bool:
    """Say whether the signature over the digest is this installation's."""
    return is_signed_by(public_key_pem(), digest, signature)
