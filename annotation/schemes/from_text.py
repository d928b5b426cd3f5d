"""Read a scheme that somebody wrote as YAML or JSON: every fault at once, each with its place and remedy."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from annotation.schemes.definition import Scheme, SchemeError, parse_scheme

SIZE_LIMIT_BYTES = 256 * 1024
NODE_LIMIT = 20_000  # values after every alias is followed; a few lines of aliases can stand for billions
DEPTH_LIMIT = 20
NUMBER_LIMIT_CHARACTERS = 40
LONGEST_CHARACTERS = {"version": 20, "title": 200}  # of the scheme itself, as the database keeps them

_PLAIN_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("map", "seq", "str", "bool", "int", "float", "null")}
_MERGE_TAG = "tag:yaml.org,2002:merge"
# Control characters but tab and line breaks, and halves of a surrogate pair: no database stores them.
_UNSTORABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_PLACE = re.compile(r"[\w.\[\]]*")
_LOOK = "Look there and just before for a missing quote, colon, comma, bracket or indent."
_TOO_MANY = f"The scheme has more than {NODE_LIMIT:,} values once its aliases are followed. Shorten it."


@dataclass(frozen=True)
class WrittenScheme:
    """A scheme and the raw mapping it was read from, which is what is stored."""

    definition: dict[str, Any]
    scheme: Scheme


def scheme_from_text(text: str) -> WrittenScheme:
    """Return the scheme written as YAML or JSON. Raises SchemeError naming every fault.

    Where the text itself cannot be read, the fault names line and column; else the path in the scheme, with
    its line in YAML.
    """
    if len(text.encode(errors="replace")) > SIZE_LIMIT_BYTES:
        raise SchemeError([f"The scheme has more than {SIZE_LIMIT_BYTES // 1024} KB. Shorten it."])
    if not text.strip():
        raise SchemeError(["The scheme is empty. Start from the example."])
    try:
        raw, lines = _from_json(text) if text.lstrip().startswith("{") else _from_yaml(text)
    except RecursionError:
        raise SchemeError([_too_deep("The scheme")]) from None
    problems = [*_unstorable(raw, ""), *_too_long(raw)]
    try:
        scheme = parse_scheme(raw)
    except SchemeError as refused:
        problems += refused.problems
    if problems:
        raise SchemeError(_in_order(problems, lines))
    return WrittenScheme(raw, scheme)


def _from_json(text: str) -> tuple[Any, dict[str, int]]:
    repeated: list[str] = []

    def mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        repeated.extend(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
        return dict(pairs)

    try:
        raw = json.loads(text, object_pairs_hook=mapping)
    except json.JSONDecodeError as fault:
        place = f"Line {fault.lineno}, column {fault.colno}"
        raise SchemeError([f"{place}: this is not JSON ({fault.msg.lower()}). {_LOOK}"]) from None
    except ValueError:  # more digits than Python turns into a number
        raise SchemeError(["A number in the scheme is too long. Shorten it."]) from None
    if repeated:
        raise SchemeError([f"“{name}” is given twice in one mapping. Keep one." for name in repeated])
    _count(raw)
    return raw, {}


def _from_yaml(text: str) -> tuple[Any, dict[str, int]]:
    try:
        # The loader in Python, not libyaml's: deep nesting ends in an exception instead of a crash.
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.reader.ReaderError as fault:
        before = text[: fault.position]
        place = f"Line {before.count(chr(10)) + 1}, column {fault.position - before.rfind(chr(10))}"
        raise SchemeError([f"{place}: a character that YAML does not allow. Remove it."]) from None
    except yaml.MarkedYAMLError as fault:
        raise SchemeError([_yaml_fault(fault)]) from None
    lines: dict[str, int] = {}
    faults: list[str] = []
    if root is not None:
        _check_nodes(root, lines, faults)
    if faults:
        raise SchemeError(faults)
    return yaml.safe_load(text), lines


def _yaml_fault(fault: yaml.MarkedYAMLError) -> str:
    mark = fault.problem_mark or fault.context_mark
    place = f"Line {mark.line + 1}, column {mark.column + 1}" if mark else "The scheme"
    return f"{place}: this is not YAML ({fault.problem or fault.context}). {_LOOK}"


def _check_nodes(root: yaml.Node, lines: dict[str, int], faults: list[str]) -> None:
    """Note the line of each path, and what plain data cannot be: other types, repeated names, alias bombs."""
    waiting: list[tuple[yaml.Node, str, int]] = [(root, "", 0)]
    count = 0
    while waiting:
        node, path, depth = waiting.pop()
        count += 1
        if count > NODE_LIMIT:
            raise SchemeError([_TOO_MANY])
        if depth > DEPTH_LIMIT:
            raise SchemeError([_too_deep(_place(node, path))])
        lines.setdefault(path, node.start_mark.line + 1)
        if node.tag not in _PLAIN_TAGS:
            faults.append(
                f"{_place(node, path)}: a date or other special value is not taken. Put it in quotes."
            )
        elif isinstance(node, yaml.ScalarNode) and _is_long_number(node):
            faults.append(f"{_place(node, path)}: this number is too long. Put it in quotes or shorten it.")
        children = list(_children(node, path, faults))
        waiting.extend((child, child_path, depth + 1) for child, child_path in reversed(children))


def _is_long_number(node: yaml.ScalarNode) -> bool:
    return node.tag.endswith((":int", ":float")) and len(node.value) > NUMBER_LIMIT_CHARACTERS


def _children(node: yaml.Node, path: str, faults: list[str]) -> Iterator[tuple[yaml.Node, str]]:
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield item, f"{path}[{index}]"
    elif isinstance(node, yaml.MappingNode):
        names = set()
        for name, value in node.value:
            if name.tag == _MERGE_TAG:
                faults.append(f"{_place(name, path)}: “<<” is not taken. Write the names out.")
            elif not isinstance(name, yaml.ScalarNode):
                faults.append(f"{_place(name, path)}: a name must be plain text.")
            elif name.value in names:
                faults.append(f"{_place(name, path)}: “{name.value}” is given twice. Keep one.")
            else:
                names.add(name.value)
                yield value, _join(path, name.value)


def _place(node: yaml.Node, path: str) -> str:
    return f"Line {node.start_mark.line + 1}, {path or 'scheme'}"


def _too_deep(where: str) -> str:
    return f"{where}: nested more than {DEPTH_LIMIT} levels deep, or part of itself. Write it flatter."


def _count(raw: object) -> None:
    waiting: list[tuple[object, int]] = [(raw, 0)]
    count = 0
    while waiting:
        value, depth = waiting.pop()
        count += 1
        if count > NODE_LIMIT:
            raise SchemeError([_TOO_MANY])
        if depth > DEPTH_LIMIT:
            raise SchemeError([_too_deep("The scheme")])
        parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        waiting.extend((part, depth + 1) for part in parts)


def _unstorable(value: object, path: str) -> Iterator[str]:
    if isinstance(value, str) and _UNSTORABLE.search(value):
        yield f"{path or 'scheme'}: holds an invisible control character. Remove it."
    elif isinstance(value, Mapping):
        for name, part in value.items():
            if _UNSTORABLE.search(str(name)):
                yield f"{path or 'scheme'}: a name holds an invisible control character. Remove it."
            else:
                yield from _unstorable(part, _join(path, name))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for index, part in enumerate(value):
            yield from _unstorable(part, f"{path}[{index}]")


def _too_long(raw: object) -> Iterator[str]:
    if isinstance(raw, Mapping):
        for name, limit in LONGEST_CHARACTERS.items():
            if isinstance(raw.get(name), str) and len(raw[name].strip()) > limit:
                yield f"{name}: has more than {limit} characters. Shorten it."


def _join(path: str, name: Hashable) -> str:
    return f"{path}.{name}" if path else str(name)


def _in_order(faults: Sequence[str], lines: Mapping[str, int]) -> list[str]:
    """Put the faults in the order of their lines, each with its line in front; as they are without lines."""
    placed = [(_line_of(fault, lines), fault) for fault in faults]
    return [
        f"Line {line}, {fault}" if line else fault for line, fault in sorted(placed, key=lambda one: one[0])
    ]


def _line_of(fault: str, lines: Mapping[str, int]) -> int:
    """Return the line of the deepest part of the fault's path that the text has; 0 when it has none."""
    path = found[0] if (found := _PLACE.match(fault)) else ""
    while path and path not in lines:
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    return lines.get(path, 0)
