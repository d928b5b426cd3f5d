"""Signatures checked with a public key alone: pure functions, for whoever has no installation."""

import hashlib

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key


class NotAKeyError(ValueError):
    """The text is no Ed25519 public key in PEM."""


def fingerprint_of(public_key: str) -> str:
    """Return a short name of a public key, PEM, whatever its line ends. Raises NotAKeyError."""
    pem = _loaded(public_key).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(pem).hexdigest()[:16]


def is_signed_by(public_key: str, digest: str, signature: str) -> bool:
    """Say whether the signature over the digest, both hexadecimal, is of this key. Raises NotAKeyError."""
    key = _loaded(public_key)
    try:
        key.verify(bytes.fromhex(signature), bytes.fromhex(digest))
    except (InvalidSignature, ValueError):  # ValueError: not even hexadecimal
        return False
    return True


def _loaded(public_key: str) -> Ed25519PublicKey:
    try:
        key = load_pem_public_key(public_key.encode())
    except (ValueError, UnsupportedAlgorithm) as fault:
        raise NotAKeyError("This is not a public key in PEM.") from fault
    if not isinstance(key, Ed25519PublicKey):
        raise NotAKeyError("This is not an Ed25519 public key.")
    return key
