"""An OpenAPI description, read into what one page shows of it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

METHODS = ("get", "post", "put", "patch", "delete")
KINDS = {"string": "text", "integer": "whole number", "boolean": "true or false"}
FORMATS = {"date-time": "date and time", "uuid": "UUID", "uri": "address", "email": "e-mail address"}
SEVERAL = ("allOf", "oneOf", "anyOf")
JSON = "application/json"
Node = Mapping[str, Any]


@dataclass(frozen=True)
class Field:
    """One field or parameter: what it is in words, and the shape it refers to, if any."""

    name: str
    place: str
    kind: str
    shape: str
    is_required: bool
    description: str


@dataclass(frozen=True)
class Shape:
    """An object with named fields, described once and referred to by name."""

    name: str
    description: str
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Answer:
    status: str
    description: str
    kind: str
    shape: str


@dataclass(frozen=True)
class Operation:
    anchor: str
    method: str
    path: str
    summary: str
    description: str
    parameters: tuple[Field, ...]
    body: Shape | None
    answers: tuple[Answer, ...]

    @property
    def steps(self) -> list[str]:
        """The path in pieces, between which a narrow screen may break it."""
        return re.findall(r"[^/]*/|[^/]+$", self.path)


@dataclass(frozen=True)
class Reference:
    """The page's content; refusals are what every operation may answer."""

    title: str
    version: str
    description: str
    operations: tuple[Operation, ...]
    refusals: tuple[Answer, ...]
    shapes: tuple[Shape, ...]


def read(openapi: Node) -> Reference:
    """Read an OpenAPI 3.0 description."""
    info, components = openapi["info"], openapi.get("components", {})
    shapes = {name: _shape(name, schema) for name, schema in components.get("schemas", {}).items()}
    return Reference(
        title=info["title"],
        version=info["version"],
        description=info.get("description", ""),
        operations=tuple(_operations(openapi["paths"], shapes)),
        refusals=tuple(
            _answer(name.removeprefix("Refused"), answer)
            for name, answer in components.get("responses", {}).items()
        ),
        shapes=tuple(shapes.values()),
    )


def _operations(paths: Node, shapes: Mapping[str, Shape]) -> Iterator[Operation]:
    for path, methods in paths.items():
        for method in METHODS:
            if method in methods:
                yield _operation(path, method, methods[method], shapes)


def _operation(path: str, method: str, node: Node, shapes: Mapping[str, Shape]) -> Operation:
    return Operation(
        anchor=node["operationId"],
        method=method.upper(),
        path=path,
        summary=node.get("summary", ""),
        description=node.get("description", ""),
        parameters=tuple(
            _field(each["name"], each["schema"], each["in"], each.get("required", False), each)
            for each in node.get("parameters", ())
        ),
        body=_body(node.get("requestBody", {}), shapes),
        answers=tuple(
            _answer(status, answer) for status, answer in node["responses"].items() if "$ref" not in answer
        ),
    )


def _body(node: Node, shapes: Mapping[str, Shape]) -> Shape | None:
    if not node:
        return None
    _, schema = _content(node)
    named = shapes.get(_kind(schema)[1])
    return named or _shape("", schema)


def _shape(name: str, schema: Node) -> Shape:
    required = schema.get("required", ())
    fields = (
        _field(key, inner, "only in answers" if inner.get("readOnly") else "", key in required, inner)
        for key, inner in schema.get("properties", {}).items()
    )
    return Shape(name, schema.get("description", ""), tuple(fields))


def _field(name: str, schema: Node, place: str, is_required: bool, described: Node) -> Field:
    kind, shape = _kind(schema)
    return Field(name, place, kind, shape, is_required, described.get("description", ""))


def _answer(status: str, node: Node) -> Answer:
    media, schema = _content(node)
    kind, shape = _kind(schema)
    when = node.get("description") or HTTPStatus(int(status)).phrase
    return Answer(status, when, kind if media == JSON else media, shape)


def _content(node: Node) -> tuple[str, Node]:
    """Return the media type and the schema; both empty when there is no body."""
    for media, content in node.get("content", {}).items():
        return media, content.get("schema", {})
    return "", {}


def _kind(schema: Node) -> tuple[str, str]:
    """Return what a value is, in words, and the name of the shape in it ('' where there is none)."""
    if "$ref" in schema:
        return "", schema["$ref"].rsplit("/", 1)[-1]
    inner = [_kind(each) for several in SEVERAL for each in schema.get(several, ())]
    if inner:
        words, shape = " or ".join(kind for kind, _ in inner), max(name for _, name in inner)
    else:
        words, shape = _simple_kind(schema)
    return (f"{words or 'object'} or null" if schema.get("nullable") else words), shape


def _simple_kind(schema: Node) -> tuple[str, str]:
    if "enum" in schema:
        return "one of " + ", ".join(str(each) for each in schema["enum"] if each is not None), ""
    kind: str = schema.get("type", "anything")
    if kind == "array":
        inner, shape = _kind(schema.get("items", {}))
        return f"list of {inner}".rstrip(), shape
    if kind == "object" and isinstance(schema.get("additionalProperties"), Mapping):
        inner, shape = _kind(schema["additionalProperties"])
        return f"object: {inner} per key", shape
    return FORMATS.get(schema.get("format", ""), KINDS.get(kind, kind)), ""
