"""PUT draft/: keeps what was answered so far."""

from typing import Any

import pytest

from annotation.labelling import drafts
from annotation.models import Assignment, Campaign, CampaignState, Draft, Label
from tests.annotation.api.calling import Caller, about

HALF: dict[str, object] = {"answers": {"empathy_global": "4", "modality_secondary": ["act"]}, "note": "half"}


def kept_for(card: Any) -> drafts.Unsaved | None:
    return drafts.draft_of(Assignment.objects.get(pk=card["assignment"]))


def test_works(api: Caller, card: Any) -> None:
    answer = api.call(about(card, "draft"), HALF, "put")
    assert (answer.status_code, answer.content) == (204, b"")
    kept = kept_for(card)
    assert kept is not None
    assert {"answers": kept.answers, "note": kept.note} == HALF
    assert not Label.objects.exists()


def test_the_newest_stands(api: Caller, card: Any) -> None:
    api.call(about(card, "draft"), HALF, "put")
    api.call(about(card, "draft"), {"answers": {}}, "put")
    kept = kept_for(card)
    assert kept is not None
    assert (kept.answers, kept.note) == ({}, "")
    assert Draft.objects.count() == 1


def test_saving_removes_it_and_after_a_pass_the_end_of_the_sitting(api: Caller, card: Any) -> None:
    api.call(about(card, "draft"), HALF, "put")
    [other] = api.save(card, count=1).json()["cards"]
    assert not Draft.objects.exists()
    api.call(about(other, "draft"), HALF, "put")
    api.call(about(other, "pass"), {"key": "6f1b6d0e-2c3f-4b0e-9c9e-0d7e3a3b1c11"})
    assert Draft.objects.count() == 1
    api.call("leave/")
    assert not Draft.objects.exists()


def test_a_labelled_sample_is_a_conflict(api: Caller, card: Any) -> None:
    api.save(card)
    answer = api.call(about(card, "draft"), HALF, "put")
    assert (answer.status_code, answer.json()["code"]) == (409, "already_labelled")
    assert not Draft.objects.exists()


def test_a_closed_campaign_keeps_it_for_later(api: Caller, card: Any, campaign: Campaign) -> None:
    Campaign.objects.filter(pk=campaign.pk).update(state=CampaignState.CLOSED)
    answer = api.call(about(card, "draft"), HALF, "put")
    assert answer.status_code == 204
    assert Draft.objects.count() == 1


@pytest.mark.parametrize(
    "field",
    [{"answers": []}, {"answers": "0"}, {"note": "x" * 4001}, {"note": None}],
    ids=lambda f: str(f)[:20],
)
def test_bad_input_keeps_the_older_draft(api: Caller, card: Any, field: dict[str, object]) -> None:
    api.call(about(card, "draft"), HALF, "put")
    answer = api.call(about(card, "draft"), HALF | field, "put")
    assert answer.status_code == 400
    assert set(answer.json()["errors"]) == set(field)
    kept = kept_for(card)
    assert kept is not None
    assert kept.note == "half"


@pytest.mark.parametrize("method", ["get", "post", "patch", "delete"])
def test_only_put(api: Caller, card: Any, method: str) -> None:
    assert api.call(about(card, "draft"), HALF, method).status_code == 405
    assert not Draft.objects.exists()
