"""A scheme as data: what clinicians are asked, on which scales, and when each question applies."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import Literal, cast, get_args

from annotation.schemes.raw import RawNode

Scale = Literal["ordinal", "nominal", "multi", "flag"]
Subject = Literal["client", "assistant", "conversation"]


class SchemeError(ValueError):
    """A raw scheme cannot be used; `problems` names each fault with its path."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True)
class Category:
    """One answer on a scale: `anchor` says when it is right, `value` is its number on an ordinal scale.

    `clauses` are the codes of the guideline's clauses that define it, such as C3.
    """

    code: str
    label: str
    anchor: str = ""
    example: str = ""
    value: float | None = None
    clauses: tuple[str, ...] = ()


@dataclass(frozen=True)
class Condition:
    """When a dimension is asked, by the answer to an earlier one; exactly one of the three tests is given.

    `at_least` compares positions on an ordinal scale, `is_one_of` lists codes of an ordinal or nominal
    scale, and `is_set` is what a flag must be.
    """

    dimension: str
    at_least: str = ""
    is_one_of: tuple[str, ...] = ()
    is_set: bool | None = None


@dataclass(frozen=True)
class Dimension:
    """One question.

    `prompt` is the sentence shown when a required answer is missing. `max_choices` bounds a multi; None
    is no bound. `excludes` names an earlier nominal dimension whose answer a multi must not repeat.
    """

    key: str
    title: str
    scale: Scale
    categories: tuple[Category, ...] = ()
    is_required: bool = False
    is_headline: bool = False
    help_text: str = ""
    max_choices: int | None = None
    shown_when: Condition | None = None
    excludes: str = ""
    prompt: str = ""

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes in the order of the scale."""
        return tuple(category.code for category in self.categories)


@dataclass(frozen=True)
class Form:
    """Questions answered together; `asks_about` names the turns they are judged from."""

    key: str
    title: str
    asks_about: Subject
    dimensions: tuple[Dimension, ...]


@dataclass(frozen=True)
class Grouping:
    """A coarser reading of a nominal dimension: each code's group, in the order of the codes."""

    key: str
    dimension: str
    title: str
    members: Mapping[str, str] = field(hash=False)


@dataclass(frozen=True)
class Scheme:
    """Everything a campaign asks; dimension keys are unique across all forms."""

    key: str
    version: str
    title: str
    forms: tuple[Form, ...]
    groupings: tuple[Grouping, ...]

    @property
    def dimensions(self) -> tuple[Dimension, ...]:
        """All dimensions in the order they are asked."""
        return tuple(dimension for form in self.forms for dimension in form.dimensions)

    def dimension(self, key: str) -> Dimension:
        """Return the dimension of that key; raise KeyError when there is none."""
        for dimension in self.dimensions:
            if dimension.key == key:
                return dimension
        raise KeyError(key)

    def digest(self) -> str:
        """Return the SHA-256, in hexadecimal, of the scheme as canonical JSON."""
        fields = asdict(self, dict_factory=_without_empty_clauses)
        canonical = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()


def _without_empty_clauses(fields: Sequence[tuple[str, object]]) -> dict[str, object]:
    """Keep the digest of schemes that were stored before a category could name its clauses."""
    return {name: value for name, value in fields if name != "clauses" or value}


def parse_scheme(mapping: object) -> Scheme:
    """Return the scheme that a raw, JSON-able mapping describes; raise SchemeError naming every fault."""
    problems: list[str] = []
    if not isinstance(mapping, Mapping):
        raise SchemeError(["scheme: must be a mapping of names to values."])
    node = RawNode(mapping, "", problems)
    placed: list[tuple[RawNode, Dimension]] = []
    scheme = Scheme(
        key=node.key("key"),
        version=node.text("version", is_needed=True),
        title=node.text("title", is_needed=True),
        forms=tuple(_form(child, placed) for child in node.nodes("forms", is_needed=True)),
        groupings=tuple(_grouping(child, placed) for child in node.nodes("groupings")),
    )
    node.close()
    node.report_repeats("forms", "key", (form.key for form in scheme.forms))
    node.report_repeats("groupings", "key", (grouping.key for grouping in scheme.groupings))
    if not any(dimension.is_headline for dimension in scheme.dimensions):
        node.fault("forms", "no dimension is a headline, so agreement has no target")
    _check_references(placed)
    if problems:
        raise SchemeError(problems)
    return scheme


def _form(node: RawNode, placed: list[tuple[RawNode, Dimension]]) -> Form:
    children = node.nodes("dimensions", is_needed=True)
    dimensions = tuple(_dimension(child) for child in children)
    placed.extend(zip(children, dimensions, strict=True))
    form = Form(
        key=node.key("key"),
        title=node.text("title", is_needed=True),
        asks_about=cast(Subject, node.one_of("asks_about", get_args(Subject))),
        dimensions=dimensions,
    )
    node.close()
    if sum(dimension.is_headline for dimension in dimensions) > 1:
        node.fault("dimensions", "a form has at most one headline")
    return form


def _dimension(node: RawNode) -> Dimension:
    condition_node = node.node("shown_when")
    max_choices = node.number("max_choices")
    dimension = Dimension(
        key=node.key("key"),
        title=node.text("title", is_needed=True),
        scale=cast(Scale, node.one_of("scale", get_args(Scale))),
        categories=tuple(_category(child) for child in node.nodes("categories")),
        is_required=bool(node.truth("is_required")),
        is_headline=bool(node.truth("is_headline")),
        help_text=node.text("help_text"),
        max_choices=None if max_choices is None else int(max_choices),
        shown_when=_condition(condition_node) if condition_node else None,
        excludes=node.text("excludes"),
        prompt=node.text("prompt"),
    )
    node.close()
    if max_choices is not None and max_choices != dimension.max_choices:
        node.fault("max_choices", "must be a whole number")
    _check_categories(node, dimension)
    _check_options(node, dimension)
    return dimension


def _category(node: RawNode) -> Category:
    category = Category(
        code=node.key("code"),
        label=node.text("label", is_needed=True),
        anchor=node.text("anchor"),
        example=node.text("example"),
        value=node.number("value"),
        clauses=node.texts("clauses"),
    )
    node.close()
    node.report_repeats("clauses", "clause", category.clauses)
    return category


def _condition(node: RawNode) -> Condition:
    condition = Condition(
        dimension=node.key("dimension"),
        at_least=node.text("at_least"),
        is_one_of=node.texts("is_one_of"),
        is_set=node.truth("is_set"),
    )
    node.close()
    if [bool(condition.at_least), bool(condition.is_one_of), condition.is_set is not None].count(True) != 1:
        node.fault("", "needs exactly one of at_least, is_one_of, is_set")
    return condition


def _check_categories(node: RawNode, dimension: Dimension) -> None:
    scale, codes = dimension.scale, dimension.codes
    node.report_repeats("categories", "code", codes)
    if scale == "flag" and codes:
        node.fault("categories", "a flag is ticked or not, so it has no categories")
    if scale in ("ordinal", "nominal") and len(codes) < 2:
        node.fault("categories", f"scale {scale} needs at least two categories")
    if scale == "multi" and not codes:
        node.fault("categories", "scale multi needs at least one category")
    values = [category.value for category in dimension.categories if category.value is not None]
    if values and scale != "ordinal":
        node.fault("categories", "only an ordinal scale has values")
    elif values and len(values) != len(codes):
        node.fault("categories", "give every category a value, or none")
    elif any(low >= high for low, high in pairwise(values)):
        node.fault("categories", "values must rise from the first category to the last")


def _check_options(node: RawNode, dimension: Dimension) -> None:
    scale, limit = dimension.scale, dimension.max_choices
    if dimension.is_headline and scale not in ("ordinal", "nominal"):
        node.fault("is_headline", "only an ordinal or nominal dimension can be a headline")
    if dimension.is_required and scale == "flag":
        node.fault("is_required", "a flag is never required: not ticked is an answer")
    if limit is not None and scale != "multi":
        node.fault("max_choices", "only a multi has it")
    elif limit is not None and not 1 <= limit <= len(dimension.codes):
        node.fault("max_choices", f"must be 1 to {len(dimension.codes)}, the number of categories")
    if dimension.excludes and scale != "multi":
        node.fault("excludes", "only a multi has it")


def _check_references(placed: list[tuple[RawNode, Dimension]]) -> None:
    earlier: dict[str, Dimension] = {}
    for node, dimension in placed:
        if dimension.shown_when:
            _check_condition(node, dimension.shown_when, earlier.get(dimension.shown_when.dimension))
        if dimension.excludes:
            other = earlier.get(dimension.excludes)
            if other is None or other.scale != "nominal":
                node.fault("excludes", f"'{dimension.excludes}' is not an earlier nominal dimension")
        if dimension.key in earlier:
            node.fault("key", f"'{dimension.key}' is already the key of an earlier dimension")
        earlier.setdefault(dimension.key, dimension)


def _check_condition(node: RawNode, condition: Condition, other: Dimension | None) -> None:
    if other is None:
        if condition.dimension:
            node.fault("shown_when.dimension", f"'{condition.dimension}' is not an earlier dimension")
        return
    if condition.at_least and other.scale != "ordinal":
        node.fault("shown_when.at_least", f"'{other.key}' is not ordinal")
    if condition.is_one_of and other.scale not in ("ordinal", "nominal"):
        node.fault("shown_when.is_one_of", f"'{other.key}' is neither ordinal nor nominal")
    if condition.is_set is not None and other.scale != "flag":
        node.fault("shown_when.is_set", f"'{other.key}' is not a flag")
    if condition.at_least and condition.at_least not in other.codes:
        node.fault("shown_when.at_least", f"'{condition.at_least}' is not a code of '{other.key}'")
    for code in condition.is_one_of:
        if code not in other.codes:
            node.fault("shown_when.is_one_of", f"'{code}' is not a code of '{other.key}'")


def _grouping(node: RawNode, placed: list[tuple[RawNode, Dimension]]) -> Grouping:
    key, named, title = node.key("key"), node.key("dimension"), node.text("title", is_needed=True)
    members = node.pairs("members")
    node.close()
    dimension = next((each for _, each in placed if each.key == named), None)
    if dimension is None or dimension.scale != "nominal":
        if named:
            node.fault("dimension", f"'{named}' is not a nominal dimension of this scheme")
        return Grouping(key, named, title, members)
    for code in members:
        if code not in dimension.codes:
            node.fault("members", f"'{code}' is not a code of '{named}'")
    for code in dimension.codes:
        if code not in members:
            node.fault("members", f"the code '{code}' of '{named}' is in no group")
    return Grouping(key, named, title, {code: members[code] for code in dimension.codes if code in members})
