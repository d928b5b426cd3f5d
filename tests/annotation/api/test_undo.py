"""POST undo/: the latest label or pass is handed out again, with what had been answered."""

import uuid
from typing import Any

import pytest

from annotation.models import Assignment, AssignmentState, Campaign, CampaignState, Label, LabelUndo
from prometheus_site.accounts.models import User
from tests.annotation.api.calling import Caller, about, caller
from tests.annotation.worlds import GOOD_ANSWERS


def passed(api: Caller, card: Any) -> None:
    assert api.call(about(card, "pass"), {"key": str(uuid.uuid4())}).status_code == 200


def test_works(api: Caller, card: Any) -> None:
    given = api.save(card, note="a thought", answers={"empathy_global": "5"}).json()["label"]
    answer = api.call("undo/")
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"card", "standing"}
    again = body["card"]
    assert (again["assignment"], again["screen_order"]) == (card["assignment"], card["screen_order"])
    assert again["draft"]["note"] == "a thought"
    assert again["draft"]["answers"].items() >= (GOOD_ANSWERS | {"empathy_global": "5"}).items()
    assert again["lease"]
    assert again["leased_until"]
    assert again["turns"] == card["turns"]
    assert (body["standing"]["labelled"], body["standing"]["undoable"]) == (0, 0)
    assert str(LabelUndo.objects.get().label_id) == given


def test_saved_again_it_replaces_the_undone_label(api: Caller, card: Any) -> None:
    first = api.save(card).json()["label"]
    again = api.call("undo/").json()["card"]
    answer = api.save(again)
    assert (answer.status_code, answer.json()["is_replay"]) == (201, False)
    assert str(Label.objects.current().get().supersedes_id) == first


def test_the_named_label(api: Caller, card: Any) -> None:
    saved = api.save(card, count=1).json()
    api.save(saved["cards"][0])
    body = api.call("undo/", {"of": saved["label"]}).json()
    assert body["card"]["assignment"] == card["assignment"]


def test_the_named_label_again_is_the_same(api: Caller, card: Any) -> None:
    """The answer was lost and the page asks again by name: no second label is undone."""
    first = api.save(card, count=1).json()
    second = api.save(first["cards"][0]).json()
    bodies = [api.call("undo/", {"of": second["label"]}).json() for _ in range(2)]
    assert bodies[0]["card"]["assignment"] == bodies[1]["card"]["assignment"]
    assert LabelUndo.objects.count() == 1


def test_the_named_pass(api: Caller, card: Any) -> None:
    passed(api, card)
    [other] = api.next().json()["cards"]
    passed(api, other)
    body = api.call("undo/", {"of": card["assignment"]}).json()
    assert body["card"]["assignment"] == card["assignment"]
    assert body["card"]["draft"] is None
    assert Assignment.objects.get(pk=other["assignment"]).state == AssignmentState.PASSED


def test_a_severe_text_that_was_opened_comes_with_its_turns(api: Caller, campaign: Campaign) -> None:
    campaign.samples.update(is_estimated_severe=True)
    [card] = api.next().json()["cards"]
    turns = api.call(about(card, "open")).json()["turns"]
    api.save(card)
    assert api.call("undo/").json()["card"]["turns"] == turns


def test_a_severe_text_that_was_passed_unread_stays_covered(api: Caller, campaign: Campaign) -> None:
    campaign.samples.update(is_estimated_severe=True)
    [card] = api.next().json()["cards"]
    passed(api, card)
    assert api.call("undo/").json()["card"]["turns"] is None


def test_nothing_to_undo_is_a_conflict(api: Caller) -> None:
    answer = api.call("undo/")
    assert (answer.status_code, answer.json()["code"]) == (409, "locked")
    assert "nothing to undo" in answer.json()["detail"]


def test_after_leaving_everything_is_locked(api: Caller, card: Any) -> None:
    given = api.save(card).json()["label"]
    api.call("leave/")
    for body in ({}, {"of": given}, {"of": card["assignment"]}):
        assert api.call("undo/", body).json()["code"] == "locked"
    assert not LabelUndo.objects.exists()


def test_nobody_undoes_anothers(api: Caller, card: Any, campaign: Campaign, second_annotator: User) -> None:
    given = api.save(card).json()["label"]
    other = caller(second_annotator, campaign)
    for body in ({}, {"of": given}, {"of": card["assignment"]}):
        assert other.call("undo/", body).status_code == 409
    assert not LabelUndo.objects.exists()


def test_a_closed_campaign_undoes_nothing(api: Caller, card: Any, campaign: Campaign) -> None:
    api.save(card)
    Campaign.objects.filter(pk=campaign.pk).update(state=CampaignState.CLOSED)
    assert api.call("undo/").status_code == 409
    assert not LabelUndo.objects.exists()


def test_bad_input_undoes_nothing(api: Caller, card: Any) -> None:
    api.save(card)
    answer = api.call("undo/", {"of": "the last one"})
    assert (answer.status_code, set(answer.json()["errors"])) == (400, {"of"})
    assert not LabelUndo.objects.exists()


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_only_post(api: Caller, card: Any, method: str) -> None:
    api.save(card)
    assert api.call("undo/", {}, method).status_code == 405
    assert not LabelUndo.objects.exists()
