"""Dialogues asked for in rounds and judged in order, so that they are the same after any stop."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Protocol

from datasets_app.synthesis.dialogue import Turn
from datasets_app.synthesis.safe_messaging import gate

from .asking import Asker, Outcome
from .gating import breaches_of
from .novelty import Kept
from .port import Request
from .transcript import TranscriptError, turns_in

MOST_ATTEMPTS = 8
MOST_SHARED = 0.5  # Jaccard similarity of word trigrams with a dialogue of the same group
SLOTS_AT_ONCE = 256
STEPS = ("plan", "ask", "parse", "safe_messaging", "novelty")
MODEL_LICENSE = "synthetic-model-terms"  # what a model wrote is under the terms of that model


class Slot(Protocol):
    """One dialogue that is wanted."""

    @property
    def key(self) -> str:
        """Its name in the files."""

    @property
    def group(self) -> str:
        """Among which dialogues it must be new."""

    @property
    def facts(self) -> Mapping[str, str]:
        """What a generator must keep to; the help line is one of them."""

    def request(self, attempt: int) -> Request:
        """The dialogue as it is asked for."""

    def record(self, turns: Sequence[Turn], attempt: int, identity: Mapping[str, str]) -> dict[str, Any]:
        """The dialogue as a record of the contract."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A dialogue that is wanted and not there, with the reason of each attempt; it holds no text."""

    key: str
    group: str
    reasons: tuple[str, ...]

    @property
    def reason(self) -> str:
        """The last reason, by which failures are counted."""
        return self.reasons[-1]

    @property
    def line(self) -> dict[str, Any]:
        """The failure as it is listed."""
        return {
            "key": self.key,
            "scenario": self.group,
            "reason": self.reason,
            "attempts": list(self.reasons),
        }


@dataclass(slots=True)
class _Open:
    """A slot without a dialogue so far."""

    slot: Slot
    reasons: list[str] = field(default_factory=list)
    is_closed: bool = False
    record: dict[str, Any] | None = None


class Rounds:
    """One run; what it holds grows with the word runs of what was kept, not with the texts."""

    def __init__(self, asker: Asker, identity: Mapping[str, str]) -> None:
        gate()  # a gate that does not hold stops everything before the first dialogue
        self._asker, self.identity = asker, identity
        self._kept: dict[str, Kept] = {}
        self.turned_down: Counter[str] = Counter()

    def run(self, slots: Iterable[Slot]) -> Iterator[dict[str, Any] | Failure]:
        """A record or a failure for each slot, in their order."""
        waiting = iter(slots)
        while some := [_Open(slot) for slot in islice(waiting, SLOTS_AT_ONCE)]:
            for attempt in range(MOST_ATTEMPTS):
                self._ask([one for one in some if not one.is_closed], attempt)
            for one in some:
                yield one.record or Failure(one.slot.key, one.slot.group, tuple(one.reasons))

    def _ask(self, some: list[_Open], attempt: int) -> None:
        outcomes = self._asker.ask([one.slot.request(attempt) for one in some])
        for one, outcome in zip(some, outcomes, strict=True):
            self._judge(one, outcome, attempt)

    def _judge(self, one: _Open, outcome: Outcome, attempt: int) -> None:
        turns, reasons = _read(outcome, one.slot.facts)
        if not reasons and not self._kept.setdefault(one.slot.group, Kept(MOST_SHARED)).takes(turns):
            reasons = ["not_novel"]
        if not reasons:
            one.record, one.is_closed = one.slot.record(turns, attempt, self.identity), True
            return
        self.turned_down.update(reasons)
        one.reasons.append("+".join(sorted(set(reasons))))
        one.is_closed = outcome.status in {"refused", "not_asked"} or "refused" in reasons


def _read(outcome: Outcome, facts: Mapping[str, str]) -> tuple[tuple[Turn, ...], list[str]]:
    if outcome.status != "answered":
        return (), [outcome.reason]
    try:
        turns = turns_in(outcome.text)
    except TranscriptError as error:
        return (), [str(error)]
    return turns, breaches_of(turns, facts)
