"""The two hashes of a record, and stable names for what was made from given parts."""

import hashlib
import json
from collections.abc import Iterable

from datasets_app.sources.hashing import content_hash
from datasets_app.sources.records import Turn

__all__ = ["content_hash", "digest_of", "legacy_content_hash"]


def legacy_content_hash(turns: Iterable[Turn]) -> str:
    """`sha256:` over the lower-cased texts, sorted and joined by spaces: a contract older than this code.

    Turns in another order and roles that are swapped give the same hash. It stands in the records for those
    who know conversations by it; nothing here decides by it.
    """
    joined = " ".join(sorted([turn.content.lower() for turn in turns]))
    return "sha256:" + hashlib.sha256(joined.encode()).hexdigest()


def digest_of(*parts: object) -> str:
    """The hexadecimal SHA-256 of JSON-able parts; the order of keys in mappings does not count."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
