"""The limits of care bind seniors who open severe texts to answer or to settle them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from annotation.dangerous.services import open_all_cases
from annotation.labelling.services import RestFirstError
from annotation.models import Campaign, CampaignMember, DangerCase, Exposure, Sample
from annotation.wellbeing.exposure import care_of
from annotation.wellbeing.reviewing import is_open_to, open_for_review
from annotation.wellbeing.services import set_limits
from prometheus_site.accounts.models import User
from tests.annotation.worlds import CRISIS, label, make_campaign

pytestmark = pytest.mark.django_db
ClientFor = Callable[[User], Client]
MORNING = datetime(2026, 3, 2, 8, tzinfo=UTC)
TEXT = "what was said"


@pytest.fixture
def campaign(lead: User, annotator: User, second_annotator: User, adjudicator: User) -> Campaign:
    made = make_campaign(lead, [annotator, second_annotator])
    CampaignMember.objects.create(campaign=made, user=adjudicator)
    return made


@pytest.fixture
def cases(campaign: Campaign, annotator: User, second_annotator: User) -> list[DangerCase]:
    for number in (1, 2):
        label(campaign, annotator, number)
        label(campaign, second_annotator, number, answers=CRISIS)
    open_all_cases()
    return list(DangerCase.objects.order_by("sample__number"))


def case_page(client: Client, case: DangerCase) -> str:
    return client.get(reverse("annotation:danger_case", args=[case.campaign.slug, case.pk])).content.decode()


def open_case(client: Client, case: DangerCase) -> str:
    address = reverse("annotation:open_danger_text", args=[case.campaign.slug, case.pk])
    return client.post(address, follow=True).content.decode()


def test_a_text_stays_covered_until_it_is_opened_and_then_counts(
    cases: list[DangerCase], adjudicator: User, client_for: ClientFor
) -> None:
    client = client_for(adjudicator)
    assert TEXT not in case_page(client, cases[0])
    assert not Exposure.objects.filter(annotator=adjudicator).exists()
    assert TEXT in open_case(client, cases[0])
    assert TEXT in case_page(client, cases[0])
    read = Exposure.objects.get(annotator=adjudicator)
    assert (read.sample, read.dose) == (cases[0].sample, 2)  # somebody judged act now
    open_case(client, cases[0])
    assert Exposure.objects.filter(annotator=adjudicator).count() == 1


def test_no_two_in_sequence(cases: list[DangerCase], adjudicator: User, client_for: ClientFor) -> None:
    client = client_for(adjudicator)
    open_case(client, cases[0])
    page = open_case(client, cases[1])
    assert "The last text you read was severe, too" in page
    assert TEXT not in page
    assert Exposure.objects.filter(annotator=adjudicator).count() == 1


def test_after_a_rest_the_next_one_opens(campaign: Campaign, adjudicator: User) -> None:
    first, second = Sample.objects.filter(campaign=campaign).order_by("number")[:2]
    with time_machine.travel(MORNING, tick=False) as clock:
        open_for_review(reader=adjudicator, sample=first)
        clock.shift(timedelta(minutes=9))
        with pytest.raises(RestFirstError):
            open_for_review(reader=adjudicator, sample=second)
        clock.shift(timedelta(minutes=1))
        open_for_review(reader=adjudicator, sample=second)
        assert is_open_to(adjudicator, second)
        clock.shift(timedelta(minutes=31))
        assert not is_open_to(adjudicator, second)  # covered again


def test_the_days_limit_holds_over_both_kinds_of_reading(campaign: Campaign, adjudicator: User) -> None:
    set_limits(user=adjudicator, limits={"severe_per_day": 2})
    first, second, third = Sample.objects.filter(campaign=campaign).order_by("number")[:3]
    with time_machine.travel(MORNING, tick=False) as clock:
        for sample in (first, second):
            open_for_review(reader=adjudicator, sample=sample)
            clock.shift(timedelta(minutes=20))
        with pytest.raises(RestFirstError, match="limits"):
            open_for_review(reader=adjudicator, sample=third)
        assert care_of(adjudicator, campaign.pk).exposure.dose_today == 2
        clock.shift(timedelta(days=1))
        open_for_review(reader=adjudicator, sample=third)


def test_the_sittings_limit_holds(campaign: Campaign, adjudicator: User) -> None:
    set_limits(user=adjudicator, limits={"severe_per_sitting": 1})
    first, second = Sample.objects.filter(campaign=campaign).order_by("number")[:2]
    with time_machine.travel(MORNING, tick=False) as clock:
        open_for_review(reader=adjudicator, sample=first)
        clock.shift(timedelta(minutes=15))
        with pytest.raises(RestFirstError):
            open_for_review(reader=adjudicator, sample=second)
        clock.shift(timedelta(minutes=31))  # stayed away: the sitting is over
        open_for_review(reader=adjudicator, sample=second)


def test_others_cannot_open(
    cases: list[DangerCase], annotator: User, outsider: User, client_for: ClientFor
) -> None:
    address = reverse("annotation:open_danger_text", args=[cases[0].campaign.slug, cases[0].pk])
    for person in (annotator, outsider):
        assert client_for(person).post(address).status_code == 404
    assert not Exposure.objects.filter(sample__isnull=False).exists()
