"""A report verifies offline with the public key alone, and whatever was tampered with is refused."""

import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.core.management import CommandError, call_command

from annotation.checkpoints.report_file import FORMAT, canonical, digest_of, file_of
from prometheus_site.audit import signing
from prometheus_site.audit.ed25519 import fingerprint_of

REPORT: dict[str, Any] = {
    "format": FORMAT,
    "is_rehearsal": False,
    "number": 1,
    "campaign": {"slug": "made-up", "name": "Größer als ½"},
    "look": {"n_overlap_items": 200},
    "target": {"value": 0.85, "verdict": "not met"},
    "frozen_at": "2026-03-02T09:00:00+00:00",
    "dimensions": [{"value": 0.1 + 0.2, "small": 1e-9, "none": None}],
}
Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def content() -> bytes:
    """A signed report, as it is handed out."""
    document = canonical(REPORT)
    digest = digest_of(document)
    signature, key = signing.sign(digest)
    return file_of(document.decode(), digest=digest, signature=signature, key=key)


@pytest.fixture
def file(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "report.json"
    path.write_bytes(content)
    return path


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "key.pem"
    path.write_text(signing.public_key_pem())
    return path


def verified(*arguments: str) -> str:
    out = io.StringIO()
    call_command("verify_report", *arguments, stdout=out)
    return out.getvalue()


def refused(*arguments: str) -> tuple[int, str]:
    with pytest.raises(CommandError) as refusal:
        verified(*arguments)
    return refusal.value.returncode, str(refusal.value)


def test_what_was_signed_holds(file: Path, key: Path) -> None:
    expected = "The report holds: checkpoint 1 of made-up, 200 overlap items, target not met"
    assert verified(str(file)).startswith(expected)
    assert verified(str(file), "--key", str(key)).startswith(expected)


def test_how_the_file_is_laid_out_does_not_matter(file: Path, content: bytes) -> None:
    file.write_text(json.dumps(json.loads(content), indent=2))
    assert "holds" in verified(str(file))


@pytest.mark.parametrize(
    "change",
    [
        lambda found: found["report"]["target"].update(verdict="met"),
        lambda found: found["report"].update(extra=1),
        lambda found: found["report"].pop("dimensions"),
        lambda found: found["report"]["dimensions"][0].update(value=0.31),
        lambda found: found["report"].update(number=2**70),
        lambda found: found["signature"].update(signature="00" * 64),
        lambda found: found["signature"].update(signature="not hexadecimal"),
        lambda found: found["signature"].update(digest="00" * 32),
        lambda found: found["signature"].update(key="0" * 16),
    ],
)
def test_whatever_was_tampered_with_is_refused(file: Path, content: bytes, change: Change) -> None:
    found = json.loads(content)
    change(found)
    file.write_text(json.dumps(found))
    assert refused(str(file))[0] == 1


def test_a_report_signed_anew_with_another_key_is_refused(file: Path, tmp_path: Path) -> None:
    forger = Ed25519PrivateKey.generate()
    pem = forger.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    document = canonical(REPORT | {"target": {"value": 0.85, "verdict": "met"}})
    digest = digest_of(document)
    signature = forger.sign(bytes.fromhex(digest)).hex()
    for named in (fingerprint_of(pem), signing.key_fingerprint()):
        file.write_bytes(file_of(document.decode(), digest=digest, signature=signature, key=named))
        assert refused(str(file))[0] == 1
    theirs = tmp_path / "theirs.pem"
    theirs.write_text(pem)
    file.write_bytes(file_of(document.decode(), digest=digest, signature=signature, key=fingerprint_of(pem)))
    assert "holds" in verified(str(file), "--key", str(theirs))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not JSON",
        b"[]",
        b"{}",
        b'{"report": {"format": "another"}, "signature": {}}',
        b'{"report": {"format": NaN}, "signature": {}}',
        b'{"report": {}, "report": {}, "signature": {}}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_what_is_no_report_cannot_be_checked(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "report.json"
    path.write_bytes(content)
    assert refused(str(path))[0] == 2


def test_without_file_or_key_nothing_can_be_checked(file: Path, tmp_path: Path) -> None:
    assert refused(str(tmp_path / "gone.json")) == (2, "gone.json cannot be read.")
    assert refused(str(file), "--key", str(tmp_path / "gone.pem")) == (2, "gone.pem cannot be read.")
    (tmp_path / "no.pem").write_text("no key")
    assert refused(str(file), "--key", str(tmp_path / "no.pem"))[0] == 2


def test_it_runs_where_there_is_no_installation(file: Path, key: Path, tmp_path: Path) -> None:
    """In a process of its own, in a home without database and keys; the status is the exit code."""
    manage = Path(__file__).parents[3] / "manage.py"
    environment = {"PROMETHEUS_HOME": str(tmp_path / "home"), "PATH": ""}

    def status(*arguments: str) -> int:
        command = [sys.executable, str(manage), "verify_report", str(file), *arguments]
        return subprocess.run(command, env=environment, capture_output=True, cwd=tmp_path).returncode

    assert status("--key", str(key)) == 0
    assert status() == 2
    file.write_text(file.read_text().replace("not met", "met"))
    assert status("--key", str(key)) == 1
