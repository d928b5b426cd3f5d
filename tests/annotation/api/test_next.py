"""POST next/: leases what comes next and says what is on the screen; a severe text stays behind."""

from datetime import datetime
from typing import Any

import pytest
from django.utils import timezone

from annotation.models import Assignment, AssignmentState, Campaign, CampaignState
from annotation.wellbeing.policy import REST_AFTER_SEVERE_MINUTES
from prometheus_site.accounts.models import User
from prometheus_site.audit.models import AccessEvent
from tests.annotation.api.calling import Caller, caller
from tests.annotation.planned import give, make_planned_campaign, queue_of

CARD = {
    "assignment",
    "number",
    "screen_order",
    "present",
    "is_severe",
    "is_window",
    "turns",
    "draft",
    "lease",
    "leased_until",
}
STANDING = {
    "labelled",
    "waiting",
    "undoable",
    "seconds_today",
    "sitting_started_at",
    "seconds_per_label",
    "seconds_left",
    "break_after_seconds",
}


def slot(card: Any) -> Assignment:
    return Assignment.objects.select_related("sample").get(pk=card["assignment"])


def test_works(api: Caller, campaign: Campaign, annotator: User) -> None:
    expected = [one.sample.number for one in queue_of(campaign, annotator)[:3]]
    answer = api.next(count=3)
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"cards", "standing", "pause"}
    assert [card["number"] for card in body["cards"]] == expected
    assert [card["screen_order"] for card in body["cards"]] == [1, 2, 3]
    assert body["pause"] is None
    assert set(body["standing"]) == STANDING
    assert (body["standing"]["labelled"], body["standing"]["waiting"]) == (0, 8)
    for card in body["cards"]:
        assert set(card) == CARD
        stored = slot(card)
        assert (stored.state, str(stored.lease_id)) == (AssignmentState.LEASED, card["lease"])
        assert datetime.fromisoformat(card["leased_until"]) == stored.leased_until
        assert stored.first_shown_at is None
        assert card["present"] == ["assistant", "client"]
        assert card["is_window"]


def test_a_card_has_its_turns_numbered_as_in_the_conversation(api: Caller) -> None:
    card = next(one for one in api.next(count=3).json()["cards"] if not one["is_severe"])
    start = slot(card).sample.window_start
    assert [(turn["number"], turn["role"]) for turn in card["turns"]] == [
        (start + 1, "user"),
        (start + 2, "assistant"),
    ]
    assert card["turns"][0]["text"] == f"source of planned: what was said, 1.{start}"


def test_a_severe_text_does_not_leave_the_server(api: Caller, annotator: User) -> None:
    cards = api.next(count=3).json()["cards"]
    severe = [card for card in cards if card["is_severe"]]
    assert severe
    assert all(card["turns"] is None for card in severe)
    read = AccessEvent.objects.filter(actor=annotator, object_type="sample")
    opened = {str(slot(card).sample_id) for card in cards if not card["is_severe"]}
    assert set(read.values_list("object_id", flat=True)) == opened


def test_one_is_handed_out_when_nothing_is_said(api: Caller) -> None:
    assert len(api.next().json()["cards"]) == 1


def test_what_is_held_is_not_sent_again(api: Caller) -> None:
    first = api.next(count=2).json()["cards"]
    held = [card["assignment"] for card in first]
    more = api.next(count=1, held=held).json()["cards"]
    assert len(more) == 1
    assert more[0]["assignment"] not in held
    again = api.next(count=3, held=held[:1]).json()["cards"]
    assert [card["assignment"] for card in again[:2]] == [held[1], more[0]["assignment"]]


def test_notes_what_is_on_the_screen(api: Caller) -> None:
    [card] = api.next().json()["cards"]
    before = timezone.now()
    api.next(held=[card["assignment"]], showing=card["assignment"])
    shown_at = slot(card).first_shown_at
    assert shown_at is not None
    assert shown_at >= before
    api.next(held=[card["assignment"]], showing=card["assignment"])
    assert slot(card).first_shown_at == shown_at


def test_nobody_notes_what_another_sees(
    api: Caller, campaign: Campaign, second_annotator: User, lead: User, annotator: User
) -> None:
    [theirs] = caller(second_annotator, campaign).next().json()["cards"]
    elsewhere = make_planned_campaign(lead, [annotator], samples=1, slug="other", labels_per_sample=1)
    [mine] = elsewhere.assignments.all()
    for showing in (theirs["assignment"], str(mine.pk)):
        assert api.next(showing=showing).status_code == 200
    assert slot(theirs).first_shown_at is None
    mine.refresh_from_db()
    assert mine.first_shown_at is None


def test_a_draft_comes_with_its_card(api: Caller, card: Any) -> None:
    draft = {"answers": {"empathy_global": "4"}, "note": "half a thought"}
    api.call(f"assignments/{card['assignment']}/draft/", draft, "put")
    [again] = api.next().json()["cards"]
    assert card["draft"] is None
    assert again["draft"] == draft


def test_the_pause_is_told(lead: User, annotator: User, second_annotator: User) -> None:
    campaign = make_planned_campaign(
        lead, [annotator, second_annotator], samples=2, severe=[1, 2], slug="severe"
    )
    api = caller(annotator, campaign)
    [first] = api.next().json()["cards"]
    api.next(held=[first["assignment"]], showing=first["assignment"])
    given = give(campaign, slot(first))
    body = api.next(count=3).json()
    assert body["cards"] == []
    assert body["pause"]["reason"] == "only_severe_left"
    until = datetime.fromisoformat(body["pause"]["until"])
    assert (until - given.created_at).total_seconds() == 60 * REST_AFTER_SEVERE_MINUTES
    assert "Take a pause" in body["pause"]["detail"]


def test_an_empty_queue_is_no_error(api: Caller, campaign: Campaign) -> None:
    campaign.assignments.update(state=AssignmentState.LABELLED)
    body = api.next(count=3).json()
    assert (body["cards"], body["pause"]) == ([], None)


def test_a_closed_campaign_hands_out_nothing(api: Caller, campaign: Campaign) -> None:
    Campaign.objects.filter(pk=campaign.pk).update(state=CampaignState.CLOSED)
    answer = api.next()
    assert (answer.status_code, answer.json()["code"]) == (409, "campaign_closed")
    assert "takes no labels now" in answer.json()["detail"]
    assert not Assignment.objects.filter(state=AssignmentState.LEASED).exists()


@pytest.mark.parametrize(
    "field",
    [
        {"count": 0},
        {"count": 4},
        {"count": "many"},
        {"held": "all"},
        {"held": ["not-a-uuid"]},
        {"held": ["00000000-0000-4000-8000-000000000000"] * 21},
        {"showing": "the first"},
    ],
    ids=str,
)
def test_bad_input_leases_nothing(api: Caller, field: dict[str, object]) -> None:
    answer = api.next(**field)
    assert answer.status_code == 400
    assert next(iter(field)) in " ".join(answer.json()["errors"])
    assert not Assignment.objects.filter(state=AssignmentState.LEASED).exists()


def test_get_leases_nothing(api: Caller) -> None:
    assert api.call("next/", method="get").status_code == 405
    assert not Assignment.objects.filter(state=AssignmentState.LEASED).exists()
