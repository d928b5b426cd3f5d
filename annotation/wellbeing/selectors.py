"""Read a clinician's own care: limits, what today held, earlier check-ins."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from django.conf import settings

from annotation.models import CareLimits, CheckIn
from annotation.wellbeing.exposure import NO_CAMPAIGN, Care, care_of
from prometheus_site.accounts.models import User
from prometheus_site.core.sealing import TextErasedError, open_text

CHECK_INS_SHOWN = 8


@dataclass(frozen=True)
class EarlierCheckIn:
    """What the person said some time ago."""

    given_at: datetime
    answers: Mapping[str, Any]


def limits_of(user: User) -> CareLimits:
    """Return the person's limits; those of the site where none were set."""
    default = CareLimits(user=user, time_zone=settings.TIME_ZONE)
    return CareLimits.objects.filter(user=user).first() or default


def today_of(user: User) -> Care:
    """Return what the person has read and done today, beside the limits."""
    return care_of(user, NO_CAMPAIGN)


def check_ins_of(user: User) -> list[EarlierCheckIn]:
    """Return the person's latest check-ins, newest first; none where the key was destroyed."""
    own = CheckIn.objects.filter(user=user).select_related("answers__data_key").order_by("-given_at")
    found = []
    for one in own[:CHECK_INS_SHOWN]:
        try:
            found.append(EarlierCheckIn(one.given_at, orjson.loads(open_text(one.answers))))
        except TextErasedError:
            continue
    return found
