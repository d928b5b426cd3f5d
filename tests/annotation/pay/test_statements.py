"""Months close once, in order, for good; what is found later is corrected in a later month."""

import csv
import io
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from annotation.models import Campaign, PaidRole, PayCorrection, PayRate, PayStatement
from annotation.pay.selectors import sheet_of
from annotation.pay.services import (
    PayRefusedError,
    close_month,
    correct_pay,
    set_rate,
    set_terms,
)
from annotation.pay.spans import Month
from prometheus_site.accounts.models import User
from prometheus_site.audit.models import AccessEvent, Action
from tests.annotation.pay.paid import agree_on_pay, beat
from tests.annotation.worlds import make_campaign

SignIn = Callable[[User], Client]
NOON = datetime(2026, 1, 10, 12, tzinfo=UTC)
JANUARY, FEBRUARY = Month(date(2026, 1, 1)), Month(date(2026, 2, 1))
FEBRUARY_5 = datetime(2026, 2, 5, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def campaign(lead: User, annotator: User, second_annotator: User) -> Campaign:
    with time_machine.travel(NOON - timedelta(days=5)):
        made = make_campaign(lead, [annotator, second_annotator])
    agree_on_pay(made, lead)
    for minute in range(1, 31):
        beat(made, annotator, NOON + minute * MINUTE, 60)
    return made


def close(campaign: Campaign, lead: User, month: Month, at: datetime = FEBRUARY_5) -> list[PayStatement]:
    with time_machine.travel(at, tick=False):
        return close_month(campaign=campaign, month=month, closed_by=lead)


def correct(
    campaign: Campaign,
    lead: User,
    person: User,
    amount: str,
    *,
    at: datetime,
    key: uuid.UUID | None = None,
    reason: str = "Ten minutes were lost.",
) -> PayCorrection:
    with time_machine.travel(at, tick=False):
        return correct_pay(
            campaign=campaign,
            person=person,
            amount=Decimal(amount),
            reason=reason,
            key=key or uuid.uuid4(),
            made_by=lead,
        )


def test_closing_writes_down_what_stood(campaign: Campaign, lead: User, annotator: User) -> None:
    before = sheet_of(campaign, annotator, JANUARY)
    [statement] = close(campaign, lead, JANUARY)
    after = sheet_of(campaign, annotator, JANUARY)
    assert (statement.person_id, statement.amount) == (annotator.pk, Decimal(30))
    assert statement.currency == "EUR"
    assert (after.lines, after.amount, after.statement) == (before.lines, before.amount, statement)


def test_a_correction_leaves_the_closed_month_and_stands_in_the_next(
    campaign: Campaign, lead: User, annotator: User
) -> None:
    correct(campaign, lead, annotator, "2.50", at=NOON)
    [closed] = close(campaign, lead, JANUARY)
    correct(campaign, lead, annotator, "-10.25", at=FEBRUARY_5)
    january, february = (sheet_of(campaign, annotator, month) for month in (JANUARY, FEBRUARY))
    assert january.amount == closed.amount == Decimal("32.50")
    assert [one.amount for one in january.corrections] == [Decimal("2.50")]
    assert february.amount == february.corrected_by == Decimal("-10.25")
    [later] = close(campaign, lead, FEBRUARY, at=datetime(2026, 3, 2, tzinfo=UTC))
    assert later.amount == Decimal("-10.25")


def test_the_same_correction_sent_again_counts_once(campaign: Campaign, lead: User, annotator: User) -> None:
    key = uuid.uuid4()
    first = correct(campaign, lead, annotator, "5", at=NOON, key=key)
    assert correct(campaign, lead, annotator, "5", at=NOON, key=key) == first
    with pytest.raises(PayRefusedError, match="Reload the page"):
        correct(campaign, lead, annotator, "6", at=NOON, key=key)
    assert sheet_of(campaign, annotator, JANUARY).corrected_by == 5


@pytest.mark.parametrize("at", [NOON, datetime(2026, 2, 1, 1, 59, tzinfo=UTC)])
def test_a_month_stays_open_while_time_may_still_come(campaign: Campaign, lead: User, at: datetime) -> None:
    with pytest.raises(PayRefusedError, match="two hours after"):
        close(campaign, lead, JANUARY, at)
    assert not PayStatement.objects.exists()


def test_what_comes_as_late_as_it_can_is_in_the_month_that_closes(
    campaign: Campaign, lead: User, annotator: User
) -> None:
    beat(campaign, annotator, datetime(2026, 2, 1, 0, 20, tzinfo=UTC), 3600)
    [statement] = close(campaign, lead, JANUARY, datetime(2026, 2, 1, 2, tzinfo=UTC))
    assert statement.amount == 40
    assert sheet_of(campaign, annotator, FEBRUARY).amount == 20


def test_months_close_once_and_in_order(campaign: Campaign, lead: User, annotator: User) -> None:
    beat(campaign, annotator, FEBRUARY_5, 60)
    march = datetime(2026, 3, 2, tzinfo=UTC)
    with pytest.raises(PayRefusedError, match="Close January 2026 first"):
        close(campaign, lead, FEBRUARY, march)
    close(campaign, lead, JANUARY, march)
    with pytest.raises(PayRefusedError, match="nothing to close"):
        close(campaign, lead, JANUARY, march)
    close(campaign, lead, FEBRUARY, march)
    assert PayStatement.objects.count() == 2


def test_time_without_a_rate_is_not_measured_and_does_not_close(lead: User, annotator: User) -> None:
    other = make_campaign(lead, [annotator], slug="unpaid")
    beat(other, annotator, FEBRUARY_5, 60)
    assert sheet_of(other, annotator, FEBRUARY).amount is None
    set_terms(campaign=other, time_zone="UTC", currency="EUR", floor_per_hour=Decimal(40), set_by=lead)
    with pytest.raises(PayRefusedError, match="no rate yet"):
        close(other, lead, FEBRUARY, datetime(2026, 3, 2, tzinfo=UTC))


def test_a_rate_is_never_moved_into_a_closed_month(campaign: Campaign, lead: User, annotator: User) -> None:
    close(campaign, lead, JANUARY)
    with pytest.raises(PayRefusedError, match="January 2026 is closed"):
        rate(campaign, lead, "70", date(2026, 1, 31))
    rate(campaign, lead, "70", date(2026, 2, 1))
    assert sheet_of(campaign, annotator, JANUARY).amount == 30


def test_a_raise_in_mid_month_makes_two_lines(campaign: Campaign, lead: User, annotator: User) -> None:
    rate(campaign, lead, "90", date(2026, 1, 20))
    for minute in range(1, 11):
        beat(campaign, annotator, NOON + timedelta(days=12) + minute * MINUTE, 60)
    sheet = sheet_of(campaign, annotator, JANUARY)
    assert [(line.per_hour, line.amount) for line in sheet.lines] == [
        (Decimal(60), Decimal(30)),
        (Decimal(90), Decimal(15)),
    ]
    assert sheet.amount == 45


def test_terms_that_would_move_what_stands_are_refused(campaign: Campaign, lead: User) -> None:
    terms = partial(set_terms, campaign=campaign, floor_per_hour=Decimal(40), set_by=lead)
    with pytest.raises(PayRefusedError, match="currency stays"):
        terms(time_zone="UTC", currency="USD")
    close(campaign, lead, JANUARY)
    with pytest.raises(PayRefusedError, match="time zone"):
        terms(time_zone="Pacific/Apia", currency="EUR")
    terms(floor_per_hour=Decimal(50), time_zone="UTC", currency="EUR")


def rate(campaign: Campaign, lead: User, per_hour: str, valid_from: date) -> PayRate:
    return set_rate(
        campaign=campaign,
        role=PaidRole.ANNOTATOR,
        per_hour=Decimal(per_hour),
        valid_from=valid_from,
        set_by=lead,
    )


# --- Pages -------------------------------------------------------------------------------------------------
def rows(answer: object) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.content.decode())))  # type: ignore[attr-defined]


def test_the_file_runs_nothing_in_a_spreadsheet(
    campaign: Campaign, lead: User, annotator: User, client_for: SignIn
) -> None:
    User.objects.filter(pk=annotator.pk).update(display_name='=HYPERLINK("http://evil")')
    User.objects.filter(pk=lead.pk).update(display_name="@SUM(A1)")
    correct(campaign, User.objects.get(pk=lead.pk), annotator, "-3", at=NOON, reason="+1-1")
    answer = client_for(annotator).get(reverse("annotation:statement_csv", args=[campaign.slug, 2026, 1]))
    listed = rows(answer)
    assert [row["entry"] for row in listed] == ["annotator", "correction", "total"]
    assert {row["name"] for row in listed} == {'\'=HYPERLINK("http://evil")'}
    assert (listed[1]["by"], listed[1]["reason"]) == ("'@SUM(A1)", "'+1-1")
    assert [row["amount"] for row in listed] == ["30.00", "-3.00", "27.00"]
    assert listed[0]["hours"] == "0.5000"


def test_the_leads_file_holds_everybody_and_is_written_down(
    campaign: Campaign, lead: User, annotator: User, second_annotator: User, client_for: SignIn
) -> None:
    beat(campaign, second_annotator, NOON, 60)
    answer = client_for(lead).get(reverse("annotation:payroll_csv", args=[campaign.slug, 2026, 1]))
    totals = {row["person"]: row["amount"] for row in rows(answer) if row["entry"] == "total"}
    assert totals == {annotator.code: "30.00", second_annotator.code: "1.00"}
    assert AccessEvent.objects.filter(actor=lead, action=Action.EXPORTED, object_type="pay").count() == 1


def test_a_person_sees_the_own_hours_rate_correction_and_meter(
    campaign: Campaign, lead: User, annotator: User, second_annotator: User, client_for: SignIn
) -> None:
    correct(campaign, lead, annotator, "-3", at=NOON)
    page = client_for(annotator).get(reverse("annotation:hours", args=[campaign.slug]), {"month": "2026-01"})
    html = page.content.decode()
    for words in (
        "30 min",
        "27.00",
        "60.00 EUR",
        "Ten minutes were lost.; by Lead",
        "54.00 EUR",
        "floor of 40.00",
    ):
        assert words in html, words
    other = client_for(second_annotator).get(reverse("annotation:hours", args=[campaign.slug]))
    assert "NOT MEASURED" in other.content.decode()
    assert "Ten minutes" not in other.content.decode()


def test_who_left_still_finds_the_statement(
    campaign: Campaign, lead: User, annotator: User, client_for: SignIn
) -> None:
    campaign.members.filter(user=annotator).update(left_at=NOON)
    address = reverse("annotation:statement", args=[campaign.slug, 2026, 1])
    assert client_for(annotator).get(address).status_code == 200


@pytest.mark.parametrize("path", ["2026/13/", "2026/0/", "1/1/", "99999/1/"])
def test_a_month_that_is_none_is_not_found(
    campaign: Campaign, annotator: User, client_for: SignIn, path: str
) -> None:
    assert client_for(annotator).get(f"/campaigns/{campaign.slug}/hours/{path}").status_code == 404


def test_the_lead_sets_rates_corrects_and_closes_on_the_page(
    campaign: Campaign, lead: User, annotator: User, client_for: SignIn
) -> None:
    client, name = client_for(lead), "annotation:{}".format
    page = reverse(name("payroll"), args=[campaign.slug])
    html = client.get(page, {"month": "2026-01"}).content.decode()
    assert annotator.code in html
    assert "30.00 EUR" in html
    sent = {"rate-role": "annotator", "rate-per_hour": "61", "rate-valid_from": "2027-01-01"}
    assert client.post(reverse(name("set_rate"), args=[campaign.slug]), sent).status_code == 302
    sent = {
        "correction-key": str(uuid.uuid4()),
        "correction-person": str(annotator.pk),
        "correction-amount": "-1.50",
        "correction-reason": "Counted twice.",
    }
    for _ in range(2):
        assert client.post(reverse(name("correct_pay"), args=[campaign.slug]), sent).status_code == 302
    assert PayCorrection.objects.get().amount == Decimal("-1.50")
    assert (
        client.post(reverse(name("close_month"), args=[campaign.slug]), {"month": "2026-01"}).status_code
        == 302
    )
    assert PayStatement.objects.get().amount == 30


@pytest.mark.parametrize(
    ("form", "sent"),
    [
        ("set_rate", {"rate-role": "annotator", "rate-per_hour": "-5", "rate-valid_from": "2026-05-01"}),
        ("set_rate", {"rate-role": "king", "rate-per_hour": "5", "rate-valid_from": "2026-05-01"}),
        (
            "set_terms",
            {"terms-time_zone": "Mars/Olympus", "terms-currency": "EUR", "terms-floor_per_hour": "4"},
        ),
        ("set_terms", {"terms-time_zone": "UTC", "terms-currency": "USD", "terms-floor_per_hour": "4"}),
        ("correct_pay", {"correction-amount": "0", "correction-reason": "Nothing"}),
        ("correct_pay", {"correction-amount": "NaN", "correction-reason": "Nothing"}),
    ],
)
def test_what_cannot_be_is_said_beside_the_form(
    campaign: Campaign, lead: User, annotator: User, client_for: SignIn, form: str, sent: dict[str, str]
) -> None:
    whole = {"correction-key": str(uuid.uuid4()), "correction-person": str(annotator.pk)} | sent
    answer = client_for(lead).post(reverse(f"annotation:{form}", args=[campaign.slug]), whole)
    assert answer.status_code == 422
    assert PayRate.objects.count() == 1
    assert not PayCorrection.objects.exists()
