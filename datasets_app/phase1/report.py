"""What a run came to, for people: families against what was wanted, lengths, removals, diversity, gates."""

from dataclasses import dataclass
from pathlib import Path

import msgspec

from datasets_app.compile.contract import UNDECODABLE

REPORT_FILE = "report.json"


@dataclass(frozen=True, slots=True)
class FamilyLine:
    """A family: how many conversations were wanted, are there and are missing."""

    name: str
    target: int
    there: int
    short: int
    is_synthetic: bool


@dataclass(frozen=True, slots=True)
class Removal:
    """How many records of a source were left out for one reason."""

    source: str
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class SourceLine:
    """A source: its family, its licence, its records and how many of them were kept."""

    name: str
    family: str
    license: str
    records: int
    kept: int


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of diversity beside the same of real dialogues, where that was measured."""

    name: str
    measured: float
    reference: float | None
    allowed: str
    verdict: str


@dataclass(frozen=True, slots=True)
class Gate:
    """One of the eight gates, and in words why it does not hold."""

    name: str
    holds: bool
    findings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """All of it; `lengths` are counts of conversations by turns, `changes` say what is new since the last."""

    build_id: str
    generated_at: str
    is_rehearsal: bool
    conversations: int
    wanted: int
    short: int
    families: tuple[FamilyLine, ...]
    lengths: tuple[tuple[str, int], ...]
    removals: tuple[Removal, ...]
    sources: tuple[SourceLine, ...]
    diversity: tuple[Figure, ...]
    reference: str
    gates: tuple[Gate, ...]
    alarms: tuple[str, ...]
    published_at: str
    changes: tuple[str, ...]


def report_of(workspace: Path) -> Report | None:
    """The report of the last run that came to its end, or None where none has."""
    try:
        return msgspec.json.decode((workspace / REPORT_FILE).read_bytes(), type=Report)
    except (OSError, *UNDECODABLE):
        return None
