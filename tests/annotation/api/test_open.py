"""POST open/: the text of a sample estimated severe, once the person wants to read it."""

from typing import Any

import pytest

from annotation.models import Assignment, AssignmentState, Campaign, Label
from prometheus_site.accounts.models import User
from prometheus_site.audit.models import AccessEvent
from tests.annotation.api.calling import Caller, about, caller


@pytest.fixture
def severe(api: Caller, campaign: Campaign) -> Any:
    """A card whose text is covered."""
    campaign.samples.update(is_estimated_severe=True)
    [card] = api.next().json()["cards"]
    assert card["turns"] is None
    return card


def test_works(api: Caller, severe: Any, annotator: User) -> None:
    answer = api.call(about(severe, "open"))
    assert answer.status_code == 200
    assert set(answer.json()) == {"turns"}
    assert [turn["role"] for turn in answer.json()["turns"]] == ["user", "assistant"]
    assert "what was said" in answer.json()["turns"][0]["text"]
    stored = Assignment.objects.get(pk=severe["assignment"])
    assert stored.opened_at is not None
    assert stored.first_shown_at is not None
    event = AccessEvent.objects.filter(actor=annotator, object_type="sample").get()
    assert event.object_id == str(stored.sample_id)


def test_opened_it_comes_with_its_text(api: Caller, severe: Any) -> None:
    turns = api.call(about(severe, "open")).json()["turns"]
    [again] = api.next().json()["cards"]
    assert again["turns"] == turns


def test_a_covered_text_cannot_be_labelled(api: Caller, severe: Any) -> None:
    refused = api.call(about(severe, "label"), api.label())
    assert refused.status_code == 422
    assert "still covered" in refused.json()["detail"]
    assert not Label.objects.exists()
    api.call(about(severe, "open"))
    assert api.save(severe).status_code == 201


def test_again_is_the_same(api: Caller, severe: Any) -> None:
    first = api.call(about(severe, "open")).json()
    opened_at = Assignment.objects.get(pk=severe["assignment"]).opened_at
    assert api.call(about(severe, "open")).json() == first
    assert Assignment.objects.get(pk=severe["assignment"]).opened_at == opened_at


def test_what_was_never_handed_out_is_a_conflict(api: Caller, severe: Any, campaign: Campaign) -> None:
    other = campaign.assignments.filter(annotator__api_tokens__isnull=False, state=AssignmentState.WAITING)[0]
    answer = api.call(f"assignments/{other.pk}/open/")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_yours_any_more")
    other.refresh_from_db()
    assert (other.opened_at, other.first_shown_at) == (None, None)


def test_the_other_reader_must_open_it_too(
    api: Caller, severe: Any, campaign: Campaign, second_annotator: User
) -> None:
    api.call(about(severe, "open"))
    assert caller(second_annotator, campaign).next().json()["cards"][0]["turns"] is None


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_only_post(api: Caller, severe: Any, method: str) -> None:
    assert api.call(about(severe, "open"), {}, method).status_code == 405
    assert Assignment.objects.get(pk=severe["assignment"]).opened_at is None
