"""POST pass/: lets a sample go without a reason."""

import uuid
from datetime import datetime
from typing import Any

import pytest
from django.utils import timezone

from annotation.models import Assignment, AssignmentState, Campaign, CampaignState, Label, Pass
from tests.annotation.api.calling import Caller, about


def passing(**changes: object) -> dict[str, object]:
    return {"key": str(uuid.uuid4())} | changes


def test_works(api: Caller, card: Any) -> None:
    before = timezone.now()
    answer = api.call(about(card, "pass"), passing(count=2))
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"passed_at", "cards", "standing", "pause"}
    assert datetime.fromisoformat(body["passed_at"]) >= before
    assert len(body["cards"]) == 2
    assert card["assignment"] not in [one["assignment"] for one in body["cards"]]
    assert Assignment.objects.get(pk=card["assignment"]).state == AssignmentState.PASSED
    assert (body["standing"]["labelled"], body["standing"]["waiting"]) == (0, 7)


def test_no_reason_is_taken(api: Caller, card: Any) -> None:
    api.call(about(card, "pass"), passing(reason="too much for me", note="today"))
    assert {field.name for field in Pass._meta.get_fields()} == {
        "id",
        "assignment",
        "idempotency_key",
        "created_at",
        "taken_back_at",
    }


def test_the_same_request_again_changes_nothing(api: Caller, card: Any) -> None:
    sent = passing()
    answers = [api.call(about(card, "pass"), sent) for _ in range(3)]
    assert [one.status_code for one in answers] == [200, 200, 200]
    assert len({one.json()["passed_at"] for one in answers}) == 1
    assert Pass.objects.count() == 1


def test_a_key_of_another_sample_is_a_conflict(api: Caller, card: Any) -> None:
    [other] = api.next(held=[card["assignment"]]).json()["cards"]
    sent = passing()
    api.call(about(card, "pass"), sent)
    answer = api.call(about(other, "pass"), sent)
    assert (answer.status_code, answer.json()["code"]) == (409, "key_reused")
    assert Assignment.objects.get(pk=other["assignment"]).state == AssignmentState.LEASED


def test_a_labelled_sample_is_a_conflict(api: Caller, card: Any) -> None:
    api.save(card)
    answer = api.call(about(card, "pass"), passing())
    assert (answer.status_code, answer.json()["code"]) == (409, "already_labelled")
    assert not Pass.objects.exists()


def test_a_passed_sample_cannot_be_labelled(api: Caller, card: Any) -> None:
    api.call(about(card, "pass"), passing())
    answer = api.save(card)
    assert (answer.status_code, answer.json()["code"]) == (409, "not_yours_any_more")
    assert not Label.objects.exists()


def test_a_closed_campaign_takes_no_pass(api: Caller, card: Any, campaign: Campaign) -> None:
    Campaign.objects.filter(pk=campaign.pk).update(state=CampaignState.CLOSED)
    answer = api.call(about(card, "pass"), passing())
    assert (answer.status_code, answer.json()["code"]) == (409, "campaign_closed")
    assert not Pass.objects.exists()


@pytest.mark.parametrize("field", [{"key": "not-a-uuid"}, {"key": None}, {"count": 4}, {"held": 5}], ids=str)
def test_bad_input_passes_nothing(api: Caller, card: Any, field: dict[str, object]) -> None:
    answer = api.call(about(card, "pass"), passing(**field))
    assert answer.status_code == 400
    assert set(answer.json()["errors"]) == set(field)
    assert not Pass.objects.exists()


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_only_post(api: Caller, card: Any, method: str) -> None:
    assert api.call(about(card, "pass"), passing(), method).status_code == 405
    assert not Pass.objects.exists()
