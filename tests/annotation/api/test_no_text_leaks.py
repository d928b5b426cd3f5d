"""What clinicians read and write stays out of refusals, logs and access events; severe texts stay behind."""

import json
import logging
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from annotation.models import Campaign, Draft, Label
from prometheus_site.accounts.models import User
from prometheus_site.audit.models import AccessEvent
from prometheus_site.observability.logs import AllowListFormatter
from tests.annotation.api.calling import Caller, about, address
from tests.annotation.worlds import GOOD_ANSWERS

SECRET = "Zaunkoenig said he will not see Sunday"
CLIENT_TEXT = "what was said"


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Look through every line of the log, as the site writes it and as Python holds it."""
    caplog.set_level(logging.INFO)
    yield
    formatter, records = AllowListFormatter(), caplog.get_records("call")
    assert records
    for record in records:
        for line in (formatter.format(record), record.getMessage()):
            assert "Zaunkoenig" not in line
            assert CLIENT_TEXT not in line


def refused(api: Caller, card: Any) -> list[Any]:
    """Return the answers to all kinds of bad requests that carry a clinician's words."""
    label, words = about(card, "label"), {"note": SECRET, "reason": SECRET}
    good = api.label()
    return [
        api.call(label, good | words | {"answers": GOOD_ANSWERS | {"crisis_intensity": SECRET}}),
        api.call(label, good | words | {"answers": GOOD_ANSWERS | {SECRET: "1"}}),
        api.call(label, good | words | {"answers": GOOD_ANSWERS | {"crisis_types": [SECRET]}}),
        api.call(label, good | words | {"answers": [SECRET]}),
        api.call(label, good | words | {"key": SECRET}),
        api.call(label, good | words | {"guideline": SECRET, "held": [SECRET], "showing": SECRET}),
        api.call(label, good | words | {"active_seconds": SECRET, "count": SECRET}),
        api.call(label, good | {"note": SECRET * 200}),
        api.call(label, good | words | {"guideline": str(uuid.uuid4())}),
        api.call(about(card, "flag"), {"key": str(uuid.uuid4()), "kind": SECRET, "words": SECRET}),
        api.call(about(card, "draft"), {"answers": SECRET, "note": SECRET}, "put"),
        api.call("undo/", {"of": SECRET}),
        api.call("next/", {"held": SECRET, "count": SECRET}),
        api.client.post(
            address(api.campaign, "next/"),
            f'{{"note": "{SECRET}", oops',
            content_type="application/json",
            headers=api.headers,
        ),
    ]


@pytest.mark.usefixtures("logged")
def test_refusals_quote_nothing_that_was_sent(api: Caller, card: Any) -> None:
    for answer in refused(api, card):
        assert 400 <= answer.status_code < 500
        assert "Zaunkoenig" not in answer.content.decode(), answer.content.decode()
        assert CLIENT_TEXT not in answer.content.decode()
    assert not Label.objects.exists()


@pytest.mark.usefixtures("logged")
def test_conflicts_quote_nothing(api: Caller, card: Any) -> None:
    sent = api.label(note=SECRET)
    api.call(about(card, "label"), sent)
    answers = [
        api.call(about(card, "label"), sent | {"note": f"{SECRET}, again"}),
        api.save(card, note=SECRET),
        api.call(about(card, "draft"), {"answers": {}, "note": SECRET}, "put"),
        api.call(about(card, "pass"), {"key": str(uuid.uuid4()), "note": SECRET}),
        api.call("undo/", {"of": str(uuid.uuid4()), "note": SECRET}),
    ]
    for answer in answers:
        assert 400 <= answer.status_code < 500
        assert "Zaunkoenig" not in answer.content.decode()


@pytest.mark.usefixtures("logged")
def test_work_leaves_no_word_in_the_log(api: Caller, card: Any) -> None:
    api.call(about(card, "draft"), {"answers": GOOD_ANSWERS, "note": SECRET}, "put")
    api.call(about(card, "flag"), {"key": str(uuid.uuid4()), "kind": "other", "words": SECRET})
    given = api.save(card, note=SECRET, count=2).json()["label"]
    api.call("undo/")
    given = api.save(card, note=SECRET).json()["label"]
    body = api.label(note=SECRET) | {"reason": SECRET}
    assert api.call(f"labels/{given}/correct/", body).status_code == 201
    api.call("leave/")


@pytest.mark.usefixtures("logged")
def test_a_view_that_breaks_says_and_logs_nothing_of_it(
    api: Caller, card: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_: object, **__: object) -> None:
        raise RuntimeError(SECRET)

    monkeypatch.setattr("annotation.labelling.services.record_label", break_down)
    quiet = Caller(api.campaign, api.headers, Client(raise_request_exception=False))
    answer = quiet.save(card, note=SECRET)
    assert answer.status_code == 500
    assert "Zaunkoenig" not in answer.content.decode()


def test_access_events_hold_ids_only(api: Caller, card: Any, annotator: User) -> None:
    refused(api, card)
    api.save(card, note=SECRET, count=2)
    api.call("undo/")
    events = AccessEvent.objects.filter(actor=annotator).values_list("object_type", "object_id")
    assert events
    for kind, named in events:
        assert kind in {"sample", "api_token"}
        uuid.UUID(named)


def test_words_are_nowhere_in_the_database_in_clear(api: Caller, card: Any) -> None:
    """Drafts, notes, reasons and flags: searched in every text of every table of the labelling loop."""
    api.call(about(card, "flag"), {"key": str(uuid.uuid4()), "kind": "other", "words": SECRET})
    given = api.save(card, note=SECRET, count=1).json()
    api.call(about(given["cards"][0], "draft"), {"answers": {"note": SECRET}, "note": SECRET}, "put")
    api.call(f"labels/{given['label']}/correct/", api.label(note=SECRET) | {"reason": SECRET})
    assert Draft.objects.exists()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT count(*) FROM "{table}" AS t WHERE t::text LIKE %s', ["%Zaunkoenig%"])  # noqa: S608
            assert cursor.fetchone()[0] == 0, table
            as_hex = SECRET.encode().hex()
            cursor.execute(f'SELECT count(*) FROM "{table}" AS t WHERE t::text LIKE %s', [f"%{as_hex}%"])  # noqa: S608
            assert cursor.fetchone()[0] == 0, table


def test_severe_texts_are_in_no_answer_until_they_are_opened(api: Caller, campaign: Campaign) -> None:
    campaign.samples.update(is_estimated_severe=True)
    [card] = api.next().json()["cards"]
    answers = [
        api.next(showing=card["assignment"]),
        api.call(about(card, "draft"), {"answers": {}, "note": ""}, "put"),
        api.call(about(card, "flag"), {"key": str(uuid.uuid4()), "kind": "other"}),
        api.call("progress/", method="get"),
        api.call(about(card, "pass"), {"key": str(uuid.uuid4()), "count": 3}),
        api.call("undo/"),
        api.call(about(card, "label"), {}),
    ]
    for answer in answers:
        assert CLIENT_TEXT not in answer.content.decode()
    opened = api.call(about(card, "open"))
    assert CLIENT_TEXT in opened.content.decode()
    assert json.loads(opened.content)["turns"]
