"""Heartbeats: what a page claims is counted once, by the server's clock, in one tab or in several."""

import random
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from django.db import connection

from annotation.models import Activity, Campaign, Heartbeat, PaidRole
from annotation.pay.services import record_heartbeat
from annotation.pay.spans import REACH
from prometheus_site.accounts.models import RoleGrant, User
from prometheus_site.accounts.roles import Role
from tests.annotation.api.calling import Caller, caller
from tests.annotation.pay.paid import beat
from tests.annotation.worlds import make_campaign

NOON = datetime(2026, 11, 10, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def campaign(lead: User, annotator: User) -> Campaign:
    return make_campaign(lead, [annotator], samples=2, labels_per_sample=1)


@pytest.fixture
def api(campaign: Campaign, annotator: User) -> Caller:
    return caller(annotator, campaign)


def counted(one: Heartbeat) -> timedelta:
    return one.ended_at - one.started_at


def overlaps(person: User) -> list[tuple[Heartbeat, Heartbeat]]:
    beats = list(Heartbeat.objects.filter(person=person).order_by("ended_at", "started_at"))
    return [(one, other) for one, other in pairwise(beats) if other.started_at < one.ended_at]


def test_what_was_claimed_counts_up_to_now(campaign: Campaign, annotator: User) -> None:
    stored = beat(campaign, annotator, NOON, 45)
    assert (stored.started_at, stored.ended_at) == (NOON - timedelta(seconds=45), NOON)
    assert (stored.activity, stored.paid_as) == (Activity.LABELLING, PaidRole.ANNOTATOR)


def test_nobody_can_claim_more_than_passed(campaign: Campaign, annotator: User) -> None:
    beat(campaign, annotator, NOON, 60)
    assert counted(beat(campaign, annotator, NOON + 2 * MINUTE, 20 * 60)) == 2 * MINUTE
    assert counted(beat(campaign, annotator, NOON + timedelta(days=1), 5 * 3600)) == REACH


def test_the_same_heartbeat_again_counts_once(campaign: Campaign, annotator: User) -> None:
    key = uuid.uuid4()
    first = beat(campaign, annotator, NOON, 60, key=key)
    again = beat(campaign, annotator, NOON + 5 * MINUTE, 60, key=key)
    assert again.pk == first.pk
    assert Heartbeat.objects.count() == 1


def test_an_outage_that_one_heartbeat_claims_is_counted_whole(campaign: Campaign, annotator: User) -> None:
    beat(campaign, annotator, NOON, 45)
    assert counted(beat(campaign, annotator, NOON + 20 * MINUTE, 20 * 60)) == 20 * MINUTE


def test_a_heartbeat_whose_answer_was_lost_counts_once_although_the_next_claims_its_time_again(
    campaign: Campaign, annotator: User
) -> None:
    for number in range(1, 6):
        beat(campaign, annotator, NOON + number * MINUTE, 60 * number)
    assert not overlaps(annotator)
    assert sum((counted(one) for one in Heartbeat.objects.all()), timedelta()) == 5 * MINUTE


def test_two_tabs_in_two_campaigns_share_one_clock(campaign: Campaign, annotator: User, lead: User) -> None:
    other = make_campaign(lead, [annotator], slug="other", samples=2, labels_per_sample=1)
    begun = beat(campaign, annotator, NOON, 0)
    chance = random.Random(5)  # noqa: S311
    now = NOON
    for _ in range(60):
        now += timedelta(seconds=chance.randint(0, 90))
        beat(chance.choice([campaign, other]), annotator, now, chance.randint(1, 300))
    total = sum((counted(one) for one in Heartbeat.objects.all()), timedelta())
    assert not overlaps(annotator)
    assert total <= now - begun.ended_at


def test_a_clock_put_back_counts_nothing_twice_and_goes_on_once_it_caught_up(
    campaign: Campaign, annotator: User
) -> None:
    beat(campaign, annotator, NOON, 60)
    for minutes in (-30, -29, -1):
        assert not counted(beat(campaign, annotator, NOON + minutes * MINUTE, 60))
    assert counted(beat(campaign, annotator, NOON + MINUTE, 60)) == MINUTE
    assert sum((counted(one) for one in Heartbeat.objects.all()), timedelta()) == 2 * MINUTE


def test_reading_is_paid_as_adjudicator_where_somebody_is_nothing_else(
    campaign: Campaign, annotator: User
) -> None:
    RoleGrant.objects.filter(user=annotator).update(role=Role.ADJUDICATOR)
    person = User.objects.get(pk=annotator.pk)
    assert beat(campaign, person, NOON, 60).paid_as == PaidRole.ADJUDICATOR


def test_nobody_is_paid_for_a_role_that_was_not_given(api: Caller, annotator: User) -> None:
    api.call("beat/", {"key": str(uuid.uuid4()), "active_seconds": 45, "activity": "adjudication"})
    assert Heartbeat.objects.get(person=annotator).paid_as == PaidRole.ANNOTATOR


def test_heartbeats_at_the_same_moment_take_turns(committed_db: str, lead: User, annotator: User) -> None:
    campaign = make_campaign(lead, [annotator], samples=2, labels_per_sample=1)

    def claim(_: int) -> None:
        record_heartbeat(
            person=annotator,
            campaign=campaign,
            key=uuid.uuid4(),
            active_seconds=600,
            activity=Activity.LABELLING,
        )
        connection.close()

    with ThreadPoolExecutor(4) as tabs:
        list(tabs.map(claim, range(12)))
    assert Heartbeat.objects.count() == 12
    assert not overlaps(annotator)
    assert sum((counted(one) for one in Heartbeat.objects.all()), timedelta()) < timedelta(seconds=660)


def test_the_endpoint_counts_and_says_how_much(api: Caller, campaign: Campaign) -> None:
    sent = {"key": str(uuid.uuid4()), "active_seconds": 45, "activity": "guideline"}
    answer = api.call("beat/", sent)
    assert (answer.status_code, answer.json()) == (200, {"counted_seconds": 45.0})
    assert api.call("beat/", sent).json() == {"counted_seconds": 45.0}
    assert Heartbeat.objects.get().activity == Activity.GUIDELINE
    assert api.call("hours/", method="get").json()["seconds_this_month"] == 45


@pytest.mark.parametrize(
    "wrong",
    [{"active_seconds": -1}, {"active_seconds": 10**6}, {"key": "once"}, {"activity": "sleeping"}],
)
def test_a_malformed_heartbeat_is_refused(api: Caller, wrong: dict[str, object]) -> None:
    sent = {"key": str(uuid.uuid4()), "active_seconds": 45} | wrong
    assert api.call("beat/", sent).status_code == 400
    assert not Heartbeat.objects.exists()


def test_a_page_of_somebody_else_counts_for_nobody(
    campaign: Campaign, annotator: User, second_annotator: User, client_for: object
) -> None:
    client = client_for(annotator)  # type: ignore[operator]
    answer = client.post(
        f"/api/v1/campaigns/{campaign.slug}/beat/",
        {"key": str(uuid.uuid4()), "active_seconds": 45},
        content_type="application/json",
        headers={"X-Person": second_annotator.code},
    )
    assert answer.status_code == 401
    assert not Heartbeat.objects.exists()


def test_a_heartbeat_costs_few_queries_however_many_there_were(
    api: Caller, campaign: Campaign, annotator: User, django_assert_max_num_queries: object
) -> None:
    for number in range(30):
        beat(campaign, annotator, NOON + number * MINUTE, 60)
    with django_assert_max_num_queries(12):  # type: ignore[operator]
        api.call("beat/", {"key": str(uuid.uuid4()), "active_seconds": 45})
