"""The report as a signed file, and its verification by anybody who has the public key. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import orjson

from prometheus_site.audit.ed25519 import fingerprint_of, is_signed_by

FORMAT = "prometheus-checkpoint-report-1"
SIGNED = "Ed25519 over the SHA-256 of the canonical JSON of “report”: sorted keys, UTF-8, no white space"


class NotAReportError(Exception):
    """The file is no report, or cannot be read as one; the text says why."""


@dataclass(frozen=True)
class SignedReport:
    """A report and the signature that came with it."""

    report: Mapping[str, Any]
    digest: str
    signature: str
    key: str


def canonical(report: Mapping[str, Any]) -> bytes:
    """Return the one form of a report whose digest is signed."""
    return orjson.dumps(report, option=orjson.OPT_SORT_KEYS)


def digest_of(document: bytes) -> str:
    """Return the digest that is signed."""
    return hashlib.sha256(document).hexdigest()


def file_of(document: str, *, digest: str, signature: str, key: str) -> bytes:
    """Return the file that is handed out: the signed text as it is, and the signature beside it."""
    seal = {"signed": SIGNED, "digest": digest, "signature": signature, "key": key}
    return b'{"report":%b,"signature":%b}\n' % (document.encode(), orjson.dumps(seal))


def read(content: bytes) -> SignedReport:
    """Return what a file holds. Raises NotAReportError."""
    try:
        found = json.loads(content, object_pairs_hook=_without_repeats, parse_constant=_refuse_constant)
        report, seal = found["report"], found["signature"]
        if report["format"] != FORMAT:
            raise NotAReportError(f"This is not a report of the form {FORMAT}.")
        return SignedReport(report, str(seal["digest"]), str(seal["signature"]), str(seal["key"]))
    except (ValueError, KeyError, TypeError, RecursionError) as fault:
        raise NotAReportError(f"This is not a checkpoint report: {type(fault).__name__}.") from fault


def faults_of(signed: SignedReport, public_key: str) -> list[str]:
    """Return what is wrong with a report under this public key, PEM; nothing when it holds."""
    try:
        digest = digest_of(canonical(signed.report))
    except TypeError:  # a whole number beyond 64 bits, which no report of ours holds
        return ["The report has no canonical form: it was changed after it was signed."]
    ours = fingerprint_of(public_key)
    if digest != signed.digest:
        return ["The report is not what its digest says: it was changed after it was signed."]
    if signed.key != ours:
        return [f"The report names the key {signed.key}, and the given one is {ours}."]
    if not is_signed_by(public_key, digest, signed.signature):
        return ["The signature is not that of the given key over this report."]
    return []


def _without_repeats(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a name that stands twice: readers would differ on which of the two they show."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")
