"""The gate's rule: from what stands about a person to what the person may be given. Pure."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

WARN_BEFORE_DAYS = 30
# Nobody reads a text before having agreed to that, calibration included; working takes every document.
BEFORE_ANY_TEXT = frozenset({"consent", "confidentiality"})


class Outcome(StrEnum):
    """What was decided about a person; the same values as the model's."""

    CALIBRATE = "calibrate"
    PROVISIONAL = "provisional"
    QUALIFIED = "qualified"
    REFUSED = "refused"


ADMITTED = frozenset({Outcome.PROVISIONAL, Outcome.QUALIFIED})


@dataclass(frozen=True)
class Facts:
    """What stands about one person in one campaign.

    ``unsigned`` are the documents whose newest version the person has not signed; ``reading`` says for the
    how-manieth time (from 0) the calibration samples are read; ``licence_ends_at`` is None without a checked
    licence.
    """

    outcome: Outcome | None = None
    reading: int = 0
    unsigned: AbstractSet[str] = frozenset()
    licence_ends_at: datetime | None = None


@dataclass(frozen=True)
class Admitted:
    """What the person may be given: all samples or calibration ones; nothing while held or after the end."""

    covers_all: bool
    is_held: bool
    reading: int = 0
    valid_until: datetime | None = None


def admission_of(facts: Facts) -> Admitted | None:
    """Return what these facts admit the person to, None when to nothing."""
    if facts.outcome is Outcome.CALIBRATE:
        return Admitted(
            covers_all=False, is_held=bool(facts.unsigned & BEFORE_ANY_TEXT), reading=facts.reading
        )
    if facts.outcome in ADMITTED and facts.licence_ends_at is not None:
        return Admitted(covers_all=True, is_held=bool(facts.unsigned), valid_until=facts.licence_ends_at)
    return None


def end_of_day(day: date, time_zone: str) -> datetime:
    """Return the moment at which a day is over where it is counted: at UTC+13 long before it is over here."""
    return datetime.combine(day + timedelta(days=1), time.min, ZoneInfo(time_zone))


def days_left(ends_at: datetime, now: datetime) -> int:
    """Return the whole days until then; below 0 when it has passed."""
    return (ends_at - now).days


def warns_of_end(ends_at: datetime | None, now: datetime) -> bool:
    """Say whether the licence ends soon enough to be told so on every visit."""
    return ends_at is not None and now < ends_at <= now + timedelta(days=WARN_BEFORE_DAYS)
