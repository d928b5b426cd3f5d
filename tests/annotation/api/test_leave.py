"""POST leave/: ends the sitting."""

from datetime import datetime
from typing import Any

import pytest
from django.utils import timezone

from annotation.models import Assignment, AssignmentState, Campaign, CampaignState, Draft, LabelLock, Sitting
from tests.annotation.api.calling import Caller, about


def test_works(api: Caller, card: Any) -> None:
    [other] = api.save(card, count=1).json()["cards"]
    api.call(about(other, "draft"), {"answers": {}, "note": "half"}, "put")
    before = timezone.now()
    answer = api.call("leave/")
    assert answer.status_code == 200
    assert set(answer.json()) == {"left_at"}
    assert datetime.fromisoformat(answer.json()["left_at"]) >= before
    assert Sitting.objects.get().ended_at is not None
    assert LabelLock.objects.count() == 1
    assert not Assignment.objects.filter(state=AssignmentState.LEASED).exists()
    assert str(Draft.objects.get().assignment_id) == other["assignment"]


def test_needs_no_body(api: Caller, card: Any) -> None:
    answer = api.client.post(f"/api/v1/campaigns/{api.campaign.slug}/leave/", headers=api.headers)
    assert answer.status_code == 200
    assert Sitting.objects.get().ended_at is not None


def test_twice_is_once(api: Caller, card: Any) -> None:
    api.save(card)
    assert [api.call("leave/").status_code for _ in range(2)] == [200, 200]
    assert Sitting.objects.count() == LabelLock.objects.count() == 1


def test_a_closed_campaign_can_be_left(api: Caller, card: Any, campaign: Campaign) -> None:
    api.save(card)
    Campaign.objects.filter(pk=campaign.pk).update(state=CampaignState.CLOSED)
    assert api.call("leave/").status_code == 200
    assert LabelLock.objects.count() == 1


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_only_post(api: Caller, card: Any, method: str) -> None:
    assert api.call("leave/", {}, method).status_code == 405
    assert Sitting.objects.get().ended_at is None
