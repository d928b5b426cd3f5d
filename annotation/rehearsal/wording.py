"""The phrases that made-up conversations are put together from, and how their slots are filled."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

_FOLDER = Path(__file__).parent / "phrases"
_SLOT = re.compile(r"\{(\w+)\}")

Slots = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Situation:
    """An everyday trouble: the client's sentences about it, and the slots for what a therapist takes up."""

    opens: tuple[str, ...]
    details: tuple[str, ...]
    slots: Slots


@dataclass(frozen=True)
class Wording:
    """All phrases; `client`, `crisis` and `replies` are laid out as in the files of those names."""

    situations: tuple[Situation, ...]
    client: Mapping[str, Any]
    crisis: Mapping[str, Any]
    replies: Mapping[str, Any]


@cache
def wording() -> Wording:
    """Return the shipped phrases."""
    client = _read("client")
    return Wording(
        situations=tuple(_situation(raw, client["slots"]) for raw in _read("situations")),
        client=client,
        crisis=_read("crisis"),
        replies=_read("replies"),
    )


class Speaker:
    """Says the sentences of one conversation, none twice while there is another."""

    def __init__(self, chooser: random.Random, slots: Slots) -> None:
        self._chooser, self._slots = chooser, slots
        self._said: set[str] = set()

    def say(self, phrases: Sequence[str]) -> str:
        """Return one of the phrases with its slots filled, beginning with a capital."""
        phrase = self._chooser.choice([each for each in phrases if each not in self._said] or phrases)
        self._said.add(phrase)
        text = self._fill(phrase)
        return text[0].upper() + text[1:]

    def _fill(self, phrase: str) -> str:
        return _SLOT.sub(lambda slot: self._fill(self._chooser.choice(self._slots[slot[1]])), phrase)


def _situation(raw: Mapping[str, Any], general: Slots) -> Situation:
    own = {key: raw[key] for key in ("gist", "feeling", "unsaid")}
    single = {key: (raw[key],) for key in ("thought", "want", "who")}
    return Situation(tuple(raw["opens"]), tuple(raw["details"]), {**general, **own, **single})


def _read(name: str) -> Any:
    return yaml.safe_load((_FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
