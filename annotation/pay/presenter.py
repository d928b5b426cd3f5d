"""Pay in words: corrections opened, a month as a file's rows, the lead's table with its totals."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from django.conf import settings
from django.urls import reverse

from annotation.models import Campaign, PayCorrection
from annotation.pay.money import ZERO
from annotation.pay.selectors import Sheet
from annotation.pay.spans import NOTHING
from annotation.pay.statement_file import CorrectionEntry, PersonMonth
from prometheus_site.core.sealing import TextErasedError, open_text

ERASED = "erased with the person's data"


@dataclass(frozen=True)
class Payroll:
    """Everybody's sheets of a month, and what they come to together."""

    sheets: Sequence[Sheet]

    @property
    def time(self) -> timedelta:
        return sum((sheet.time for sheet in self.sheets), NOTHING)

    @property
    def amount(self) -> Decimal | None:
        """What is due to all; None while some of it has no rate."""
        amounts = [sheet.amount for sheet in self.sheets]
        return None if None in amounts else sum((one for one in amounts if one is not None), ZERO)

    @property
    def is_closed(self) -> bool:
        return any(sheet.statement for sheet in self.sheets)


def beat_context(campaign: Campaign) -> dict[str, str]:
    """Return what a page needs to count its active time: see _beat.html."""
    return {
        "api_base": f"{reverse('api:reference')}campaigns/{campaign.slug}/",
        "csrf_cookie": settings.CSRF_COOKIE_NAME,
    }


def payroll_of(sheets: Sequence[Sheet]) -> Payroll:
    """Return the lead's table."""
    return Payroll(sheets)


def entries_of(sheet: Sheet) -> list[CorrectionEntry]:
    """Return the corrections of a sheet with their reasons opened."""
    return [CorrectionEntry(one.amount, str(one.made_by), _reason(one)) for one in sheet.corrections]


def person_month(campaign: Campaign, sheet: Sheet) -> PersonMonth:
    """Return what a file says of the sheet."""
    return PersonMonth(
        campaign=campaign.slug,
        month=sheet.month.first,
        code=sheet.person.code,
        name=sheet.person.display_name,
        lines=sheet.lines,
        corrections=entries_of(sheet),
        amount=sheet.amount,
        currency=sheet.terms.currency if sheet.terms else "",
        is_closed=sheet.statement is not None,
    )


def _reason(correction: PayCorrection) -> str:
    with suppress(TextErasedError):
        return open_text(correction.reason)
    return ERASED
