"""Reading an untrusted, JSON-able mapping field by field, noting every fault with its path."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping

_KEY = re.compile(r"[a-z0-9][a-z0-9_]{0,39}")
_LARGEST_NUMBER = 1e9


class RawNode:
    """One mapping of the raw scheme at its path; each fault found joins the list that all nodes share."""

    def __init__(self, raw: Mapping[object, object], path: str, problems: list[str]) -> None:
        self._raw, self._path, self._problems = raw, path, problems
        self._read: set[str] = set()

    def fault(self, name: str, message: str) -> None:
        """Add a fault of the field `name`, or of this mapping itself when `name` is empty."""
        self._problems.append(f"{self._path_of(name)}: {message}.")

    def close(self) -> None:
        """Report every name in the mapping that has not been read."""
        for name in self._raw:
            if name not in self._read:
                self.fault(str(name), f"unknown key; known here: {', '.join(sorted(self._read))}")

    def report_repeats(self, name: str, noun: str, values: Iterable[str]) -> None:
        """Report each value that occurs more than once under `name`."""
        for value, times in Counter(values).items():
            if value and times > 1:
                self.fault(name, f"the {noun} '{value}' is used {times} times; each must be unique")

    def text(self, name: str, *, is_needed: bool = False) -> str:
        """Return the text without surrounding space, empty when it is absent or at fault."""
        value = self._take(name, is_needed=is_needed)
        if value is None:
            return ""
        if not isinstance(value, str):
            self.fault(name, "must be text; in YAML, put it in quotes")
            return ""
        if is_needed and not value.strip():
            self.fault(name, "is empty")
        return value.strip()

    def key(self, name: str) -> str:
        """Return a needed text that can serve as a key or code."""
        value = self.text(name, is_needed=True)
        if value and not _KEY.fullmatch(value):
            self.fault(name, "use up to 40 small letters, digits and underscores")
        return value

    def one_of(self, name: str, known: tuple[str, ...]) -> str:
        """Return a needed text that is one of `known`."""
        value = self.text(name, is_needed=True)
        if value and value not in known:
            self.fault(name, f"must be one of {', '.join(known)}")
        return value

    def truth(self, name: str) -> bool | None:
        """Return true or false, None when it is absent or at fault."""
        value = self._take(name)
        if value is None or isinstance(value, bool):
            return value
        self.fault(name, "must be true or false")
        return None

    def number(self, name: str) -> float | None:
        """Return the number, None when it is absent or at fault."""
        value = self._take(name)
        if value is None:
            return None
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LARGEST_NUMBER:
            return float(value)
        self.fault(name, "must be a number")
        return None

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts, empty when it is absent or at fault."""
        items = self._items(name)
        if all(isinstance(item, str) for item in items):
            return tuple(str(item) for item in items)
        self.fault(name, "must be a list of texts; in YAML, put each in quotes")
        return ()

    def pairs(self, name: str) -> dict[str, str]:
        """Return a needed mapping of text to text, empty when it is at fault."""
        value = self._take(name, is_needed=True)
        if value is None:
            return {}
        if not isinstance(value, Mapping) or not all(
            isinstance(side, str) for pair in value.items() for side in pair
        ):
            self.fault(name, "must be a mapping of codes to group names")
            return {}
        return dict(value)

    def node(self, name: str) -> RawNode | None:
        """Return the mapping under `name`, None when it is absent or at fault."""
        value = self._take(name)
        return None if value is None else self._child(value, name)

    def nodes(self, name: str, *, is_needed: bool = False) -> list[RawNode]:
        """Return the mappings listed under `name`, without those at fault."""
        items = self._items(name, is_needed=is_needed)
        children = [self._child(item, f"{name}[{index}]") for index, item in enumerate(items)]
        return [child for child in children if child is not None]

    def _take(self, name: str, *, is_needed: bool = False) -> object:
        self._read.add(name)
        value = self._raw.get(name)
        if value is None and is_needed:
            self.fault(name, "is missing")
        return value

    def _items(self, name: str, *, is_needed: bool = False) -> list[object]:
        value = self._take(name, is_needed=is_needed)
        if value is None:
            return []
        if not isinstance(value, list):
            self.fault(name, "must be a list")
            return []
        if is_needed and not value:
            self.fault(name, "is empty")
        return value

    def _child(self, raw: object, name: str) -> RawNode | None:
        if isinstance(raw, Mapping):
            return RawNode(raw, self._path_of(name), self._problems)
        self.fault(name, "must be a mapping of names to values")
        return None

    def _path_of(self, name: str) -> str:
        return ".".join(part for part in (self._path, name) if part)
