"""A sitting begins with how many texts estimated severe it holds at most, by the plan and the own limits."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from annotation.labelling.ahead import Ahead, ahead_of
from annotation.labelling.standing import standing_of
from annotation.models import Campaign
from annotation.wellbeing.services import set_limits
from prometheus_site.accounts.models import User
from tests.annotation.planned import give, make_planned_campaign, queue_of

ClientFor = Callable[[User], Client]


@pytest.fixture
def campaign(lead: User, annotator: User) -> Campaign:
    return make_planned_campaign(
        lead, [annotator], samples=40, severe=range(1, 9), labels_per_sample=1, repeat_percent=0
    )


def ahead(campaign: Campaign, annotator: User) -> Ahead:
    return ahead_of(annotator, campaign, standing_of(annotator, campaign))


def test_is_what_the_plan_holds(campaign: Campaign, annotator: User) -> None:
    assert ahead(campaign, annotator) == Ahead(40, 8)


def test_is_no_more_than_the_persons_limits(campaign: Campaign, annotator: User) -> None:
    set_limits(user=annotator, limits={"severe_per_sitting": 3})
    assert ahead(campaign, annotator) == Ahead(40, 3)
    severe = next(slot for slot in queue_of(campaign, annotator) if slot.sample.is_estimated_severe)
    set_limits(user=annotator, limits={"severe_per_sitting": 0})
    give(campaign, severe)
    assert ahead(campaign, annotator) == Ahead(39, 0)


def test_looks_as_far_as_the_day_goes(campaign: Campaign, annotator: User) -> None:
    set_limits(user=annotator, limits={"minutes_per_day": 15})  # of 45 seconds a sample
    severe = [slot.sample.is_estimated_severe for slot in queue_of(campaign, annotator)]
    assert ahead(campaign, annotator) == Ahead(20, sum(severe[:20]))


@pytest.mark.parametrize(
    ("limit", "words"), [(3, "Up to 3 of the next 40 are"), (0, "None of the next 40 is")]
)
def test_the_page_says_so_before_the_first_sample(
    campaign: Campaign, annotator: User, client_for: ClientFor, limit: int, words: str
) -> None:
    set_limits(user=annotator, limits={"severe_per_sitting": limit})
    page = client_for(annotator).get(reverse("annotation:workbench", args=[campaign.slug])).content.decode()
    assert f"{words} estimated severe" in page
    assert "you may stop or leave them at any moment" in page
