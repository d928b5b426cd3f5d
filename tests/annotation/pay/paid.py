"""A campaign with terms and a rate, and people who work in it at given moments."""

import uuid
from datetime import date, datetime
from decimal import Decimal

import time_machine

from annotation.models import Activity, Campaign, Heartbeat, PaidRole
from annotation.pay.services import record_heartbeat, set_rate, set_terms
from prometheus_site.accounts.models import User

FLOOR = Decimal(40)
PER_HOUR = Decimal(60)  # a unit a minute


def agree_on_pay(campaign: Campaign, lead: User, *, time_zone: str = "UTC") -> None:
    """Set terms and the annotators' rate."""
    set_terms(campaign=campaign, time_zone=time_zone, currency="EUR", floor_per_hour=FLOOR, set_by=lead)
    set_rate(
        campaign=campaign,
        role=PaidRole.ANNOTATOR,
        per_hour=PER_HOUR,
        valid_from=date(2026, 1, 1),
        set_by=lead,
    )


def beat(
    campaign: Campaign, person: User, at: datetime, seconds: int, *, key: uuid.UUID | None = None
) -> Heartbeat:
    """Let a page of the person say at this moment that it was active for so long."""
    with time_machine.travel(at, tick=False):
        return record_heartbeat(
            person=person,
            campaign=campaign,
            key=key or uuid.uuid4(),
            active_seconds=seconds,
            activity=Activity.LABELLING,
        )
