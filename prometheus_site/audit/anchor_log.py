"""The copy of the anchors outside the database: one JSON line each, only ever appended to."""

import fcntl
import os
from pathlib import Path

import orjson

from prometheus_site.audit.models import Anchor

TAIL_BYTES = 4096  # a line takes some 350


def append_up_to(anchor: Anchor, path: Path) -> None:
    """Append this anchor's line, and before it those of anchors whose writer was killed too early.

    Lines are only ever added behind the last one: a gap before it is somebody's doing and stays visible.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+b") as log:
        fcntl.flock(log, fcntl.LOCK_EX)
        log.seek(max(0, os.fstat(log.fileno()).st_size - TAIL_BYTES))
        tail = log.read()
        last = _last_sequence(tail)
        after = anchor.sequence - 1 if last is None else last
        if tail and not tail.endswith(b"\n"):
            log.write(b"\n")
        missing = Anchor.objects.filter(sequence__gt=after, sequence__lte=anchor.sequence).order_by(
            "sequence"
        )
        for one in missing.iterator():
            log.write(_line(one))
        log.flush()
        os.fsync(log.fileno())


def _line(anchor: Anchor) -> bytes:
    facts = {
        "sequence": anchor.sequence,
        "anchor_hash": anchor.anchor_hash,
        "signature": anchor.signature,
        "key": anchor.key_fingerprint,
        "anchored_at": anchor.anchored_at,
    }
    return orjson.dumps(facts) + b"\n"


def _last_sequence(tail: bytes) -> int | None:
    lines = tail.splitlines()
    read = _read(lines[-1]) if lines else None
    return read[0] if read else None


def _read(line: bytes) -> tuple[int, str] | None:
    try:
        facts = orjson.loads(line)
        return int(facts["sequence"]), str(facts["anchor_hash"])
    except (ValueError, KeyError, TypeError):
        return None


def read(path: Path) -> tuple[dict[int, str], list[str]]:
    """Return the anchors' hashes by sequence, and what is wrong with the file itself."""
    hashes: dict[int, str] = {}
    faults = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        found = _read(line)
        if found is None:
            faults.append(f"{path.name}, line {number}: is not an anchor's line.")
        elif hashes.setdefault(found[0], found[1]) != found[1]:
            faults.append(f"{path.name}, line {number}: anchor {found[0]} stands above with another hash.")
    return hashes, faults


def lines_up_to(sequence: int, path: Path) -> bytes:
    """Return the file without the anchors made after this one, as a backup of that moment keeps it."""
    lines = path.read_bytes().splitlines(keepends=True)
    return b"".join(line for line in lines if (found := _read(line)) is None or found[0] <= sequence)
