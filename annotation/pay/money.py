"""What is paid for hours: rates in force by day, lines of a statement, the fair-pay meter. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")
HOUR = timedelta(hours=1)
ZERO = Decimal(0)


@dataclass(frozen=True)
class Rate:
    """An hourly rate of a role, from a day on."""

    role: str
    per_hour: Decimal
    valid_from: date


@dataclass(frozen=True)
class Line:
    """Time at one rate; without a rate there is no amount yet."""

    role: str
    per_hour: Decimal | None
    time: timedelta

    @property
    def amount(self) -> Decimal | None:
        return None if self.per_hour is None else paid_for(self.time, self.per_hour)

    def as_json(self) -> dict[str, str | int]:
        """Return what a closed statement keeps of it; only a line with a rate can be closed."""
        return {
            "role": self.role,
            "per_hour": str(self.per_hour),
            "microseconds": self.time // timedelta(microseconds=1),
            "amount": str(self.amount),
        }


@dataclass(frozen=True)
class FairPay:
    """What an hour at work really brings, with the time at the page that was not paid."""

    earned: Decimal
    paid: timedelta
    at_work: timedelta
    floor: Decimal

    @property
    def unpaid(self) -> timedelta:
        return self.at_work - self.paid

    @property
    def per_hour(self) -> Decimal:
        hours = Decimal(self.at_work // timedelta(microseconds=1)) / (HOUR // timedelta(microseconds=1))
        return (self.earned / hours).quantize(CENT, ROUND_HALF_UP)

    @property
    def is_fair(self) -> bool:
        return self.per_hour >= self.floor

    @property
    def gap(self) -> Decimal:
        """How far the real hour lies from the floor."""
        return abs(self.per_hour - self.floor)


def paid_for(time: timedelta, per_hour: Decimal) -> Decimal:
    """Return the amount for a time, to the cent."""
    microseconds = Decimal(time // timedelta(microseconds=1))
    return (microseconds * per_hour / (HOUR // timedelta(microseconds=1))).quantize(CENT, ROUND_HALF_UP)


def rate_on(rates: Sequence[Rate], role: str, day: date) -> Decimal | None:
    """Return what an hour is paid on this day. Rates are in the order in which they were set."""
    valid = [(rate.valid_from, number) for number, rate in enumerate(rates) if _holds(rate, role, day)]
    return rates[max(valid)[1]].per_hour if valid else None


def _holds(rate: Rate, role: str, day: date) -> bool:
    return rate.role == role and rate.valid_from <= day


def lines_of(worked: Mapping[tuple[str, date], timedelta], rates: Sequence[Rate]) -> list[Line]:
    """Return a line for each role and rate of the time worked by role and day, in order of role and day."""
    together: dict[tuple[str, Decimal | None], timedelta] = defaultdict(timedelta)
    for (role, day), time in sorted(worked.items()):
        together[role, rate_on(rates, role, day)] += time
    return [Line(role, per_hour, time) for (role, per_hour), time in together.items() if time]


def total(lines: Iterable[Line], corrections: Iterable[Decimal]) -> Decimal | None:
    """Return what is due: the lines as they are rounded and the corrections. None while a rate is missing."""
    due = ZERO
    for line in lines:
        if line.amount is None:
            return None
        due += line.amount
    return due + sum(corrections, ZERO)


def fair_pay(
    earned: Decimal | None, paid: timedelta, at_work: timedelta, floor: Decimal | None
) -> FairPay | None:
    """Return the meter, or None where nothing was measured: no time, no rate, no floor."""
    if earned is None or floor is None or not at_work:
        return None
    return FairPay(earned, paid, at_work, floor)
