"""Chance that can be repeated: the same seed and names always draw the same number."""

from hashlib import blake2b
from uuid import UUID

DRAWS = 2**64


def draw(seed: int, purpose: str, *names: UUID) -> int:
    """Return a number from 0 to 2^64 - 1 that looks random and depends on nothing but what is passed.

    ``purpose`` keeps draws for different ends apart: being early in the order says nothing about being
    drawn for a repeat. Unlike a shuffle, what is drawn for one name does not change when others come or go.
    """
    text = b"".join((f"{seed}/{purpose}/".encode(), *(name.bytes for name in names)))
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big")


def falls_within(percent: float, seed: int, purpose: str, name: UUID) -> bool:
    """Return whether this name is among the ``percent`` of all names that are drawn."""
    return draw(seed, purpose, name) * 100 < percent * DRAWS
