"""A dialogue told by the grammar of a scenario: few frames, taken in turn so that all of them are used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from datasets_app.generators.port import Answer, FailedError, Request
from datasets_app.synthesis.chance import chance
from datasets_app.synthesis.dialogue import Turn, stopped
from datasets_app.synthesis.grammar import Beat, Saying, shared
from datasets_app.synthesis.templates import Telling

from .plans import NightmarePlan
from .scenarios import SCENARIOS_VERSION, scenario_named

LABELS = {"user": "Client", "assistant": "Therapist"}
WORDINESS = 0.5
Item = TypeVar("Item")


class GrammarGenerator:
    """Answers a request by its plan; the words of the request are for models."""

    most_at_once: int | None = 1  # nothing is waited for, so nothing is gained

    @property
    def identity(self) -> Mapping[str, str]:
        """The version of the scenarios decides every answer."""
        return {"generator": "grammar", "version": SCENARIOS_VERSION}

    def reserve(self, request: Request) -> int:
        """Nothing is spent."""
        return 0

    def answer(self, request: Request) -> Answer:
        """The dialogue as a transcript, as a model would write it."""
        try:
            turns = Teller(request).tell()
        except LookupError as fault:
            raise FailedError("no_words_for_plan") from fault
        return Answer("\n".join(f"{LABELS[turn.role]}: {turn.content}" for turn in turns))


class Teller:
    """Tells one dialogue; holds its throws, its facts and what has been asserted."""

    def __init__(self, request: Request) -> None:
        self.plan = NightmarePlan(
            scenario=request.plan["scenario"],
            number=int(request.plan["number"]),
            setting=request.plan["setting"],
            reception=request.plan["reception"],
        )
        self.scenario = scenario_named(self.plan.scenario)
        self.request = request
        throw = chance(request.seed, request.name, request.attempt)
        bound: dict[str, int] = {}
        self.telling = Telling(throw, request.facts, shared().rules, WORDINESS, bound)
        self.asserted: dict[str, str] = {}
        self.told = 0

    def tell(self) -> list[Turn]:
        """The dialogue from the opening to the close."""
        turns: list[Turn] = []
        reply = ""
        for number, beat in enumerate(self._beats()):
            if number:
                asked = self.telling.tell(self._in_turn(beat.asks))
                turns.append(Turn("assistant", f"{reply} {asked}"))
            self.telling.bound.clear()
            saying = self._saying(beat)
            turns.append(Turn("user", self.telling.tell(stopped(saying.text))))
            reply = stopped(self.telling.tell(self._in_turn(saying.replies)))
        return [*turns, Turn("assistant", reply)]

    def opening(self) -> tuple[str, str]:
        """What the client says first, and the reply to just that."""
        saying = self._saying(self._beats()[0])
        said = self.telling.tell(stopped(saying.text))
        return said, stopped(self.telling.tell(self._in_turn(saying.replies)))

    def _beats(self) -> list[Beat]:
        held = {section: self._shuffled(beats) for section, beats in self.scenario.grammar.sections.items()}
        return [held[section].pop() for section in self.scenario.order]

    def _saying(self, beat: Beat) -> Saying:
        levels = {"reception": self.plan.reception}
        fitting = [saying for saying in beat.sayings if saying.fits(levels, self.asserted)]
        if not fitting:
            raise LookupError(f"{self.scenario.name}: nothing fits.")
        saying = self._in_turn(fitting)
        self.asserted.update(saying.asserts)
        return saying

    def _shuffled(self, beats: Sequence[Beat]) -> list[Beat]:
        return self.telling.throw.sample(beats, len(beats))

    def _in_turn(self, ways: Sequence[Item]) -> Item:
        """One of the ways: dialogue after dialogue each is taken once before any is taken again."""
        self.told += 1
        turn, at = divmod(self.plan.number + self.request.attempt, len(ways))
        throw = chance(self.request.seed, self.scenario.name, self.told, turn)
        return throw.sample(list(ways), len(ways))[at]
