"""Licences: what is refused, who checks, what the clinician is told, and where a day ends."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotation.assignment.queue import hand_out
from annotation.models import Campaign, Licence
from annotation.qualification.selectors import licence_warning
from annotation.qualification.services import LicenceRefusedError, person_scope, record_licence
from prometheus_site.accounts.models import User
from prometheus_site.core import sealing
from tests.annotation.worlds import make_campaign, make_ready

ClientFor = Callable[[User], Client]
FORM = {
    "number": "HCPC PYL-01234",
    "jurisdiction": "United Kingdom",
    "expires_on": "2030-06-30",
    "time_zone": "Europe/London",
}


@pytest.fixture
def campaign(lead: User, annotator: User, second_annotator: User) -> Campaign:
    return make_campaign(lead, [annotator, second_annotator])


def record(clinician: User, by: User, *, is_checked: bool = True, **changes: object) -> Licence:
    values = FORM | {"expires_on": date(2030, 6, 30)} | changes
    return record_licence(clinician=clinician, recorded_by=by, is_checked=is_checked, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "bad",
    [
        {"number": "12"},
        {"number": "none"},
        {"number": "<b>12345</b>"},
        {"number": "1" * 41},
        {"expires_on": date(2026, 1, 1)},
        {"expires_on": date(2126, 1, 1)},
        {"expires_on": date.max},  # the day after it is none
        {"time_zone": "Middle/Earth"},
    ],
)
def test_a_malformed_or_expired_licence_is_refused(annotator: User, lead: User, bad: dict[str, Any]) -> None:
    with time_machine.travel(datetime(2026, 11, 28, tzinfo=UTC)), pytest.raises(LicenceRefusedError):
        record(annotator, lead, **bad)
    assert not Licence.objects.exists()


def test_its_number_is_sealed(annotator: User, lead: User) -> None:
    stored = record(annotator, lead)
    assert b"01234" not in bytes(stored.number.ciphertext)
    assert sealing.open_text(stored.number) == FORM["number"]
    sealing.destroy_key(person_scope(annotator), "left")
    with pytest.raises(sealing.TextErasedError):
        sealing.open_text(Licence.objects.select_related("number__data_key").get().number)


def test_nobody_checks_their_own(annotator: User) -> None:
    with pytest.raises(LicenceRefusedError, match="their own"):
        record(annotator, annotator)


def test_what_the_clinician_tells_opens_nothing_before_it_is_checked(
    campaign: Campaign, annotator: User, lead: User, client_for: ClientFor
) -> None:
    ends_at = annotator.admissions.get().valid_until
    assert ends_at is not None
    with time_machine.travel(ends_at + timedelta(days=1), tick=False):
        address = reverse("annotation:own_qualification", args=[campaign.slug])
        answer = client_for(annotator).post(address, FORM, follow=True)
        assert "Somebody of the team checks it" in answer.content.decode()
        assert hand_out(campaign=campaign, annotator=annotator).slots == ()
        page = reverse("annotation:qualification", args=[campaign.slug, annotator.code])
        shown = client_for(lead).get(page).content.decode()
        assert "Told, not checked" in shown
        assert FORM["number"] in shown
        check = reverse("annotation:check_licence", args=[campaign.slug, annotator.code])
        assert client_for(lead).post(check, FORM).status_code == 302
        assert len(hand_out(campaign=campaign, annotator=annotator).slots) == 1


@pytest.mark.parametrize("bad", [{"expires_on": "30/06/2030x"}, {"expires_on": ""}, {"time_zone": "x"}])
def test_a_form_with_a_fault_says_so(
    campaign: Campaign, annotator: User, client_for: ClientFor, bad: dict[str, str]
) -> None:
    address = reverse("annotation:own_qualification", args=[campaign.slug])
    before = Licence.objects.count()
    assert client_for(annotator).post(address, FORM | bad).status_code == 422
    assert Licence.objects.count() == before


def test_it_warns_a_month_before_on_the_clinicians_page(annotator: User, client_for: ClientFor) -> None:
    make_ready(annotator, licence_ends_at=timezone.now() + timedelta(days=20, hours=1))
    page = client_for(annotator).get(reverse("home")).content.decode()
    assert re.search(r"Your licence runs out\s+in 20 days", page)
    make_ready(annotator, licence_ends_at=timezone.now() + timedelta(days=31))
    assert licence_warning(annotator) is None
    make_ready(annotator, licence_ends_at=timezone.now() - timedelta(minutes=1))
    assert "Your licence has run out" in client_for(annotator).get(reverse("home")).content.decode()


def test_at_utc_plus_13_the_day_is_over_when_it_is_over_there(
    campaign: Campaign, annotator: User, lead: User
) -> None:
    """At 11:00 UTC of its last day an Auckland licence has ended; the London one holds until midnight."""
    with time_machine.travel(datetime(2030, 12, 31, 10, 59, tzinfo=UTC), tick=False):
        record(annotator, lead, expires_on=date(2030, 12, 31), time_zone="Pacific/Auckland")
        assert len(hand_out(campaign=campaign, annotator=annotator).slots) == 1
    with time_machine.travel(datetime(2030, 12, 31, 11, 0, tzinfo=UTC), tick=False):
        assert hand_out(campaign=campaign, annotator=annotator).slots == ()
        record(annotator, lead, expires_on=date(2030, 12, 31), time_zone="Europe/London")
        assert len(hand_out(campaign=campaign, annotator=annotator).slots) == 1


def test_a_shorter_licence_checked_later_holds(campaign: Campaign, annotator: User, lead: User) -> None:
    record(annotator, lead, expires_on=timezone.localdate() + timedelta(days=2))
    ends_at = annotator.admissions.get().valid_until
    assert ends_at is not None
    assert ends_at < timezone.now() + timedelta(days=4)
