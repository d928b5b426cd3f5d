"""The fingerprint of a conversation."""

import hashlib
import json
from collections.abc import Iterable

import orjson

from .records import Turn


def content_hash(turns: Iterable[Turn]) -> str:
    """`sha256:` and the hexadecimal digest over roles and texts in order.

    The canonical encoding is the ASCII JSON array of [role, content] pairs without spaces, so that neither
    a swap of roles, nor another order, nor another division into turns can give the same bytes.
    """
    pairs = [[turn.role, turn.content] for turn in turns]
    try:
        canonical = orjson.dumps(pairs)  # the same bytes for plain ASCII, three times as fast
    except TypeError:  # half of a surrogate pair
        canonical = b"\x7f"
    if not canonical.isascii() or b"\x7f" in canonical:
        canonical = json.dumps(pairs, ensure_ascii=True, separators=(",", ":")).encode("ascii")
    return "sha256:" + hashlib.sha256(canonical).hexdigest()
