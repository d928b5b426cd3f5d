"""The scheme and guideline that a new campaign starts from, and the clauses rulings can cite."""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

_DEFAULT = Path(__file__).parent / "default"
_CLAUSE = re.compile(r"## ([A-Z][0-9]{1,2}) (\S.*)")


@dataclass(frozen=True)
class Clause:
    """A numbered clause of a guideline, such as C3."""

    code: str
    title: str


def default_scheme() -> dict[str, Any]:
    """Return the default scheme in its raw form, ready for `parse_scheme` and for a JSON column."""
    return copy.deepcopy(_read_scheme())


@cache
def _read_scheme() -> dict[str, Any]:
    """The file as it is, read once: that takes longer than most pages."""
    raw: dict[str, Any] = yaml.safe_load((_DEFAULT / "scheme.yaml").read_text(encoding="utf-8"))
    return raw


def default_guideline() -> str:
    """Return the default guideline as Markdown."""
    return (_DEFAULT / "guideline.md").read_text(encoding="utf-8")


def clauses(markdown: str) -> list[Clause]:
    """Return the clauses in order: second-level headings that begin with a code, as in "## C3 The levels".

    Raise ValueError when a code is used twice, since a ruling could then not say which one it cites.
    """
    found = [
        Clause(*match.groups())
        for line in markdown.splitlines()
        if (match := _CLAUSE.fullmatch(line.rstrip()))
    ]
    codes = [clause.code for clause in found]
    for code in codes:
        if codes.count(code) > 1:
            raise ValueError(f"Guideline: clause {code} appears twice. Give each clause a code of its own.")
    return found
