"""What goes wrong is said in JSON and in plain words, and never quotes what was sent."""

import io
import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from rest_framework.exceptions import APIException, ErrorDetail, Throttled, ValidationError

from prometheus_site.accounts.models import User
from prometheus_site.api.errors import answer_error
from prometheus_site.observability.logs import AllowListFormatter

from .conftest import NOTES, bearer
from .endpoints import CRASH

pytestmark = pytest.mark.urls("tests.prometheus_site.api.endpoints")

FAILING = "/api/v1/failing/{}/"


def post(user: User, body: dict[str, Any]) -> Any:
    return Client().post(NOTES, body, content_type="application/json", headers=bearer(user))


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options", "trace"])
def test_a_wrong_method_is_refused_in_json(method: str, annotator: User) -> None:
    answer = Client().generic(method.upper(), NOTES, headers=bearer(annotator))
    assert answer.status_code == 405
    assert "Allow" in answer.json()["detail"]
    assert answer["Allow"] == "GET, HEAD, POST"


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete"])
@pytest.mark.parametrize("address", ["/api/v1/nothing/", "/api/v1/notes", "/api/v1/notes/1/"])
def test_an_address_that_does_not_exist_says_so_in_json(method: str, address: str, annotator: User) -> None:
    assert Client().generic(method.upper(), address).status_code == 401
    answer = Client().generic(method.upper(), address, headers=bearer(annotator))
    assert answer.status_code == 404
    assert answer.json() == {"detail": "There is nothing here, or it is not yours to see."}


def test_a_wrong_person_is_told_that_there_is_nothing(annotator: User) -> None:
    answer = Client().get(FAILING.format("forbidden"), headers=bearer(annotator))
    assert answer.status_code == 404
    assert CRASH not in answer.content.decode()


def test_a_sentence_about_the_whole_is_the_detail(annotator: User) -> None:
    answer = Client().get(FAILING.format("sentence"), headers=bearer(annotator))
    assert answer.status_code == 400
    assert answer.json() == {"detail": "The lease has ended. Fetch the next sample."}


def test_fields_at_fault_are_named_by_their_path(annotator: User) -> None:
    body = {
        "text": "",
        "turns": [{"speaker": "client"}, {"speaker": "SECRET"}, {"seconds": -1}],
        "answers": {"severity": "SECRET", "SECRET words of a client": "x"},
    }
    answer = post(annotator, body)
    assert answer.status_code == 400
    assert answer.json() == {
        "detail": "Some fields cannot be taken as they are: see errors.",
        "errors": {
            "text": ["This field must not be empty."],
            "turns.1.speaker": ["This is not one of the values allowed here."],
            "turns.2.speaker": ["This field is missing."],
            "turns.2.seconds": ["Ensure this value is greater than or equal to 0."],
            "answers.severity": ["A valid integer is required."],
            "answers.?": ["A valid integer is required."],
        },
    }


@pytest.mark.parametrize(
    "body",
    [
        {"text": "SECRET " * 9},
        {"text": {"SECRET": 1}},
        {"text": None, "turns": "SECRET"},
        {"text": "calm", "turns": ["SECRET"]},
        {"text": "calm", "answers": ["SECRET"]},
        {"text": "SECRET\x00"},
    ],
)
def test_no_refusal_quotes_what_was_sent(body: dict[str, Any], annotator: User) -> None:
    answer = post(annotator, body)
    assert answer.status_code == 400
    assert answer.json()["errors"]
    assert b"SECRET" not in answer.content


def test_a_crash_is_said_in_json_and_logged_without_its_message(
    annotator: User, caplog: pytest.LogCaptureFixture
) -> None:
    client = Client(raise_request_exception=False)
    with caplog.at_level(logging.ERROR):
        answer = client.get(FAILING.format("crash"), headers=bearer(annotator))
    assert answer.status_code == 500
    assert answer["X-Request-Id"] in answer.json()["detail"]
    assert CRASH not in answer.content.decode()
    record = next(one for one in caplog.records if one.name.startswith("prometheus_site.api"))
    line = json.loads(AllowListFormatter().format(record))
    assert (line["level"], line["error"]) == ("error", "RuntimeError")
    assert CRASH not in json.dumps(line)


def test_a_crash_reaches_whoever_listens(annotator: User) -> None:
    with pytest.raises(RuntimeError, match=CRASH):
        Client().get(FAILING.format("crash"), headers=bearer(annotator))


def test_a_body_never_reaches_the_log(
    annotator: User, second_annotator: User, client_for: Callable[[User], Client]
) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(AllowListFormatter())
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        for body in (
            b'{"text": "SECRET',
            b'{"text": {"SECRET": 1}}',
            b'{"text": "SECRET SECRET SECRET SECRET"}',
        ):
            Client().generic("POST", NOTES, body, "application/json", headers=bearer(annotator))
            client_for(second_annotator).generic("POST", NOTES, body, "application/json")
        assert '"status":400' in stream.getvalue()
        assert "SECRET" not in stream.getvalue()
    finally:
        root.removeHandler(handler)


class LeaseTakenError(APIException):
    status_code = 409
    default_detail = "Somebody else has this sample now. Fetch the next one."


def test_a_features_own_refusal_keeps_its_status_and_words() -> None:
    answer = answer_error(LeaseTakenError(), {})
    assert (answer.status_code, answer.data) == (409, {"detail": LeaseTakenError.default_detail})


def test_whoever_asks_too_often_is_told_when_to_come_back() -> None:
    assert answer_error(Throttled(wait=7), {}).headers["Retry-After"] == "7"


def test_words_of_our_own_validators_are_kept() -> None:
    broken = ValidationError({"rationale": [ErrorDetail("Say why in a sentence.", code="needs_reason")]})
    answer = answer_error(broken, {})
    assert answer.data["errors"] == {"rationale": ["Say why in a sentence."]}
