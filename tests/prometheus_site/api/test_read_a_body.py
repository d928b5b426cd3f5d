"""The API reads one JSON object of at most 1 MB and says what is wrong with anything else, unquoted."""

import io
from typing import Any

import orjson
import pytest
from django.http import UnreadablePostError
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.exceptions import ParseError

from prometheus_site.accounts.models import User
from prometheus_site.api.renderers import MAX_BODY_BYTES, JsonParser

from .conftest import NOTES, bearer

pytestmark = pytest.mark.urls("tests.prometheus_site.api.endpoints")


@pytest.fixture
def sent(annotator: User) -> Any:
    """Return what sends a body with a token and returns the answer."""
    headers = bearer(annotator)

    def send(body: bytes, content_type: str = "application/json") -> Any:
        return Client().generic("POST", NOTES, body, content_type, headers=headers)

    return send


def of_size(size: int) -> bytes:
    frame = b'{"text": "calm", "unknown": ""}'
    return frame[:-2] + b"x" * (size - len(frame)) + frame[-2:]


def test_a_megabyte_is_read_and_a_byte_more_is_not(sent: Any) -> None:
    assert sent(of_size(MAX_BODY_BYTES)).status_code == 201
    answer = sent(of_size(MAX_BODY_BYTES + 1))
    assert answer.status_code == 400
    assert answer.json() == {"detail": "The body is larger than 1 MB. Send less at once."}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b'{"text": "he cannot go on"', "line 1, column 2"),
        (b'{"text": NaN}', "line 1, column 1"),
        (b'{"text": "\xff"}', "not JSON"),
        (b"he cannot go on", "line 1, column 1"),
        (b" ", "not JSON"),
        (b"[" * 2000 + b"]" * 2000, "not JSON"),
        (b'[{"text": "he cannot go on"}]', "one JSON object"),
        (b'"he cannot go on"', "one JSON object"),
        (b"null", "one JSON object"),
    ],
)
def test_what_is_no_json_object_is_refused_without_quoting_it(body: bytes, says: str, sent: Any) -> None:
    answer = sent(body)
    assert answer.status_code == 400
    assert says in answer.json()["detail"]
    assert b"cannot go on" not in answer.content


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b", ""]
)
def test_anything_but_json_is_refused(content_type: str, sent: Any) -> None:
    answer = sent(b"text=calm", content_type)
    assert answer.status_code == 415
    assert "Content-Type: application/json" in answer.json()["detail"]


def test_no_body_at_all_misses_its_fields(sent: Any) -> None:
    assert sent(b"").json()["errors"] == {"text": ["This field is missing."]}


def test_a_broken_connection_is_no_error_of_ours() -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise UnreadablePostError

    with pytest.raises(ParseError, match="broke before"):
        JsonParser().parse(Broken())


@given(st.binary(max_size=200))
def test_any_bytes_are_an_object_or_refused(body: bytes) -> None:
    try:
        parsed = JsonParser().parse(io.BytesIO(body))
    except ParseError:
        return
    assert orjson.loads(body) == parsed
