"""POST flag/: says that something is wrong with a sample."""

import uuid
from datetime import datetime
from typing import Any

import pytest

from annotation.models import Assignment, AssignmentState, FlagKind, SampleFlag
from prometheus_site.core.sealing import open_text
from tests.annotation.api.calling import Caller, about


def flag(**changes: object) -> dict[str, object]:
    return {"key": str(uuid.uuid4()), "kind": "more_severe", "words": "it turns at the end"} | changes


def test_works(api: Caller, card: Any) -> None:
    answer = api.call(about(card, "flag"), flag())
    assert answer.status_code == 201
    stored = SampleFlag.objects.get()
    assert answer.json() == {"flagged_at": answer.json()["flagged_at"]}
    assert datetime.fromisoformat(answer.json()["flagged_at"]) == stored.created_at
    assert (str(stored.assignment_id), stored.kind) == (card["assignment"], FlagKind.MORE_SEVERE)
    assert stored.words is not None
    assert open_text(stored.words) == "it turns at the end"
    assert Assignment.objects.get(pk=card["assignment"]).state == AssignmentState.LEASED


@pytest.mark.parametrize("kind", FlagKind)
def test_every_kind_without_words(api: Caller, card: Any, kind: FlagKind) -> None:
    sent = {"key": str(uuid.uuid4()), "kind": kind.value}
    assert api.call(about(card, "flag"), sent).status_code == 201
    assert SampleFlag.objects.get().words is None


def test_the_same_request_again_adds_nothing(api: Caller, card: Any) -> None:
    sent = flag()
    answers = [api.call(about(card, "flag"), sent) for _ in range(3)]
    assert len({one.json()["flagged_at"] for one in answers}) == 1
    assert SampleFlag.objects.count() == 1


def test_a_key_of_another_sample_is_a_conflict(api: Caller, card: Any) -> None:
    [other] = api.next(held=[card["assignment"]]).json()["cards"]
    sent = flag()
    api.call(about(card, "flag"), sent)
    answer = api.call(about(other, "flag"), sent)
    assert (answer.status_code, answer.json()["code"]) == (409, "key_reused")
    assert SampleFlag.objects.count() == 1


def test_a_labelled_sample_can_still_be_flagged(api: Caller, card: Any) -> None:
    api.save(card)
    assert api.call(about(card, "flag"), flag()).status_code == 201


@pytest.mark.parametrize(
    "field",
    [{"kind": "boring"}, {"kind": None}, {"key": "not-a-uuid"}, {"words": "x" * 4001}],
    ids=lambda field: str(field)[:20],
)
def test_bad_input_flags_nothing(api: Caller, card: Any, field: dict[str, object]) -> None:
    answer = api.call(about(card, "flag"), flag(**field))
    assert answer.status_code == 400
    assert set(answer.json()["errors"]) == set(field)
    assert not SampleFlag.objects.exists()


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_only_post(api: Caller, card: Any, method: str) -> None:
    assert api.call(about(card, "flag"), flag(), method).status_code == 405
    assert not SampleFlag.objects.exists()
