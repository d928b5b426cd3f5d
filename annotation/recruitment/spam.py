"""What keeps programs out without a third party: a trap field, a signed time, and a limit per address."""

import time

from allauth.core.internal.ratelimit import get_ip
from django.core.cache import cache
from django.core.signing import BadSignature, Signer
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

TRAP_FIELD = "website"
LEAST_SECONDS = 2
STAMP_HOURS = 24
HOUR_SECONDS = 3600
# How often one address may do each in an hour: a shared office still gets through, a program does not.
HOURLY = {"start": 12, "open": 12, "save": 400, "cv": 40, "quiz": 400}
TOO_FAST = "That was faster than people type. Wait a moment, then press the button once more."
STAMP_SALT = "when the form was shown"


def stamp(age_seconds: int = 0) -> str:
    """Return the time now, or some time ago, signed, for a hidden field of the form."""
    return Signer(salt=STAMP_SALT).sign(str(int(time.time()) - age_seconds))


def stamp_problem(given: str) -> str | None:
    """Return what is wrong with the time from showing to sending, None when a person could be that fast."""
    try:
        age_seconds = time.time() - int(Signer(salt=STAMP_SALT).unsign(given))
    except (BadSignature, ValueError):
        return "This form did not come from our page. Press the button once more."
    if age_seconds > STAMP_HOURS * HOUR_SECONDS:
        return "This page was open for more than a day. Nothing is lost: press the button once more."
    return TOO_FAST if age_seconds < LEAST_SECONDS else None


def is_within_limit(request: HttpRequest, action: str) -> bool:
    """Count one more try of this kind from the visitor's address; False when there were too many this hour.

    The count lies in the cache, and in this process while Redis is away (see core/cache.py). The address
    itself is not kept.
    """
    hour = int(time.time()) // HOUR_SECONDS
    address = salted_hmac("visitor's address", get_ip(request)).hexdigest()
    key = f"recruitment:{action}:{hour}:{address}"
    cache.add(key, 0, HOUR_SECONDS)
    try:
        return bool(cache.incr(key) <= HOURLY[action])
    except ValueError:  # it fell out of the cache between the two lines
        return True
