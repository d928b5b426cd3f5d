"""A raw scheme is read whole, or refused with every fault named by its path."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from annotation.schemes.definition import Condition, SchemeError, parse_scheme

Raw = dict[str, Any]
STORED_DIGEST = "3664e7b7185c66d0e6b0b4fea5a6acaa7d6c9140b9d9c690dba6adb013a54c61"


def raw_scheme() -> Raw:
    return {
        "key": "small",
        "version": "2.1",
        "title": "A small scheme",
        "forms": [
            {
                "key": "mood",
                "title": "Mood",
                "asks_about": "client",
                "dimensions": [
                    {"key": "unreadable", "title": "Unreadable", "scale": "flag"},
                    {
                        "key": "depth",
                        "title": "Depth",
                        "scale": "ordinal",
                        "is_required": True,
                        "is_headline": True,
                        "shown_when": {"dimension": "unreadable", "is_set": False},
                        "categories": [
                            {"code": "0", "label": "None", "value": 0, "anchor": "Nothing told."},
                            {"code": "1", "label": "Some", "value": 1},
                            {
                                "code": "2",
                                "label": "Deep",
                                "value": 2.5,
                                "example": "“I am low.”",
                                "clauses": ["D2"],
                            },
                        ],
                    },
                ],
            },
            {
                "key": "method",
                "title": "Method",
                "asks_about": "assistant",
                "dimensions": [
                    {
                        "key": "main",
                        "title": "Main method",
                        "scale": "nominal",
                        "categories": [{"code": "talk", "label": "Talk"}, {"code": "act", "label": "Act"}],
                    },
                    {
                        "key": "also",
                        "title": "Also",
                        "scale": "multi",
                        "max_choices": 1,
                        "excludes": "main",
                        "shown_when": {"dimension": "depth", "at_least": "1"},
                        "categories": [{"code": "talk", "label": "Talk"}, {"code": "act", "label": "Act"}],
                    },
                ],
            },
        ],
        "groupings": [
            {
                "key": "kinds",
                "dimension": "main",
                "title": "Kinds",
                "members": {"act": "Doing", "talk": "Saying"},
            }
        ],
    }


def depth(raw: Raw) -> Raw:
    found: Raw = raw["forms"][0]["dimensions"][1]
    return found


def main(raw: Raw) -> Raw:
    found: Raw = raw["forms"][1]["dimensions"][0]
    return found


def also(raw: Raw) -> Raw:
    found: Raw = raw["forms"][1]["dimensions"][1]
    return found


def problems_of(raw: object) -> tuple[str, ...]:
    with pytest.raises(SchemeError) as caught:
        parse_scheme(raw)
    return caught.value.problems


def test_a_sound_scheme_is_read_whole() -> None:
    scheme = parse_scheme(raw_scheme())

    assert (scheme.key, scheme.version, scheme.title) == ("small", "2.1", "A small scheme")
    assert [dimension.key for dimension in scheme.dimensions] == ["unreadable", "depth", "main", "also"]
    assert scheme.dimension("depth").codes == ("0", "1", "2")
    assert scheme.dimension("depth").categories[2].value == 2.5
    assert [each.clauses for each in scheme.dimension("depth").categories] == [(), (), ("D2",)]
    assert scheme.dimension("depth").shown_when == Condition("unreadable", is_set=False)
    assert scheme.dimension("also").max_choices == 1
    assert scheme.forms[1].asks_about == "assistant"
    assert list(scheme.groupings[0].members.items()) == [("talk", "Saying"), ("act", "Doing")]
    with pytest.raises(KeyError):
        scheme.dimension("nowhere")


def test_a_round_trip_through_json_keeps_the_scheme_and_its_digest() -> None:
    scheme = parse_scheme(raw_scheme())
    stored = parse_scheme(json.loads(json.dumps(raw_scheme(), sort_keys=True)))

    assert stored == scheme
    assert stored.digest() == scheme.digest()
    assert len(scheme.digest()) == 64


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: depth(raw)["categories"][0].update(anchor="Another anchor."),
        lambda raw: depth(raw)["categories"][0].update(clauses=["D1"]),
        lambda raw: depth(raw)["categories"].reverse() or [c.pop("value") for c in depth(raw)["categories"]],
        lambda raw: raw.update(version="2.2"),
        lambda raw: raw["groupings"][0]["members"].update(act="Saying"),
        lambda raw: depth(raw)["shown_when"].update(is_set=True),
    ],
    ids=["anchor", "clause", "order", "version", "grouping", "condition"],
)
def test_any_change_of_meaning_changes_the_digest(change: Callable[[Raw], object]) -> None:
    raw = raw_scheme()
    change(raw)

    assert parse_scheme(raw).digest() != parse_scheme(raw_scheme()).digest()


def test_a_scheme_that_names_no_clauses_keeps_the_digest_it_was_stored_with() -> None:
    raw = raw_scheme()
    depth(raw)["categories"][2].pop("clauses")

    assert parse_scheme(raw).digest() == STORED_DIGEST


FAULTS: list[tuple[Callable[[Raw], object], str]] = [
    (lambda raw: raw.pop("version"), "version: is missing"),
    (lambda raw: raw.update(version=2.1), "version: must be text"),
    (lambda raw: raw.update(title="  "), "title: is empty"),
    (lambda raw: raw.update(key="Small Scheme"), "key: use up to 40"),
    (lambda raw: raw.update(author="x"), "author: unknown key"),
    (lambda raw: raw.update(forms=[]), "forms: is empty"),
    (lambda raw: raw.update(forms={}), "forms: must be a list"),
    (lambda raw: raw["forms"].insert(0, "mood"), "forms[0]: must be a mapping"),
    (lambda raw: raw["forms"][1].update(key="mood"), "forms: the key 'mood' is used 2 times"),
    (lambda raw: raw["forms"][1].update(asks_about="cat"), "forms[1].asks_about: must be one of client"),
    (lambda raw: raw["forms"][1].update(colour="red"), "forms[1].colour: unknown key"),
    (lambda raw: raw["forms"][1].update(dimensions=[]), "forms[1].dimensions: is empty"),
    (lambda raw: main(raw).update(key="depth"), "forms[1].dimensions[0].key: 'depth' is already"),
    (lambda raw: main(raw).update(scale="fuzzy"), "forms[1].dimensions[0].scale: must be one of"),
    (lambda raw: main(raw).update(is_required="yes"), "forms[1].dimensions[0].is_required: must be true"),
    (lambda raw: main(raw).update(max_choices=1), "forms[1].dimensions[0].max_choices: only a multi"),
    (lambda raw: main(raw).update(excludes="depth"), "forms[1].dimensions[0].excludes: only a multi"),
    (lambda raw: main(raw)["categories"].pop(), "forms[1].dimensions[0].categories: scale nominal needs"),
    (
        lambda raw: main(raw)["categories"][1].update(code="talk"),
        "forms[1].dimensions[0].categories: the code 'talk' is used 2 times",
    ),
    (
        lambda raw: main(raw)["categories"][0].update(value=1),
        "forms[1].dimensions[0].categories: only an ordinal scale has values",
    ),
    (
        lambda raw: main(raw)["categories"][1].update(code=1),
        "forms[1].dimensions[0].categories[1].code: must be text",
    ),
    (
        lambda raw: main(raw)["categories"][1].pop("label"),
        "forms[1].dimensions[0].categories[1].label: is missing",
    ),
    (
        lambda raw: depth(raw).update(categories=depth(raw)["categories"][:1]),
        "forms[0].dimensions[1].categories: scale ordinal needs at least two",
    ),
    (
        lambda raw: depth(raw)["categories"][1].update(clauses=["D1", "D1"]),
        "forms[0].dimensions[1].categories[1].clauses: the clause 'D1' is used 2 times",
    ),
    (
        lambda raw: depth(raw)["categories"][1].update(clauses="D1"),
        "forms[0].dimensions[1].categories[1].clauses: must be a list",
    ),
    (
        lambda raw: depth(raw)["categories"][1].pop("value"),
        "forms[0].dimensions[1].categories: give every category a value",
    ),
    (
        lambda raw: depth(raw)["categories"][1].update(value=9),
        "forms[0].dimensions[1].categories: values must rise",
    ),
    (
        lambda raw: depth(raw)["categories"][1].update(value=float("nan")),
        "forms[0].dimensions[1].categories[1].value: must be a number",
    ),
    (
        lambda raw: depth(raw)["categories"][1].update(value=10**400),
        "forms[0].dimensions[1].categories[1].value: must be a number",
    ),
    (
        lambda raw: depth(raw).update(shown_when={"dimension": "mood", "is_set": True}),
        "forms[0].dimensions[1].shown_when.dimension: 'mood' is not an earlier dimension",
    ),
    (
        lambda raw: depth(raw).update(shown_when={"dimension": "main", "is_one_of": ["talk"]}),
        "forms[0].dimensions[1].shown_when.dimension: 'main' is not an earlier dimension",
    ),
    (
        lambda raw: depth(raw).update(shown_when={"dimension": "depth", "at_least": "1"}),
        "forms[0].dimensions[1].shown_when.dimension: 'depth' is not an earlier dimension",
    ),
    (
        lambda raw: depth(raw).update(shown_when={"dimension": "unreadable", "at_least": "1"}),
        "forms[0].dimensions[1].shown_when.at_least: 'unreadable' is not ordinal",
    ),
    (
        lambda raw: depth(raw).update(shown_when={"dimension": "unreadable"}),
        "forms[0].dimensions[1].shown_when: needs exactly one of",
    ),
    (
        lambda raw: depth(raw)["shown_when"].update(at_least="1"),
        "forms[0].dimensions[1].shown_when: needs exactly one of",
    ),
    (
        lambda raw: also(raw)["shown_when"].update(at_least="7"),
        "forms[1].dimensions[1].shown_when.at_least: '7' is not a code of 'depth'",
    ),
    (
        lambda raw: also(raw).update(shown_when={"dimension": "main", "is_one_of": ["talk", "sing"]}),
        "forms[1].dimensions[1].shown_when.is_one_of: 'sing' is not a code of 'main'",
    ),
    (
        lambda raw: also(raw).update(shown_when={"dimension": "main", "is_set": True}),
        "forms[1].dimensions[1].shown_when.is_set: 'main' is not a flag",
    ),
    (lambda raw: also(raw).update(is_headline=True), "forms[1].dimensions[1].is_headline: only an ordinal"),
    (lambda raw: also(raw).update(max_choices=3), "forms[1].dimensions[1].max_choices: must be 1 to 2"),
    (lambda raw: also(raw).update(max_choices=0), "forms[1].dimensions[1].max_choices: must be 1 to 2"),
    (lambda raw: also(raw).update(max_choices=1.5), "forms[1].dimensions[1].max_choices: must be a whole"),
    (lambda raw: also(raw).update(max_choices=True), "forms[1].dimensions[1].max_choices: must be a number"),
    (lambda raw: also(raw).update(excludes="depth"), "forms[1].dimensions[1].excludes: 'depth' is not"),
    (lambda raw: also(raw).update(excludes="nowhere"), "forms[1].dimensions[1].excludes: 'nowhere' is not"),
    (lambda raw: also(raw).update(categories=[]), "forms[1].dimensions[1].categories: scale multi needs"),
    (
        lambda raw: raw["forms"][0]["dimensions"][0].update(categories=[{"code": "a", "label": "A"}]),
        "forms[0].dimensions[0].categories: a flag is ticked or not",
    ),
    (
        lambda raw: raw["forms"][0]["dimensions"][0].update(is_required=True),
        "forms[0].dimensions[0].is_required: a flag is never required",
    ),
    (lambda raw: depth(raw).update(is_headline=False), "forms: no dimension is a headline"),
    (
        lambda raw: raw["forms"][0]["dimensions"].append({**depth(raw), "key": "height"}),
        "forms[0].dimensions: a form has at most one headline",
    ),
    (
        lambda raw: raw["groupings"].append(raw["groupings"][0]),
        "groupings: the key 'kinds' is used 2 times",
    ),
    (
        lambda raw: raw["groupings"][0].update(dimension="depth"),
        "groupings[0].dimension: 'depth' is not a nominal dimension",
    ),
    (
        lambda raw: raw["groupings"][0]["members"].pop("act"),
        "groupings[0].members: the code 'act' of 'main' is in no group",
    ),
    (
        lambda raw: raw["groupings"][0]["members"].update(sing="Doing"),
        "groupings[0].members: 'sing' is not a code of 'main'",
    ),
    (
        lambda raw: raw["groupings"][0].update(members=["talk"]),
        "groupings[0].members: must be a mapping of codes",
    ),
]


@pytest.mark.parametrize(("plant", "expected"), FAULTS, ids=[expected for _, expected in FAULTS])
def test_a_planted_fault_is_named_by_its_path(plant: Callable[[Raw], object], expected: str) -> None:
    raw = copy.deepcopy(raw_scheme())
    plant(raw)

    assert [problem for problem in problems_of(raw) if problem.startswith(expected)], problems_of(raw)


def test_all_faults_are_listed_at_once() -> None:
    raw = raw_scheme()
    raw["title"] = ""
    depth(raw)["scale"] = "fuzzy"
    raw["groupings"][0]["members"].pop("act")

    paths = {problem.split(":")[0] for problem in problems_of(raw)}

    assert {"title", "forms[0].dimensions[1].scale", "groupings[0].members"} <= paths


@pytest.mark.parametrize("raw", [None, [], "scheme", 3])
def test_something_that_is_no_mapping_is_refused(raw: object) -> None:
    assert problems_of(raw) == ("scheme: must be a mapping of names to values.",)
