"""The time zones a person may choose: places that Python and the database both know."""

from functools import cache
from zoneinfo import available_timezones

from django.db import connection


@cache
def choosable() -> tuple[str, ...]:
    """Return UTC and the zones named by a place. One that PostgreSQL does not know would fail every save."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_timezone_names")
        known = available_timezones().intersection(name for (name,) in cursor.fetchall())
    return ("UTC", *sorted(name for name in known if "/" in name and not name.startswith("Etc/")))
