"""What a call costs in queries does not grow with the campaign or with what was labelled before."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotation.assignment.queue import hand_out
from annotation.models import Campaign
from prometheus_site.accounts.models import User
from tests.annotation.api.calling import Caller, about, caller
from tests.annotation.planned import give, make_planned_campaign

LIMITS = {"next": 16, "next x 3": 20, "save": 24, "save + next": 33, "progress": 5, "draft": 16, "open": 12}


def count(call: Callable[[], Any]) -> int:
    with CaptureQueriesContext(connection) as queries:
        answer = call()
    assert answer.status_code < 300, answer.content
    return len(queries)


def costs(campaign: Campaign, annotator: User) -> dict[str, int]:
    api = caller(annotator, campaign)
    api.next()  # the use of a new token is noted once, and the sitting begins
    found: dict[str, int] = {"next": count(api.next)}
    found["next x 3"] = count(lambda: api.next(count=3))
    cards = api.next(count=3).json()["cards"]
    held = [card["assignment"] for card in cards[1:]]
    draft = {"answers": {"empathy_global": "3"}, "note": "half"}
    found["draft"] = count(lambda: api.call(about(cards[0], "draft"), draft, "put"))
    found["open"] = count(lambda: api.call(about(cards[0], "open")))
    found["save"] = count(lambda: api.save(cards[0], held=held))
    found["save + next"] = count(lambda: api.save(cards[1], held=held[1:], showing=held[1], count=1))
    found["progress"] = count(lambda: api.call("progress/", method="get"))
    return found


def test_costs_do_not_grow(
    lead: User, annotator: User, second_annotator: User, capsys: pytest.CaptureFixture[str]
) -> None:
    small = make_planned_campaign(
        lead, [annotator, second_annotator], samples=8, slug="small", repeat_percent=0
    )
    large = make_planned_campaign(
        lead, [annotator, second_annotator], samples=120, slug="large", repeat_percent=0
    )
    for _ in range(30):
        [slot] = hand_out(campaign=large, annotator=annotator).slots
        give(large, slot)
    first, later = costs(small, annotator), costs(large, annotator)
    with capsys.disabled():
        print(f"\nqueries per call: {later}")
    assert later == first
    assert all(later[call] <= limit for call, limit in LIMITS.items()), later


def test_a_replay_costs_less_than_a_save(api: Caller, card: Any) -> None:
    sent = api.label()
    first = count(lambda: api.call(about(card, "label"), sent))
    assert count(lambda: api.call(about(card, "label"), sent)) < first
