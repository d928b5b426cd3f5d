"""A scheme written by somebody is read, or refused with every fault, its place and what to do."""

import json
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from annotation.schemes import shipped
from annotation.schemes.definition import SchemeError, parse_scheme
from annotation.schemes.from_text import SIZE_LIMIT_BYTES, scheme_from_text

SHIPPED = (Path(shipped.__file__).parent / "default" / "scheme.yaml").read_text()
SMALL = """\
key: small
version: "1.0"
title: Small
forms:
  - key: mood
    title: Mood
    asks_about: client
    dimensions:
      - key: depth
        title: Depth
        scale: nominal
        is_headline: true
        categories:
          - {code: shallow, label: Shallow}
          - {code: deep, label: Deep}
"""


def faults(text: str) -> tuple[str, ...]:
    with pytest.raises(SchemeError) as refused:
        scheme_from_text(text)
    return refused.value.problems


def test_yaml_and_json_say_the_same() -> None:
    from_yaml = scheme_from_text(SMALL)
    from_json = scheme_from_text(json.dumps(yaml.safe_load(SMALL), indent="\t"))
    assert from_yaml == from_json
    assert from_yaml.scheme == parse_scheme(from_yaml.definition)


def test_the_shipped_scheme_with_its_aliases_is_read() -> None:
    assert scheme_from_text(SHIPPED).definition == shipped.default_scheme()


def test_faults_come_all_at_once_with_line_path_and_remedy() -> None:
    broken = SMALL.replace("title: Depth", "titel: Depth").replace("client", "clients")
    found = faults(broken.replace('"1.0"', "1.0"))
    assert [fault.split(":")[0] for fault in found] == [
        "Line 2, version",
        "Line 7, forms[0].asks_about",
        "Line 9, forms[0].dimensions[0].title",
        "Line 10, forms[0].dimensions[0].titel",
    ]
    assert "in YAML, put it in quotes" in found[0]
    assert "must be one of client, assistant, conversation" in found[1]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("key: small\ntitle: one: two\n", "Line 2, column 11"),
        ("key: small\nforms: [\n", "Line 3, column 1"),
        ("key: *unknown", "Line 1, column 6"),
        ("key: small\n---\nkey: other", "Line 2, column 1"),
        ('{"key": "small",\n "forms" []}', "Line 2, column 10"),
        ("key: small\nti\x01tle: x", "Line 2, column 3"),
    ],
)
def test_text_that_cannot_be_read_names_line_and_column(text: str, place: str) -> None:
    (fault,) = faults(text)
    assert fault.startswith(place)
    assert "\x01" not in fault


def test_a_few_lines_of_aliases_cannot_stand_for_billions() -> None:
    layers = "abcdefghij"
    lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]" for old, new in pairwise(layers)]
    (fault,) = faults("\n".join(lines))
    assert "20,000 values once its aliases are followed" in fault


@pytest.mark.parametrize(
    "text", ["forms: &forms [*forms]", "[" * 5000, '{"a":' * 30 + "1" + "}" * 30, '{"a":' * 5000]
)
def test_what_holds_itself_or_nests_without_end_is_refused(text: str) -> None:
    (fault,) = faults(text)
    assert "nested more than 20 levels deep" in fault


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("title: 2026-11-22", "Put it in quotes"),
        ("title: !!python/object:os.system x", "Put it in quotes"),
        ("title: a\ntitle: b", "given twice"),
        ("base: {<<: {a: b}}", "Write the names out"),
        ("? [a, b]\n: c", "plain text"),
        (f"title: {'9' * 5000}", "too long"),
        ('title: "a\\0b"', "control character"),
        (f"title: {'a' * 201}", "more than 200 characters"),
    ],
)
def test_what_no_scheme_holds_is_refused(line: str, word: str) -> None:
    assert any(word in fault and "Line " in fault for fault in faults(SMALL.replace("title: Small", line)))


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ('{"key": "a", "key": "b"}', "given twice"),
        ('{"key": "\\ud800"}', "control character"),
        (f'{{"key": {"9" * 5000}}}', "too long"),
        ("", "Start from the example"),
        ("# " + "a" * SIZE_LIMIT_BYTES, "256 KB"),
        ("just words", "must be a mapping"),
    ],
)
def test_other_texts_are_refused_in_words(text: str, word: str) -> None:
    assert any(word in fault for fault in faults(text))


@given(st.text(alphabet=st.sampled_from("ab:-[]{}&*\"'#!?|>% \n\t,.0"), max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(SchemeError):
        assert scheme_from_text(text).scheme.forms
