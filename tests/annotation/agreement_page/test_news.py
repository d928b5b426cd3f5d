"""What the stream of a campaign's agreement says: everything at first, then what a label has changed."""

import os
import sys
import threading

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotation.agreement_page import news
from annotation.agreement_page.current import LAYOUT
from annotation.agreement_page.news import AgreementNews
from annotation.agreement_page.page import PARTS
from annotation.models import Campaign
from prometheus_site.accounts.models import User
from tests.annotation.worlds import label, make_campaign

DIMENSION = "empathy_global"


@pytest.fixture
def campaign(lead: User, annotator: User, second_annotator: User) -> Campaign:
    return make_campaign(lead, [annotator, second_annotator], samples=3)


@pytest.fixture
def restless(monkeypatch: pytest.MonkeyPatch) -> None:
    """No rest after computing, and the test's own thread keeps its place."""
    monkeypatch.setattr(news, "REST_FACTOR", 0)
    monkeypatch.setattr(news, "NICENESS", os.getpriority(os.PRIO_PROCESS, 0))


@pytest.mark.usefixtures("restless")
def test_says_everything_then_nothing_then_what_changed(
    campaign: Campaign, annotator: User, second_annotator: User
) -> None:
    label(campaign, annotator, 1)
    source = AgreementNews(campaign.pk, DIMENSION, has_names=False)
    first = source.changed_parts()
    assert set(first) == {f"agreement-{name}" for name in PARTS}
    assert all(html.count(f'id="{name}"') == 1 for name, html in first.items())
    with CaptureQueriesContext(connection) as queries:
        assert source.changed_parts() == {}
    assert len(queries) == 1, "a look is one question"
    label(campaign, second_annotator, 1)
    changed = source.changed_parts()
    assert {"agreement-as-of", "agreement-cards", "agreement-pairs"} <= set(changed)
    assert second_annotator.code in changed["agreement-pairs"]
    assert second_annotator.display_name not in "".join(changed.values())


@pytest.mark.usefixtures("restless")
def test_names_are_in_it_for_a_session_that_revealed_them(
    campaign: Campaign, annotator: User, second_annotator: User
) -> None:
    for person in (annotator, second_annotator):
        label(campaign, person, 1)
    parts = AgreementNews(campaign.pk, DIMENSION, has_names=True).changed_parts()
    assert second_annotator.display_name in parts["agreement-pairs"]


@pytest.mark.usefixtures("restless")
def test_what_another_computes_meanwhile_is_looked_for_again(campaign: Campaign, annotator: User) -> None:
    source = AgreementNews(campaign.pk, DIMENSION, has_names=False)
    source.changed_parts()
    label(campaign, annotator, 1)
    computing = f"agreement-{LAYOUT}-{campaign.pk}-{DIMENSION}-computing"
    cache.add(computing, True)
    assert "agreement-cards" not in source.changed_parts()
    cache.delete(computing)
    assert "1: Samples with one label only" in source.changed_parts()["agreement-cards"]


def test_rests_after_computing(campaign: Campaign, annotator: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(news, "NICENESS", os.getpriority(os.PRIO_PROCESS, 0))
    monkeypatch.setattr(news, "REST_FACTOR", 10_000)
    source = AgreementNews(campaign.pk, DIMENSION, has_names=False)
    assert source.changed_parts()
    label(campaign, annotator, 1)
    assert source.changed_parts() == {}, "however much has happened"


@pytest.mark.skipif(sys.platform != "linux", reason="a thread has a priority of its own on Linux only")
def test_its_thread_makes_way_and_no_other(campaign: Campaign) -> None:
    found: list[int] = []

    def compute() -> None:
        news._make_way()
        found.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

    thread = threading.Thread(target=compute)
    thread.start()
    thread.join()
    assert found == [news.NICENESS]
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) < news.NICENESS
