"""POST label/: stores a label once and hands out what is wanted next."""

import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from annotation.assignment.queue import release_expired_leases
from annotation.models import Assignment, AssignmentState, Campaign, CampaignMember, CampaignState, Label
from prometheus_site.accounts.models import User
from prometheus_site.audit.models import ChainEntry
from prometheus_site.core.sealing import open_text
from tests.annotation.api.calling import Caller, about
from tests.annotation.worlds import GOOD_ANSWERS


def test_works(api: Caller, card: Any, annotator: User) -> None:
    before = timezone.now()
    answer = api.save(card, note=" a private thought ", active_seconds=31)
    assert answer.status_code == 201
    body = answer.json()
    assert set(body) == {"label", "receipt", "saved_at", "is_replay", "cards", "standing", "pause"}
    stored = Label.objects.get()
    assert (body["label"], body["receipt"]) == (str(stored.pk), str(stored.pk)[:8])
    assert before <= datetime.fromisoformat(body["saved_at"]) == stored.created_at
    assert body["is_replay"] is False
    assert body["cards"] == []
    assert (body["standing"]["labelled"], body["standing"]["undoable"]) == (1, 1)
    assert stored.active_seconds == 31
    assert stored.note is not None
    assert open_text(stored.note) == "a private thought"
    assert ChainEntry.objects.get(chain=annotator).object_id == stored.pk


def test_the_label_names_its_lease_sitting_and_place(api: Caller, card: Any, annotator: User) -> None:
    api.next(held=[card["assignment"]], showing=card["assignment"])
    api.save(card)
    stored = Label.objects.get()
    assert str(stored.lease_id) == card["lease"]
    assert stored.screen_order == card["screen_order"]
    assert stored.shown_at == Assignment.objects.get(pk=card["assignment"]).first_shown_at is not None
    assert stored.sitting == annotator.sittings.get()


def test_the_answer_brings_the_next_samples(api: Caller, card: Any) -> None:
    """As the page's script does it: save what is on screen, show what was fetched, fetch what is missing."""
    ahead = api.next(count=2, held=[card["assignment"]]).json()["cards"]
    held = [one["assignment"] for one in ahead]
    body = api.save(card, held=held, showing=held[0], count=1).json()
    assert len(body["cards"]) == 1
    assert body["cards"][0]["assignment"] not in [card["assignment"], *held]
    assert Assignment.objects.get(pk=held[0]).first_shown_at is not None
    leased = Assignment.objects.filter(state=AssignmentState.LEASED).values_list("pk", flat=True)
    assert {str(pk) for pk in leased} == {*held, body["cards"][0]["assignment"]}


def test_the_same_submission_again_stores_nothing(api: Caller, card: Any) -> None:
    sent = api.label(note="a thought", active_seconds=12)
    answers = [api.call(about(card, "label"), sent) for _ in range(3)]
    assert [one.status_code for one in answers] == [201, 200, 200]
    assert [one.json()["is_replay"] for one in answers] == [False, True, True]
    assert len({one.json()["label"] for one in answers}) == 1
    assert len({one.json()["saved_at"] for one in answers}) == 1
    assert Label.objects.count() == ChainEntry.objects.count() == 1


def test_the_same_answers_in_another_order_are_the_same(api: Caller, card: Any) -> None:
    sent = api.label()
    api.call(about(card, "label"), sent)
    turned = sent | {"answers": dict(reversed(list(GOOD_ANSWERS.items())))}
    assert api.call(about(card, "label"), turned).status_code == 200


@pytest.mark.parametrize(
    "change",
    [{"answers": GOOD_ANSWERS | {"empathy_global": "5"}}, {"note": "another"}],
    ids=["answers", "note"],
)
def test_a_key_with_other_content_is_a_conflict(api: Caller, card: Any, change: dict[str, object]) -> None:
    sent = api.label(note="a thought")
    api.call(about(card, "label"), sent)
    answer = api.call(about(card, "label"), sent | change)
    assert (answer.status_code, answer.json()["code"]) == (409, "key_reused")
    assert Label.objects.get().answers["empathy_global"] == "3"


def test_a_key_of_another_sample_is_a_conflict(api: Caller, card: Any) -> None:
    [other] = api.next(held=[card["assignment"]]).json()["cards"]
    sent = api.label()
    api.call(about(card, "label"), sent)
    answer = api.call(about(other, "label"), sent)
    assert (answer.status_code, answer.json()["code"]) == (409, "key_reused")
    assert Label.objects.count() == 1


def test_a_second_label_is_a_conflict(api: Caller, card: Any) -> None:
    api.save(card)
    answer = api.save(card)
    assert (answer.status_code, answer.json()["code"]) == (409, "already_labelled")
    assert Label.objects.count() == 1


def test_what_was_fetched_ahead_is_labelled_after_an_hour_asleep(api: Caller) -> None:
    """The leases ran out meanwhile, and the page goes on with what it has in memory."""
    cards = api.next(count=3).json()["cards"]
    ids = [card["assignment"] for card in cards]
    api.next(held=ids, showing=ids[0])
    leased = Assignment.objects.filter(state=AssignmentState.LEASED)
    leased.update(leased_until=timezone.now() - timedelta(minutes=30))
    assert release_expired_leases() >= 3
    for at, card in enumerate(cards):
        answer = api.save(card, held=ids[at + 1 :], showing=ids[at + 1] if at < 2 else None, count=1)
        assert answer.status_code == 201
    given = Label.objects.order_by("created_at")
    assert [str(one.assignment_id) for one in given] == ids
    assert all(one.shown_at is not None for one in given)


def test_figures_that_nobody_wants_are_not_counted(api: Caller, card: Any) -> None:
    assert api.save(card, wants_standing=False, count=1).json()["standing"] is None


@pytest.mark.parametrize("is_shown", [True, False])
def test_what_the_plan_took_back_is_kept_when_it_was_read(api: Caller, is_shown: bool) -> None:
    [card] = api.next().json()["cards"]
    assert card["turns"] is None, "a text that was sent counts as read"
    if is_shown:
        card = api.open(card)
    slots = Assignment.objects.filter(pk=card["assignment"])
    slots.update(state=AssignmentState.WITHDRAWN, lease_id=None, leased_until=None)
    answer = api.call(about(card, "label"), api.label())
    if is_shown:
        assert answer.status_code == 201
    else:
        assert (answer.status_code, answer.json()["code"]) == (409, "not_yours_any_more")


def test_a_closed_campaign_stores_nothing(api: Caller, card: Any, campaign: Campaign) -> None:
    Campaign.objects.filter(pk=campaign.pk).update(state=CampaignState.CLOSED)
    answer = api.save(card)
    assert (answer.status_code, answer.json()["code"]) == (409, "campaign_closed")
    assert not Label.objects.exists()


def test_a_label_stored_before_the_campaign_closed_is_told(
    api: Caller, card: Any, campaign: Campaign
) -> None:
    """The answer was lost and the campaign closed meanwhile: it is stored, and the program hears so."""
    sent = api.label(count=2)
    api.call(about(card, "label"), sent)
    Campaign.objects.filter(pk=campaign.pk).update(state=CampaignState.CLOSED)
    answer = api.call(about(card, "label"), sent)
    assert (answer.status_code, answer.json()["is_replay"], answer.json()["cards"]) == (200, True, [])


def test_who_left_the_campaign_finds_nothing(
    api: Caller, card: Any, campaign: Campaign, annotator: User
) -> None:
    CampaignMember.objects.filter(campaign=campaign, user=annotator).update(left_at=timezone.now())
    assert api.save(card).status_code == 404
    assert not Label.objects.exists()


@pytest.mark.parametrize(
    ("answers", "at_fault"),
    [
        ({"crisis_intensity": ""}, "crisis_intensity"),
        ({"crisis_intensity": "9"}, "crisis_intensity"),
        ({"crisis_intensity": ["0"]}, "crisis_intensity"),
        ({"crisis_intensity": {"code": "0"}}, "crisis_intensity"),
        ({"crisis_types": ["suicide"]}, "crisis_types"),
        ({"crisis_types": [["suicide"]]}, "crisis_types"),
        ({"modality_secondary": "act"}, "modality_secondary"),
        ({"modality_secondary": ["act", "dbt", "cbt"]}, "modality_secondary"),
        ({"modality_primary": "act", "modality_secondary": ["act"]}, "modality_secondary"),
        ({"crisis_not_ratable": 7}, "crisis_not_ratable"),
        ({"no_such_question": "1"}, "no_such_question"),
    ],
    ids=str,
)
def test_answers_that_cannot_be_recorded_are_named(
    api: Caller, card: Any, answers: dict[str, object], at_fault: str
) -> None:
    answer = api.save(card, answers=answers)
    body = answer.json()
    assert (answer.status_code, body["code"]) == (422, "answers_refused")
    assert at_fault in body["errors"]
    assert all(isinstance(words, str) and words for words in body["errors"].values())
    assert not Label.objects.exists()
    assert Assignment.objects.get(pk=card["assignment"]).state == AssignmentState.LEASED


def test_numbers_are_taken_as_codes(api: Caller, card: Any) -> None:
    assert api.save(card, answers={"crisis_intensity": 0, "empathy_global": 3}).status_code == 201
    assert Label.objects.get().answers["empathy_global"] == "3"


def test_a_refused_label_can_be_sent_again_with_the_same_key(api: Caller, card: Any) -> None:
    sent = api.label()
    wrong = sent | {"answers": GOOD_ANSWERS | {"crisis_intensity": "9"}}
    assert api.call(about(card, "label"), wrong).status_code == 422
    assert api.call(about(card, "label"), sent).status_code == 201


def test_a_guideline_of_nowhere_is_refused(api: Caller, card: Any) -> None:
    answer = api.save(card, guideline=str(uuid.uuid4()))
    assert answer.status_code == 422
    assert "names a guideline that does not belong here" in answer.json()["detail"]
    assert not Label.objects.exists()


@pytest.mark.parametrize(
    "field",
    [
        {"key": "not-a-uuid"},
        {"key": None},
        {"guideline": ""},
        {"answers": []},
        {"answers": "0"},
        {"note": "x" * 4001},
        {"active_seconds": -1},
        {"active_seconds": 24 * 60 * 60 + 1},
        {"active_seconds": "long"},
        {"count": 4},
        {"held": 5},
    ],
    ids=lambda field: next(f"{name}={str(value)[:12]}" for name, value in field.items()),
)
def test_bad_input_stores_nothing(api: Caller, card: Any, field: dict[str, object]) -> None:
    answer = api.call(about(card, "label"), api.label() | field)
    assert answer.status_code == 400
    assert next(iter(field)) in answer.json()["errors"]
    assert not Label.objects.exists()


def test_missing_fields_are_named(api: Caller, card: Any) -> None:
    answer = api.call(about(card, "label"), {})
    assert set(answer.json()["errors"]) == {"key", "guideline", "answers"}


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_only_post(api: Caller, card: Any, method: str) -> None:
    assert api.call(about(card, "label"), api.label(), method).status_code == 405
    assert not Label.objects.exists()
