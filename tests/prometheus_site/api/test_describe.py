"""The API describes itself: as valid OpenAPI, and as a page that shows every operation."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from prometheus_site.accounts.models import User
from prometheus_site.api import reference
from prometheus_site.api.schema import openapi
from tests.prometheus_site.accounts.test_keep_the_content_policy import Inline

from .conftest import bearer

SCHEMA, PAGE = "/api/v1/schema/", "/api/v1/"
with_notes = pytest.mark.urls("tests.prometheus_site.api.endpoints")


@pytest.mark.parametrize(
    "urls", ["prometheus_site.urls", "tests.prometheus_site.api.endpoints"], ids=["site", "with notes"]
)
def test_the_description_is_valid_and_without_a_warning(urls: str, tmp_path: Path, settings: Any) -> None:
    settings.ROOT_URLCONF = urls
    file = tmp_path / "schema.yaml"
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(file))
    assert "Prometheus API" in file.read_text()


def _about_notes() -> list[reference.Operation]:
    found = reference.read(openapi()).operations
    return [operation for operation in found if operation.path == "/api/v1/notes/"]


@with_notes
def test_the_description_is_for_whoever_is_signed_in_or_has_a_token(
    outsider: User, client_for: Callable[[User], Client]
) -> None:
    by_session = client_for(outsider).get(SCHEMA)
    by_token = Client().get(SCHEMA, headers=bearer(outsider))
    assert by_session.json() == by_token.json()
    assert by_session["Content-Type"] == "application/json"
    operations = by_session.json()["paths"]["/api/v1/notes/"]
    assert operations["post"]["security"] == [{"token": []}, {"session": []}]
    assert set(operations["post"]["responses"]) == {"201", "400", "401", "403", "404"}
    assert set(operations["get"]["responses"]) == {"200", "401", "403", "404"}
    assert "/api/v1/schema/" not in by_session.json()["paths"]


@with_notes
def test_the_page_shows_every_operation_with_fields_and_answers(
    outsider: User, client_for: Callable[[User], Client]
) -> None:
    answer = client_for(outsider).get(PAGE)
    page, parser = answer.content.decode(), Inline()
    parser.feed(page)
    assert parser.found == []
    assert page.count("<h1") == 1
    for words in ("Write a note", "Notes of whoever asks.", "Only newer notes.", "What was seen.", "Created"):
        assert words in page
    for path, methods in openapi()["paths"].items():
        for method in methods:
            assert f"<code>{method.upper()} {path}</code>" in page.replace("<wbr>", "")


def test_the_page_is_there_before_any_feature_is(
    outsider: User, client_for: Callable[[User], Client]
) -> None:
    answer = client_for(outsider).get(PAGE)
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    assert client_for(outsider).post(PAGE).status_code == 405


@with_notes
def test_the_page_names_what_each_field_is() -> None:
    read, (asked, written) = reference.read(openapi()), _about_notes()
    (since,) = asked.parameters
    assert (since.name, since.kind, since.place, since.is_required) == (
        "since",
        "date and time",
        "query",
        False,
    )
    assert written.body is not None
    kinds = {field.name: (field.kind, field.shape, field.is_required) for field in written.body.fields}
    assert kinds == {
        "text": ("text", "", True),
        "turns": ("list of", "TurnRequest", False),
        "answers": ("object: whole number per key", "", False),
    }
    assert [(one.status, one.kind, one.shape) for one in written.answers] == [("201", "", "Whoami")]
    assert [one.status for one in read.refusals] == ["400", "401", "403", "404"]
    named = {field.shape for shape in read.shapes for field in shape.fields} | {"Whoami", "Refusal"}
    assert named - {""} <= {shape.name for shape in read.shapes}


@with_notes
def test_an_endpoint_without_words_of_its_own_does_not_borrow_ours() -> None:
    described = {operation.description for operation in _about_notes()}
    assert described == {"Notes of whoever asks."}


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "string", "enum": ["a", "b", None], "nullable": True}, "one of a, b or null"),
        ({"oneOf": [{"type": "integer"}, {"type": "string", "format": "uuid"}]}, "whole number or UUID"),
        ({"type": "array", "items": {}}, "list of anything"),
        ({"type": "number", "format": "double"}, "number"),
        ({}, "anything"),
        ({"allOf": [{"$ref": "#/components/schemas/S"}], "nullable": True}, "object or null"),
    ],
)
def test_kinds_are_said_in_words(schema: dict[str, Any], words: str) -> None:
    read = reference.read(
        {
            "info": {"title": "t", "version": "1"},
            "paths": {},
            "components": {"schemas": {"S": {"properties": {"f": schema}}}},
        }
    )
    assert read.shapes[0].fields[0].kind == words


def test_the_labelling_loop_says_how_it_refuses() -> None:
    paths = openapi()["paths"]
    label = paths["/api/v1/campaigns/{slug}/assignments/{assignment_id}/label/"]["post"]["responses"]
    assert {"201", "409", "422"} <= set(label)
    passing = paths["/api/v1/campaigns/{slug}/assignments/{assignment_id}/pass/"]["post"]["responses"]
    assert "409" in passing
    assert "422" not in passing
