"""GET progress/: one's own figures, and nothing is changed by asking."""

from typing import Any

import pytest

from annotation.models import Assignment, Campaign, Sitting
from prometheus_site.accounts.models import User
from tests.annotation.api.calling import Caller, caller


def test_works(api: Caller, card: Any) -> None:
    api.save(card, active_seconds=40)
    answer = api.call("progress/", method="get")
    assert answer.status_code == 200
    standing = answer.json()["standing"]
    assert (standing["labelled"], standing["waiting"], standing["undoable"]) == (1, 7, 1)
    assert standing["seconds_today"] == 40
    assert standing["sitting_started_at"] is not None
    assert (standing["seconds_per_label"], standing["seconds_left"]) == (None, None)


def test_is_ones_own(api: Caller, card: Any, campaign: Campaign, second_annotator: User) -> None:
    api.save(card, active_seconds=40)
    standing = caller(second_annotator, campaign).call("progress/", method="get").json()["standing"]
    assert (standing["labelled"], standing["seconds_today"]) == (0, 0)


def test_changes_nothing(api: Caller, annotator: User) -> None:
    before = list(Assignment.objects.order_by("pk").values())
    api.call("progress/", method="get")
    assert list(Assignment.objects.order_by("pk").values()) == before
    assert not Sitting.objects.exists()


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_only_get(api: Caller, method: str) -> None:
    assert api.call("progress/", {}, method).status_code == 405
