"""Chance that can be repeated: the same parts give the same throws in every process."""

from __future__ import annotations

import hashlib
import random


def number_of(*parts: object) -> int:
    """Return a 64-bit number that the parts decide; parts are told apart, and 1 is the same as "1"."""
    digest = hashlib.blake2b(digest_size=8)
    for part in parts:
        raw = str(part).encode(errors="surrogatepass")
        digest.update(len(raw).to_bytes(8, "big") + raw)
    return int.from_bytes(digest.digest(), "big")


def chance(*parts: object) -> random.Random:
    """Return a generator of throws that the parts decide."""
    return random.Random(number_of(*parts))  # noqa: S311  made to be repeated, not a secret
