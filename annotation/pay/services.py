"""Count active time, and set what it is paid: terms, rates, corrections, statements as they close."""

import uuid
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from annotation.labelling.services import clinician_scope
from annotation.models import (
    Activity,
    Campaign,
    Heartbeat,
    PaidRole,
    PayCorrection,
    PayRate,
    PayStatement,
    PayTerms,
)
from annotation.pay import selectors
from annotation.pay.spans import REACH, Month
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role
from prometheus_site.audit.models import Action
from prometheus_site.audit.services import record_access
from prometheus_site.core import sealing

# By then nothing can still arrive for a month that is over: no claim reaches further back.
CLOSES_AFTER = 4 * REACH


class PayRefusedError(Exception):
    """The pay cannot be changed so; the text says why and what to do."""


def record_heartbeat(
    *, person: User, campaign: Campaign, key: uuid.UUID, active_seconds: int, activity: Activity
) -> Heartbeat:
    """Count active time up to now. The same key again counts nothing more and returns what was stored.

    It never counts more than passed since the person's last heartbeat in any campaign or tab, nor more than
    the reach of one heartbeat. Where the server's clock was put back it counts nothing until it caught up.
    """
    with transaction.atomic():
        # Two tabs of one person take turns. Saving a label refers to the row too, and is not held up by this.
        User.objects.select_for_update(no_key=True).only("pk").get(pk=person.pk)
        own = Heartbeat.objects.filter(person=person)
        stored: Heartbeat | None = own.filter(key=key).first()
        if stored is not None:
            return stored
        now = timezone.now()
        last_ended_at = own.order_by("-ended_at").values_list("ended_at", flat=True).first()
        claimed = min(timedelta(seconds=active_seconds), REACH)
        beat: Heartbeat = Heartbeat.objects.create(
            person=person,
            campaign=campaign,
            key=key,
            activity=activity,
            paid_as=_paid_as(person, activity),
            claimed_seconds=active_seconds,
            started_at=min(now, max(now - claimed, last_ended_at or now - claimed)),
            ended_at=now,
        )
        return beat


def _paid_as(person: User, activity: Activity) -> PaidRole:
    does_not_label = activity == Activity.ADJUDICATION or not person.has_role(Role.ANNOTATOR)
    if does_not_label and person.has_role(Role.ADJUDICATOR):  # the page says the activity, the grant the pay
        return PaidRole.ADJUDICATOR
    return PaidRole.ANNOTATOR


def set_terms(
    *, campaign: Campaign, time_zone: str, currency: str, floor_per_hour: Decimal, set_by: User
) -> PayTerms:
    """Put new terms in force. Raises PayRefusedError for a change that would move what stands already."""
    with transaction.atomic():
        _take_turn(campaign)
        terms = selectors.terms_of(campaign)
        if terms is not None and terms.time_zone != time_zone and campaign.pay_statements.exists():
            raise PayRefusedError("A month is closed already: moving the time zone would move its first day.")
        has_amounts = campaign.pay_rates.exists() or campaign.pay_corrections.exists()
        if terms is not None and terms.currency != currency and has_amounts:
            raise PayRefusedError(f"There are amounts in {terms.currency} already: the currency stays.")
        record_access(actor=set_by, action=Action.CREATED, obj_type="pay_terms", obj_id=str(campaign.pk))
        made: PayTerms = PayTerms.objects.create(
            campaign=campaign,
            time_zone=time_zone,
            currency=currency,
            floor_per_hour=floor_per_hour,
            set_by=set_by,
        )
        return made


def set_rate(
    *, campaign: Campaign, role: PaidRole, per_hour: Decimal, valid_from: date, set_by: User
) -> PayRate:
    """Pay a role so much an hour from a day on. Raises PayRefusedError without terms or in a closed month."""
    with transaction.atomic():
        _take_turn(campaign)
        _terms_or_refuse(campaign)
        closed = selectors.last_closed(campaign)
        if closed is not None and valid_from < closed.next.first:
            raise PayRefusedError(
                f"{closed.first:%B %Y} is closed. Choose a day from {closed.next.first:%-d %B %Y} on, and "
                "settle what was before by a correction."
            )
        record_access(actor=set_by, action=Action.CREATED, obj_type="pay_rate", obj_id=str(campaign.pk))
        made: PayRate = PayRate.objects.create(
            campaign=campaign, role=role, per_hour=per_hour, valid_from=valid_from, set_by=set_by
        )
        return made


def correct_pay(
    *, campaign: Campaign, person: User, amount: Decimal, reason: str, key: uuid.UUID, made_by: User
) -> PayCorrection:
    """Add a signed amount to a person's pay of this month, once per key; closed months stay as they are."""
    with transaction.atomic():
        _take_turn(campaign)
        _terms_or_refuse(campaign)
        stored: PayCorrection | None = campaign.pay_corrections.filter(key=key).first()
        if stored is not None:
            if (stored.person_id, stored.amount) != (person.pk, amount):
                raise PayRefusedError(
                    "Another correction was stored from this form already. Reload the page."
                )
            return stored
        record_access(actor=made_by, action=Action.CREATED, obj_type="pay_correction", obj_id=str(person.pk))
        made: PayCorrection = PayCorrection.objects.create(
            campaign=campaign,
            person=person,
            key=key,
            amount=amount,
            reason=sealing.seal(reason.strip(), clinician_scope(person)),
            made_by=made_by,
            made_at=timezone.now(),
        )
        return made


def close_month(*, campaign: Campaign, month: Month, closed_by: User) -> list[PayStatement]:
    """Write down everybody's statement of a month that is over, for good.

    Raises PayRefusedError while time may still come, while a rate is missing, out of order, or a second time.
    """
    with transaction.atomic():
        _take_turn(campaign)
        terms = _terms_or_refuse(campaign)
        _refuse_closing(campaign, month, timezone.now())
        statements = [
            PayStatement(
                campaign=campaign,
                person=sheet.person,
                month=month.first,
                lines=[line.as_json() for line in sheet.lines],
                corrected_by=sheet.corrected_by,
                amount=_settled(sheet),
                currency=terms.currency,
                closed_by=closed_by,
                closed_at=timezone.now(),
            )
            for sheet in selectors.sheets_of(campaign, month)
        ]
        record_access(
            actor=closed_by, action=Action.CREATED, obj_type="pay_statements", obj_id=str(campaign.pk)
        )
        return PayStatement.objects.bulk_create(statements)


def _refuse_closing(campaign: Campaign, month: Month, now: datetime) -> None:
    if now < month.span(selectors.zone_of(campaign))[1] + CLOSES_AFTER:
        raise PayRefusedError(f"{month.first:%B %Y} can be closed two hours after it has ended.")
    first_open = selectors.first_open(campaign)
    if first_open is None or month < first_open:
        raise PayRefusedError(f"{month.first:%B %Y} is closed, or nobody worked in it: nothing to close.")
    if month > first_open:
        raise PayRefusedError(f"Close {first_open.first:%B %Y} first.")


def _settled(sheet: "selectors.Sheet") -> Decimal:
    if sheet.amount is None:
        raise PayRefusedError("Some of the time has no rate yet. Set one that holds from the first day.")
    return sheet.amount


def _terms_or_refuse(campaign: Campaign) -> PayTerms:
    terms = selectors.terms_of(campaign)
    if terms is None:
        raise PayRefusedError("Set time zone, currency and floor first.")
    return terms


def _take_turn(campaign: Campaign) -> None:
    """Let one change of a campaign's pay follow another; the labelling of it goes on."""
    Campaign.objects.select_for_update(no_key=True).only("pk").get(pk=campaign.pk)
