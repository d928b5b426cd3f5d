"""Whether a professional licence, as an applicant writes it down, can be one and is still in force."""

import re
from datetime import date, datetime
from zoneinfo import ZoneInfo

NUMBER = re.compile(r"(?=.*[0-9])[A-Za-z0-9][A-Za-z0-9 ./()-]{1,38}[A-Za-z0-9)]")
LONGEST_YEARS = 30


def local_date(now: datetime, zone: str) -> date:
    """Return the date it is for somebody in that time zone: at UTC+13 it may be tomorrow already."""
    return now.astimezone(ZoneInfo(zone)).date()


def number_problem(number: str) -> str | None:
    """Return what is wrong with a licence number, None when nothing is."""
    if NUMBER.fullmatch(number):
        return None
    return (
        "This is not a licence number. Write it as it stands on the licence: 3 to 40 letters and digits, "
        "with at least one digit."
    )


def expiry_problem(expires_on: date, today: date) -> str | None:
    """Return what is wrong with the last day of a licence, None when nothing is."""
    if expires_on < today:
        return (
            f"This licence expired on {expires_on.day} {expires_on:%B %Y}. Only clinicians with a licence in "
            "force can take part: renew it, then write the new date here. What you wrote stays saved."
        )
    if expires_on.year > today.year + LONGEST_YEARS:
        return f"No licence runs until {expires_on.year}. Check the year."
    return None
