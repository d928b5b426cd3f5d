"""Statements as CSV that a spreadsheet opens without running anything. Pure."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from annotation.pay.money import CENT, HOUR, Line

HEADER = (
    "campaign",
    "month",
    "person",
    "name",
    "entry",
    "hours",
    "per_hour",
    "amount",
    "currency",
    "by",
    "reason",
    "state",
)
RUNS_AS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


@dataclass(frozen=True)
class CorrectionEntry:
    """A correction in words: the amount, who made it and why."""

    amount: Decimal
    made_by: str
    reason: str


@dataclass(frozen=True)
class PersonMonth:
    """What a file says of one person's month."""

    campaign: str
    month: date
    code: str
    name: str
    lines: Sequence[Line]
    corrections: Sequence[CorrectionEntry]
    amount: Decimal | None
    currency: str
    is_closed: bool


def as_csv(months: Iterable[PersonMonth]) -> str:
    """Return a row per line and correction and one for the total of each person."""
    page = io.StringIO()
    writer = csv.writer(page, lineterminator="\r\n")
    writer.writerow(HEADER)
    for one in months:
        writer.writerows(_rows(one))
    return page.getvalue()


def _rows(one: PersonMonth) -> Iterable[Sequence[str]]:
    who = (safe(one.campaign), f"{one.month:%Y-%m}", safe(one.code), safe(one.name))
    state = "closed" if one.is_closed else "still open"
    for line in one.lines:
        yield (
            *who,
            line.role,
            hours(line.time),
            _shown(line.per_hour),
            _shown(line.amount),
            one.currency,
            "",
            "",
            state,
        )
    for entry in one.corrections:
        by, reason = safe(entry.made_by), safe(entry.reason)
        yield *who, "correction", "", "", _shown(entry.amount), one.currency, by, reason, state
    time = sum((line.time for line in one.lines), timedelta())
    yield *who, "total", hours(time), "", _shown(one.amount), one.currency, "", "", state


def safe(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(RUNS_AS_FORMULA) else text


def hours(time: timedelta) -> str:
    """Return a time in hours with four places, a third of a second each."""
    return f"{time / HOUR:.4f}"


def _shown(amount: Decimal | None) -> str:
    return "NOT MEASURED" if amount is None else str(amount.quantize(CENT))
