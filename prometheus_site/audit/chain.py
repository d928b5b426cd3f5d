"""The hashes of the record: pure functions, so that an auditor can verify an export without this site."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

GENESIS = "0" * 64


def payload_hash(payload: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a payload's canonical JSON: sorted keys, UTF-8, no white space.

    Payloads hold ids, codes, times and keyed digests of texts; never a text.
    """
    return hashlib.sha256(orjson.dumps(payload, option=orjson.OPT_SORT_KEYS)).hexdigest()


def entry_hash(
    *,
    chain: str,
    sequence: int,
    kind: str,
    object_id: str,
    payload: str,
    previous: str,
    recorded_at: datetime,
) -> str:
    """Return the hash of one link: everything in it and the hash of the link before."""
    return payload_hash(
        {
            "chain": chain,
            "sequence": sequence,
            "kind": kind,
            "object_id": object_id,
            "payload": payload,
            "previous": previous,
            "recorded_at": recorded_at.isoformat(timespec="microseconds"),
        }
    )


def anchor_hash(*, sequence: int, heads: list[list[Any]], previous: str, anchored_at: datetime) -> str:
    """Return the hash that ties all chain heads of one moment to the anchor before."""
    return payload_hash(
        {
            "sequence": sequence,
            "heads": heads,
            "previous": previous,
            "anchored_at": anchored_at.isoformat(timespec="microseconds"),
        }
    )
