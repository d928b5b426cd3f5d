"""Findings are worked out once: by the worker where that takes long, by whoever asks where it is gone."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from celery import Celery
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotation.models import Assignment, Campaign, Purpose
from annotation.obstacles import latest as asking
from annotation.obstacles.kept import KEPT_SECONDS, asked, name_of
from annotation.obstacles.latest import PATIENCE_SECONDS, latest, people_to_look_at
from annotation.obstacles.selectors import headlines_of
from annotation.schemes.definition import Dimension
from annotation.tasks import work_out_findings
from prometheus_site.accounts.models import RoleGrant, User
from prometheus_site.accounts.roles import Role
from prometheus_site.celery import app
from tests.annotation.dashboard.busy import third_annotator
from tests.annotation.obstacles.disputed import make_disputed_campaign
from tests.annotation.worlds import label, make_campaign

SignIn = Callable[[User], Client]


@pytest.fixture
def campaign(lead: User, annotator: User, second_annotator: User) -> Campaign:
    return make_campaign(lead, [annotator, second_annotator], samples=3)


@pytest.fixture
def dimension(campaign: Campaign) -> Dimension:
    return headlines_of(campaign)[0]


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> Iterator[Celery]:
    """Everything takes long; the site's own application with its queue empty."""
    monkeypatch.setattr(asking, "AT_ONCE_LABELS", 0)
    app.control.purge()
    yield app
    app.control.purge()


def test_what_was_worked_out_is_kept(campaign: Campaign, dimension: Dimension) -> None:
    first = latest(campaign, dimension)
    with time_machine.travel(timezone.now() + timedelta(hours=1)):
        assert latest(campaign, dimension) == first


def test_new_labels_are_taken_up_after_a_rest(
    campaign: Campaign, dimension: Dimension, annotator: User, second_annotator: User
) -> None:
    before = latest(campaign, dimension)
    for person in (annotator, second_annotator):
        label(campaign, person, 1)
    assert latest(campaign, dimension) == before
    with time_machine.travel(timezone.now() + timedelta(hours=1)):
        after = latest(campaign, dimension)
    assert before is not None
    assert after is not None
    assert (before.findings.n_overlap_items, after.findings.n_overlap_items) == (0, 1)


def test_another_target_is_another_question(campaign: Campaign, dimension: Dimension) -> None:
    before = latest(campaign, dimension)
    campaign.agreement_target = 0.7
    campaign.save()
    with time_machine.travel(timezone.now() + timedelta(hours=1)):
        assert latest(campaign, dimension) != before


def test_many_labels_wait_for_the_worker(
    waiting: Celery, campaign: Campaign, dimension: Dimension, lead: User, annotator: User, client_for: SignIn
) -> None:
    label(campaign, annotator, 1)
    address = reverse("annotation:obstacles", args=[campaign.slug])
    client = client_for(lead)
    assert "Being worked out" in client.get(address).content.decode()
    assert people_to_look_at(campaign) is None
    work_out_findings(str(campaign.pk), dimension.key)
    html = client.get(address).content.decode()
    assert "Being worked out" not in html
    assert "0 of 50" in html


def test_the_worker_is_asked_once_and_then_waited_for(
    waiting: Celery, campaign: Campaign, dimension: Dimension, annotator: User
) -> None:
    label(campaign, annotator, 1)
    assert [latest(campaign, dimension) for _ in range(3)] == [None, None, None]
    with waiting.connection_for_read() as connection:
        channel: Any = connection.default_channel
        (message,) = channel.client.lrange(waiting.conf.task_default_queue, 0, -1)
    assert b"work_out_findings" in message


def test_a_worker_that_does_not_answer_is_not_waited_for(
    waiting: Celery, campaign: Campaign, dimension: Dimension, annotator: User
) -> None:
    label(campaign, annotator, 1)
    assert latest(campaign, dimension) is None
    long_ago = timezone.now().timestamp() - PATIENCE_SECONDS - 1
    cache.set(asked(name_of(campaign, dimension)), long_ago, KEPT_SECONDS)
    assert latest(campaign, dimension) is not None
    assert cache.get(asked(name_of(campaign, dimension))) is None  # the next time it is asked again


def test_without_a_broker_whoever_asks_works_it_out(
    campaign: Campaign, dimension: Dimension, annotator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "AT_ONCE_LABELS", 0)
    monkeypatch.setattr(app.conf, "broker_url", "redis+socket:///nowhere/redis.sock")
    monkeypatch.setattr(app, "_pool", None)  # the pools remember the broker they were made for
    monkeypatch.setattr(app.amqp, "_producer_pool", None)
    label(campaign, annotator, 1)
    assert latest(campaign, dimension) is not None


def test_people_are_counted_once_however_many_alerts_name_them(
    lead: User, annotator: User, second_annotator: User
) -> None:
    people = [annotator, second_annotator, third_annotator()]
    campaign = make_disputed_campaign(lead, people, samples=120)
    alerts = [
        alert
        for dimension in headlines_of(campaign)
        if (kept := latest(campaign, dimension)) is not None
        for alert in kept.findings.alerts
    ]
    assert len(alerts) > len({alert.rater for alert in alerts}) > 0
    assert people_to_look_at(campaign) == len({alert.rater for alert in alerts})


def test_the_dashboard_counts_them_once_they_are_known_and_not_to_a_lead_who_labels(
    lead: User, annotator: User, second_annotator: User, client_for: SignIn
) -> None:
    people = [annotator, second_annotator, third_annotator()]
    campaign = make_disputed_campaign(lead, people, samples=120)
    address = reverse("annotation:dashboard", args=[campaign.slug])
    client = client_for(lead)
    assert "to look at" not in client.get(address).content.decode()
    for dimension in headlines_of(campaign):
        work_out_findings(str(campaign.pk), dimension.key)
    assert "1 clinician to look at" in client.get(address).content.decode()
    RoleGrant.objects.create(user=lead, role=Role.ANNOTATOR)
    Assignment.objects.create(
        campaign=campaign,
        sample=campaign.samples.all()[0],
        annotator=lead,
        purpose=Purpose.OVERLAP,
        position=1,
    )
    assert "to look at" not in client.get(address).content.decode()
