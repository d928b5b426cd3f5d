"""How far a running import has come: a note in the cache for the eye, never the truth."""

import time
from dataclasses import asdict, dataclass
from uuid import UUID

from django.core.cache import cache

NOTE_LIVES_SECONDS = 3600
REPORT_EVERY_SECONDS = 0.5


@dataclass(frozen=True)
class Progress:
    """Records read so far and the share of the file's bytes behind them, 0 to 1."""

    kept: int
    rejected: int
    fraction: float

    @property
    def percent(self) -> int:
        return round(100 * self.fraction)


class ProgressNote:
    """Writes the note of one import, at most twice a second."""

    def __init__(self, job_id: UUID) -> None:
        self._key = _key(job_id)
        self._due = 0.0

    def write(self, progress: Progress) -> None:
        now = time.monotonic()
        if now < self._due:
            return
        self._due = now + REPORT_EVERY_SECONDS
        cache.set(self._key, asdict(progress), NOTE_LIVES_SECONDS)


def read_progress(job_id: UUID) -> Progress | None:
    """Return the last note of an import, None when there is none or the cache does not answer."""
    note = cache.get(_key(job_id))
    return Progress(**note) if note else None


def _key(job_id: UUID) -> str:
    return f"import-progress:{job_id}"
