"""POST correct/: a correction with its reason; the corrected label stays."""

import uuid
from typing import Any

import pytest

from annotation.models import Campaign, CampaignState, Label, LabelLock
from prometheus_site.accounts.models import User
from prometheus_site.core.sealing import open_text
from tests.annotation.api.calling import Caller, caller


@pytest.fixture
def given(api: Caller, card: Any) -> str:
    """A label, stored and not locked yet."""
    return str(api.save(card).json()["label"])


def correct(api: Caller, given: str, **changes: object) -> Any:
    body = api.label(**changes)
    return api.call(f"labels/{given}/correct/", {"reason": "misread turn 1"} | body)


def test_works(api: Caller, given: str) -> None:
    answer = correct(api, given, answers={"empathy_global": "5"}, note="now I see", active_seconds=9)
    assert answer.status_code == 201
    body = answer.json()
    assert {"label", "receipt", "saved_at"} <= set(body)
    newest = Label.objects.get(pk=body["label"])
    assert str(newest.supersedes_id) == given
    assert newest.answers["empathy_global"] == "5"
    assert newest.reason is not None
    assert open_text(newest.reason) == "misread turn 1"
    assert str(LabelLock.objects.get().label_id) == given
    assert list(Label.objects.current()) == [newest]


def test_the_same_request_again_stores_nothing(api: Caller, given: str) -> None:
    body = api.label() | {"reason": "misread"}
    answers = [api.call(f"labels/{given}/correct/", body) for _ in range(3)]
    assert [one.status_code for one in answers] == [201, 200, 200]
    assert len({one.json()["label"] for one in answers}) == 1
    assert Label.objects.count() == 2


def test_a_key_with_another_reason_is_a_conflict(api: Caller, given: str) -> None:
    body = api.label() | {"reason": "misread"}
    api.call(f"labels/{given}/correct/", body)
    answer = api.call(f"labels/{given}/correct/", body | {"reason": "changed my mind"})
    assert (answer.status_code, answer.json()["code"]) == (409, "key_reused")


def test_a_corrected_or_undone_label_is_a_conflict(api: Caller, given: str) -> None:
    newest = correct(api, given).json()["label"]
    answer = correct(api, given)
    assert (answer.status_code, answer.json()["code"]) == (409, "already_labelled")
    assert correct(api, newest).status_code == 201


def test_an_undone_label_is_a_conflict(api: Caller, given: str) -> None:
    api.call("undo/")
    answer = correct(api, given)
    assert (answer.status_code, answer.json()["code"]) == (409, "already_labelled")


@pytest.mark.parametrize("reason", ["", "   ", None])
def test_needs_a_reason(api: Caller, given: str, reason: str | None) -> None:
    answer = api.call(f"labels/{given}/correct/", api.label() | {"reason": reason})
    assert (answer.status_code, set(answer.json()["errors"])) == (400, {"reason"})
    assert Label.objects.count() == 1


def test_answers_that_cannot_be_recorded_are_named(api: Caller, given: str) -> None:
    answer = correct(api, given, answers={"empathy_global": "9"})
    assert answer.status_code == 422
    assert set(answer.json()["errors"]) == {"empathy_global"}
    assert Label.objects.count() == 1
    assert not LabelLock.objects.exists()


def test_a_closed_campaign_takes_none(api: Caller, given: str, campaign: Campaign) -> None:
    Campaign.objects.filter(pk=campaign.pk).update(state=CampaignState.CLOSED)
    answer = correct(api, given)
    assert (answer.status_code, answer.json()["code"]) == (409, "campaign_closed")
    assert Label.objects.count() == 1


def test_nobody_elses_label_is_found(
    api: Caller, given: str, campaign: Campaign, second_annotator: User
) -> None:
    assert correct(caller(second_annotator, campaign), given).status_code == 404
    assert correct(api, str(uuid.uuid4())).status_code == 404
    assert Label.objects.count() == 1


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_only_post(api: Caller, given: str, method: str) -> None:
    body = api.label() | {"reason": "misread"}
    assert api.call(f"labels/{given}/correct/", body, method).status_code == 405
    assert Label.objects.count() == 1
