"""Draws by a keyed hash: the same on every machine, and in whatever order things are read."""

import hashlib
from collections.abc import Sequence


def lot_of(seed: int, draw: str, name: str) -> bytes:
    """The lot that `name` has in one draw; lots of different draws are independent."""
    return hashlib.blake2b(name.encode(), key=f"{draw} {seed}".encode(), digest_size=16).digest()


def drawn(seed: int, draw: str, names: Sequence[str], count: int) -> list[int]:
    """The places of `count` of the names, drawn without replacement and each with the same chance."""
    lots = [lot_of(seed, draw, name) for name in names]
    return sorted(sorted(range(len(names)), key=lots.__getitem__)[:count])
