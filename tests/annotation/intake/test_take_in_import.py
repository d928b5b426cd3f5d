"""Imports become samples: each turn in exactly one window, once."""

import pytest

from annotation.campaigns.services import create_campaign
from annotation.intake.services import UnknownCampaignError, take_in_import, take_in_waiting_imports
from annotation.models import Campaign, Sample
from datasets_app.models import ImportJob
from datasets_app.withdrawal import withdraw_source
from prometheus_site.accounts.models import User
from tests.annotation.worlds import make_conversations


@pytest.fixture
def campaign(lead: User) -> Campaign:
    return create_campaign(name="Intake", slug="intake", created_by=lead)


def job_of(turns: int, number: int = 2) -> ImportJob:
    return make_conversations(number, source_name=f"{turns} turns", turns=turns)[0].import_job


def test_short_conversations_are_one_sample_each(campaign: Campaign) -> None:
    assert take_in_import(job=job_of(4), campaign_slug="intake") == 2
    assert list(Sample.objects.order_by("number").values_list("number", "window_start", "window_stop")) == [
        (1, 0, 4),
        (2, 0, 4),
    ]


def test_a_long_one_is_cut_into_windows_that_hold_every_turn_once(campaign: Campaign) -> None:
    take_in_import(job=job_of(31, number=1), campaign_slug="intake")
    windows = Sample.objects.order_by("window_start").values_list("window_start", "window_stop")
    assert [turn for start, stop in windows for turn in range(start, stop)] == list(range(31))
    assert all(stop - start <= 12 for start, stop in windows)


def test_a_window_knows_who_speaks_in_it(campaign: Campaign) -> None:
    take_in_import(job=job_of(1), campaign_slug="intake")
    sample = Sample.objects.all()[0]
    assert (sample.has_client_turn, sample.has_assistant_turn) == (True, False)


def test_twice_is_once(campaign: Campaign) -> None:
    job = job_of(2)
    assert [take_in_import(job=job, campaign_slug="intake") for _ in range(2)] == [2, 2]
    assert Sample.objects.count() == 2


def test_numbers_go_on(campaign: Campaign) -> None:
    take_in_import(job=job_of(2), campaign_slug="intake")
    take_in_import(job=job_of(3), campaign_slug="intake")
    assert sorted(Sample.objects.values_list("number", flat=True)) == [1, 2, 3, 4]


def test_unknown_campaign_is_named(campaign: Campaign) -> None:
    with pytest.raises(UnknownCampaignError, match="no campaign “nowhere”"):
        take_in_import(job=job_of(2), campaign_slug="nowhere")


def test_the_sweep_takes_what_names_a_campaign(campaign: Campaign) -> None:
    for turns, slug in ((2, "intake"), (3, ""), (4, "nowhere")):
        job = job_of(turns)
        job.campaign_slug = slug
        job.save()
    assert take_in_waiting_imports() == 1
    assert take_in_waiting_imports() == 0
    assert Sample.objects.count() == 2


def test_an_import_whose_source_was_withdrawn_stops_nothing(campaign: Campaign) -> None:
    for turns in (2, 3):
        job = job_of(turns)
        job.campaign_slug = "intake"
        job.save()
    withdraw_source(name="2 turns", because="a test")
    assert take_in_waiting_imports() == 1
    assert Sample.objects.count() == 2
